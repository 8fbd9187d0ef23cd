"""A SQLite database copied page by page to another file, and what is not wanted taken out before it is in place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from framefox_tasks.errors import VerificationError
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.operations.copy._checking import check_different, check_options
from framefox_tasks.operations.copy._masking import Masker, function_for, masks_of
from framefox_tasks.operations.copy._model import Schema, TablePlan, quoted
from framefox_tasks.operations.copy._placing import Placing
from framefox_tasks.operations.copy._preparing import Choice, emptied_schema, planned, replacing
from framefox_tasks.operations.copy._sqlite import Filtering, Snapshot, Staging, open_source, snapshot
from framefox_tasks.operations.copy._subset import conditions, prunings
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, CopyProgress, PlannedTable

_HOW = "page by page into a file beside it, and renamed"
_NUMBERS = ("user_version", "application_id")

Note = Callable[[CopyProgress], None]


@dataclass(frozen=True)
class _Part:
    """What of the database is copied, where it is not all.

    Attributes:
        tables: Says which tables.
        where: The conditions of the tables' rows.
        prunings: Statements to be repeated until they change nothing.
        masks: What is made of the values of some columns, by table.
    """

    schema: Schema
    tables: Choice | None
    where: dict[str, str]
    prunings: list[str]
    masks: dict[str, dict[str, Callable[[object], str | bytes | int | float | None]]] = field(default_factory=dict)


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


def _part(source: Target, options: CopyOptions) -> _Part | None:
    """None where all of the database is copied: then nobody has to look into its schema."""
    if not (options.tables or options.exclude or options.schema_only or options.where or options.masks):
        return None
    choice = Choice(options, source.project.version_table) if options.tables else None
    with open_source(source) as opened:
        schema = emptied_schema(opened.schema(choice), options, source)
    if choice:
        choice.check()
    masker, masks = Masker(options.salt), masks_of(schema, options.masks)
    where = dict(options.where)
    return _Part(
        schema,
        choice,
        conditions(schema, where, '"'),
        prunings(schema, where, '"'),
        {
            plan.label: {
                plan.source.fields[mask.index].name: function_for(plan, mask, masker) for mask in masks[plan.label]
            }
            for plan in schema.tables
            if plan.label in masks
        },
    )


def _planned(snap: Snapshot, target: Target, options: CopyOptions, part: _Part | None) -> CopyPlan:
    if part:
        return planned(part.schema, snap.target, target, options, how=_HOW)
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
        with Staging(target) as staging:
            if part and options.schema_only:
                _create(snap, staging, part.schema)
            else:
                _backup(snap, staging, note)
            if part:
                note(CopyProgress("", 0, None, step="filtering and masking"))
            notes = _filtered(staging, part) if part else []
            note(CopyProgress("", 0, None, step="comparing values" if options.verify else "counting rows"))
            tables = tuple(_verified(snap, staging, name, part, options) for name in _names(snap, part))
            placing.run(staging.put)
    return Copied(source, target, tables, perf_counter() - started, tuple(notes), plan.not_carried)


def _names(snap: Snapshot, part: _Part | None) -> list[str]:
    return [plan.label for plan in part.schema.tables] if part else snap.tables()


def _backup(snap: Snapshot, staging: Staging, note: Note) -> None:
    try:
        snap.backup(staging.connection, lambda done, total: note(CopyProgress("", done, total, done == total)))
    except sqlite3.Error as exc:
        # Reading the source fails with the codes of a damaged file; all others come from writing.
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise staging.translate(exc) from exc


def _create(snap: Snapshot, staging: Staging, schema: Schema) -> None:
    """Make the tables without their pages, and fill those whose rows are wanted: the version table."""
    statements = [*schema.before, *(one for statements in schema.after for one in statements), *schema.last]
    try:
        for statement in statements:
            staging.connection.execute(statement.sql)
        for plan in schema.tables:
            if not plan.empty:
                _fill(snap, staging, plan)
        for number in _NUMBERS:
            value = snap.connection.execute(f"PRAGMA {number}").fetchone()[0]
            staging.connection.execute(f"PRAGMA {number} = {value}")
    except sqlite3.Error as exc:
        raise staging.translate(exc) from exc


def _fill(snap: Snapshot, staging: Staging, plan: TablePlan) -> None:
    table = plan.source.name.quoted('"')
    columns = ", ".join(quoted(one.name, '"') for one in plan.source.fields)
    marks = ", ".join("?" for _ in plan.source.fields)
    rows = snap.connection.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - quoted
    staging.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def _filtered(staging: Staging, part: _Part) -> list[str]:
    """Take out what is not wanted; gives what there is to tell."""
    if not (part.tables or part.where or part.prunings or part.masks):
        return []
    with Filtering(staging) as filtering:
        if part.tables:
            filtering.keep(part.tables)
        filtering.delete(part.where)
        filtering.prune(part.prunings)
        for table, functions in part.masks.items():
            filtering.mask(table, functions, moved=_unique(part.schema, table))
    return filtering.notes


def _unique(schema: Schema, table: str) -> set[str]:
    plan = next(plan for plan in schema.tables if plan.label == table)
    return {column for columns in (plan.primary_key, *plan.uniques) for column in columns}


def _verified(snap: Snapshot, staging: Staging, table: str, part: _Part | None, options: CopyOptions) -> CopiedTable:
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
