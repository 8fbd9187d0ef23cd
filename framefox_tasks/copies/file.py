"""A SQLite database copied page by page to another file, and what is not wanted taken out before it is in place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from framefox_tasks.copies.options import check_different, check_options, replacing
from framefox_tasks.databases.commit import Placing
from framefox_tasks.databases.sqlite.backup import Snapshot, snapshot
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.errors import VerificationError
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, CopyProgress, PlannedTable

if TYPE_CHECKING:
    from framefox_tasks.copies.part import Part

_HOW = "page by page into a file beside it, and renamed"

Note = Callable[[CopyProgress], None]


def plan(source: Target, target: Target, options: CopyOptions) -> CopyPlan:
    """What copy() would do."""
    with _checked(source, target, options) as snap:
        return _planned(snap, target, options, _part(source, options))


@contextmanager
def _checked(source: Target, target: Target, options: CopyOptions) -> Iterator[Snapshot]:
    check_options(options)
    check_different(source, target)
    with snapshot(source) as snap:
        Staging(target).check(overwrite=options.overwrite)
        yield snap


def _part(source: Target, options: CopyOptions) -> Part | None:
    """None where all of the database is copied: then nobody has to look into its schema."""
    if not (options.tables or options.exclude or options.schema_only or options.where or options.masks):
        return None
    from framefox_tasks.copies.part import part_of

    return part_of(source, options)


def _planned(snap: Snapshot, target: Target, options: CopyOptions, part: Part | None) -> CopyPlan:
    if part:
        return part.planned(snap.target, target, options, _HOW)
    tables = tuple(PlannedTable(name, snap.count(name)) for name in snap.tables())
    return CopyPlan(snap.target, target, tables, how=replacing(_HOW, options))


def copy(
    source: Target, target: Target, options: CopyOptions, on_plan: Callable[[CopyPlan], None], note: Note
) -> Copied:
    """Copy a SQLite database to another file."""
    started = perf_counter()
    with Placing(target) as placing, _checked(source, target, options) as snap:
        part = _part(source, options)
        plan = _planned(snap, target, options, part)
        on_plan(plan)
        with Staging(target, source) as staging:
            if part and options.schema_only:
                part.create(snap, staging)
            else:
                _backup(snap, staging, note)
            if part:
                note(CopyProgress("", 0, None, step="filtering and masking"))
            notes = part.filtered(staging) if part else []
            note(CopyProgress("", 0, None, step="comparing values" if options.verify else "counting rows"))
            tables = tuple(_verified(snap, staging, name, part, options) for name in _names(snap, part))
            notes += placing.run(staging.put)
    return Copied(source, target, tables, perf_counter() - started, tuple(notes), plan.not_carried)


def _names(snap: Snapshot, part: Part | None) -> list[str]:
    return [plan.label for plan in part.schema.tables] if part else snap.tables()


def _backup(snap: Snapshot, staging: Staging, note: Note) -> None:
    try:
        with staging.early() as write:

            def told(done: int, total: int) -> None:
                write()
                note(CopyProgress("", done, total, done == total))

            snap.backup(staging.connection, told)
    except sqlite3.Error as exc:
        # Reading the source fails with the codes of a damaged file; all others come from writing.
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise staging.translate(exc) from exc


def _verified(snap: Snapshot, staging: Staging, table: str, part: Part | None, options: CopyOptions) -> CopiedTable:
    copied = snap.count(table, staging.connection)
    if part and (part.prunings or options.schema_only):
        return CopiedTable(table, copied)  # no condition tells which rows of the source these are
    where = part.where.get(table, "") if part else ""
    rows = snap.count(table, where=where)
    if rows != copied:
        raise VerificationError(
            f"The copy of {table} has {copied:,} rows, and {snap.target.label} has {rows:,}.",
            hint="Check the disk that the copy is on, and copy again.",
        )
    if options.verify:
        snap.compare(table, staging.connection, where, part.masks.get(table) if part else None)
    return CopiedTable(table, rows, verified="values" if options.verify else "rows")
