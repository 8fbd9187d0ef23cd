"""The locks of tables and rows that the statements of a migration wait for: what the databases are asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from framefox_tasks.model import Target

Ask = Callable[[str], Any]
"""Runs a query and gives its first row; None where there is none."""


class TableLocks(Protocol):
    """What a kind of database does while a statement waits for a lock.

    Attributes:
        whole: Whether a transaction is rolled back and begun again, and not one statement sent again.
    """

    whole: bool

    def asking(self, target: Target) -> AbstractContextManager[Ask]:
        """A connection of its own, to ask what a session waits for."""

    def limit(self, seconds: float, *, local: bool) -> str:
        """The statement that sets the timeout; 0 for none.

        Args:
            seconds: The timeout.
            local: Whether it is for the transaction alone.
        """

    def unlimited(self, statement: str) -> bool:
        """Whether a statement is to wait for as long as it takes, since nobody waits for it."""

    def is_refused(self, exc: BaseException) -> bool:
        """Whether a driver's error says that a lock was not given in time, and that what waited may try again."""

    def is_deadlock(self, exc: BaseException) -> bool:
        """Whether it says that a deadlock has rolled back the whole transaction."""

    def session(self, ask: Ask) -> tuple[int, bool]:
        """The number of the session, and whether it has a timeout that somebody chose: that is left as it is."""

    def blockers(self, ask: Ask, session: int) -> str:
        """Who keeps a session waiting for a lock; empty where it does not wait."""
