"""Migrations on SQLite in a real transaction that loses nothing.

Python's sqlite3 module would commit before DDL; SQLAlchemy's documentation ("Transactions with SQLite and the sqlite3
driver") gives the remedy: switch its own transactions off and send BEGIN. Foreign keys are off because a batch rebuild
drops the old table, and with foreign keys on that deletes the rows that refer to it. So before the commit it is checked
that no row has lost its parent, and the triggers and expression indexes that went with a rebuilt table, and that
SQLAlchemy does not know of, are created again.

The listeners are on SQLAlchemy's classes, since a project's env.py makes its own engine.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.lock import Patience, wait_until
from framefox_tasks.databases.sqlite.dependents import broken, check_dependents
from framefox_tasks.databases.sqlite.lock import is_busy
from framefox_tasks.databases.sqlite.rebuild import create_again
from framefox_tasks.errors import MigrationError
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_MARK = "framefox_tasks.guarded"
# What a transaction is begun and ended with, and what has no place or no effect in one.
_OUTSIDE = {"", "BEGIN", "COMMIT", "END", "ROLLBACK", "PRAGMA", "VACUUM", "ATTACH", "DETACH"}
_WORD = re.compile(r"\A\s*(\w*)")
_DROP = re.compile(r"\s*DROP\s+(TRIGGER|INDEX)\b", re.IGNORECASE)


@contextmanager
def guarded(target: Target, patience: Patience) -> Iterator[None]:
    """A context in which the transactions of connections to the target are guarded."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    guard = _Guard(target, patience)
    listeners = (
        (Engine, "begin", guard.begin, False),
        (Engine, "commit", guard.commit, False),
        (Engine, "before_cursor_execute", guard.before_statement, True),
        (Engine, "rollback", guard.rollback, False),
        (Pool, "checkin", guard.checkin, False),
    )
    for owner, name, listener, retval in listeners:
        event.listen(owner, name, listener, **({"retval": True} if retval else {}))
    try:
        yield
    finally:
        for owner, name, listener, _ in listeners:
            event.remove(owner, name, listener)


class _Guard:
    def __init__(self, target: Target, patience: Patience) -> None:
        self._target = target
        self._patience = patience
        self._before: dict[int, _Snapshot] = {}

    def begin(self, connection: Connection) -> None:
        raw = _raw(connection)
        # A migration may look at the database over a second connection, which must not wait for its own.
        if not self._concerns(connection) or self._before.keys() - {id(raw)}:
            return
        connection.connection.dbapi_connection.isolation_level = None  # type: ignore[union-attr]
        if raw.in_transaction:  # a listener of the application's came first
            connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        self._begin_immediate(connection)
        connection.info[_MARK] = True
        self._before[id(raw)] = _Snapshot(connection)

    def _begin_immediate(self, connection: Connection) -> None:
        """Begin to write, as soon as nobody else does."""
        cursor = connection.connection.cursor()  # the driver's: SQLAlchemy would take a refusal for a failed statement

        def begin() -> bool:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as exc:
                if is_busy(exc):
                    return False
                raise
            return True

        cursor.execute("PRAGMA busy_timeout")
        timeout = cursor.fetchall()[0][0]
        cursor.execute("PRAGMA busy_timeout=0")
        try:
            wait_until(begin, lambda: "another process writes to it", self._target, self._patience)
        finally:
            cursor.execute(f"PRAGMA busy_timeout={timeout}")
            cursor.close()

    def commit(self, connection: Connection) -> None:
        before = self._before.pop(id(_raw(connection)), None)
        if before is not None and self._concerns(connection):
            before.restore(connection)
            before.check(connection)

    def rollback(self, connection: Connection) -> None:
        self._before.pop(id(_raw(connection)), None)

    def before_statement(
        self,
        connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        _many: bool,
    ) -> tuple[str, Any]:
        if self._concerns(connection):
            before = self._before.get(id(_raw(connection)))
            if before is not None and _DROP.match(statement):
                before.dropped.append(statement)
            word = _WORD.findall(statement)[0].upper()
            # An application that follows the same advice sends its BEGIN second, which would be an error.
            if word == "BEGIN" and _raw(connection).in_transaction:
                return "SELECT 1", parameters
            # A migration has sent a COMMIT, and goes on.
            if before is not None and word not in _OUTSIDE and not _raw(connection).in_transaction:
                self._begin_immediate(connection)
        return statement, parameters

    def checkin(self, _connection: Any, record: Any) -> None:
        if record is not None and record.info.pop(_MARK, False):
            self._before.pop(id(record.driver_connection), None)
            record.invalidate()  # its pragma and isolation level are not what the application expects

    def _concerns(self, connection: Connection) -> bool:
        if connection.dialect.name != "sqlite" or connection.engine.url.database is None:
            return False
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return False
        return self._target.project.path(connection.engine.url.database) == self._target.file


class _Snapshot:
    """What a database held when the transaction began."""

    def __init__(self, connection: Connection) -> None:
        self.dropped: list[str] = []
        self._tables = _tables(connection)
        self._attached = _attached(connection)
        self._orphans = _orphans(connection)
        self._broken = broken(connection)

    def restore(self, connection: Connection) -> None:
        """Create again what went with a rebuilt table and was not dropped by name."""
        tables, there = _tables(connection), {name for name, *_ in _attached(connection)}
        for name, table, statement in sorted(self._attached):
            rebuilt = name not in there and table in tables and tables[table] != self._tables.get(table)
            if rebuilt and not any(name in text for text in self.dropped):
                create_again(connection, name, table, statement)

    def check(self, connection: Connection) -> None:
        """Refuse to leave more rows without a parent than there were, or a view that worked and does no more."""
        check_dependents(connection, self._broken)
        added = _orphans(connection) - self._orphans
        if added:
            found = ", ".join(f"{table} ({count})" for table, count in sorted(added.items()))
            raise MigrationError(
                f"The migrations leave rows whose foreign key refers to nothing: to {found}.",
                hint="Delete or correct these rows in the migration. Foreign keys are not enforced, and do not "
                "cascade, while a migration runs on SQLite.",
            )


def _raw(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _tables(connection: Connection) -> dict[str, int]:
    """The tables with their root pages: a table that was rebuilt has another."""
    rows = connection.exec_driver_sql("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'")
    return {row[0]: row[1] for row in rows}


def _attached(connection: Connection) -> set[tuple[str, str, str]]:
    """Triggers and indexes on expressions: name, table and statement."""
    rows = connection.exec_driver_sql(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND (type = 'trigger' OR (type = 'index' "
        "AND EXISTS (SELECT 1 FROM pragma_index_info(sqlite_master.name) WHERE cid = -2)))"
    )
    return {(row[0], row[1], row[2]) for row in rows}


def _orphans(connection: Connection) -> Counter[str]:
    """How many rows refer to nothing, by the table referred to."""
    found = _foreign_key_check(connection, "")
    if found is None:
        tables = (table.replace('"', '""') for table in _tables(connection))
        found = [row for table in tables for row in _foreign_key_check(connection, f'("{table}")') or ()]
    return Counter(row[2] for row in found)


def _foreign_key_check(connection: Connection, table: str) -> list[Any] | None:
    """The rows without a parent; None where a key refers to a column that is not unique.

    SQLite can neither check nor enforce such a key, and refuses the whole check for its sake.
    """
    from sqlalchemy.exc import OperationalError

    try:
        return list(connection.exec_driver_sql(f"PRAGMA foreign_key_check{table}"))
    except OperationalError as exc:
        if "foreign key mismatch" in str(exc):
            return None
        raise
