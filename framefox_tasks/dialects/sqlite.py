"""SQLite: the database is a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks.dialects.base import driver_of, quoted_table
from framefox_tasks.errors import (
    ConnectionFailedError,
    DatabaseExistsError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    FramefoxTasksError,
    NotADatabaseError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from framefox_tasks.dialects._lock import MigrationLock, Patience

_HEADER = b"SQLite format 3\0"
JOURNALS = ("-wal", "-shm", "-journal")
LOCK = "-migrating"  # what a run that is killed leaves beside them


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
        _make_file(target)
        # VACUUM writes the first page: the file is a SQLite database from the start, not an empty file.
        with self._translated(target), _connection(target, "rw") as connection:
            try:
                connection.execute("VACUUM")
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                # Another run has found the file, and writes to it already.

    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:  # noqa: ARG002 - nobody is connected
        """Delete the file and its journals."""
        if not self.exists(target):
            raise missing(target)
        # The journals first: a journal without its database would be applied to the next file of that name.
        for path in (*(Path(f"{target.file}{suffix}") for suffix in (*JOURNALS, LOCK)), target.file):
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
        # Not "ro": a journal that a crash has left must be rolled back before anything can be read.
        with self._translated(target), _existing(target, "rw") as connection:
            try:
                rows = connection.execute(f"SELECT version_num FROM {table}").fetchall()  # noqa: S608 - quoted
            except sqlite3.OperationalError as exc:
                if "no such table" in str(exc):
                    return ()
                raise
        return tuple(sorted(row[0] for row in rows))

    def holds_tables(self, target: Target) -> bool:
        """Whether a table is in the file, beside the version table."""
        with self._translated(target), _existing(target, "rw") as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 2").fetchall()
        return any(name != target.project.version_table for (name,) in rows)

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

    def server_identity(self, target: Target) -> object:
        """The file: it is in no server."""
        return target.file

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
    def migration_lock(self, target: Target, patience: Patience) -> Iterator[MigrationLock]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.dialects._sqlite_lock import locked

        if not _is_there(target):
            raise missing(target)
        with locked(target, patience) as lock:
            yield lock

    def migration_guard(self, target: Target, patience: Patience) -> AbstractContextManager[None]:
        """Run migrations in a real transaction that loses nothing."""
        from framefox_tasks.dialects._sqlite_guard import guarded

        return guarded(target, patience)


def missing(target: Target) -> DatabaseNotFoundError:
    """The error for a database that is not there."""
    return DatabaseNotFoundError(
        f"The database {target.label} does not exist.", hint="Create it with: doit database_create"
    )


def _make_file(target: Target) -> None:
    """Make an empty file, and its folder. Of two runs at once one makes it, and the other finds it there."""
    try:
        target.file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise _denied(target, f"its folder cannot be made: {exc.strerror}") from exc
    try:
        target.file.touch(mode=0o644, exist_ok=False)
    except FileExistsError as exc:
        raise DatabaseExistsError(f"The database {target.name} exists already.") from exc
    except OSError as exc:
        raise _denied(target, f"it cannot be made: {exc.strerror}") from exc


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
