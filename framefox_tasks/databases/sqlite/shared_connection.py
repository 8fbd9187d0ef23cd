"""The migration's own connection, shared with those that the process opens to the same file while it runs.

It holds the write lock, and what it has made is not committed: a second connection would see nothing of that, and wait
for a lock that only the first could release. So what SQLAlchemy opens meanwhile is a proxy of the same DBAPI
connection. Its transaction is that of the migration, which alone ends it.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from weakref import WeakSet

from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_ENDS = re.compile(r"\s*(BEGIN|COMMIT|END|ROLLBACK(?!\s+(TRANSACTION\s+)?TO\b))\b", re.IGNORECASE)
_PRAGMA = re.compile(r"\s*PRAGMA\s+((?:\w+\s*\.\s*)?(\w+))\s*([=(])", re.IGNORECASE)
# Those that a connection is set up with, some of which are an error inside a transaction.
_SETUP = {
    "auto_vacuum",
    "busy_timeout",
    "cache_size",
    "case_sensitive_like",
    "foreign_keys",
    "journal_mode",
    "locking_mode",
    "mmap_size",
    "recursive_triggers",
    "synchronous",
    "temp_store",
    "wal_autocheckpoint",
}
_ASYNC = "sqlalchemy.dialects.sqlite.aiosqlite"


class SharedConnections:
    """Gives the DBAPI connection of a migration to further connections of the process to the same file.

    Attributes:
        own: The connection that Alembic was configured with; None before.
    """

    def __init__(self, target: Target) -> None:
        self.own: Connection | None = None
        self._target = target
        self._given: WeakSet[SharedConnection] = WeakSet()
        self._since = 0.0

    @property
    def active(self) -> bool:
        """Whether the migration's connection is open."""
        return self.own is not None and not self.own.closed

    def start(self, connection: Connection) -> None:
        """Share a connection."""
        self.end()
        pool = connection.engine.pool
        # Pools that would give this very connection again, and not a proxy of it: StaticPool and SingletonThreadPool.
        vars(pool).pop("connection", None)
        for kept in vars(pool).values():
            if isinstance(kept, local):
                vars(kept).pop("current", None)
        self.own = connection
        self._since = time.time()

    def end(self) -> None:
        """Close what was given, as far as its users are concerned: SQLAlchemy then connects anew."""
        for given in list(self._given):
            given.close()
        self.own = None

    def connect(self, dialect: Any, _record: Any, arguments: Sequence[Any], _keywords: Any) -> SharedConnection | None:
        """What SQLAlchemy's do_connect event calls; where it gives nothing, the driver connects."""
        if not self.active or dialect.name != "sqlite" or not arguments or not self._is_target(str(arguments[0])):
            return None
        assert self.own is not None  # noqa: S101 - it is active
        shared = SharedConnection(self.own.connection.dbapi_connection)
        self._given.add(shared)
        return shared

    def checkout(self, connection: Any, record: Any, _fairy: Any) -> None:
        """What the checkout event of pools calls: a connection from before the migration is replaced."""
        # One that came later is of an engine that connects by a function of its own, and would come again.
        before = self.active and record.starttime < self._since
        if before and _is_driver(connection) and any(map(self._is_target, _files(connection))):
            from sqlalchemy.exc import DisconnectionError

            raise DisconnectionError("It does not see what the migration has made.")

    def _is_target(self, file: str) -> bool:
        if file.startswith("file:"):
            file = unquote(file.removeprefix("file:").partition("?")[0])
            file = file.removeprefix("//") if file.startswith("///") else file
        return file not in ("", ":memory:") and Path(file).resolve() == self._target.file


def _is_driver(connection: Any) -> bool:
    return isinstance(connection, sqlite3.Connection) or type(connection).__module__ == _ASYNC


def _files(connection: Any) -> list[str]:
    cursor = connection.cursor()
    cursor.execute("PRAGMA database_list")
    found = [str(row[2] or "") for row in cursor.fetchall()]
    cursor.close()
    return found


class SharedConnection:
    """A DBAPI connection whose close, commit and rollback do nothing, and that no setting of its user's reaches."""

    __slots__ = ("__weakref__", "_closed", "_real", "_row_factory")

    def __init__(self, real: Any) -> None:
        object.__setattr__(self, "_real", real)
        object.__setattr__(self, "_closed", False)
        object.__setattr__(self, "_row_factory", None)

    @property
    def driver_connection(self) -> SharedConnection:
        """What an async dialect asks for, and the next under its older name."""
        return self

    _connection = driver_connection

    def cursor(self, *arguments: Any) -> SharedCursor:
        """A cursor of the real connection."""
        cursor = self.__getattr__("cursor")(*arguments)
        if self._row_factory is not None:
            cursor.row_factory = self._row_factory
        return SharedCursor(cursor)

    def execute(self, statement: str, *parameters: Any) -> SharedCursor:
        """As of sqlite3."""
        return self.cursor().execute(statement, *parameters)

    def executemany(self, statement: str, *parameters: Any) -> SharedCursor:
        """As of sqlite3."""
        return self.cursor().executemany(statement, *parameters)

    def executescript(self, script: str) -> SharedCursor:
        """As of sqlite3, without the commit."""
        return self.cursor().executescript(script)

    def create_function(self, name: str, *arguments: Any, **keywords: Any) -> None:
        """As of sqlite3; one that is there stays, since none can be replaced while a statement runs."""
        query = "SELECT 1 FROM pragma_function_list WHERE name = ? AND NOT builtin"
        if not self.execute(query, (name.lower(),)).fetchall():
            self.__getattr__("create_function")(name, *arguments, **keywords)

    def commit(self) -> None:
        """The migration commits."""

    def rollback(self) -> None:
        """The migration rolls back."""

    def close(self) -> None:
        """The migration closes it."""
        object.__setattr__(self, "_closed", True)

    terminate = close

    def __enter__(self) -> SharedConnection:
        return self

    def __exit__(self, *_: object) -> None:
        """Neither commit nor rollback."""

    def __getattr__(self, name: str) -> Any:
        if self._closed:
            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")  # as SQLAlchemy knows it
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # The others, such as isolation_level, would change the migration's transaction.
        if name == "row_factory":
            object.__setattr__(self, "_row_factory", value)


class SharedCursor:
    """A cursor that neither ends the transaction nor sets up the connection anew."""

    __slots__ = ("_real",)

    def __init__(self, real: Any) -> None:
        object.__setattr__(self, "_real", real)

    def execute(self, statement: str, *parameters: Any) -> SharedCursor:
        """As of sqlite3."""
        self._real.execute(harmless(statement), *parameters)
        return self

    def executemany(self, statement: str, *parameters: Any) -> SharedCursor:
        """As of sqlite3."""
        self._real.executemany(statement, *parameters)
        return self

    def executescript(self, script: str) -> SharedCursor:
        """As of sqlite3, without the commit."""
        for statement in _statements(script):
            self.execute(statement)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(self._real)

    def __next__(self) -> Any:
        return next(self._real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)


def harmless(statement: str) -> str:
    """The statement, or one that does nothing in place of one that begins or ends a transaction or sets it up."""
    if _ENDS.match(statement):
        return "SELECT 1"
    pragma = _PRAGMA.match(statement)
    if pragma and (pragma[3] == "=" or pragma[2].lower() in _SETUP):
        return f"PRAGMA {pragma[1]}"
    return statement


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for part in re.split(r"(?<=;)", script):
        statement += part
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
