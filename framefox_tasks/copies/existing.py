"""What the tables of a target make of the rows that come alone: they are empty, and take them with all they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framefox_tasks.copies.plan import PreparedCopy
from framefox_tasks.copies.refused_rows import Fitting, refused_rows
from framefox_tasks.databases import database_of
from framefox_tasks.databases.rehearsal import RehearsesRows
from framefox_tasks.errors import PermissionDeniedError


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
                    into = rehearsal.stand_in(plan.target)
                    rows += refused_rows(prepared, plan, rehearsal.loader(), into, fitting[plan.label])
            return rows, list(rehearsal.refused())
    except PermissionDeniedError:
        return [], []  # who may make no temporary table meets them in the copy
