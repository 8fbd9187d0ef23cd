"""Views and triggers, which SQLite takes as they are written and refuses only when they are used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.sqlite.types import named
from framefox_tasks.errors import MigrationError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def ask(connection: Connection, statement: str) -> list[Any]:
    """What a statement of the guard's own gives, on the driver's cursor: SQLAlchemy need know nothing of it."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
        return list(cursor.fetchall())
    finally:
        cursor.close()


def broken(connection: Connection) -> dict[str, str]:
    """What cannot be used, and why: views, and the triggers of a table."""
    query = "SELECT type, name, tbl_name FROM sqlite_master WHERE type IN ('view', 'trigger')"
    found = ask(connection, query)
    views = [row[1] for row in found if row[0] == "view"]
    triggered = sorted({row[2] for row in found if row[0] == "trigger"})
    uses = [(f"The view {view}", [f"SELECT * FROM {named(view)}"]) for view in views]  # noqa: S608 - quoted
    uses += [(f"A trigger of {table}", _changes(connection, table)) for table in triggered if table not in views]
    uses += [(f"A trigger of {view}", _changes(connection, view)) for view in views if view in triggered]
    return dict(_refusals(connection, uses))


def _changes(connection: Connection, table: str) -> list[str]:
    """Statements that use all triggers of a table."""
    try:
        told = ask(connection, f"PRAGMA table_info({named(table)})")
    except sqlite3.Error:  # a broken view has no columns
        return []
    columns = [named(row[1]) for row in told]
    sets = ", ".join(f"{column} = NULL" for column in columns)
    names, values = ", ".join(columns), ", ".join("NULL" for _ in columns)
    name = named(table)
    return [
        f"INSERT INTO {name} ({names}) VALUES ({values})",  # noqa: S608 - quoted, and only explained
        f"UPDATE {name} SET {sets}",  # noqa: S608
        f"DELETE FROM {name}",  # noqa: S608
    ]


def _refusals(connection: Connection, uses: list[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    for about, statements in uses:
        for statement in statements:
            try:
                ask(connection, f"EXPLAIN {statement}")
            except sqlite3.Error as exc:
                yield about, str(exc)


def check_dependents(connection: Connection, before: dict[str, str]) -> None:
    """Refuse to leave a view or a trigger that worked, and does no more."""
    for about, why in broken(connection).items():
        if about not in before:
            raise MigrationError(
                f"{about} does not work after the migration: {why}.",
                hint="Drop it in the migration before what it uses is changed, and create it as it shall be.",
            )
