"""What entities that were made from a database cannot say of it: no difference, while nobody has changed it.

A tool that writes them sees neither the order nor the collation of an index's columns, nor how long the text of an enum
is, nor when a unique constraint is checked, nor the default of bits; and it may lose the name of an index.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Enum, Index, Table, UniqueConstraint

from framefox_tasks.migrations.alembic.ownership import OWNERSHIP, Ownership
from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables
from framefox_tasks.schema.from_metadata import schema_of
from framefox_tasks.schema.snapshot import Table as RecordedTable

_DECLARED = "framefox_tasks_declared_tables"


def _recorded(context: MigrationContext, table: Any) -> RecordedTable | None:
    ownership = context.opts.get(OWNERSHIP)
    if not isinstance(ownership, Ownership) or table is None:
        return None
    return ownership.recorded_table(table.schema, table.name)


def declared_now(context: MigrationContext, table: Table) -> RecordedTable:
    """A declared table as it will be recorded."""
    known: dict[str, RecordedTable] = context.opts.setdefault(_DECLARED, {})
    if table.key not in known:
        known.update({one.key: one for one in schema_of([table.metadata]).tables})
    return known[table.key]


def has_new_type(context: MigrationContext, column: Column[Any]) -> bool:
    """Whether an entity gives a column another type than the newest migration has."""
    table = _recorded(context, column.table)
    before = next((one for one in table.columns if one.name == column.name), None) if table else None
    if before is None:
        return False
    now = next(one for one in declared_now(context, column.table).columns if one.name == column.name)
    name = context.dialect.name
    return before.type_on.get(name, before.type) != now.type_on.get(name, now.type)


def is_as_recorded(context: MigrationContext, column: Column[Any]) -> bool:
    """Whether the values of an enum are those of the newest migration, or no migration has such a column."""
    table = _recorded(context, column.table)
    found = next((one for one in table.columns if one.name == column.name), None) if table else None
    if found is None:
        return True
    return found.enum is not None and isinstance(column.type, Enum) and list(found.enum.values) == column.type.enums


def has_orders(context: MigrationContext, index: Index) -> bool:
    """Whether the order of an index's columns counts: the newest migration has made it with one."""
    table = _recorded(context, index.table)
    found = next((one for one in table.indexes if one.name == index.name), None) if table else None
    return found is not None and any(" DESC" in part.upper() or " NULLS " in part.upper() for part in found.columns)


def has_collation(context: MigrationContext, index: Index) -> bool:
    """Whether the collation of an index's columns counts: the newest migration has made it with one."""
    table = _recorded(context, index.table)
    parts = (part for one in (table.indexes if table else ()) if one.name == index.name for part in one.columns)
    return any("COLLATE" in part.upper() for part in parts)


def has_deferral(context: MigrationContext, unique: UniqueConstraint) -> bool:
    """Whether it counts when a unique constraint is checked: an entity says it, or the newest migration has."""
    if unique.deferrable is not None or unique.initially:
        return True
    table, columns = _recorded(context, unique.table), tuple(column.name for column in unique.columns)
    found = [one for one in (table.uniques if table else ()) if one.columns == columns or one.name == unique.name]
    return any(one.options for one in found)


def has_default(context: MigrationContext, column: Column[Any]) -> bool:
    """Whether the newest migration has given a column a default."""
    table = _recorded(context, column.table)
    return any(one.name == column.name and one.default for one in (table.columns if table else ()))


@compares_tables
def _compare(table: TableComparison) -> None:
    """Keep the columns of a primary key as they are: none can be NULL, whether or not a SQLite table says so."""
    modify = table.modify
    keys = {column.name for column in table.found.primary_key} & {column.name for column in table.declared.primary_key}
    for op in list(modify.ops):
        if isinstance(op, ops.AlterColumnOp) and op.column_name in keys and op.modify_nullable is not None:
            op.modify_nullable = None
            if not op.has_changes():
                modify.ops.remove(op)


@compares_tables
def _compare_names(table: TableComparison) -> None:
    """Take an index that a column asks for, with no name, for one that is there by a name that nobody has declared.

    Tools write `index=True` for one called `ix_email`, and SQLAlchemy then calls it `ix_account_email`.
    """
    ownership, modify, schema, name = table.ownership, table.modify, table.schema, table.name
    asked = {str(index.name): index for index in table.declared.indexes if index._column_flag}
    free = [index for index in table.found.indexes if ownership.has_left_alone("index", schema, name, str(index.name))]
    for op in [op for op in modify.ops if isinstance(op, ops.CreateIndexOp) and str(op.index_name) in asked]:
        index = asked[str(op.index_name)]
        same = [one for one in free if _columns(one) == _columns(index) and bool(one.unique) == bool(index.unique)]
        if same:
            free.remove(same[0])
            modify.ops.remove(op)
            ownership.take("index", schema, name, str(same[0].name))


def _columns(index: Index) -> list[str] | None:
    """The columns of an index; None for one of expressions, or of some rows."""
    partial = any(options.get("where") is not None for options in index.dialect_options.values())
    plain = all(isinstance(item, Column) for item in index.expressions) and not partial
    return [str(column.name) for column in index.columns] if plain else None
