"""The plan, the progress and the result of a copy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from framefox_tasks.report._terminal import say
from framefox_tasks.report._text import columns, number
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, CopyProgress, PlannedTable

if TYPE_CHECKING:
    from rich.progress import TaskID

_EVERY = 10.0
"""Seconds between two lines of progress, where there is no terminal."""
_LONG = 1.0
"""Seconds after which a table is worth a line of its own, where there is no terminal."""
_SOON = 0.3
"""Seconds before the speed of a table means something."""
_WHOLE = ""
"""The table of a progress that counts the pages of a file."""


def planned_lines(plan: CopyPlan) -> list[str]:
    """The plan of a copy."""
    title = f"{number(len(plan.tables), 'table')} of {plan.source.label} would be copied to {plan.target.label}:"
    header, *rows = columns([("table", "about"), *((table.name, _estimate(table)) for table in plan.tables)])
    lines = [title, header]
    for row, table in zip(rows, plan.tables, strict=True):
        lines += [row, *(f"      {change}" for change in table.changes)]
    how = [f"{number(plan.jobs, 'table')} at a time"] if plan.jobs > 1 else []
    how += [plan.how] if plan.how else []
    lines += [*not_carried(plan), *([f"How: {', '.join(how)}."] if how else [])]
    if plan.rejected:
        lines += [
            "The copy would leave out, with the rows that refer to them:",
            *(f"  {what}" for what in plan.rejected),
        ]
    return [*lines, *(["The copy would fail:", *(f"  {what}" for what in plan.refused)] if plan.refused else [])]


def _estimate(table: PlannedTable) -> str:
    return "?" if table.rows is None else f"{table.rows:,}"


def not_carried(plan: CopyPlan) -> list[str]:
    """The parts of the source that the copy lacks."""
    if not plan.not_carried:
        return []
    return [f"The copy will not have, of {plan.source.label}:", *(f"  {what}" for what in plan.not_carried)]


def streams(plan: CopyPlan) -> list[str]:
    """How the large tables are copied, in ranges or not."""
    return list(plan.streams) or ["Each table is copied in one stream: none is large."]


def copied_lines(result: Copied) -> list[str]:
    """The result of a copy."""
    rows = [(one.name, f"{one.rows:,}", _seconds(one), one.verified or "-") for one in result.tables]
    tables = number(len(result.tables), "table")
    shown = result.target.project.shown
    return [
        *columns([("table", "rows", "seconds", "verified"), *rows]),
        f"{number(result.rows, 'row')} of {tables} copied to {result.target.label} in {result.seconds:.2f} s.",
        *(f"Note: {note}" for note in result.notes),
        *_rejected(result),
        *(f"Removed, since newer ones are kept: {shown(path)}" for path in result.removed),
        *(f"Dropped, since newer ones are kept: {name}" for name in result.dropped),
    ]


def _rejected(result: Copied) -> list[str]:
    """The rows that were left out."""
    if not result.rejected or result.rejects is None:
        return []
    tables = ", ".join(f"{count:,} of {table}" for table, count in result.rejected)
    count = number(sum(count for _, count in result.rejected), "row")
    return [f"Left out: {count} ({tables}), written to {result.target.project.shown(result.rejects)}"]


def _seconds(table: CopiedTable) -> str:
    return "-" if table.seconds is None else f"{table.seconds:.2f}"


class Display(Protocol):
    """Shows the progress of a copy."""

    def begin(self, plan: CopyPlan) -> None:
        """The copy begins."""

    def note(self, progress: CopyProgress) -> None:
        """The progress of a table."""

    def end(self) -> None:
        """The copy has ended, well or not."""


@contextmanager
def copying() -> Iterator[Display]:
    """A display: bars on a terminal, else lines."""
    display: Display = ProgressBars() if _can_move() else ProgressLines()
    try:
        yield display
    finally:
        display.end()


def _can_move() -> bool:
    """Whether there is a terminal, and one on which a line can be written anew."""
    if not sys.stdout.isatty():
        return False
    from rich.console import Console

    return not Console().is_dumb_terminal


class Progress:
    """The progress of the tables of a copy, and of all of them together."""

    def __init__(self, plan: CopyPlan) -> None:
        self.expected = {table.name: table.rows for table in plan.tables}
        self.rows: dict[str, int] = {}
        self.started: dict[str, float] = {}
        self.done = 0
        self.began = monotonic()

    def note(self, progress: CopyProgress) -> float:
        """Note the progress of a table; gives for how many seconds it has been copied."""
        if progress.table == _WHOLE and _WHOLE not in self.expected:
            self.expected = {_WHOLE: progress.total}
        first = self.started.setdefault(progress.table, monotonic())
        self.rows[progress.table] = progress.rows
        self.done += progress.done
        # An estimate that turns out to be too low is none.
        self.expected[progress.table] = (
            progress.rows if progress.done else max(progress.rows, progress.total) if progress.total else None
        )
        return monotonic() - first

    @property
    def unit(self) -> str:
        """The unit that is counted."""
        return "page" if _WHOLE in self.rows else "row"

    @property
    def all_rows(self) -> int:
        """The rows that are copied, of all tables."""
        return sum(self.rows.values())

    @property
    def total(self) -> int | None:
        """The rows of all tables; None where that is not known of all."""
        known = [rows for rows in self.expected.values() if rows is not None]
        return sum(known) if len(known) == len(self.expected) else None

    def speed(self, rows: int, seconds: float) -> str:
        """The speed; empty at first."""
        return f"{rows / seconds:,.0f} {self.unit}s/s" if rows and seconds >= _SOON else ""


class ProgressLines:
    """A line for each table that took long, and every few seconds one with the progress of all."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._reported = monotonic()

    def begin(self, plan: CopyPlan) -> None:
        """The copy begins."""
        self._progress = Progress(plan)

    def note(self, progress: CopyProgress) -> None:
        """The progress of a table."""
        if self._progress is None:
            return
        if progress.step:
            if monotonic() - self._progress.began >= _LONG:
                say(f"  {progress.step}...")
            return
        seconds = self._progress.note(progress)
        if progress.done and seconds >= _LONG and progress.table != _WHOLE:
            say(f"  {progress.table}: {number(progress.rows, 'row')} in {seconds:.1f} s")
        elif monotonic() - self._reported >= _EVERY:
            self._reported = monotonic()
            say(f"  {self._so_far(self._progress)}")

    def _so_far(self, progress: Progress) -> str:
        seconds = monotonic() - progress.began
        rows, total = progress.all_rows, progress.total
        text = number(rows, progress.unit)
        if total:
            text += f" of about {total:,}, {rows * 100 // total} %"
        text += f", {progress.speed(rows, seconds)}"
        if total and rows:
            text += f", about {seconds * (total - rows) / rows:.0f} s left"
        return text

    def end(self) -> None:
        """The copy has ended, well or not."""


class ProgressBars:
    """A bar for each table that is being copied, and one for all of them. Gone when the copy has ended."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress as RichProgress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        name = Column(width=24, no_wrap=True, overflow="ellipsis")
        speed = Column(width=16, no_wrap=True, justify="right")
        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}", markup=False, justify="right", table_column=speed),
            TimeRemainingColumn(compact=True),
            console=Console(highlight=False),
            transient=True,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress: Progress | None = None

    def begin(self, plan: CopyPlan) -> None:
        """The copy begins."""
        self._progress = Progress(plan)
        self._all = self._bars.add_task(number(len(plan.tables), "table"), total=self._progress.total, speed="")
        self._bars.start()

    def note(self, progress: CopyProgress) -> None:
        """The progress of a table."""
        if self._progress is None:
            return
        if progress.step:
            self._bars.update(self._all, description=progress.step, speed="")
            self._bars.tasks[0].total = None  # a bar that moves, without an end
            return
        seconds = self._progress.note(progress)
        if progress.table != _WHOLE:
            self._note_table(progress, self._progress.speed(progress.rows, seconds))
        rows = self._progress.all_rows
        speed = self._progress.speed(rows, monotonic() - self._progress.began)
        self._bars.update(self._all, completed=rows, total=self._progress.total, speed=speed)

    def _note_table(self, progress: CopyProgress, speed: str) -> None:
        if progress.table not in self._tasks:
            self._tasks[progress.table] = self._bars.add_task(progress.table, total=None, speed="")
        task = self._tasks[progress.table]
        if progress.done:
            self._bars.remove_task(self._tasks.pop(progress.table))
        else:
            total = self._progress.expected[progress.table] if self._progress else None
            self._bars.update(task, completed=progress.rows, total=total, speed=speed)

    def end(self) -> None:
        """The copy has ended, well or not."""
        self._bars.stop()
