"""A database of a third party: its verbs. It is a SQLite file by another name, and knows nothing of ours for SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.verbs import Database
from framefox_tasks.errors import ConnectionFailedError, DatabaseExistsError, FramefoxTasksError

if TYPE_CHECKING:
    from framefox_tasks.databases.contract import Place, Source
    from framefox_tasks.databases.dialect import Dialect
    from framefox_tasks.databases.lock import MigrationLock, Patience
    from framefox_tasks.model import Target


class Toy(Database):
    name = "toy"
    title = "Toy"
    default_port = None
    drivers = ("pysqlite",)
    transactional_ddl = False
    rebuilds_tables = True
    types_by_affinity = True
    has_comments = False
    has_enums = False

    def exists(self, target: Target) -> bool:
        return target.file.exists()

    def create(self, target: Target) -> None:
        if self.exists(target):
            raise DatabaseExistsError(f"The database {target.label} exists already.")
        with opened(target, "rwc") as connection:
            connection.execute("VACUUM")

    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:  # noqa: ARG002 - nobody is connected
        if not self.exists(target):
            raise self.missing(target)
        target.file.unlink()
        _lock_file(target).unlink(missing_ok=True)

    def revision(self, target: Target) -> tuple[str, ...]:
        with self._there(target) as connection:
            if not _has(connection, target.project.version_table):
                return ()
            rows = connection.execute(f'SELECT version_num FROM "{target.project.version_table}"').fetchall()
            return tuple(sorted(row[0] for row in rows))

    def holds_tables(self, target: Target) -> bool:
        with self._there(target) as connection:
            return bool(names_of_tables(connection) - {target.project.version_table})

    def clear_revision(self, target: Target) -> bool:
        with self._there(target) as connection:
            found = _has(connection, target.project.version_table)
            if found:
                connection.execute(f'DELETE FROM "{target.project.version_table}"')
            return found

    def server_version(self, target: Target) -> str:
        self.revision(target)
        return "1.0"

    def server_identity(self, target: Target) -> object:
        return target.file

    def translate(self, exc: BaseException | None, target: Target) -> FramefoxTasksError:
        return ConnectionFailedError(f"The database {target.label} cannot be used: {exc}.")

    @contextmanager
    def _there(self, target: Target) -> Iterator[sqlite3.Connection]:
        if not self.exists(target):
            raise self.missing(target)
        try:
            with opened(target) as connection:
                yield connection
        except sqlite3.DatabaseError as exc:
            raise self.translate(exc, target) from exc

    @cached_property
    def dialect(self) -> Dialect:
        from toydb.dialect import ToyDialect

        return ToyDialect(self)

    @contextmanager
    def migration_lock(self, target: Target, patience: Patience) -> Iterator[MigrationLock]:
        from framefox_tasks.databases.lock import wait_until

        with self._there(target), sqlite3.connect(_lock_file(target), timeout=0, isolation_level=None) as lock:
            wait_until(partial(_locked, lock), lambda: "another process has it", target, patience)
            yield _Lock()
        lock.close()

    def open_source(self, target: Target, readers: int = 1) -> AbstractContextManager[Source]:  # noqa: ARG002 - there is one
        from toydb.copying import reading

        if not self.exists(target):
            raise self.missing(target)
        return reading(target, self.dialect)

    def open_place(self, target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:  # noqa: ARG002 - there are no sessions
        from toydb.copying import ToyPlace

        return ToyPlace(target, overwrite=overwrite, data_only=data_only)


class _Lock:
    """Held by a transaction in a file, which ends with the process."""

    def join(self, connection: Any) -> None:
        pass

    def check(self) -> None:
        pass


def _lock_file(target: Target) -> Path:
    return Path(f"{target.file}-lock")


def _locked(lock: sqlite3.Connection) -> bool:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return False
    return True


@contextmanager
def opened(target: Target, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(
        f"{target.file.as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        yield connection
    finally:
        connection.close()


def names_of_tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'")
    return {name for (name,) in rows}


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return table in names_of_tables(connection)
