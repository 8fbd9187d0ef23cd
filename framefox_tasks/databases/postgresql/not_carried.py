"""What of a PostgreSQL database a copy does not have, told before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from framefox_tasks.databases.postgresql.dependencies import Relations

_SHOWN = 8
_LARGE_OBJECTS = "SELECT count(*)::text FROM pg_largeobject_metadata HAVING count(*) > 0"
_TABLESPACES = """
SELECT DISTINCT spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE t.spcname <> 'pg_global' ORDER BY 1
"""
_SUBSCRIPTIONS = """
SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() ORDER BY 1
"""
_FOREIGN_ROWS = """
SELECT x.extname || ': ' || c.relname FROM pg_extension x JOIN pg_class c ON c.oid = ANY(x.extconfig)
WHERE c.relkind = 'r' AND c.reltuples > 0 ORDER BY 1
"""
_QUERIES = (
    (_LARGE_OBJECTS, "large objects: {}"),
    (_TABLESPACES, "tablespaces: everything is in the default one, not in {}"),
    (_SUBSCRIPTIONS, "subscriptions: {}"),
    (_FOREIGN_ROWS, "rows added to the tables of extensions: {}"),
)


def missing_of(connection: Any, relations: Relations) -> list[str]:
    """What is not carried, a phrase each."""
    return [*_of_database(connection), *_of_relations(relations)]


def _of_database(connection: Any) -> Iterator[str]:
    from psycopg.errors import InsufficientPrivilege

    for query, phrase in _QUERIES:
        try:
            with connection.transaction():
                names = [name for (name,) in connection.execute(query)]
        except InsufficientPrivilege:
            continue  # who may not read pg_subscription cannot have made a subscription
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield phrase.format(", ".join(names[:_SHOWN]) + more)


def _of_relations(relations: Relations) -> Iterator[str]:
    kinds = {"v": "view", "m": "materialized view"}
    for relation in relations.without:
        if relation.relkind in kinds:
            yield f"{kinds[relation.relkind]} {relation.label}: it reads a table that is not copied"
    gone = {relation.key for relation in relations.without}
    for key, (name, referred) in relations.without_keys.items():
        if relations.owner("constraint", key) not in gone:
            yield f"{name}: it refers to {referred}, which is not copied"
