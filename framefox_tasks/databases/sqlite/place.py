"""Where a copy is made: in a file beside its target, or in the target's own tables."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from urllib.parse import quote

from framefox_tasks.databases.contract import Place
from framefox_tasks.databases.place import run_all
from framefox_tasks.databases.rehearsal import Rehearsal
from framefox_tasks.databases.rows import Side, Statement
from framefox_tasks.databases.sqlite.backup import connect
from framefox_tasks.databases.sqlite.errors import translated
from framefox_tasks.databases.sqlite.load import SQLiteLoader
from framefox_tasks.databases.sqlite.read import SQLiteReader
from framefox_tasks.databases.sqlite.rehearsal import rehearsal
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.databases.sqlite.types import named
from framefox_tasks.databases.sqlite.verbs import VERBS
from framefox_tasks.databases.sqlite.worker_pool import Owned, Workers
from framefox_tasks.errors import CopyError, DatabaseInUseError, FramefoxTasksError
from framefox_tasks.model import Target

_CACHE = 64 * 1024  # KB, for the pages of indexes that are built or that rows are put into


def open_place(target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:  # noqa: ARG001
    """Where a copy to a target is made. There are no sessions to end: whoever uses a file holds a lock on it."""
    return SQLiteRowsPlace(target) if data_only else SQLitePlace(target, overwrite=overwrite)


class SQLitePlace:
    """A file beside the target, which takes its name."""

    how = "loaded into a file beside it, and renamed"
    most_loaders = 1  # SQLite has one writer

    def __init__(self, target: Target, *, overwrite: bool) -> None:
        self._staging = Staging(target)
        self._overwrite = overwrite

    @property
    def staging(self) -> Target:
        """The file, which nobody but this place can open while it is there."""
        target = self._staging.target
        return Target(f"sqlite:///{quote(self._staging.path.as_posix())}", target.project, target.echo)

    def check(self) -> None:
        """See that the target may be replaced; see the protocol."""
        self._staging.check(overwrite=self._overwrite)

    def __enter__(self) -> SQLitePlace:
        self._staging.__enter__()
        try:
            with translated(self._staging.translate):
                self._prepare(self._staging.connection)
        except BaseException:
            self._staging.__exit__()
            raise
        return self

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")  # until it is complete, see put()
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        connection.execute("PRAGMA foreign_keys = OFF")

    def __exit__(self, *exc_info: object) -> None:
        self._staging.__exit__(*exc_info)

    @contextmanager
    def loader(self) -> Iterator[SQLiteLoader]:
        """The only connection; see the protocol."""
        yield SQLiteLoader(self._staging.connection, self._staging.translate, atomic=False)

    @contextmanager
    def reader(self) -> Iterator[SQLiteReader]:
        """The only connection, and processes that read large tables: nothing is written meanwhile."""
        with Workers(self.staging, Owned()) as workers:
            yield SQLiteReader(self.staging, self._staging.connection, workers)

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Give the file the target's name; see the protocol."""
        with self.loader() as loader:
            notes = run_all(loader, statements)
        with translated(self._staging.translate):
            self._staging.sync()
        return [*notes, *self._staging.put()]


class SQLiteRowsPlace:
    """The target itself, in one transaction. Its triggers do not fire: the rows arrive as they were."""

    how = "in one transaction of the target"
    most_loaders = 1

    def __init__(self, target: Target) -> None:
        self.staging = target

    def check(self) -> None:
        """See that the target can be written to; see the protocol."""
        with self._opened() as connection:
            connection.execute("ROLLBACK")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if not VERBS.exists(self.staging):
            raise VERBS.missing(self.staging)
        with translated(self._meant), closing(connect(self.staging)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def rehearsal(self, tables: Sequence[Side]) -> AbstractContextManager[Rehearsal]:
        """Stand-ins of some tables; see RehearsesRows."""
        return rehearsal(self.staging, tables, self._meant)

    def __enter__(self) -> SQLiteRowsPlace:
        self._opening = self._opened()
        self._connection = self._opening.__enter__()
        try:
            with translated(self._meant):
                self._orphans = _Orphans(self._connection)
                self._triggers = self._connection.execute(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                ).fetchall()
                for name, _ in self._triggers:
                    self._connection.execute(f"DROP TRIGGER {named(name)}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # closing rolls back as well
                self._connection.execute("ROLLBACK")
        self._opening.__exit__(None, None, None)

    @contextmanager
    def loader(self) -> Iterator[SQLiteLoader]:
        """The connection of the transaction."""
        yield SQLiteLoader(self._connection, self._meant, atomic=True)

    @contextmanager
    def reader(self) -> Iterator[SQLiteReader]:
        """The same connection, which sees what is not committed yet."""
        yield SQLiteReader(self.staging, self._connection)

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Check the foreign keys and commit; see the protocol.

        Raises:
            CopyError: Rows refer to rows that are not there, and did not before.
        """
        with self.loader() as loader:
            notes = run_all(loader, statements)
        with translated(self._meant):
            added = self._orphans.added()
            if added:
                raise CopyError(
                    f"Rows of {self.staging.label} would refer to rows that are not there: {', '.join(added)}. "
                    "The target is as it was.",
                    hint="Copy the tables that they refer to as well.",
                )
            for _, sql in self._triggers:
                self._connection.execute(sql)
            self._connection.execute("COMMIT")
        return notes

    def _meant(self, exc: sqlite3.Error) -> FramefoxTasksError:
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            return DatabaseInUseError(
                f"The target {self.staging.label} is being read or written by others. It is as it was.",
                hint="Close the program that uses it, and copy again.",
            )
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            return CopyError(
                f"The rows cannot be written to {self.staging.label}: {exc}. The target is as it was.",
                hint="Check the free space and the limits of its folder.",
            )
        return VERBS.translate(exc, self.staging)


class _Orphans:
    """How many rows have a foreign key that refers to nothing, to see later whether there are more."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._before = self._counted()

    def added(self) -> list[str]:
        """Of which tables there are more now, and how many."""
        more = self._counted() - self._before
        return [f"{count:,} of {table} to {parent}" for (table, parent), count in sorted(more.items())]

    def _counted(self) -> Counter[tuple[str, str]]:
        tables = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found: Counter[tuple[str, str]] = Counter()
        for (table,) in tables:
            try:
                found.update(
                    (row[0], row[2]) for row in self._connection.execute(f"PRAGMA foreign_key_check({named(table)})")
                )
            except sqlite3.OperationalError as exc:
                # A key that refers to what is not unique: SQLite can neither check nor enforce it.
                if "mismatch" not in str(exc):
                    raise
        return found
