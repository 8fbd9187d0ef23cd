"""The locks that a change of a database, or of its migrations, is made under.

Always in this order, so that no two runs wait for each other: that of the process, that of the project's files, that of
the database. Where there is nothing to change none is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import MigrationLock, NoLock, Patience, wait_until
from framefox_tasks.model import Project, Target
from framefox_tasks.results import LockWait
from framefox_tasks.schema.cache import ignore_cache

if TYPE_CHECKING:
    from filelock import FileLock

OnWait = Callable[[LockWait], None]

PROCESS = threading.RLock()
"""Held while Alembic runs, whose context is a global of the process."""
_THREAD = "another thread of this process"
_files: dict[str, FileLock] = {}  # of the thread that holds PROCESS


def patience_of(target: Target, seconds: float | None, on_wait: OnWait | None) -> Patience:
    """For how long an operation waits for other runs, and whom it tells; as the target says if nothing is given."""

    def tell(holder: str) -> None:
        if on_wait:
            on_wait(LockWait(target, holder))

    def tell_of_statement(sentence: str) -> None:
        if on_wait:
            on_wait(LockWait(target, "", sentence))

    return Patience(target.lock_wait if seconds is None else seconds, tell, tell_of_statement)


@contextmanager
def alone(target: Target, patience: Patience) -> Iterator[None]:
    """A context in which no other thread of the process runs migrations.

    Raises:
        LockTimeoutError: Another one does for too long.
    """
    wait_until(lambda: PROCESS.acquire(blocking=False), lambda: _THREAD, target, patience)
    try:
        yield
    finally:
        PROCESS.release()


@contextmanager
def locked(target: Target, patience: Patience) -> Iterator[MigrationLock]:
    """A context in which no other run changes the revision of a database.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        LockTimeoutError: Another run holds the lock for too long.
    """
    with alone(target, patience):
        if not target.lock:
            yield NoLock()
            return
        with database_of(target).migration_lock(target, patience) as lock:
            yield lock


@contextmanager
def replacing(target: Target, patience: Patience) -> Iterator[None]:
    """A context in which no other run makes, drops or replaces a database, or begins when one migrates it.

    Raises:
        LockTimeoutError: Another run holds the lock for too long.
    """
    if not target.lock:
        yield
        return
    with database_of(target).replacement_lock(target, patience):
        yield


@contextmanager
def writing(target: Target, patience: Patience) -> Iterator[None]:
    """A context in which no other run writes the migrations of the project, in this process or another.

    Raises:
        LockTimeoutError: Another one does for too long.
        PermissionDeniedError: The cache cannot be written.
    """
    with alone(target, patience):
        lock = _files.setdefault(str(target.project.cached("")), _file_lock(target.project))
        wait_until(lambda: _taken(lock), lambda: "it writes migrations here", target, patience)
        try:
            yield
        finally:
            lock.release()


def _file_lock(project: Project) -> FileLock:
    from filelock import FileLock

    ignore_cache(project)
    return FileLock(project.cached("migrations.lock"))


def _taken(lock: FileLock) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True
