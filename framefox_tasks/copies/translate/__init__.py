"""The translation of a schema to another kind of database."""

from __future__ import annotations

from collections.abc import Callable

from framefox_tasks.copies.translate.constraints import Constraints, Count
from framefox_tasks.copies.translate.keys import Measure
from framefox_tasks.copies.translate.measure import source_field
from framefox_tasks.copies.translate.tables import Translation
from framefox_tasks.copies.translate.target import TargetColumn, TargetTable
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import CopySchema, Field, ForeignKeyPlan, Name, Side, TablePlan
from framefox_tasks.databases.schema import LiveSchema


def translate(
    find: Callable[[], LiveSchema], dialect: Dialect, measure: Measure, count: Count | None = None
) -> CopySchema:
    """The schema of a copy in another kind of database, in the SQL of that one.

    Args:
        find: Gives the tables of the source: what Source.inspect() gave.
        dialect: That of the copy: what Database.dialect_of() gave.
        measure: Gives how long the longest values of columns are, where the copy's database takes only short keys.
        count: Counts rows of the source: constraints that they do not keep are not carried. None where nobody looks.

    Returns:
        What the other database cannot have is in `not_carried`, and what it has in another way in the `changes` of its
        table.
    """
    from framefox_tasks.copies.translate.ddl import Statements

    found = find()
    translation = Translation(found, dialect, measure)
    statements = Statements(translation, Constraints(translation.source, dialect, count))
    last = (*statements.foreign_keys(), *statements.checks(), *statements.numbers(), *statements.comments())
    plans = in_order([_plan(target) for target in translation.tables])
    lost = [phrase for target in translation.tables for phrase in target.lost]
    lost += [f"table {table.name}, which has no columns" for table in translation.empty]
    return CopySchema(
        tables=tuple(plans),
        before=(*statements.types(), *statements.tables),
        after=tuple(listed for listed in statements.indexes if listed),
        last=last,
        not_carried=tuple(dict.fromkeys((*found.not_carried, *lost))),
        refused=tuple(translation.refused),
    )


def _plan(target: TargetTable) -> TablePlan:
    table = target.source
    return TablePlan(
        source=Side(table.name, tuple(source_field(column.source) for column in target.columns.values())),
        target=Side(Name(target.name), tuple(_target_field(column, target) for column in target.columns.values())),
        primary_key=table.primary_key,
        uniques=table.uniques,
        foreign_keys=tuple(
            ForeignKeyPlan(reference.columns, reference.table, reference.referred, reference.ondelete, reference.name)
            for reference in (*target.references, *(one for one in table.references if not one.whole))
        ),
        rows=table.rows,
        changes=tuple(dict.fromkeys(target.changes)),
    )


def _target_field(column: TargetColumn, target: TargetTable) -> Field:
    nullable = column.source.nullable and column.source.name not in target.source.primary_key
    default = column.default is not None or column.numbered
    return Field(
        column.name,
        column.written.native,
        column.source.type.kind,
        nullable,
        column.written.length,
        default,
        column.numbered,
    )
