"""What the tables of a target make of the rows that come alone: they are empty, and take them with all they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace

from framefox_tasks.copies.plan import PreparedCopy
from framefox_tasks.copies.skipping import load_skipping
from framefox_tasks.databases import database_of
from framefox_tasks.databases.rehearsal import Rehearsal, RehearsesRows
from framefox_tasks.databases.rows import BadRowError, TablePlan
from framefox_tasks.errors import CopyError, PermissionDeniedError

Fitting = Callable[[Iterable[bytes]], Iterator[bytes]]
"""Leaves out the lines of a table that are refused for their values alone."""

_MOST = 20
"""After how many rows of a table that are refused no more are looked for."""
_VALUES = re.compile(r"'(?:[^']|'')*'|\(.*\)|\d+")


def held_rows(prepared: PreparedCopy) -> Iterator[str]:
    """The tables of the target that hold rows already, where they are not replaced."""
    target, plans = prepared.place.staging, prepared.work.schema.tables
    if prepared.work.overwrite:
        return
    with database_of(target).open_source(target) as held, held.reader() as theirs:
        full = [plan.label for plan in plans if theirs.count(plan.target.name)]
    if full:
        yield f"the target holds rows of {', '.join(sorted(full))}, and they are kept without --overwrite"


def rehearsed(prepared: PreparedCopy, fitting: Mapping[str, Fitting]) -> tuple[list[str], list[str]]:
    """What is refused when the rows are put into stand-ins of the target's tables.

    Args:
        prepared: The copy.
        fitting: What leaves out of each table that is read what is refused in any case.

    Returns:
        The rows that are refused one by one, and what is refused of all of them together, a phrase each.
    """
    place = prepared.place
    plans = prepared.work.schema.tables
    if not isinstance(place, RehearsesRows):
        return [], []
    rows: list[str] = []
    try:
        with place.rehearsal([plan.target for plan in plans]) as rehearsal:
            for plan in plans:
                if plan.label in fitting:
                    rows += _refused(prepared, plan, rehearsal, fitting[plan.label])
            return rows, list(rehearsal.refused())
    except PermissionDeniedError:
        return [], []  # who may make no temporary table meets them in the copy


def _refused(prepared: PreparedCopy, plan: TablePlan, rehearsal: Rehearsal, fitting: Fitting) -> Iterator[str]:
    """What is refused of a table, a phrase for each reason."""
    work, tally, loader = prepared.work, _Tally(), rehearsal.loader()
    transform = work.transforms.get(plan.label)
    if work.direct:
        loader.take_as_is()
    with prepared.source.reader() as reader:
        reader.skip_bad_rows(lambda _: None)  # these are told by those who look at values
        with closing(reader.lines(plan.source, where=work.where.get(plan.label, ""))) as lines:
            blocks = fitting(transform(lines) if transform else lines)
            try:
                load_skipping(loader, replace(plan, target=rehearsal.stand_in(plan.target)), blocks, tally)
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
