"""A database copied as a whole, by its own means, and reduced to the subset before the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

from framefox_tasks.copies.commit import Commit
from framefox_tasks.copies.options import check_different, check_options, check_types, check_zero_dates, replacing
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import WholeCopy
from framefox_tasks.databases.rows import CopySchema, Subset
from framefox_tasks.errors import FramefoxTasksError, VerificationError
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, CopyProgress, PlannedTable

Note = Callable[[CopyProgress], None]


def plan(source: Target, target: Target, options: CopyOptions) -> CopyPlan:
    """The plan of copy()."""
    with _checked(source, target, options) as whole:
        subset = _subset(whole, source, target, options)
        found = _planned(whole, source, target, options, subset)
        return _counted(whole, found, subset) if subset and options.scan else found


def _counted(whole: WholeCopy, plan: CopyPlan, subset: Subset) -> CopyPlan:
    """The plan with the rows that are chosen, and the conditions that cannot be used."""
    tables, refused = [], []
    for table in plan.tables:
        try:
            rows = 0 if table.rows == 0 else whole.count(table.name, where=subset.where.get(table.name, ""))
            tables.append(replace(table, rows=rows))
        except FramefoxTasksError as exc:
            tables.append(table)
            refused.append(exc.message)
    if not refused:
        refused += _masked(whole, subset)
    return replace(plan, tables=tuple(tables), refused=tuple(refused))


def _masked(whole: WholeCopy, subset: Subset) -> Iterator[str]:
    """The tables that do not take their rows with masks."""
    for plan in subset.schema.tables:
        masks = subset.masks.get(plan.label)
        if masks and not plan.empty:
            reason = whole.refuses(plan, subset.where.get(plan.label, ""), masks)
            if reason:
                yield f"The masks of {plan.label} cannot be used: {reason}"


@contextmanager
def _checked(source: Target, target: Target, options: CopyOptions) -> Iterator[WholeCopy]:
    check_options(options)
    check_different(source, target)
    check_zero_dates(source, options)
    check_types(source, target, options)
    with database_of(source).open_whole(source, target) as whole:
        whole.check(overwrite=options.overwrite)
        yield whole


def _planned(whole: WholeCopy, source: Target, target: Target, options: CopyOptions, subset: Subset | None) -> CopyPlan:
    if subset:
        from framefox_tasks.copies.plan import plan_of

        return plan_of(subset.schema, source, target, options, how=_how(whole, options))
    tables = tuple(PlannedTable(name, whole.count(name)) for name in whole.tables())
    return CopyPlan(source, target, tables, how=replacing(_how(whole, options), options))


def _how(whole: WholeCopy, options: CopyOptions) -> str:
    if options.on_bad_row != "skip":
        return whole.how
    return f"{whole.how}; every row is taken as it is, so that --on-bad-row=skip leaves none out"


def copy(
    source: Target, target: Target, options: CopyOptions, on_plan: Callable[[CopyPlan], None], note: Note
) -> Copied:
    """Copy a database to another of its kind."""
    started = perf_counter()
    with Commit(target) as commit, _checked(source, target, options) as whole:
        subset = _subset(whole, source, target, options)
        plan = _planned(whole, source, target, options, subset)
        on_plan(plan)
        with whole.staging():
            if subset and options.schema_only:
                whole.create(subset.schema)
            else:
                whole.copy(lambda done, total: note(CopyProgress("", done, total, done == total)))
            if subset:
                note(CopyProgress("", 0, None, step="filtering and masking"))
            notes = whole.reduce(subset) if subset else []
            note(CopyProgress("", 0, None, step="comparing values" if options.verify else "counting rows"))
            names = [plan.label for plan in subset.schema.tables] if subset else whole.tables()
            compare = options.verify and (subset is not None or not whole.is_same())
            tables = tuple(_verified(whole, source, name, subset, options, compare=compare) for name in names)
            notes += commit.run(whole.put)
    return Copied(source, target, tables, perf_counter() - started, tuple(notes), plan.not_carried)


def _verified(
    whole: WholeCopy, source: Target, table: str, subset: Subset | None, options: CopyOptions, *, compare: bool
) -> CopiedTable:
    copied = whole.copied(table)
    if subset and (subset.orphan_statements or options.schema_only):
        return CopiedTable(table, copied)  # no condition selects the same rows of the source
    where = subset.where.get(table, "") if subset else ""
    rows = whole.count(table, where=where)
    if rows != copied:
        raise VerificationError(
            f"The copy of {table} has {copied:,} rows, and {source.label} has {rows:,}.",
            hint="Check the disk that the copy is on, and copy again.",
        )
    if compare:
        whole.compare(table, where, subset.masks.get(table) if subset else None)
    return CopiedTable(table, rows, verified="values" if options.verify else "rows")


def _subset(whole: WholeCopy, source: Target, target: Target, options: CopyOptions) -> Subset | None:
    """The subset that the options choose; None for all of it, which needs no look at the schema."""
    some = options.tables or options.exclude or options.schema_only or options.where or options.sample
    if not (some or options.masks or options.strict_masks):
        return None
    from framefox_tasks.copies.mask.new_columns import with_new_columns
    from framefox_tasks.copies.plan import with_empty_tables
    from framefox_tasks.copies.subset import conditions, orphan_statements
    from framefox_tasks.copies.table_names import TableFilter

    tables = TableFilter(options, source.project.version_table) if options.tables else None
    schema = with_new_columns(with_empty_tables(whole.schema(tables), options, source), target, options)
    if tables:
        tables.check()
    where, database = dict(options.where), database_of(source)
    if options.strict_masks:
        from framefox_tasks.copies.mask.personal import check_strict

        with database.open_source(source) as opened, opened.reader() as reader:
            check_strict(schema, options.masks, reader, lambda plan: whole.count(plan.label))
    if options.only_related or options.sample:
        from framefox_tasks.copies.subset.related import with_related_rows

        with database.open_source(source) as opened, opened.reader() as reader:
            schema, chosen = with_related_rows(schema, options, reader, database.dialect, source.project.version_table)
        empty = {plan.label: "1 = 0" for plan in schema.tables if plan.empty}
        return Subset(schema, tables, {**chosen, **empty}, [], _masks(schema, options, whole))
    return Subset(
        schema,
        tables,
        conditions(schema, where, database.quote),
        orphan_statements(schema, where, database),
        _masks(schema, options, whole),
    )


def _masks(
    schema: CopySchema, options: CopyOptions, whole: WholeCopy
) -> dict[str, dict[str, Callable[[object], object]]]:
    """The functions that mask values, by table and column."""
    from framefox_tasks.copies.mask import Secret, cell_function, masks_of

    secret, masks = (
        Secret(options.salt),
        masks_of(schema, options.masks, options.tables, lambda plan: whole.count(plan.label)),
    )
    return {
        plan.label: {plan.source.fields[mask.index].name: cell_function(mask, secret) for mask in masks[plan.label]}
        for plan in schema.tables
        if plan.label in masks
    }
