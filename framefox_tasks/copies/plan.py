"""From two databases and the options of a copy to the work that is to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from framefox_tasks.copies.mapping import matched
from framefox_tasks.copies.mask import Secret, mask_lines, masks_of
from framefox_tasks.copies.names import spellings
from framefox_tasks.copies.options import check_different, check_options, replacing
from framefox_tasks.copies.stream import Work
from framefox_tasks.copies.subset import chosen, conditions, emptied, prunings
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Place, Source
from framefox_tasks.databases.rows import Kind, Name, Schema, Side, TablePlan
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import CopyPlan, PlannedTable

_JOBS = 4
"""How many tables are copied at the same time where nobody says: the work is the servers', not this process's."""


@dataclass(frozen=True)
class Prepared:
    """A copy that may begin."""

    source: Source
    place: Place
    work: Work
    plan: CopyPlan


@contextmanager
def prepared(source: Target, target: Target, options: CopyOptions) -> Iterator[Prepared]:
    """Look at both databases, and find what is to be done; nothing is changed. The source's snapshot lasts as long.

    Raises:
        See copy().
    """
    check_options(options)
    check_different(source, target)
    place = database_of(target).open_place(
        target, overwrite=options.overwrite, data_only=options.data_only, force_disconnect=options.force_disconnect
    )
    is_file = source.address.is_file
    if not is_file:  # no server is to hold a snapshot for a copy that is refused
        place.check()
    with database_of(source).open_source(source, options.jobs or _JOBS) as opened:
        with _reading(opened, target, options) as read:
            if is_file:  # beside the look at its cells, which takes as long
                place.check()
            schema = emptied_schema(read(), options, source)
        work = _work(schema, opened, place, options)
        yield Prepared(
            opened, place, work, planned(work.schema, source, target, options, jobs=work.jobs, how=place.how)
        )


class Choice:
    """Which tables to copy. Remembers which it was asked for, so that a pattern that matches none is found."""

    def __init__(self, options: CopyOptions, version_table: str) -> None:
        self._options = options
        self._version_table = version_table
        self._asked: list[Name] = []

    def __call__(self, name: Name) -> bool:
        """Whether the table is to be copied."""
        if name not in self._asked:
            self._asked.append(name)
        return chosen([name], replace(self._options, exclude=()), self._version_table, strict=False)(name)

    def check(self) -> None:
        """Raises: ConfigError: A pattern matches no table."""
        chosen(self._asked, self._options, self._version_table)


@contextmanager
def _reading(source: Source, target: Target, options: CopyOptions) -> Iterator[Callable[[], Schema]]:
    """Gives what gives the schema of the copy; the source may be read meanwhile."""
    mine, theirs = source.target.address.dialect, target.address.dialect
    choice = Choice(options, source.target.project.version_table)
    tables: Callable[[Name], bool] | None = choice if options.tables else None

    def checked(schema: Schema) -> Schema:
        if tables:
            choice.check()
        return schema

    if options.data_only:
        yield lambda: checked(_rows_alone(source, target, tables))
    elif mine == theirs:
        yield lambda: checked(source.schema(tables))
    else:
        from framefox_tasks.copies.translate import translate

        made = database_of(target)
        with source.inspect(tables, digits=made.dialect.exact_digits) as find:
            yield lambda: checked(translate(find, made.dialect_of(target)))


def _rows_alone(source: Source, target: Target, tables: Callable[[Name], bool] | None) -> Schema:
    schema = source.schema(tables)
    if source.target.address.dialect != target.address.dialect:
        schema = _abroad(schema, source)
    with database_of(target).open_source(target) as held:
        return matched(_without_version(schema, source.target), held.schema(), target)


def _abroad(schema: Schema, source: Source) -> Schema:
    """With the kinds of another database's copy, which reads nothing that only the source's kind of database writes."""
    names = {
        plan.source.name for plan in schema.tables if any(field.kind is Kind.NATIVE for field in plan.source.fields)
    }
    if not names:
        return schema
    with source.inspect(names.__contains__) as find:
        kinds = {(table.name, column.name): column.type.kind for table in find().tables for column in table.columns}

    def abroad(side: Side) -> Side:
        fields = (replace(f, kind=kinds[side.name, f.name]) if f.kind is Kind.NATIVE else f for f in side.fields)
        return replace(side, fields=tuple(fields))

    return replace(schema, tables=tuple(replace(plan, source=abroad(plan.source)) for plan in schema.tables))


def _without_version(schema: Schema, source: Target) -> Schema:
    """Without the version table: the target's tables are at a revision of their own."""
    tables = tuple(plan for plan in schema.tables if plan.label != source.project.version_table)
    return replace(schema, tables=tables)


def emptied_schema(schema: Schema, options: CopyOptions, source: Target) -> Schema:
    """The schema with the tables marked whose rows are left out."""
    names = [plan.source.name for plan in schema.tables]
    empty = emptied(names, options, source.project.version_table)
    return replace(schema, tables=tuple(replace(plan, empty=empty(plan.source.name)) for plan in schema.tables))


def _work(schema: Schema, source: Source, place: Place, options: CopyOptions) -> Work:
    mine, theirs = database_of(source.target), database_of(place.staging)
    where = dict(options.where)
    secret = Secret(options.salt)
    masks = masks_of(schema, options.masks)
    filtered = bool(where) or any(plan.empty for plan in schema.tables)
    parts = max(len(schema.tables), len(schema.after), 1)  # the indexes of one table are made beside each other
    limits = [options.jobs or _JOBS, parts, source.most_readers, place.most_loaders]
    return Work(
        schema=schema,
        direct=mine is theirs,
        jobs=min(limit for limit in limits if limit),
        where=conditions(schema, where, mine.quote) if filtered else {},
        prunings=tuple(prunings(schema, where, theirs.quote)) if filtered else (),
        transforms={plan.label: mask_lines(plan, masks, secret) for plan in schema.tables if plan.label in masks},
        verify=options.verify,
        existing=options.data_only,
        overwrite=options.overwrite,
    )


def planned(
    schema: Schema, source: Target, target: Target, options: CopyOptions, *, jobs: int = 1, how: str = ""
) -> CopyPlan:
    """What there is to tell of a copy before it begins."""
    tables = tuple(
        PlannedTable(plan.label, 0 if plan.empty else plan.rows, (*plan.changes, *_said(plan, options)))
        for plan in schema.tables
    )
    return CopyPlan(source, target, tables, schema.not_carried, jobs, replacing(how, options))


def _said(plan: TablePlan, options: CopyOptions) -> Iterator[str]:
    names = {spelling.casefold() for spelling in spellings(plan.source.name)}
    if plan.empty:
        lost = ", and those of the target are deleted" if options.data_only and options.overwrite else ""
        yield f"its rows are left out{lost}"
    yield from (f"only rows where {condition}" for table, condition in options.where if table.casefold() in names)
    for mask in options.masks:
        table, _, column = mask.column.rpartition(".")
        if table.casefold() in names:
            yield f"{column} is masked: {mask.kind}"
