"""Rows that are put into tables which nobody sees, to learn which of them these refuse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from framefox_tasks.copies.plan import PreparedCopy
from framefox_tasks.copies.skipping import load_skipping
from framefox_tasks.databases.contract import Loader
from framefox_tasks.databases.rows import BadRowError, Side, TablePlan
from framefox_tasks.errors import CopyError

Fitting = Callable[[Iterable[bytes]], Iterator[bytes]]
"""Leaves out the lines of a table that are refused for their values alone."""

_MOST = 20
"""After how many rows of a table that are refused no more are looked for."""
_VALUES = re.compile(r"'(?:[^']|'')*'|\(.*\)|\d+")


def refused_rows(
    prepared: PreparedCopy, plan: TablePlan, loader: Loader, into: Side, fitting: Fitting
) -> Iterator[str]:
    """What is refused of the rows of a table, a phrase for each reason.

    Args:
        prepared: The copy.
        plan: The table.
        loader: Loads them.
        into: Where to.
        fitting: What leaves out the rows that are told already.
    """
    work, tally = prepared.work, _Tally()
    transform = work.transforms.get(plan.label)
    if work.direct:
        loader.take_as_is()
    with prepared.source.reader() as reader:
        reader.skip_bad_rows(lambda _: None)  # these are told by those who look at values
        with closing(reader.lines(plan.source, where=work.where.get(plan.label, ""))) as lines:
            blocks = fitting(transform(lines) if transform else lines)
            try:
                load_skipping(loader, replace(plan, target=into), blocks, tally)
            except _EnoughError:
                pass
            except CopyError as exc:
                yield exc.message
    yield from tally.told(plan)


class _EnoughError(Exception):
    """So many rows were refused that no more are looked for."""


class _Tally:
    """Counts the rows that are refused, by the reason."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def add(self, plan: TablePlan, line: bytes, exc: BadRowError) -> None:
        """One of them; see Rejects."""
        reason = _VALUES.sub("", exc.reason)
        if reason not in self._first:
            names = (field.name for field in plan.source.fields)
            values = dict(zip(names, line.rstrip(b"\n").split(b"\t"), strict=False))
            key = ", ".join(f"{name}={values[name].decode('utf-8', 'replace')}" for name in plan.primary_key)
            self._first[reason] = f"{plan.label}{f', {key}' if key else ''}: {exc.reason}"
        self._counts[reason] += 1
        if self._counts.total() == _MOST:
            raise _EnoughError

    def told(self, plan: TablePlan) -> Iterator[str]:
        """A phrase for each reason."""
        for reason, first in self._first.items():
            more = self._counts[reason] - 1
            yield first + (f", and {more:,} more like it" if more else "")
        if self._counts.total() == _MOST:
            yield f"{plan.label}: no more rows were looked at"
