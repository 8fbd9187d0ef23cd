"""Ranges of one large table, which several connections read and load at a time.

A database whose connections can share a snapshot may read in ranges, and one whose tables several connections can fill
at a time may load them: its reader has `ranges`, its loader `load_range`. Others are copied in one stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from framefox_tasks.databases.contract import Loader, Reader, Source
from framefox_tasks.databases.rows import Side, TablePlan
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

MARKS = "framefox_tasks_copied_ranges"
"""The table of the marks, in the database that is filled."""


@dataclass(frozen=True)
class Ranges:
    """How a table is split.

    Attributes:
        conditions: SQL conditions of the source: each row of the snapshot is in exactly one of them.
        reason: Why there are none.
    """

    conditions: tuple[str, ...] = ()
    reason: str = ""


SHORT = Ranges(reason="its rows are short: this process would be what all ranges wait for")


@dataclass(frozen=True)
class RangeMark:
    """What notes in the copy that a range is loaded, in the transaction that loads it.

    It is a row of the table MARKS, whose `loaded` becomes the number of its rows.

    Attributes:
        run: What all ranges of one copy have alike, and those of no other.
        number: Which range it is.
    """

    run: str
    number: int


class RangeDoneError(CopyError):
    """A range that was loaded before, by whoever had it first.

    Attributes:
        rows: How many rows it had.
    """

    def __init__(self, number: int, rows: int) -> None:
        super().__init__(f"Range {number} is loaded already.")
        self.rows = rows


@runtime_checkable
class ReadsRanges(Protocol):
    """A reader of a table in ranges."""

    def ranges(self, plan: TablePlan, rows: int, length: int = 0) -> Ranges:
        """Split a table.

        Args:
            plan: The table.
            rows: About how many rows a range has.
            length: How many bytes a row has in the source, on the average, if it is to be split.
        """

    def within(self, condition: str) -> Reader:
        """A reader by the same connection, whose `lines` and `raw` are of the rows in one of these ranges alone."""


@runtime_checkable
class TakesRanges(Protocol):
    """A place whose loaders can fill one table together, as LoadsRanges."""

    def hinders_ranges(self, table: Side) -> str:
        """Why they cannot fill this table together; empty where they can. Called after `check`."""


class RangeReader(ReadsRanges, Reader, Protocol):
    """A reader, of ranges too."""


class LoadsRanges(Protocol):
    """A loader of a table that others load at the same time."""

    def load_range(
        self, table: Side, blocks: Iterable[bytes], *, raw: bool = False, mark: RangeMark | None = None
    ) -> int:
        """As `load`, or `load_raw`; in one transaction where it has a mark, which is set with it.

        Raises:
            RangeDoneError: It was loaded already.
        """


class RangeLoader(LoadsRanges, Loader, Protocol):
    """A loader, of ranges too."""


@runtime_checkable
class JoinsSource(Protocol):
    """A database whose snapshot other processes can read, also on other machines."""

    def joined_reader(self, target: Target, snapshot: str) -> AbstractContextManager[RangeReader]:
        """A connection that sees a snapshot which another process holds, as Source.snapshot tells it."""


@runtime_checkable
class SharesSnapshot(Protocol):
    """A source whose snapshot others can join."""

    @property
    def target(self) -> Target:
        """The database."""

    @property
    def snapshot(self) -> str:
        """What it is known by."""


@runtime_checkable
class HoldsWrites(Protocol):
    """A source to which nobody may write until its rows are read."""

    def allow_writes(self) -> None:
        """Let others write again.

        Raises:
            ConnectionLostError: They could before.
        """


class LockedSource(HoldsWrites, SharesSnapshot, Source, Protocol):
    """Such a source, which others can join."""


@runtime_checkable
class LocksWrites(Protocol):
    """A database without such snapshots: what it holds stays the same only while nobody may write to it."""

    def open_locked_source(self, target: Target, readers: int = 1) -> AbstractContextManager[LockedSource]:
        """As open_source, while others wait to write; its readers and those who join it see the same."""


@runtime_checkable
class JoinsPlace(Protocol):
    """A database of which other processes can fill what a place has made.

    Attributes:
        marks_options: What stands behind the columns of the table of marks.
    """

    marks_options: str

    def joined_loader(self, target: Target, staging: str) -> AbstractContextManager[RangeLoader]:
        """A connection to the database of that name, which a place has made beside the target."""


def both(where: str, condition: str) -> str:
    """Both conditions; either may be empty, and the first end in a comment."""
    return f"({where}\n) AND {condition}" if where and condition else where or condition


def between(column: str, boundaries: Sequence[str]) -> tuple[str, ...]:
    """The conditions of ranges, the first and the last of them open.

    Args:
        column: What is compared, as SQL.
        boundaries: Where ranges begin but the first, in ascending order, as SQL.
    """
    starts = [f"{column} >= {boundary}" for boundary in boundaries]
    ends = [f"{column} < {boundary}" for boundary in boundaries]
    return tuple(" AND ".join(filter(None, pair)) for pair in zip(["", *starts], [*ends, ""], strict=True))
