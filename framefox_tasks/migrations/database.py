"""Create a database, and drop it."""

from __future__ import annotations

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import close_idle, reusing
from framefox_tasks.errors import DatabaseExistsError, DatabaseNotFoundError
from framefox_tasks.migrations.locked import OnWait, alone, patience_of, replacing
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.model import Target
from framefox_tasks.results import Created, Dropped


@reusing()
def create(
    target: Target, *, exist_ok: bool = False, on_wait: OnWait | None = None, lock_wait: float | None = None
) -> Created:
    """Create an empty database.

    Args:
        target: The database.
        exist_ok: Leave a database that is there as it is, instead of raising an error.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        DatabaseExistsError: It is there, and exist_ok is not set.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        ConnectionFailedError: The server cannot be reached, or refuses the login.
        PermissionDeniedError: The user or the file system does not allow it.
    """
    database = database_of(target)
    try:
        if database.exists(target):
            raise DatabaseExistsError(f"The database {target.label} exists already.")
        patience = patience_of(target, lock_wait, on_wait)
        with alone(target, patience), replacing(target, patience):
            database.create(target)
    except DatabaseExistsError:
        if not exist_ok:
            raise
        return Created(target, created=False)
    return Created(target, created=True)


@reusing()
def drop(
    target: Target,
    *,
    missing_ok: bool = False,
    force_disconnect: bool = False,
    force: str | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
) -> Dropped:
    """Drop a database with everything in it. Confirmation is the caller's.

    Args:
        target: The database.
        missing_ok: Accept that the database is not there.
        force_disconnect: End the sessions of others first, where the server would otherwise refuse.
        force: Its name, where it is protected; another name is refused in any case.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        ProtectedError: It is protected, and force does not name it.
        DatabaseNotFoundError: It is not there, and missing_ok is not set.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        DatabaseInUseError: Others are connected, and force_disconnect is not set.
        NotADatabaseError: The file is no SQLite database; it is left as it is.
        ConnectionFailedError, PermissionDeniedError: As for create.
    """
    database = database_of(target)
    check_unprotected(target, force, "it is not dropped")
    try:
        if not database.exists(target):
            raise database.missing(target)
        close_idle(target.name)  # another run could not drop what this one is connected to, while it waits
        patience = patience_of(target, lock_wait, on_wait)
        with alone(target, patience), replacing(target, patience):
            database.drop(target, force_disconnect=force_disconnect)
    except DatabaseNotFoundError:
        if not missing_ok:
            raise
        return Dropped(target, dropped=False)
    return Dropped(target, dropped=True)
