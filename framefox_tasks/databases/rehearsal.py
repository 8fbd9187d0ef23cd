"""The rehearsal of a copy of rows alone: in stand-ins of the tables of the target, which take what these take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from framefox_tasks.databases.contract import Loader
from framefox_tasks.databases.rows import Side


class Rehearsal(Protocol):
    """Stand-ins of tables: empty ones with the same columns, checks and unique keys, which nobody else sees."""

    def loader(self) -> Loader:
        """A loader for them."""

    def stand_in(self, table: Side) -> Side:
        """The one of a table."""

    def refused(self) -> Iterator[str]:
        """What is seen when all rows are there: those that refer to no row, or belong to no partition."""


@runtime_checkable
class RehearsesRows(Protocol):
    """A place for rows alone that can rehearse the copy without changing the target."""

    def rehearsal(self, tables: Sequence[Side]) -> AbstractContextManager[Rehearsal]:
        """Stand-ins of some tables of the target, as long as the context lasts.

        Args:
            tables: Those that the copy fills; the others are looked at as they are.

        Raises:
            PermissionDeniedError: The user may not make temporary tables.
        """


def refers_to_none(child: str, rows: int, parent: str, key: str) -> str:
    """The phrase for rows that refer to none."""
    told = "1 row refers" if rows == 1 else f"{rows:,} rows refer"
    return f"{child}: {told} to no row of {parent} (foreign key {key} of the target)"
