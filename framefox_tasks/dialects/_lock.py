"""The lock that lets one run at a time change a database's revision: what the dialects share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from framefox_tasks.errors import LockTimeoutError, MigrationError
from framefox_tasks.model import Target

LOCK_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.15
_PATIENCE_SECONDS = 2.0  # then it is told for whom a run waits


@dataclass(frozen=True)
class Patience:
    """How long to wait for others, and whom to tell of it.

    Attributes:
        seconds: Give up after as many.
        on_wait: Called once, with who holds the lock, when the wait is long enough to be noticed.
    """

    seconds: float = LOCK_WAIT_SECONDS
    on_wait: Callable[[str], None] | None = None


class MigrationLock(Protocol):
    """A lock that is held. It is one for each version table of a database."""

    def join(self, connection: Any) -> None:
        """Take it on the migration's own DBAPI connection too, where the server keeps locks for each session."""

    def check(self) -> None:
        """Raises MigrationError if the server has dropped it."""


def lock_digest(target: Target, *more: str) -> bytes:
    """What tells the lock of a version table from every other, the same in every process and on every machine."""
    return sha256("\0".join(("framefox_tasks.migration", *more, target.project.version_table)).encode()).digest()


def wait_until(take: Callable[[], bool], holder: Callable[[], str], target: Target, patience: Patience) -> None:
    """Try to take a lock again and again. A waiter that blocked in the server could block the holder's DDL.

    Raises:
        LockTimeoutError: Another has kept it for longer than there is patience.
    """
    start, told = time.monotonic(), False
    while not take():
        waited = time.monotonic() - start
        if waited >= patience.seconds:
            raise LockTimeoutError(
                f"Another run is changing the database {target.label}: {holder()}. "
                f"It has not ended within {patience.seconds:g} s, and nothing was changed.",
                hint="Try again when it has ended.",
            )
        if waited >= _PATIENCE_SECONDS and not told:
            told = True
            if patience.on_wait:
                patience.on_wait(holder())
        time.sleep(min(_POLL_SECONDS, max(patience.seconds - waited, 0.01)))


def lost(target: Target, what: str) -> MigrationError:
    """The error for a lock that was held and is not any more."""
    return MigrationError(
        f"The lock on the migrations of {target.label} was lost: {what}. Another run may have begun meanwhile.",
        hint="See where the database stands: doit database_status",
    )
