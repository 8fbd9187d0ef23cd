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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.listening import Event, Listeners
from framefox_tasks.databases.lock import Patience, wait_until
from framefox_tasks.databases.sqlite.dependents import ask, broken, check_dependents
from framefox_tasks.databases.sqlite.lock import is_busy
from framefox_tasks.databases.sqlite.rebuild import create_again
from framefox_tasks.databases.sqlite.shared_connection import SharedConnection, SharedConnections
from framefox_tasks.errors import MigrationError
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_MARK = "framefox_tasks.guarded"
# What a transaction is begun and ended with, and what has no place or no effect in one.
_OUTSIDE = {"", "BEGIN", "COMMIT", "END", "ROLLBACK", "PRAGMA", "VACUUM", "ATTACH", "DETACH"}
_WORD = re.compile(r"\A\s*(\w*)")
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")
_DROP = re.compile(r"\s*DROP\s+(TRIGGER|INDEX)\b", re.IGNORECASE)


@contextmanager
def guarded(target: Target, patience: Patience) -> Iterator[Callable[[Connection], None]]:
    """A context in which the transaction of the migration's connection is guarded.

    Yields:
        A function that takes that connection, as soon as it is known: until then it is the first that begins.
    """
    guard = _Guard(target, patience)
    try:
        with _GUARDS.joined(guard):
            yield guard.adopt
    except Exception as exc:
        if not guard.shared.own or not _waits_for_itself(exc):
            raise
        raise MigrationError(
            f"Another connection of this process waits for the migration's own: {exc}",
            hint="Let it use op.get_bind(), or an engine of SQLAlchemy's: these share the migration's transaction.",
        ) from exc
    finally:
        guard.shared.end()


def _events() -> tuple[Event, ...]:
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool
    from sqlalchemy.schema import Table

    return (
        Event(Engine, "begin", "begin"),
        Event(Engine, "commit", "commit"),
        Event(Engine, "before_cursor_execute", "before_statement", changes=True),
        Event(Engine, "rollback", "rollback"),
        Event(Pool, "checkin", "checkin"),
        Event(Pool, "checkout", "checkout"),
        Event(Engine, "do_connect", "connect"),
        Event(Table, "column_reflect", "escape_default"),
    )


_GUARDS = Listeners(_events)


def _waits_for_itself(exc: BaseException) -> bool:
    """Whether a statement failed for a lock: the migration's own connection holds it."""
    error = getattr(exc, "orig", exc)
    committing = error is not exc and getattr(exc, "statement", None) is None
    return isinstance(error, sqlite3.OperationalError) and is_busy(error) and not committing


class _Guard:
    def __init__(self, target: Target, patience: Patience) -> None:
        self._target = target
        self._patience = patience
        self._before: dict[int, _Snapshot] = {}
        self._known: dict[str, bool] = {}
        self.shared = SharedConnections(target)
        self.checkout, self.connect = self.shared.checkout, self.shared.connect

    def adopt(self, connection: Connection) -> None:
        """Take the connection that Alembic was configured with for the migration's own."""
        if not self._concerns(connection):
            return
        self.shared.start(connection)
        raw = _raw(connection)
        for other in [key for key in self._before if key != id(raw)]:
            # env.py has begun to work on another one, which would be waited for.
            self._before.pop(other).connection.exec_driver_sql("COMMIT")
        if connection.in_transaction() and id(raw) not in self._before:
            self.begin(connection)

    def begin(self, connection: Connection) -> None:
        if not self._concerns(connection) or (self.shared.active and connection is not self.shared.own):
            return
        raw = _raw(connection)
        if self._before.keys() - {id(raw)}:  # there is one already, and Alembic is not configured yet
            return
        connection.connection.dbapi_connection.isolation_level = None  # type: ignore[union-attr]
        if raw.in_transaction:  # a listener of the application's came first
            connection.exec_driver_sql("COMMIT")
        ask(connection, "PRAGMA foreign_keys=OFF")
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
        if record is None:
            return
        if isinstance(record.dbapi_connection, SharedConnection):
            record.invalidate()
        elif record.info.pop(_MARK, False):
            self._before.pop(id(record.driver_connection), None)
            record.invalidate()  # its pragma and isolation level are not what the application expects

    @staticmethod
    def escape_default(inspector: Any, _table: Any, column: Any) -> None:
        """Let a colon in the default of a reflected column be one, and no parameter: the table is made with it."""
        default = column.get("default")
        if inspector.bind.dialect.name == "sqlite" and isinstance(default, str):
            column["default"] = _PARAMETER.sub(r"\\:", default)

    def _concerns(self, connection: Connection) -> bool:
        if connection.dialect.name != "sqlite" or connection.engine.url.database is None:
            return False
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return False
        return self._is_target(connection.engine.url.database)

    def _is_target(self, database: str) -> bool:
        """Whether that is the target's file; asked for each statement, and looked up in the file system once."""
        if database not in self._known:
            self._known[database] = self._target.project.path(database) == self._target.file
        return self._known[database]


class _Snapshot:
    """What a database held when the transaction began."""

    def __init__(self, connection: Connection) -> None:
        self.dropped: list[str] = []
        self.connection = connection
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
    rows = ask(connection, "SELECT name, rootpage FROM sqlite_master WHERE type = 'table'")
    return {row[0]: row[1] for row in rows}


def _attached(connection: Connection) -> set[tuple[str, str, str]]:
    """Triggers and indexes on expressions: name, table and statement."""
    rows = ask(
        connection,
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND (type = 'trigger' OR (type = 'index' "
        "AND EXISTS (SELECT 1 FROM pragma_index_info(sqlite_master.name) WHERE cid = -2)))",
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
    try:
        return ask(connection, f"PRAGMA foreign_key_check{table}")
    except sqlite3.OperationalError as exc:
        if "foreign key mismatch" in str(exc):
            return None
        raise
