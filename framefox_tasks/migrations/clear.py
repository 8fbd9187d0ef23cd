"""Delete the migrations, and forget which of them are applied."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from framefox_tasks.databases import database_of
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.migrations.journal.interruption import check_uninterrupted
from framefox_tasks.migrations.locked import OnWait, locked, patience_of, writing
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.model import Target
from framefox_tasks.results import MigrationsCleared
from framefox_tasks.schema import cache, record


def clear_migrations(
    target: Target, *, force: str | None = None, on_wait: OnWait | None = None, lock_wait: float | None = None
) -> MigrationsCleared:
    """Delete all revision files, and empty the version table if the database is there.

    Nothing else in the migrations folder is touched: not env.py, not the template, not __init__.py, no file that is not
    a revision.

    Args:
        target: The database, which need not exist.
        force: The name of the database, as for drop.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        ProtectedError: The database is protected, and force does not name it.
        LockTimeoutError: Another run has not ended in time; nothing was deleted.
        PermissionDeniedError: A folder cannot be written to; nothing was deleted.
        ConnectionFailedError: The server cannot be reached; nothing was deleted.
    """
    from framefox_tasks.schema.revision_files import revision_files

    check_unprotected(target, force, "its migrations are not deleted")
    for folder in {path.parent for path in revision_files(target.project)}:
        _check_writable(target, folder)
    patience = patience_of(target, lock_wait, on_wait)
    with ExitStack() as stack:
        stack.enter_context(writing(target, patience))
        files = revision_files(target.project)
        dialect, cleared = database_of(target), False
        before: tuple[str, ...] = ()
        if dialect.exists(target):
            stack.enter_context(locked(target, patience))
            before = dialect.revision(target)
            check_uninterrupted(target)
            cleared = dialect.clear_revision(target)
        for path in files:
            path.unlink()
    record.forget(target.project)
    if cleared and (files or before):
        cache.note_cleared(target)
    return MigrationsCleared(target, tuple(files), cleared)


def _check_writable(target: Target, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionDeniedError(
            f"The files in {target.project.shown(folder)} cannot be deleted. Nothing was deleted.",
            hint="Check the folder's permissions.",
        )
