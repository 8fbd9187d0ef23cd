"""Create a database, and drop it."""

from __future__ import annotations

from framefox_tasks.databases import database_of
from framefox_tasks.errors import DatabaseExistsError, DatabaseNotFoundError
from framefox_tasks.model import Target
from framefox_tasks.results import Created, Dropped


def create(target: Target, *, exist_ok: bool = False) -> Created:
    """Create an empty database.

    Args:
        target: The database.
        exist_ok: Leave a database that is there as it is, instead of raising an error.

    Raises:
        DatabaseExistsError: It is there, and exist_ok is not set.
        ConnectionFailedError: The server cannot be reached, or refuses the login.
        PermissionDeniedError: The user or the file system does not allow it.
    """
    dialect = database_of(target)
    if exist_ok and dialect.exists(target):
        return Created(target, created=False)
    try:
        dialect.create(target)
    except DatabaseExistsError:
        if not exist_ok:
            raise
        return Created(target, created=False)
    return Created(target, created=True)


def drop(target: Target, *, missing_ok: bool = False, force_disconnect: bool = False) -> Dropped:
    """Drop a database with everything in it. Confirmation is the caller's.

    Args:
        target: The database.
        missing_ok: Accept that the database is not there.
        force_disconnect: End the sessions of others first, where the server would otherwise refuse.

    Raises:
        DatabaseNotFoundError: It is not there, and missing_ok is not set.
        DatabaseInUseError: Others are connected, and force_disconnect is not set.
        NotADatabaseError: The file is no SQLite database; it is left as it is.
        ConnectionFailedError, PermissionDeniedError: As for create.
    """
    try:
        database_of(target).drop(target, force_disconnect=force_disconnect)
    except DatabaseNotFoundError:
        if not missing_ok:
            raise
        return Dropped(target, dropped=False)
    return Dropped(target, dropped=True)
