"""The lock that lets one run at a time change a database or its revision: what the databases share."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Protocol

from framefox_tasks.errors import LockTimeoutError, MigrationError
from framefox_tasks.model import LOCK_WAIT_SECONDS, Target

_POLL_SECONDS = 0.15
_REPORT_SECONDS = 2.0  # then a wait is reported
_OURS = re.compile(r"framefox_tasks (\d+) on (.+)")
_NAME_BYTES = 63  # of PostgreSQL's application_name


@dataclass(frozen=True)
class Patience:
    """How long to wait for a lock, and what to call meanwhile.

    Attributes:
        seconds: The timeout.
        on_wait: Called once with the holder of the lock, after a wait of two seconds.
        on_block: Called with a sentence where a statement waits for a lock of a table, or gives way.
    """

    seconds: float = LOCK_WAIT_SECONDS
    on_wait: Callable[[str], None] | None = None
    on_block: Callable[[str], None] | None = None


class MigrationLock(Protocol):
    """A lock that is held. It is one for each version table of a database."""

    def join(self, connection: Any) -> None:
        """Take its second part on the migration's own connection of SQLAlchemy.

        A server goes on with a statement whose client is gone: then that part is held until the statement has ended.
        """

    def check(self) -> None:
        """Raises MigrationError if the server has dropped it."""


class NoLock:
    """What there is in its place where the lock is switched off."""

    def join(self, connection: Any) -> None:
        """Nothing to take."""

    def check(self) -> None:
        """Nothing to lose."""


def lock_digest(target: Target, *more: str) -> bytes:
    """The key of the lock of a version table, the same in every process and on every machine."""
    return sha256("\0".join(("framefox_tasks.migration", *more, target.project.version_table)).encode()).digest()


def wait_until(take: Callable[[], bool], holder: Callable[[], str], target: Target, patience: Patience) -> None:
    """Try to take a lock again and again. A waiter that blocked in the server could block the holder's DDL.

    Raises:
        LockTimeoutError: Another holds it for longer than the timeout.
    """
    start, reported = time.monotonic(), False
    while not take():
        waited = time.monotonic() - start
        if waited >= patience.seconds:
            raise LockTimeoutError(
                f"Another run is changing the database {target.label}: {holder()}. "
                f"It has not ended within {patience.seconds:g} s, and nothing was changed.",
                hint="Try again when it has ended, or wait longer for it with: --lock-wait=SECONDS",
            )
        if waited >= _REPORT_SECONDS and not reported:
            reported = True
            if patience.on_wait:
                patience.on_wait(holder())
        time.sleep(min(_POLL_SECONDS, max(patience.seconds - waited, 0.01)))


def lost(target: Target, what: str) -> MigrationError:
    """The error for a lock that was held and is not any more."""
    return MigrationError(
        f"The lock on the migrations of {target.label} was lost: {what}. Another run may have begun meanwhile.",
        hint="See where the database stands: doit database_status",
    )


@cache
def host_name() -> str:
    """The name of this machine, without what a server would not take in a name."""
    return re.sub(r"[^\w.-]", "", socket.gethostname()) or "localhost"


def application_name() -> str:
    """What a connection that holds a lock is called in the views of its server: this process, and its machine."""
    return f"framefox_tasks {os.getpid()} on {host_name()}"[:_NAME_BYTES]


def process_in(name: str | None) -> str:
    """The process that a name of application_name() stands for: `process 4711 on web-1`; empty for any other name."""
    found = _OURS.fullmatch(name or "")
    return f"process {found[1]} on {found[2]}" if found else ""


def described(what: str, *details: str) -> str:
    """A holder with what else is known of it: `process 4711 on web-1 (user app, from 10.0.0.5)`."""
    known = ", ".join(filter(None, details))
    return f"{what} ({known})" if known else what


def statement_start(statement: str | None) -> str:
    """The first words of a statement, without any value that it holds: `ALTER TABLE account`."""
    words = re.findall(r"[\w.\"`]+", (statement or "").partition("'")[0])[:3]
    return " ".join(words)[:60]
