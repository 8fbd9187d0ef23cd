"""Protected databases: what could lose their data is refused unless the database is named."""

from __future__ import annotations

from contextlib import suppress

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import ConfigError, DatabaseNotFoundError, ProtectedError
from framefox_tasks.migrations.locked import OnWait, patience_of, replacing
from framefox_tasks.model import Target
from framefox_tasks.results import Protected


def protect(target: Target, *, on_wait: OnWait | None = None, lock_wait: float | None = None) -> Protected:
    """Leave a mark in a database, by which it is protected whatever settings it is reached by.

    Args:
        target: The database. It must exist.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        ConfigError: It has no place for the mark.
        LockTimeoutError, ConnectionFailedError, PermissionDeniedError: As for create.
    """
    return _set(target, True, on_wait, lock_wait)


def unprotect(
    target: Target, *, force: str | None = None, on_wait: OnWait | None = None, lock_wait: float | None = None
) -> Protected:
    """Take the mark of protect() away.

    Args:
        target: The database. It must exist.
        force: Its name, as for drop.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        ProtectedError: force does not name it.
        As for protect otherwise.
    """
    check_unprotected(target, force, "its mark is not taken away")
    return _set(target, False, on_wait, lock_wait)


@reusing()
def _set(target: Target, marked: bool, on_wait: OnWait | None, lock_wait: float | None) -> Protected:
    database = database_of(target)
    if not database.exists(target):
        raise database.missing(target)
    changed = database.is_marked(target) is not marked
    if changed:
        with replacing(target, patience_of(target, lock_wait, on_wait)):
            database.set_mark(target, marked=marked)
    return Protected(target, protected=marked or target.protected, changed=changed)


def is_protected(target: Target) -> bool:
    """Whether a database is protected, by its target or by the mark in it. It need not exist."""
    return protection(target) is not None


@reusing()
def protection(target: Target) -> str | None:
    """By what a database is protected, as `by a mark in it`; None where it is not. It need not exist."""
    database = database_of(target)
    if target.protected:
        return "by the settings (`protected: true`, or APP_ENV or ENV is prod or production)"
    with suppress(DatabaseNotFoundError):  # another run may drop it between the two
        if database.exists(target) and database.is_marked(target):
            return "by a mark in it (of database_protect)"
    return None


def check_unprotected(target: Target, force: str | None, refused: str) -> None:
    """Refuse what could lose data of a protected database, unless that is named.

    Args:
        target: The database; it need not exist.
        force: The name that the caller gave; None for none.
        refused: What does not happen, as `it is not dropped`.

    Raises:
        ProtectedError: It is protected, and was not named.
        ConfigError: Another database was named, whether it is protected or not.
    """
    if force is not None:
        if force != target.name:
            raise ConfigError(
                f"--force names {force!r}, and the database is {target.label}. Nothing was changed.",
                hint="Check which database DATABASE_URL and config/orm.yaml lead to: doit database_status",
            )
        return
    why = protection(target)
    if why is None:
        return
    raise ProtectedError(
        f"{target.label} is protected {why}: {refused}. Nothing was changed.",
        hint=f"If this is the database that you mean, name it: --force={target.name}",
    )
