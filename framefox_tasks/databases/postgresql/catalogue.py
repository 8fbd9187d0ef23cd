"""The definitions of a database from its catalogue, where no pg_dump can read it: one entry for each object.

The entries are what pg_dump's would be: see _dump. What is not written here is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from framefox_tasks.databases.order import after_needed
from framefox_tasks.databases.postgresql import catalogue_objects, catalogue_tables
from framefox_tasks.databases.postgresql.dependencies import shown
from framefox_tasks.databases.postgresql.dump import DumpEntry

Id = tuple[str, int]
"""A catalogue, and a number in it."""

# What is no object of its own belongs to one: the rule of a view, a default, a check, the type of a row or an array.
_BELONGS = """
SELECT 'pg_rewrite', r.oid::bigint, 'pg_class', r.ev_class::bigint FROM pg_rewrite r WHERE rulename = '_RETURN'
UNION ALL SELECT 'pg_attrdef', oid, 'pg_class', adrelid FROM pg_attrdef
UNION ALL SELECT 'pg_constraint', oid, CASE conrelid WHEN 0 THEN 'pg_type' ELSE 'pg_class' END,
    CASE conrelid WHEN 0 THEN contypid ELSE conrelid END FROM pg_constraint WHERE contype = 'c'
UNION ALL SELECT 'pg_type', t.oid, 'pg_class', typrelid FROM pg_type t JOIN pg_class c ON c.oid = typrelid
    WHERE c.relkind <> 'c'
UNION ALL SELECT 'pg_class', typrelid, 'pg_type', t.oid FROM pg_type t JOIN pg_class c ON c.oid = typrelid
    WHERE c.relkind = 'c'
UNION ALL SELECT 'pg_type', a.oid, CASE coalesce(c.relkind, 'c') WHEN 'c' THEN 'pg_type' ELSE 'pg_class' END,
    CASE coalesce(c.relkind, 'c') WHEN 'c' THEN t.oid ELSE c.oid END
    FROM pg_type t JOIN pg_type a ON a.oid = t.typarray LEFT JOIN pg_class c ON c.oid = t.typrelid
"""
_DEPENDS = """
SELECT classid::regclass::text, objid::bigint, refclassid::regclass::text, refobjid::bigint
FROM pg_depend WHERE deptype IN ('n', 'a') AND objid >= 16384 AND refobjid >= 16384
"""
# Types and functions may need tables, and tables types and functions: the order of these is that of who needs whom.
_MEMBERS = """
SELECT classid::regclass::text, objid::bigint FROM pg_depend WHERE deptype = 'e'
"""


def read_definitions(connection: Any) -> tuple[list[DumpEntry], list[str]]:
    """All definitions, in an order that they can be run in, and what is not carried."""
    members = {(catalogue, oid) for catalogue, oid in connection.execute(_MEMBERS)}
    nodes: dict[Id, DumpEntry] = {}
    for query in (*catalogue_objects.QUERIES, catalogue_tables.TABLES, catalogue_objects.VIEWS):
        for catalogue, oid, *entry in connection.execute(query):
            if (catalogue, oid) not in members:
                nodes[catalogue, oid] = _entry(*entry)
    ordered = list(after_needed(nodes, _needs(connection, nodes)))
    late = _late(ordered, nodes, _needs(connection, nodes))
    found = [nodes[node] for node in ordered if node not in late]
    for query in catalogue_tables.AFTER_TABLES:
        found += _entries(connection, query, members)
    found += [nodes[node] for node in ordered if node in late]
    for query in (*catalogue_tables.AT_LAST, *catalogue_objects.AT_LAST):
        found += _entries(connection, query, members)
    return found, _not_written(connection, members)


def _entry(kind: str, schema: str | None, name: str, sql: str) -> DumpEntry:
    return DumpEntry(shown(name), kind, schema or "", sql)


def _entries(connection: Any, query: str, members: set[Id]) -> Iterator[DumpEntry]:
    for catalogue, oid, *entry in connection.execute(query):
        if (catalogue, oid) not in members and entry[-1]:
            yield _entry(*entry)


def _needs(connection: Any, nodes: dict[Id, DumpEntry]) -> dict[Id, list[Id]]:
    belongs = {(a, b): (c, d) for a, b, c, d in connection.execute(_BELONGS)}
    needs = defaultdict(list)
    for catalogue, oid, needed_catalogue, needed_oid in connection.execute(_DEPENDS):
        one = belongs.get((catalogue, oid), (catalogue, oid))
        other = belongs.get((needed_catalogue, needed_oid), (needed_catalogue, needed_oid))
        # A sequence that belongs to a column is told so later.
        if one != other and one in nodes and other in nodes and nodes[one].kind != "SEQUENCE":
            needs[one].append(other)
    return needs


def _late(ordered: Iterable[Id], nodes: dict[Id, DumpEntry], needs: dict[Id, list[Id]]) -> set[Id]:
    """What is made behind the keys of tables: views, which may need them, and what needs views."""
    late: set[Id] = set()
    for node in ordered:
        if "VIEW" in nodes[node].kind or late.intersection(needs[node]):
            late.add(node)
    return late


def _not_written(connection: Any, members: set[Id]) -> list[str]:
    found = defaultdict(list)
    for catalogue, oid, kind, name in connection.execute(catalogue_objects.NOT_WRITTEN):
        if (catalogue, oid) not in members:
            found[kind].append(name)
    hint = " (with pg_dump of the server's version on PATH it is)"
    return [f"{kind}: {', '.join(sorted(names))}{hint}" for kind, names in sorted(found.items())]
