"""Wait until a server answers, or until a database is at its head: what a container does before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread

from framefox_tasks.databases import database_of
from framefox_tasks.errors import (
    ConfigError,
    ConnectionFailedError,
    DatabaseNotFoundError,
    DriverMissingError,
    FramefoxTasksError,
    MigrationError,
    NotADatabaseError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target
from framefox_tasks.results import Waited

_PAUSES = (0.1, 0.2, 0.4, 0.8)  # seconds between two tries; the last again and again
_FINAL = (ConfigError, DriverMissingError, NotADatabaseError, PermissionDeniedError)


def wait(
    target: Target, *, timeout: float = 30, head: bool = False, on_try: Callable[[str], None] | None = None
) -> Waited:
    """Wait until the server of a database answers; its login is tried as well, but the database need not exist.

    Args:
        target: The database.
        timeout: For how many seconds.
        head: Until the database is there and at the newest revision of its migrations, and none is half done.
        on_try: Called with what is missing, each time when that is another thing.

    Raises:
        ConnectionFailedError: The server has not answered in time.
        MigrationError: The database was not at its head in time, or the migrations cannot be read.
        ConfigError, DriverMissingError, NotADatabaseError, PermissionDeniedError: Time will not change it.
    """
    heads = _heads(target) if head else ()
    begun = time.monotonic()
    missing: FramefoxTasksError = ConnectionFailedError(f"{target.server or target.label} does not answer.")
    told, tries = "", 0
    while (left := timeout - (time.monotonic() - begun)) > 0 or not tries:
        found = _within(left, lambda: _missing(target, heads, head=head))
        if found is None:
            return Waited(target, time.monotonic() - begun, heads)
        missing = found if found.message else missing
        if on_try and missing.message != told:
            told = missing.message
            on_try(told)
        time.sleep(max(min(_PAUSES[min(tries, len(_PAUSES) - 1)], timeout - (time.monotonic() - begun)), 0))
        tries += 1
    hint = missing.hint or "See what is wrong with: doit debug_config"
    raise type(missing)(f"After {timeout:g} s: {missing.message}", hint=hint)


def _heads(target: Target) -> tuple[str, ...]:
    from framefox_tasks.migrations.alembic.history import History

    return History(target).at_heads


def _within(seconds: float, check: Callable[[], FramefoxTasksError | None]) -> FramefoxTasksError | None:
    """What a check gives; an error without a message if it takes longer, as drivers wait for a silent host."""
    found: list[FramefoxTasksError | None] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(check())
        except BaseException as exc:  # noqa: BLE001 - raised in the thread that waits
            failed.append(exc)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(seconds, 0.1))
    if failed:
        raise failed[0]
    return found[0] if found else ConnectionFailedError("")


def _missing(target: Target, heads: tuple[str, ...], *, head: bool) -> FramefoxTasksError | None:
    """What is still missing; None if nothing."""
    database = database_of(target)
    try:
        if not head:
            database.exists(target)
            return None
        revisions, journaled = database.standing(target)
    except _FINAL:
        raise
    except FramefoxTasksError as exc:
        return MigrationError(exc.message) if isinstance(exc, DatabaseNotFoundError) else exc
    if journaled:
        return MigrationError(f"A migration of {target.label} runs, or was interrupted.")
    if sorted(revisions) != sorted(heads):
        at = ", ".join(revisions) or "no revision"
        return MigrationError(f"{target.label} is at {at}, and the head is {', '.join(heads) or 'none'}.")
    return None
