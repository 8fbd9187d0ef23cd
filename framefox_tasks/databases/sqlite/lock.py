"""The lock of a migration on SQLite: a file beside the database, itself one of SQLite's.

The database's own lock ends with each transaction, and a migration may commit in between. What locks is SQLite, which
does so on every platform, and whose locks end with the process. Others can read and write the database as far as the
migration's own transaction lets them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from framefox_tasks.databases.lock import MigrationLock, Patience, wait_until
from framefox_tasks.databases.sqlite.verbs import LOCK, VERBS
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Target

_HOLDER = "another process has it"


@contextmanager
def locked(target: Target, patience: Patience) -> Iterator[MigrationLock]:
    """A context in which no other run changes the revision."""
    if not VERBS.exists(target):
        raise VERBS.missing(target)
    lock = FileLock(Path(f"{target.file}{LOCK}"))
    wait_until(lock.take, lambda: _HOLDER, target, patience)
    try:
        yield lock
    finally:
        lock.release()


class FileLock:
    """A lock that is a file, and that ends with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Take it; False where another has it."""
        try:
            self._path.touch()
        except OSError as exc:
            raise PermissionDeniedError(
                f"{self._path} cannot be made, which keeps other runs out while migrations run: {exc.strerror}",
                hint="Check the permissions of its folder.",
            ) from exc
        before = _identity(self._path)
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as exc:
            connection.close()
            if is_busy(exc):
                return False
            raise
        # The one before deletes the file: a lock on what is no longer in the folder keeps nobody out.
        if before is None or _identity(self._path) != before:
            connection.close()
            return False
        self._connection = connection
        return True

    def release(self) -> None:
        """Give it back, and remove the file."""
        assert self._connection is not None  # noqa: S101 - taken before
        with suppress(OSError):  # as Windows refuses while others have it open; then the next one deletes it
            self._path.unlink()
        self._connection.close()

    def join(self, connection: Any) -> None:
        """Nothing more to take: the migration begins with BEGIN IMMEDIATE."""

    def check(self) -> None:
        """Nothing to look at: the lock of a file ends with its process only."""


def is_busy(exc: BaseException) -> bool:
    """Whether another connection has the lock that a statement needs."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
