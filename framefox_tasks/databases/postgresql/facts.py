"""What a PostgreSQL database holds, as facts of its catalogue."""

# ruff: noqa: S608 - the queries are put together from fixed texts

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from framefox_tasks.databases.drivers import quoted_table
from framefox_tasks.databases.facts import DEFINITION, THERE, Fact
from framefox_tasks.databases.postgresql.verbs import DIRECT
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.model import Target

_GIVEN = re.compile(r"(?:pkey|key|fkey|check|excl|not_null)\d*$")
"""How the names end that the server gives to constraints."""
_NAME = "CASE WHEN {n}.nspname = 'public' THEN '' ELSE {n}.nspname || '.' END || {c}"
_OURS = """{n}.nspname <> 'information_schema' AND {n}.nspname NOT LIKE 'pg\\_%' AND NOT EXISTS (
    SELECT FROM pg_depend e WHERE e.classid = '{catalogue}'::regclass AND e.objid = {oid} AND e.deptype = 'e')"""
_RELATION = _NAME.format(n="n", c="c.relname")
_OUR_RELATION = _OURS.format(n="n", catalogue="pg_class", oid="c.oid")
_OF_RELATION = "JOIN pg_class c ON c.oid = {} JOIN pg_namespace n ON n.oid = c.relnamespace"

_TABLES = f"""
SELECT {_RELATION}, c.relkind::text, c.relpersistence::text, array_to_string(c.reloptions, ', '),
    CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
    (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid),
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, obj_description(c.oid, 'pg_class'),
    pg_get_expr(c.relpartbound, c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND {_OUR_RELATION}
"""
_COLUMNS = f"""
SELECT {_RELATION}, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
    a.attidentity::text, a.attgenerated::text,
    (SELECT collname FROM pg_collation WHERE oid = a.attcollation AND a.attcollation <> t.typcollation),
    col_description(c.oid, a.attnum),
    (SELECT objid::regclass::text FROM pg_depend s WHERE s.classid = 'pg_class'::regclass AND s.deptype = 'a'
        AND s.refobjid = c.oid AND s.refobjsubid = a.attnum
        AND EXISTS (SELECT FROM pg_sequence WHERE seqrelid = s.objid) LIMIT 1)
FROM pg_attribute a {_OF_RELATION.format("a.attrelid")} JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
    AND {_OUR_RELATION}
"""
_CAST = re.compile(r"::(?:character varying|text|bpchar)(?:\(\d+\))?(?:\[\])?")
_AROUND_ONE = re.compile(r"(?<!\w)\(('[^']*'|\w+)\)")
_AROUND_TWO = re.compile(r"\(\(([^()]*)\)\)")
_CONSTRAINTS = f"""
SELECT {_RELATION}, k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k {_OF_RELATION.format("k.conrelid")}
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND {_OUR_RELATION}
"""
_INDEXES = f"""
SELECT {_RELATION}, i.relname, pg_get_indexdef(i.oid), obj_description(i.oid, 'pg_class'), x.indisvalid
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid {_OF_RELATION.format("x.indrelid")}
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid AND contype IN ('p', 'u', 'x')) AND {_OUR_RELATION}
"""
_SEQUENCES = f"""
SELECT {_RELATION}, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
    s.seqcache, (SELECT {_NAME.format(n="rn", c="r.relname")} FROM pg_class r
        JOIN pg_namespace rn ON rn.oid = r.relnamespace WHERE r.oid = o.refobjid),
    (SELECT attname FROM pg_attribute WHERE attrelid = o.refobjid AND attnum = o.refobjsubid)
FROM pg_sequence s {_OF_RELATION.format("s.seqrelid")}
LEFT JOIN pg_depend o ON o.objid = c.oid AND o.classid = 'pg_class'::regclass AND o.refobjsubid > 0
    AND o.deptype IN ('a', 'i')
WHERE {_OUR_RELATION}
"""
_TYPES = f"""
SELECT {_NAME.format(n="n", c="t.typname")}, t.typtype::text,
    (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
    format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
    (SELECT string_agg(pg_get_constraintdef(oid), '; ' ORDER BY pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE contypid = t.oid)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd') AND {_OURS.format(n="n", catalogue="pg_type", oid="t.oid")}
"""
_TRIGGERS = f"""
SELECT {_RELATION}, g.tgname, pg_get_triggerdef(g.oid) FROM pg_trigger g {_OF_RELATION.format("g.tgrelid")}
WHERE NOT g.tgisinternal AND {_OUR_RELATION}
"""
_FUNCTIONS = f"""
SELECT {_NAME.format(n="n", c="p.proname")}, pg_get_functiondef(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p') AND {_OURS.format(n="n", catalogue="pg_proc", oid="p.oid")}
"""


_OWNERS = f"""
SELECT {_RELATION}, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END,
    pg_get_userbyid(c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't' AND {_OUR_RELATION}
    AND c.relowner <> (SELECT relowner FROM pg_class WHERE oid = to_regclass(%s))
    AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.objid = c.oid AND o.classid = 'pg_class'::regclass
        AND c.relkind = 'S' AND o.refobjsubid > 0 AND o.deptype IN ('a', 'i'))
UNION ALL
SELECT {_NAME.format(n="n", c="t.typname")}, 'type', pg_get_userbyid(t.typowner)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd') AND {_OURS.format(n="n", catalogue="pg_type", oid="t.oid")}
    AND t.typowner <> (SELECT relowner FROM pg_class WHERE oid = to_regclass(%s))
"""


def owners(verbs: ServerVerbs, target: Target) -> list[Fact]:
    """Who owns what, where that is not who owns the version table: who has run the migrations."""
    with verbs.connection(target, target.name) as connection:
        cursor = connection.cursor()
        table = quoted_table(target.project.version_table, '"')
        cursor.execute(_OWNERS.replace("\\_%'", "\\_%%'"), (table, table))
        return [Fact(name, what, "owner", owner) for name, what, owner in cursor.fetchall()]


def facts(verbs: ServerVerbs, target: Target) -> list[Fact]:
    """All that a database holds, without what extensions and the server own."""
    with verbs.connection(target, target.name) as connection, _preparing(connection):
        return facts_on(connection.cursor())


@contextmanager
def _preparing(connection: Any) -> Iterator[None]:
    """Have psycopg prepare the queries, on a session that is used again: to plan them takes longer than to run them."""
    before = getattr(connection, "prepare_threshold", None)
    if connection in DIRECT and hasattr(connection, "prepare_threshold"):
        connection.prepare_threshold = 0
        try:
            yield
        finally:
            connection.prepare_threshold = before
    else:
        yield


def facts_on(cursor: Any) -> list[Fact]:
    """The same, by a cursor of a connection to it."""
    found: list[Fact] = []
    for query, read in _READERS:
        cursor.execute(query)
        found += [fact for row in cursor.fetchall() for fact in read(*row)]
    return found


def _table(
    name: str, kind: str, persistence: str, options: Any, key: Any, parents: Any, view: Any, comment: Any, bound: Any
) -> Iterator[Fact]:
    if view is not None:
        yield Fact(name, "view", DEFINITION, f"{kind} {view}")
        return
    yield Fact(name, "table", THERE, "")
    values = {
        "kind": "" if (kind, persistence) == ("r", "p") else f"{kind}{persistence}",
        "options": options,
        "partition key": key,
        "parents": parents,
        "bound": bound,
        "comment": comment,
    }
    yield from _set(name, "table", values)


def _set(table: str, what: str, values: dict[str, Any]) -> Iterator[Fact]:
    yield from (Fact(table, what, attribute, str(value)) for attribute, value in values.items() if value)


def _column(
    table: str,
    column: str,
    type_: str,
    required: bool,
    default: Any,
    identity: str,
    generated: str,
    collation: Any,
    comment: Any,
    sequence: Any,
) -> Iterator[Fact]:
    what = f"column {column}"
    if default and sequence:
        default = default.replace(f"'{sequence}'", "'its sequence'")  # which the server has named
    yield Fact(table, what, THERE, "")
    values = {
        "type": type_,
        "default": default if not generated else None,
        "expression": f"{generated} {default}" if generated else None,
        "identity": identity,
        "collation": collation,
        "comment": comment,
    }
    yield Fact(table, what, "nullable", "no" if required else "yes")
    yield from _set(table, what, values)


def _settled(definition: str) -> str:
    """A definition without casts between texts, and their parentheses: PostgreSQL reads it again and moves them."""
    settled = _CAST.sub("", definition)
    while settled != definition:
        definition, settled = settled, _AROUND_TWO.sub(r"(\1)", _AROUND_ONE.sub(r"\1", settled))
    return settled


def _constraint(table: str, name: str, definition: str) -> Iterator[Fact]:
    yield Fact(table, "constraint", "", _settled(definition), None if _GIVEN.search(name) else name)


def _index(table: str, name: str, definition: str, comment: Any, valid: bool) -> Iterator[Fact]:
    rest = _settled(definition.partition(" USING ")[2])
    unique = "UNIQUE " if definition.startswith("CREATE UNIQUE") else ""
    extra = f" COMMENT {comment}" if comment else ""
    yield Fact(table, "index", "", f"{unique}{rest}{extra}{'' if valid else ' INVALID'}", name)


def _sequence(name: str, type_: str, *rest: Any) -> Iterator[Fact]:
    start, step, low, high, cycle, cache, table, column = rest
    value = f"{type_} start {start} increment {step} from {low} to {high} cycle {cycle} cache {cache}"
    if table:
        yield Fact(table, f"column {column}", "sequence", value)
    else:
        yield Fact(name, "sequence", "options", value)


def _type(name: str, kind: str, labels: Any, base: str, required: bool, default: Any, checks: Any) -> Iterator[Fact]:
    if kind == "e":
        yield Fact(name, "type", "values", labels or "")
    else:
        yield from _set(name, "domain", {"type": base, "not null": required, "default": default, "checks": checks})


def _trigger(table: str, name: str, definition: str) -> Iterator[Fact]:
    yield Fact(table, "trigger", "", definition, name)


def _function(name: str, definition: str) -> Iterator[Fact]:
    yield Fact(name, "function", "", definition)


_READERS: tuple[tuple[str, Any], ...] = (
    (_TABLES, _table),
    (_COLUMNS, _column),
    (_CONSTRAINTS, _constraint),
    (_INDEXES, _index),
    (_SEQUENCES, _sequence),
    (_TYPES, _type),
    (_TRIGGERS, _trigger),
    (_FUNCTIONS, _function),
)


def names_of_constraints(verbs: ServerVerbs, target: Target) -> dict[tuple[str, str], str]:
    """The names of constraints, also of those that the server has named, by the table and the value of their facts."""
    with verbs.connection(target, target.name) as connection:
        cursor = connection.cursor()
        cursor.execute(_CONSTRAINTS)
        return {(table, _settled(definition)): name for table, name, definition in cursor.fetchall()}
