"""A SQLite database copied as a whole, as the file that it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from time import perf_counter

from framefox_tasks.errors import VerificationError
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.operations.copy._checking import check_different, check_options
from framefox_tasks.operations.copy._sqlite import Snapshot, Staging, snapshot
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, CopyProgress, PlannedTable


def plan(source: Target, target: Target, options: CopyOptions) -> CopyPlan:
    """What copy() would do."""
    check_options(options)
    check_different(source, target)
    with snapshot(source) as snap:
        Staging(target).check(overwrite=options.overwrite)
        return _planned(snap, target)


def _planned(snap: Snapshot, target: Target) -> CopyPlan:
    tables = tuple(PlannedTable(name, snap.count(name)) for name in snap.tables())
    return CopyPlan(snap.target, target, tables, how="page by page into a file beside it, and renamed")


def copy(
    source: Target,
    target: Target,
    options: CopyOptions,
    on_plan: Callable[[CopyPlan], None],
    note: Callable[[CopyProgress], None],
) -> Copied:
    """Copy a SQLite database to another file."""
    started = perf_counter()
    check_options(options)
    check_different(source, target)
    with snapshot(source) as snap:
        staging = Staging(target)
        staging.check(overwrite=options.overwrite)
        on_plan(_planned(snap, target))
        with staging:
            _backup(snap, staging, note)
            tables = tuple(_verified(snap, staging, name, verify=options.verify) for name in snap.tables())
            staging.put()
    return Copied(source, target, tables, perf_counter() - started)


def _backup(snap: Snapshot, staging: Staging, note: Callable[[CopyProgress], None]) -> None:
    try:
        snap.backup(staging.connection, lambda done, total: note(CopyProgress("", done, total, done == total)))
    except sqlite3.Error as exc:
        # Reading the source fails with the codes of a damaged file; all others come from writing.
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise staging.translate(exc) from exc


def _verified(snap: Snapshot, staging: Staging, table: str, *, verify: bool) -> CopiedTable:
    started = perf_counter()
    rows, copied = snap.count(table), snap.count(table, staging.connection)
    if rows != copied:
        raise VerificationError(
            f"The copy of {table} has {copied:,} rows, and {snap.target.label} has {rows:,}.",
            hint="Check the disk that the copy is on, and copy again.",
        )
    if verify:
        snap.compare(table, staging.connection)
    return CopiedTable(table, rows, perf_counter() - started, "values" if verify else "rows")
