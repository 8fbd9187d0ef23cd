"""The columns that a source has got since the last masked copy of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from framefox_tasks.copies.table_names import spellings
from framefox_tasks.databases import database_of
from framefox_tasks.databases.rows import CopySchema, TablePlan
from framefox_tasks.model import CopyOptions, Target


def with_new_columns(schema: CopySchema, target: Target, options: CopyOptions) -> CopySchema:
    """The schema that tells the columns that the copy to be replaced has not, and that nobody has said how to mask.

    They may hold what the masks of the others hide.
    """
    if not (options.masks and options.overwrite) or options.data_only or not database_of(target).exists(target):
        return schema
    with database_of(target).open_source(target) as held:
        before = {plan.target.name: plan for plan in held.schema().tables}
    said = {mask.column.casefold() for mask in options.masks}
    return replace(schema, tables=tuple(_told(plan, before.get(plan.target.name), said) for plan in schema.tables))


def _told(plan: TablePlan, before: TablePlan | None, said: Collection[str]) -> TablePlan:
    if before is None or plan.empty:
        return plan
    known = {field.name.casefold() for field in before.target.fields}
    new = [
        here.name
        for here, there in zip(plan.source.fields, plan.target.fields, strict=True)
        if there.name.casefold() not in known
        and not any(f"{spelling}.{here.name}".casefold() in said for spelling in spellings(plan.source.name))
    ]
    told = (f"{name}: is new since the copy that this one replaces, and has no mask" for name in new)
    return replace(plan, changes=(*plan.changes, *told))
