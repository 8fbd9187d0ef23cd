"""A scratch database in which nothing is to be seen for a while: its schemas have other names, until a rollback.

That takes a few milliseconds. To make another database, to connect to it and to drop it takes a server longer than all
else that a proof asks of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from framefox_tasks.databases.facts import Fact
from framefox_tasks.databases.postgresql.facts import facts_on
from framefox_tasks.databases.postgresql.session import quoted

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PREFIX = "framefox_tasks_aside_"
_SCHEMAS = """
SELECT nspname, pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY nspname
"""
# What is of no schema: an extension has its objects in one, and an event trigger would run for what is made.
_MORE = """
SELECT 1 FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' UNION ALL SELECT 1 FROM pg_catalog.pg_event_trigger
"""
_LEFT = f"SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname ~ '^{_PREFIX}'"  # noqa: S608


def set_aside(connection: Connection) -> _Renamed | None:
    """Rename all schemas, and make `public` anew; None where something would stay, or they are of another owner."""
    if connection.exec_driver_sql(_MORE).first():
        return None
    schemas = connection.exec_driver_sql(_SCHEMAS).all()
    if not all(is_own and "%" not in name for name, is_own in schemas):  # a % is the driver's
        return None
    for number, (name, _) in enumerate(schemas):
        connection.exec_driver_sql(f"ALTER SCHEMA {quoted(name)} RENAME TO {_PREFIX}{number}")
    connection.exec_driver_sql("CREATE SCHEMA public")
    return _Renamed(connection)


class _Renamed:
    """What was set aside in the transaction of a connection; see framefox_tasks.databases.scratch.Aside."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def facts(self) -> list[Fact]:
        """Those of other names."""
        found = facts_on(self._connection.connection.cursor())
        return [fact for fact in found if not fact.table.startswith(_PREFIX)]

    def is_left(self) -> bool:
        """By their names."""
        return self._connection.exec_driver_sql(_LEFT).first() is not None
