"""From the schema of one database to that of another kind."""

from __future__ import annotations

from collections.abc import Callable

from framefox_tasks.copies.translate.tables import Made, MadeTable, Making
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import CopySchema, Field, ForeignKeyPlan, Name, Side, TablePlan
from framefox_tasks.databases.schema import Found


def translate(find: Callable[[], Found], dialect: Dialect) -> CopySchema:
    """Everything that a copy of a database in another kind of database needs, written as that one writes it.

    Args:
        find: Gives the tables of the source: what Source.inspect() gave.
        dialect: That of the copy: what Database.dialect_of() gave.

    Returns:
        What the other database cannot have is in `not_carried`, and what it has in another way in the `changes` of its
        table.
    """
    from framefox_tasks.copies.translate.ddl import Statements

    found = find()
    making = Making(found, dialect)
    statements = Statements(making)
    last = (*statements.foreign_keys(), *statements.checks(), *statements.numbers(), *statements.comments())
    plans = in_order([_plan(made) for made in making.tables])
    lost = [phrase for made in making.tables for phrase in made.lost]
    lost += [f"table {table.name}, which has no columns" for table in making.empty]
    return CopySchema(
        tables=tuple(plans),
        before=(*statements.types(), *statements.tables),
        after=tuple(listed for listed in statements.indexes if listed),
        last=last,
        not_carried=tuple(dict.fromkeys((*found.not_carried, *lost))),
    )


def _plan(made: MadeTable) -> TablePlan:
    table = made.table
    return TablePlan(
        source=Side(table.name, tuple(_source_field(one) for one in made.columns.values())),
        target=Side(Name(made.name), tuple(_target_field(one, made) for one in made.columns.values())),
        primary_key=table.primary_key,
        uniques=table.uniques,
        foreign_keys=tuple(
            ForeignKeyPlan(reference.columns, reference.table, reference.referred, reference.ondelete, reference.name)
            for reference in made.references
        ),
        rows=table.rows,
        changes=tuple(dict.fromkeys(made.changes)),
    )


def _source_field(one: Made) -> Field:
    column = one.column
    limited = column.type.kind.value in ("text", "bytes", "bits")
    return Field(
        column.name,
        column.native,
        column.type.kind,
        column.nullable,
        column.type.size if limited else None,
        column.default is not None or column.numbered,
    )


def _target_field(one: Made, made: MadeTable) -> Field:
    nullable = one.column.nullable and one.column.name not in made.table.primary_key
    default = one.default is not None or one.numbered
    return Field(
        one.name, one.written.native, one.column.type.kind, nullable, one.written.length, default, one.numbered
    )
