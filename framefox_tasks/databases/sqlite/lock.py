"""The lock of a run on SQLite: a file beside the database, which stays there.

The database's own lock ends with each transaction, and a migration may commit in between. What locks is the system,
whose locks end with the process. Others can read and write the database as far as the migration's own transaction lets
them. The file says who has it, and goes when the database is dropped.
"""

from __future__ import annotations

import getpass
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.lock import MigrationLock, Patience, application_name, described, process_in, wait_until
from framefox_tasks.databases.sqlite.verbs import LOCK, VERBS
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from filelock import FileLock as LibraryLock

_LONGEST = 500  # bytes of what says who has it
_PERMISSIONS = 0o666


@contextmanager
def locked(target: Target, patience: Patience) -> Iterator[MigrationLock]:
    """A context in which no other run changes the revision."""
    if not VERBS.exists(target):
        raise VERBS.missing(target)
    with _held(target, patience) as lock:
        if not VERBS.exists(target):  # the run that was waited for has dropped it
            raise VERBS.missing(target)
        yield lock


@contextmanager
def replacing(target: Target, patience: Patience) -> Iterator[None]:
    """A context in which no other run makes, drops, replaces or migrates the database, which need not exist."""
    VERBS.make_folder(target)
    with _held(target, patience):
        yield


@contextmanager
def _held(target: Target, patience: Patience) -> Iterator[FileLock]:
    path = Path(f"{target.file}{LOCK}")
    lock = FileLock(path, _mode(target.file))
    wait_until(lock.take, lock.holder, target, patience)
    try:
        yield lock
    finally:
        if not target.file.exists():
            path.unlink(missing_ok=True)  # who waits for it then finds out that it has gone, and makes another
        lock.release()


def _mode(file: Path) -> int | None:
    """The permissions of a lock: who may use the database may use its lock, and its owner write. None: the usual."""
    with suppress(FileNotFoundError):
        return file.stat().st_mode & _PERMISSIONS | 0o600
    return None


class FileLock:
    """A lock that is a file, and that ends with the process.

    Args:
        path: The file; it stays when the lock is given back.
        mode: Its permissions; the usual ones if not given.
    """

    def __init__(self, path: Path, mode: int | None = None) -> None:
        self._path = path
        self._mode = -1 if mode is None else mode  # as the library has it
        self._lock: LibraryLock | None = None

    def take(self) -> bool:
        """Take it; False where another has it.

        Raises:
            PermissionDeniedError: The file cannot be made or opened.
        """
        from filelock import FileLock as LibraryLock, Timeout

        lock = LibraryLock(
            self._path,
            mode=self._mode,
            thread_local=False,
            fallback_to_soft=False,
            preserve_lock_file=True,
            on_acquired=_write_holder,
        )
        try:
            lock.acquire(blocking=False)
        except Timeout:
            try:
                self._path.open("ab").close()  # the library takes a file that cannot be made for one that is locked
            except OSError as exc:
                raise self._unusable(exc) from exc
            return False
        except OSError as exc:
            raise self._unusable(exc) from exc
        self._lock = lock
        return True

    def _unusable(self, exc: OSError) -> PermissionDeniedError:
        return PermissionDeniedError(
            f"{self._path} cannot be locked, which keeps other runs out: {exc.strerror}",
            hint="Check the path in the database URL, and the permissions of the file and of its folder.",
        )

    def holder(self) -> str:
        """Who has it, as the file says."""
        try:
            name, _, details = self._path.read_text(encoding="utf-8")[:_LONGEST].partition("\n")
        except (OSError, UnicodeDecodeError):  # Windows lets nobody read what is locked
            return "another process has it"
        user, _, since = details.strip().partition("\n")
        process = process_in(name)
        return described(process, f"user {user}", f"since {since}") if process else "another process has it"

    def release(self) -> None:
        """Give it back."""
        if self._lock:
            self._lock.release()
        self._lock = None

    def join(self, connection: Any) -> None:
        """Nothing more to take: the migration begins with BEGIN IMMEDIATE."""

    def check(self) -> None:
        """Nothing to look at: the lock of a file ends with its process only."""


def _write_holder(descriptor: int) -> None:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{application_name()}\n{_user()}\n{since}\n".encode())


@cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # of a container, that has a number and no name
        return str(os.getuid())


def is_busy(exc: BaseException) -> bool:
    """Whether another connection has the lock that a statement needs."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
