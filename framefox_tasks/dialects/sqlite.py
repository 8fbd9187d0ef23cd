"""SQLite: the database is a file."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefox_tasks.dialects.base import driver_of, quoted_table
from framefox_tasks.errors import (
    ConnectionFailedError,
    DatabaseExistsError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    FramefoxTasksError,
    MigrationError,
    NotADatabaseError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_HEADER = b"SQLite format 3\0"
JOURNALS = ("-wal", "-shm", "-journal")


class SQLite:
    """The verbs for SQLite."""

    name = "sqlite"
    title = "SQLite"
    drivers = ("pysqlite",)
    async_drivers = ("aiosqlite",)
    extra = ""
    transactional_ddl = True

    def exists(self, target: Target) -> bool:
        """Whether the file is there and is a SQLite database."""
        if not _is_there(target):
            return False
        _check_header(target)
        return True

    def create(self, target: Target) -> None:
        """Create the file, and the folder that it is in."""
        if self.exists(target):
            raise DatabaseExistsError(f"The database {target.name} exists already.")
        driver_of(target, self)  # before the file is there: nothing could migrate it
        try:
            target.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise _denied(target, f"its folder cannot be made: {exc.strerror}") from exc
        # VACUUM writes the first page: the file is a SQLite database from the start, not an empty file.
        with self._translated(target), _connection(target, "rwc") as connection:
            connection.execute("VACUUM")

    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:  # noqa: ARG002 - nobody is connected
        """Delete the file and its journals."""
        if not self.exists(target):
            raise missing(target)
        # The journals first: a database without its journal is whole or older, a journal without its database
        # would be applied to the next file of that name.
        for path in (*(Path(f"{target.file}{suffix}") for suffix in JOURNALS), target.file):
            try:
                path.unlink(missing_ok=True)
            except OSError as exc:
                raise PermissionDeniedError(
                    f"{target.project.shown(path)} cannot be deleted: {exc.strerror}",
                    hint="Check the permissions of the file's folder.",
                ) from exc

    def revision(self, target: Target) -> tuple[str, ...]:
        """The revisions in the version table."""
        table = quoted_table(target.project.version_table, '"')
        with self._translated(target), _existing(target, "ro") as connection:
            try:
                rows = connection.execute(f"SELECT version_num FROM {table}").fetchall()  # noqa: S608 - quoted
            except sqlite3.OperationalError as exc:
                if "no such table" in str(exc):
                    return ()
                raise
        return tuple(sorted(row[0] for row in rows))

    def clear_revision(self, target: Target) -> bool:
        """Empty the version table."""
        table = quoted_table(target.project.version_table, '"')
        with self._translated(target), _existing(target, "rw") as connection:
            try:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - quoted
            except sqlite3.OperationalError as exc:
                if "no such table" in str(exc):
                    return False
                raise
        return True

    def server_version(self, target: Target) -> str:
        """The version of the SQLite library."""
        self.revision(target)
        return sqlite3.sqlite_version

    def translate(self, exc: BaseException | None, target: Target) -> FramefoxTasksError:
        """What a sqlite3 error means, as one of ours."""
        text = str(exc)
        if "not a database" in text or "malformed" in text:
            return NotADatabaseError(
                f"{target.name} is no SQLite database, or it is damaged: {text}.",
                hint="Check the path in the database URL, or restore the file from a backup.",
            )
        if "locked" in text:
            return DatabaseInUseError(
                f"The database {target.name} is locked by another process.",
                hint="Close the program that writes to it, and try again.",
            )
        if "readonly" in text or "unable to open" in text:
            return _denied(target, text)
        return ConnectionFailedError(f"The database {target.name} cannot be used: {text}.")

    @contextmanager
    def _translated(self, target: Target) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as exc:
            raise self.translate(exc, target) from exc

    @contextmanager
    def migration_guard(self, target: Target) -> Iterator[None]:
        """Run migrations in a real transaction, with foreign keys off, and refuse to commit rows left without parent.

        Python's sqlite3 module would commit before DDL; SQLAlchemy's documentation ("Transactions with SQLite and the
        sqlite3 driver") gives the remedy: switch its own transactions off and send BEGIN. Foreign keys are off because
        a batch rebuild drops the old table, and with foreign keys on that deletes the rows that refer to it.
        """
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        violations: dict[int, Counter[str]] = {}

        def begin(connection: Connection) -> None:
            if not _guarded(connection, target):
                return
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101 - a connection that begins has one
            connection.connection.dbapi_connection.isolation_level = None  # type: ignore[union-attr]
            if raw.in_transaction:  # a listener of the application's came first
                connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            violations[id(raw)] = _violations(connection)

        def one_begin(connection: Connection, _: Any, statement: str, parameters: Any, *more: Any) -> tuple[str, Any]:  # noqa: ARG001
            # An application that follows the same advice sends its BEGIN second, which would be an error.
            raw: Any = connection.connection.driver_connection
            again = statement.strip().upper().startswith("BEGIN") and raw is not None and _guarded(connection, target)
            return "SELECT 1" if again and raw.in_transaction else statement, parameters

        def commit(connection: Connection) -> None:
            before = violations.pop(id(connection.connection.driver_connection), None)
            if before is not None and _guarded(connection, target):
                _check_foreign_keys(_violations(connection) - before)

        event.listen(Engine, "begin", begin)
        event.listen(Engine, "commit", commit)
        event.listen(Engine, "before_cursor_execute", one_begin, retval=True)
        try:
            yield
        finally:
            event.remove(Engine, "begin", begin)
            event.remove(Engine, "commit", commit)
            event.remove(Engine, "before_cursor_execute", one_begin)


def missing(target: Target) -> DatabaseNotFoundError:
    """The error for a database that is not there."""
    return DatabaseNotFoundError(
        f"The database {target.label} does not exist.", hint="Create it with: doit database_create"
    )


def _guarded(connection: Connection, target: Target) -> bool:
    if connection.dialect.name != "sqlite" or connection.engine.url.database is None:
        return False
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return False
    return target.project.path(connection.engine.url.database) == target.file


def _violations(connection: Connection) -> Counter[str]:
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    return Counter(f"{row[0]} -> {row[2]}" for row in rows)


def _check_foreign_keys(added: Counter[str]) -> None:
    if added:
        found = ", ".join(f"{pair} ({count})" for pair, count in sorted(added.items()))
        raise MigrationError(
            f"The migrations leave rows whose foreign key refers to nothing: {found}.",
            hint="Delete or correct these rows in the migration. Foreign keys are not enforced, and do not cascade, "
            "while a migration runs on SQLite.",
        )


@contextmanager
def _connection(target: Target, mode: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"{target.file.as_uri()}?mode={mode}", uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _existing(target: Target, mode: str) -> Iterator[sqlite3.Connection]:
    if not _is_there(target):
        raise missing(target)
    _check_header(target)
    with _connection(target, mode) as connection:
        yield connection


def _is_there(target: Target) -> bool:
    try:
        return target.file.exists()
    except OSError as exc:
        raise _denied(target, str(exc.strerror)) from exc


def _check_header(target: Target) -> None:
    if not target.file.is_file():
        raise NotADatabaseError(f"{target.name} is not a file.", hint="Check the path in the database URL.")
    try:
        with target.file.open("rb") as file:
            start = file.read(len(_HEADER))
    except OSError as exc:
        raise _denied(target, f"it cannot be read: {exc.strerror}") from exc
    # SQLite itself takes an empty file for an empty database.
    if start not in (b"", _HEADER):
        raise NotADatabaseError(
            f"{target.name} is no SQLite database; it is left as it is.",
            hint="Check the path in the database URL, or move the file away.",
        )


def _denied(target: Target, reason: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        f"The database {target.name} cannot be used: {reason}.",
        hint="Check the path in the database URL, and the permissions of the file and of its folder.",
    )
