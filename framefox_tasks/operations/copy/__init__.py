"""Copying a database to another place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from time import perf_counter

from framefox_tasks.errors import ConfigError, UnsupportedDialectError, VerificationError
from framefox_tasks.model import Target
from framefox_tasks.operations.copy._sqlite import Snapshot, Staging, snapshot
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, PlannedTable


def plan_copy(source: Target, target: Target, *, overwrite: bool = False) -> CopyPlan:
    """What `copy` would do; nothing is changed.

    Raises:
        Whatever `copy` would raise before it starts.
    """
    with snapshot(_checked(source, target)) as snap:
        Staging(target).check(overwrite=overwrite)
        return CopyPlan(source, target, tuple(PlannedTable(name, snap.count(name)) for name in snap.tables()))


def copy(
    source: Target,
    target: Target,
    *,
    overwrite: bool = False,
    verify: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Copied:
    """Copy a SQLite database as a whole to another file. Until the copy is complete the target is as it was.

    Args:
        source: The database to copy; only read, at one point of time.
        target: Where to.
        overwrite: Replace what the target holds.
        verify: Compare every value, not only the number of rows.
        on_progress: Is called with how many pages of how many are copied.

    Raises:
        ConfigError: Source and target are the same file.
        UnsupportedDialectError: One of them is no SQLite database.
        DatabaseNotFoundError: The source is not there.
        TargetNotEmptyError: The target holds tables, and `overwrite` is not given.
        DatabaseInUseError: Others use the target, or another copy to it is running.
        CopyError: The copy cannot be written.
        VerificationError: The copy does not hold what the source does.
    """
    started = perf_counter()
    with snapshot(_checked(source, target)) as snap:
        staging = Staging(target)
        staging.check(overwrite=overwrite)
        with staging:
            _backup(snap, staging, on_progress)
            tables = tuple(_verified(snap, staging, name, verify=verify) for name in snap.tables())
            staging.put()
    return Copied(source, target, tables, perf_counter() - started)


def _checked(source: Target, target: Target) -> Target:
    for one in (source, target):
        if one.address.dialect != "sqlite":
            raise UnsupportedDialectError(
                f"Only a SQLite database can be copied, and only to SQLite: {one.label} is none.",
                hint="Use the server's own tools: pg_dump and psql, or mariadb-dump and mariadb.",
            )
    same = source.file == target.file
    if same or (source.file.exists() and target.file.exists() and source.file.samefile(target.file)):
        raise ConfigError(
            f"Source and target of the copy are the same file: {source.label}.",
            hint="Choose another target with: --to=URL",
        )
    return source


def _backup(snap: Snapshot, staging: Staging, note: Callable[[int, int], None] | None) -> None:
    try:
        snap.backup(staging.connection, note)
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
