"""SQLite: the database is a file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from framefox_tasks.databases import remedies
from framefox_tasks.databases.drivers import driver_of, journal_name, quoted_table
from framefox_tasks.databases.verbs import Standing, Verbs
from framefox_tasks.errors import (
    ConfigError,
    ConnectionFailedError,
    DatabaseExistsError,
    DatabaseInUseError,
    FramefoxTasksError,
    NotADatabaseError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target

_HEADER = b"SQLite format 3\0"
JOURNALS = ("-wal", "-shm", "-journal")
_COUNTER = slice(24, 28)  # of a database's header: counts what was committed, but for WAL mode
_WAL_HEADER = 32  # bytes; the salts among them differ each time that the file is begun anew
_INDEX_HEADER = 48  # bytes of the -shm file, which counts the commits to a WAL
_REMEDIES = {
    sqlite3.SQLITE_BUSY: remedies.LOCK_TIMEOUT,
    sqlite3.SQLITE_LOCKED: remedies.LOCK_TIMEOUT,
    sqlite3.SQLITE_READONLY: "The file, or its folder, may not be written. Check their permissions.",
    sqlite3.SQLITE_FULL: remedies.DISK_FULL,
    sqlite3.SQLITE_IOERR: "The file cannot be read or written: check its disk, and what a file may grow to there.",
}
PROTECTED = int.from_bytes(b"fftP", "big")
"""The application id of a protected database: a number in its header, in no schema, and seldom in use."""
LOCK = "-lock"  # the file that keeps other runs out, and stays


class SQLiteVerbs(Verbs):
    """The verbs for SQLite."""

    name = "sqlite"
    title = "SQLite"
    default_port = None
    drivers = ("pysqlite",)
    async_drivers = ("aiosqlite",)
    rebuilds_tables = True
    copies_whole = True
    types_by_affinity = True
    has_comments = False
    default_collation = "BINARY"
    has_enums = False
    default_schema_query = ""
    alike_in_server = True

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
        with self.translated(target), _connection(target) as connection:
            try:
                connection.execute("VACUUM")
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                # Another run has found the file, and writes to it already.

    def make_folder(self, target: Target) -> None:
        """Make the folder that the file is in."""
        try:
            target.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise _denied(target, f"its folder cannot be made: {exc.strerror}") from exc

    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:  # noqa: ARG002 - nobody is connected
        """Delete the file and its journals."""
        if not self.exists(target):
            raise VERBS.missing(target)
        # The journals first: a journal without its database would be applied to the next file of that name.
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
        return tuple(sorted(row[0] for row in self._version_rows(target, "SELECT version_num") or ()))

    def standing(self, target: Target) -> Standing:
        """Its revisions, and whether it has a journal; over one connection."""
        queries = self.standing_queries(target)
        try:
            # Many are asked for nothing else: what keeps one from being opened is looked for afterwards.
            with _connection(target) as connection:
                revisions, entries = (_rows(connection, query) for query in queries)
        except sqlite3.DatabaseError:
            with self.translated(target), self.existing(target) as connection:
                revisions, entries = (_rows(connection, query) for query in queries)
        return Standing(tuple(sorted(row[0] for row in revisions or ())), entries is not None)

    def standing_queries(self, target: Target) -> tuple[str, str]:
        """See Verbs."""
        table = target.project.version_table
        return (
            f"SELECT version_num FROM {quoted_table(table, self.quote)}",  # noqa: S608 - quoted
            f"SELECT 1 FROM {quoted_table(journal_name(table), self.quote)} LIMIT 1",  # noqa: S608
        )

    def rows(self, target: Target, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """What a query gives."""
        with self.translated(target), self.existing(target) as connection:
            cursor = connection.execute(query)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()

    def existing(self, target: Target) -> closing[sqlite3.Connection]:
        """A connection with autocommit to a file that is there. Raises DatabaseNotFoundError."""
        return _existing(target)

    def _version_rows(self, target: Target, what: str) -> list[tuple[str]] | None:
        """What a statement FROM the version table gives; None where there is no such table."""
        table = quoted_table(target.project.version_table, '"')
        with self.translated(target), _existing(target) as connection:
            return _rows(connection, f"{what} FROM {table}")

    def holds_tables(self, target: Target) -> bool:
        """Whether a table is in the file, beside the version table."""
        with self.translated(target), _existing(target) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 3").fetchall()
        own = (target.project.version_table, journal_name(target.project.version_table))
        return any(name not in own for (name,) in rows)

    def clear_revision(self, target: Target) -> bool:
        """Empty the version table."""
        return self._version_rows(target, "DELETE") is not None

    def server_version(self, target: Target) -> str:
        """The version of the SQLite library."""
        self.revision(target)
        return sqlite3.sqlite_version

    def rights(self, target: Target) -> dict[str, bool]:
        """As the file system has it: beside the file a journal is written."""
        folder = next(path for path in target.file.parents if path.exists())
        found = {"write to its folder": os.access(folder, os.W_OK | os.X_OK)}
        return {"write to the file": os.access(target.file, os.W_OK), **found} if target.file.exists() else found

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
        hint = self.remedy(exc) if exc is not None else None
        return ConnectionFailedError(f"The database {target.name} cannot be used: {text}.", hint=hint)

    def remedy(self, exc: BaseException) -> str | None:
        """By SQLite's code."""
        return _REMEDIES.get(getattr(exc, "sqlite_errorcode", 0) & 0xFF)

    def is_already_there(self, exc: BaseException) -> bool:
        """Whether an error says that what is to be made exists. SQLite has no code for it."""
        return "already exists" in str(exc) or "duplicate column name" in str(exc)

    @contextmanager
    def translated(self, target: Target) -> Iterator[None]:
        """The errors of a block become ours."""
        try:
            yield
        except sqlite3.DatabaseError as exc:
            raise self.translate(exc, target) from exc

    def size(self, target: Target) -> int | None:
        """The bytes of its files."""
        files = [target.file, Path(f"{target.file}-wal"), Path(f"{target.file}-journal")]
        return sum(path.stat().st_size for path in files if path.exists())

    def is_marked(self, target: Target) -> bool:
        """Whether its application id is the one of a protected database."""
        return self._application_id(target) == PROTECTED

    def _application_id(self, target: Target) -> int:
        with self.translated(target), _existing(target) as connection:
            return int(connection.execute("PRAGMA application_id").fetchone()[0])

    def set_mark(self, target: Target, *, marked: bool) -> None:
        """Set the application id, unless the application has one of its own."""
        if self._application_id(target) not in (0, PROTECTED):
            raise ConfigError(
                f"{target.name} has an application id of its own, which is where the mark would be.",
                hint="Write `protected: true` into config/orm.yaml.",
            )
        with self.translated(target), _existing(target) as connection:
            connection.execute(f"PRAGMA application_id = {PROTECTED if marked else 0}")

    def change_marker(self, target: Target) -> list[int | str] | None:
        """Size and time of the file, its counter of commits, and the same of its WAL."""
        found = target.file.stat()
        with target.file.open("rb") as file:
            counter = file.read(_COUNTER.stop)[_COUNTER].hex()
        wal, index = Path(f"{target.file}-wal"), Path(f"{target.file}-shm")
        return [found.st_size, found.st_mtime_ns, counter, *_wal_marker(wal, index)]


def _wal_marker(wal: Path, index: Path) -> list[int | str]:
    with suppress(FileNotFoundError):
        found = wal.stat()
        if found.st_size:  # an empty one is left by whoever only reads
            return [found.st_mtime_ns, found.st_size, _start(wal, _WAL_HEADER), _start(index, _INDEX_HEADER)]
    return [0, 0, "", ""]


def _start(path: Path, size: int) -> str:
    with suppress(FileNotFoundError), path.open("rb") as file:
        return file.read(size).hex()
    return ""


def _make_file(target: Target) -> None:
    """Make an empty file, and its folder. Of two runs at once one makes it, and the other finds it there."""
    VERBS.make_folder(target)
    try:
        target.file.touch(mode=0o644, exist_ok=False)
    except FileExistsError as exc:
        raise DatabaseExistsError(f"The database {target.name} exists already.") from exc
    except OSError as exc:
        raise _denied(target, f"it cannot be made: {exc.strerror}") from exc


def _connection(target: Target) -> closing[sqlite3.Connection]:
    # Not "ro": a journal that a crash has left must be rolled back before anything can be read.
    return closing(sqlite3.connect(f"{target.file.as_uri()}?mode=rw", uri=True, isolation_level=None))


def _rows(connection: sqlite3.Connection, query: str) -> list[tuple[str]] | None:
    """What a query gives; None where there is no such table."""
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError as exc:
        if "no such table" in str(exc):
            return None
        raise


def _existing(target: Target) -> closing[sqlite3.Connection]:
    if not VERBS.exists(target):
        raise VERBS.missing(target)
    return _connection(target)


def _is_there(target: Target) -> bool:
    try:
        return target.file.exists()
    except OSError as exc:
        raise _denied(target, str(exc.strerror)) from exc


def _check_header(target: Target) -> None:
    path = target.file
    if not path.is_file():
        raise NotADatabaseError(f"{target.name} is not a file.", hint="Check the path in the database URL.")
    try:
        with path.open("rb") as file:
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


VERBS = SQLiteVerbs()
