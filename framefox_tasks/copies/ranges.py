"""Large tables that are copied in ranges, several at a time, into one table of the copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from time import monotonic, perf_counter
from typing import NamedTuple

from framefox_tasks.databases.contract import Place, Source
from framefox_tasks.databases.ranges import Ranges, ReadsRanges, TakesRanges
from framefox_tasks.databases.rows import CopySchema, TablePlan
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import CopyProgress

_PROGRESS_INTERVAL = 0.1  # seconds


class PlannedRanges(NamedTuple):
    """The ranges of a copy.

    Attributes:
        conditions: Those of each table that is copied in ranges, by its label.
        notes: How the large tables are copied, a phrase each.
    """

    conditions: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


def plan_ranges(schema: CopySchema, source: Source, place: Place, options: CopyOptions) -> PlannedRanges:
    """Split the large tables, where both databases and the options allow it."""
    rows = options.range_rows
    large = [plan for plan in schema.tables if rows and not plan.empty and (plan.rows or 0) >= 2 * rows]
    if not large:
        return PlannedRanges({}, ())
    reason = _hindrance(source, place, options)
    if reason:
        return PlannedRanges({}, tuple(f"{plan.label}: in one stream, since {reason}" for plan in large))
    found: dict[str, tuple[str, ...]] = {}
    notes = []
    with source.reader() as reader:
        assert isinstance(reader, ReadsRanges)  # noqa: S101 - _hindrance has seen it
        for plan in large:
            reason = place.hinders_ranges(plan.target) if isinstance(place, TakesRanges) else ""
            ranges = Ranges(reason=reason) if reason else reader.ranges(plan, rows)
            if len(ranges.conditions) > 1:
                found[plan.label] = ranges.conditions
                notes.append(f"{plan.label}: in {len(ranges.conditions)} ranges")
            else:
                notes.append(f"{plan.label}: in one stream, since {ranges.reason or 'it makes one range'}")
    return PlannedRanges(found, tuple(notes))


def _hindrance(source: Source, place: Place, options: CopyOptions) -> str:
    """Why no table is copied in ranges; empty for nothing."""
    if options.jobs == 1:
        return "one job is asked for"
    if options.on_bad_row == "skip":
        return "rows that the copy cannot hold are left out"
    if options.sample or options.only_related:
        return "its rows are chosen by those of other tables"
    if not isinstance(place, TakesRanges):
        return "one connection fills the copy"
    if source.most_readers == 1:
        return "one connection alone sees the source at this point of time"
    with source.reader() as reader:
        return "" if isinstance(reader, ReadsRanges) else "the source is not read in ranges"


class TableProgress:
    """Counts the rows of one table that pass, from whatever thread, and reports them now and then."""

    def __init__(self, plan: TablePlan, note: Callable[[CopyProgress], None]) -> None:
        self._plan = plan
        self._note = note
        self._lock = Lock()
        self._reported = monotonic()
        self.rows = 0

    def add(self, rows: int) -> None:
        """Some rows have passed."""
        with self._lock:
            self.rows += rows
            if monotonic() - self._reported >= _PROGRESS_INTERVAL:
                self._reported = monotonic()
                self._note(CopyProgress(self._plan.label, self.rows, self._plan.rows))

    def end(self) -> None:
        """All have."""
        self._note(CopyProgress(self._plan.label, self.rows, self.rows, done=True))


class RangedTable:
    """A table that is copied in ranges: what its threads have in common."""

    def __init__(self, plan: TablePlan, conditions: Sequence[str], note: Callable[[CopyProgress], None]) -> None:
        self.plan = plan
        self.progress = TableProgress(plan, note)
        self._conditions = conditions
        self._lock = Lock()
        self._open = len(conditions)
        self._started = 0.0
        self.taken = 0

    def conditions(self) -> Iterator[str]:
        """Those of its ranges."""
        yield from self._conditions

    def begin(self) -> None:
        """A range is begun."""
        with self._lock:
            self._started = self._started or perf_counter()

    def end(self, taken: int) -> bool:
        """A range is loaded; gives whether it was the last."""
        with self._lock:
            self.taken += taken
            self._open -= 1
            return not self._open

    @property
    def seconds(self) -> float:
        """For how long the table has been copied."""
        return perf_counter() - self._started
