"""Ranges of one large table, which several connections read and load at a time.

A database whose connections can share a snapshot may read in ranges, and one whose tables several connections can fill
at a time may load them: its reader has `ranges`, its loader `load_range`. Others are copied in one stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.rows import Side, TablePlan
from framefox_tasks.errors import CopyError


@dataclass(frozen=True)
class Ranges:
    """How a table is split.

    Attributes:
        conditions: SQL conditions of the source: each row of the snapshot is in exactly one of them.
        reason: Why there are none.
    """

    conditions: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class RangeMark:
    """What notes in the copy that a range is loaded, in the transaction that loads it.

    Attributes:
        table: The name of the table of marks.
        run: What all ranges of a copy have alike.
        number: Which range it is.
    """

    table: str
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

    def ranges(self, plan: TablePlan, rows: int) -> Ranges:
        """Split a table.

        Args:
            plan: The table.
            rows: About how many rows a range has.
        """

    def within(self, condition: str) -> Reader:
        """A reader by the same connection, whose `lines` and `raw` are of the rows in one of these ranges alone."""


@runtime_checkable
class TakesRanges(Protocol):
    """A place whose loaders can fill one table together, as LoadsRanges."""

    def hinders_ranges(self, table: Side) -> str:
        """Why they cannot fill this table together; empty where they can. Called after `check`."""


class LoadsRanges(Protocol):
    """A loader of a table that others load at the same time."""

    def load_range(
        self, table: Side, blocks: Iterable[bytes], *, raw: bool = False, mark: RangeMark | None = None
    ) -> int:
        """As `load`, or `load_raw`; in one transaction where it has a mark, which is set with it.

        Raises:
            RangeDoneError: It was loaded already.
        """


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
