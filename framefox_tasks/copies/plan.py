"""The plan of a copy, and its work, from two databases and the options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from framefox_tasks.copies.changes import Changes, Transform, changes_of, transform_of
from framefox_tasks.copies.mapping import map_tables
from framefox_tasks.copies.mask import Secret, masks_of
from framefox_tasks.copies.mask.new_columns import with_new_columns
from framefox_tasks.copies.options import (
    check_different,
    check_lock,
    check_options,
    check_types,
    check_zero_dates,
    replacing,
)
from framefox_tasks.copies.ranges import plan_ranges
from framefox_tasks.copies.skipping import Rejects
from framefox_tasks.copies.stream import Work
from framefox_tasks.copies.subset import conditions, orphan_statements
from framefox_tasks.copies.table_names import TableFilter, empty_table_filter, spellings
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Place, ReadsTables, Source
from framefox_tasks.databases.ranges import LocksWrites
from framefox_tasks.databases.rows import CopySchema, Name, TablePlan
from framefox_tasks.databases.schema import Chosen, LiveSchema
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import CopyPlan, PlannedTable

_JOBS = 4
"""How many tables are copied at the same time by default: the work is the servers', not this process's."""


@dataclass(frozen=True)
class PreparedCopy:
    """A copy that is ready to run, and the secret of its masks."""

    source: Source
    place: Place
    work: Work
    plan: CopyPlan
    salt: str | None = field(default=None, repr=False)


@contextmanager
def prepare(source: Target, target: Target, options: CopyOptions, *, planned: bool = False) -> Iterator[PreparedCopy]:
    """Inspect both databases and plan the copy; nothing is changed. The snapshot of the source lasts as long.

    Args:
        source: The database to copy.
        target: Where to.
        options: What is copied, and how.
        planned: Whether it is only planned.

    Raises:
        See copy().
    """
    check_options(options)
    check_different(source, target)
    check_zero_dates(source, options)
    check_types(source, target, options)
    check_lock(source, options)
    place = database_of(target).open_place(
        target, overwrite=options.overwrite, data_only=options.data_only, force_disconnect=options.force_disconnect
    )
    is_file = source.address.is_file
    if not is_file:  # no server has to hold a snapshot for a copy that is refused
        place.check()
    with _opened(source, options, planned) as opened:
        with _schema_reader(opened, target, options) as read:
            if is_file:  # while its cells are inspected, which takes as long
                place.check()
            schema = with_empty_tables(read(), options, source)
        schema = with_new_columns(schema, target, options)
        work = _work(schema, opened, place, options)
        plan = plan_of(work.schema, source, target, options, jobs=work.jobs, how=place.how, streams=work.streams)
        yield PreparedCopy(opened, place, work, plan, options.salt)


@contextmanager
def _opened(source: Target, options: CopyOptions, planned: bool) -> Iterator[Source]:
    database, readers = database_of(source), options.jobs or _JOBS
    if options.lock_writes and isinstance(database, LocksWrites):
        with database.open_locked_source(source, readers) as locked:
            if planned:  # to look at the rows takes long as well
                locked.allow_writes()
            yield locked
        return
    with database.open_source(source, readers) as opened:
        yield opened


def _rows_of(source: Source, plan: TablePlan) -> int:
    with source.reader() as reader:
        return reader.count(plan.source.name)


def _rows_where(source: Source, table: Name, condition: str) -> int:
    with source.reader() as reader:
        return reader.count(table, where=condition)


def _transforms(schema: CopySchema, changes: Mapping[str, Changes], secret: Secret) -> dict[str, Transform]:
    found = {
        plan.label: transform_of(plan, changes[plan.label], secret) for plan in schema.tables if plan.label in changes
    }
    return {label: transform for label, transform in found.items() if transform}


@contextmanager
def _schema_reader(source: Source, target: Target, options: CopyOptions) -> Iterator[Callable[[], CopySchema]]:
    """Gives a function that reads the schema of the copy; meanwhile the source may be read."""
    mine, theirs = source.target.address.dialect, target.address.dialect
    tables = TableFilter(options, source.target.project.version_table) if options.tables else None

    def checked(schema: CopySchema) -> CopySchema:
        if tables:
            tables.check()
        return schema

    if options.data_only:
        yield lambda: checked(_data_only(source, target, tables))
    elif mine == theirs:
        yield lambda: checked(source.schema(tables))
    else:
        from framefox_tasks.copies.translate import translate
        from framefox_tasks.copies.translate.measure import measure_of

        database = database_of(target)
        with source.inspect(tables, digits=database.dialect.exact_digits) as find:
            asked = partial(_as_asked, find, source, target, options)
            yield lambda: checked(
                translate(asked, database.dialect_of(target), measure_of(source), partial(_rows_where, source))
            )


def _as_asked(find: Callable[[], LiveSchema], source: Source, target: Target, options: CopyOptions) -> LiveSchema:
    """The schema with what was chosen for its columns."""
    found = find()
    if options.types:
        from framefox_tasks.copies.translate.chosen import with_types

        mine, theirs = database_of(source.target).dialect, database_of(target).dialect
        found = with_types(found, options.types, mine, theirs)
    if options.zero_dates != "error":
        from framefox_tasks.copies.zero_dates import adapted

        found = adapted(found, source, options.zero_dates)
    return found


def _data_only(source: Source, target: Target, tables: Callable[[Name], bool] | None) -> CopySchema:
    schema = _tables_of(source, tables)
    if source.target.address.dialect != target.address.dialect:
        schema = _translated_kinds(schema)
    with database_of(target).open_source(target) as held:
        there = held.schema() if not isinstance(held, ReadsTables) or held.has_triggers() else _tables_of(held)
    found = map_tables(_without_version(schema, source.target), there, target)
    statements = chain(there.before, *there.after, there.last, there.placed)
    return replace(found, triggers=tuple(one.about for one in statements if one.about.startswith("trigger ")))


def _tables_of(source: Source, tables: Chosen = None) -> CopySchema:
    """A schema of which the tables alone are needed."""
    return CopySchema(tuple(source.tables(tables))) if isinstance(source, ReadsTables) else source.schema(tables)


def _translated_kinds(schema: CopySchema) -> CopySchema:
    """With the kinds of a copy to another kind of database, which reads nothing that only the source's own writes."""

    def translated(plan: TablePlan) -> TablePlan:
        fields = (replace(field, kind=field.elsewhere or field.kind) for field in plan.source.fields)
        return replace(plan, source=replace(plan.source, fields=tuple(fields)))

    return replace(schema, tables=tuple(map(translated, schema.tables)))


def _without_version(schema: CopySchema, source: Target) -> CopySchema:
    """Without the version table: the target's tables are at a revision of their own."""
    tables = tuple(plan for plan in schema.tables if plan.label != source.project.version_table)
    return replace(schema, tables=tables)


def with_empty_tables(schema: CopySchema, options: CopyOptions, source: Target) -> CopySchema:
    """The schema with the tables marked whose rows are left out."""
    names = [plan.source.name for plan in schema.tables]
    empty = empty_table_filter(names, options, source.project.version_table)
    return replace(schema, tables=tuple(replace(plan, empty=empty(plan.source.name)) for plan in schema.tables))


def _work(schema: CopySchema, source: Source, place: Place, options: CopyOptions) -> Work:
    mine, theirs = database_of(source.target), database_of(place.staging)
    where = dict(options.where)
    if options.strict_masks:
        from framefox_tasks.copies.mask.personal import check_strict

        with source.reader() as reader:
            check_strict(schema, options.masks, reader, lambda plan: reader.count(plan.source.name))
    masks = masks_of(schema, options.masks, options.tables, partial(_rows_of, source))
    filtered = bool(where) or any(plan.empty for plan in schema.tables)
    chosen: dict[str, str] | None = None
    if options.only_related or options.sample:
        from framefox_tasks.copies.subset.related import with_related_rows

        with source.reader() as reader:
            version_table = source.target.project.version_table
            schema, chosen = with_related_rows(schema, options, reader, mine.dialect, version_table)
        filtered = False
    changes = changes_of(schema, masks, zero_dates=options.zero_dates == "null" and mine is not theirs)
    ranges = plan_ranges(schema, source, place, options)
    streams = len(schema.tables) + sum(len(conditions) - 1 for conditions in ranges.conditions.values())
    parts = max(streams, len(schema.after), 1)  # the indexes of one table are made beside each other
    limits = [options.jobs or _JOBS, parts, source.most_readers, place.most_loaders]
    return Work(
        schema=schema,
        direct=mine is theirs,
        jobs=min(limit for limit in limits if limit),
        where=conditions(schema, where, mine.quote) if filtered else chosen or {},
        orphan_statements=tuple(orphan_statements(schema, where, theirs)) if filtered else (),
        masked={
            plan.label: frozenset(plan.source.fields[mask.index].name for mask in masks[plan.label])
            for plan in schema.tables
            if plan.label in masks
        },
        changes=changes,
        transforms=_transforms(schema, changes, Secret(options.salt)),
        verify=options.verify,
        existing=options.data_only,
        overwrite=options.overwrite,
        rejects=Rejects(source.target.project.root / options.rejects) if options.on_bad_row == "skip" else None,
        database=theirs,
        ranges=ranges.conditions,
        streams=ranges.notes,
    )


def plan_of(
    schema: CopySchema,
    source: Target,
    target: Target,
    options: CopyOptions,
    *,
    jobs: int = 1,
    how: str = "",
    streams: Mapping[str, str] | None = None,
) -> CopyPlan:
    """The plan of a copy, as it is shown before it begins."""
    tables = tuple(
        PlannedTable(plan.label, 0 if plan.empty else plan.rows, (*plan.changes, *_changes(plan, options)))
        for plan in schema.tables
    )
    how = replacing(how, options)
    if schema.triggers:
        how += f"; these run for the rows, where the copy may not switch them off: {', '.join(schema.triggers)}"
    return CopyPlan(source, target, tables, schema.not_carried, jobs, how, schema.refused, told(streams or {}))


def told(streams: Mapping[str, str]) -> tuple[str, ...]:
    """How the large tables are copied, as the plan says it."""
    return tuple(f"{label}: {how}" for label, how in streams.items())


def _changes(plan: TablePlan, options: CopyOptions) -> Iterator[str]:
    names = {spelling.casefold() for spelling in spellings(plan.source.name)}
    if plan.empty:
        lost = ", and those of the target are deleted" if options.data_only and options.overwrite else ""
        yield f"its rows are left out{lost}"
    yield from (f"only rows where {condition}" for table, condition in options.where if table.casefold() in names)
    for mask in options.masks:
        table, _, column = mask.column.rpartition(".")
        if table.casefold() in names:
            yield f"{column} is masked: {mask.kind}"
