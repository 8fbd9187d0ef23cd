"""The plan of a copy within one kind of database, from the tables that its inspector found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import Field, ForeignKeyPlan, Kind, Name, Side, TablePlan
from framefox_tasks.databases.schema import LiveColumn, LiveTable

_LIMITED = (Kind.TEXT, Kind.BYTES, Kind.BITS)


def plans_of(tables: Sequence[LiveTable], native: Callable[[str], str] = str) -> list[TablePlan]:
    """The plans, each after those of the tables that it refers to; keys to other tables are not carried.

    Generated columns are no fields, but a key may name them.

    Args:
        tables: The tables that are copied.
        native: Makes the type of a field of a column's, where it is not the same.
    """
    chosen = {table.name for table in tables}
    return in_order([_plan(table, chosen, native) for table in tables])


def _plan(table: LiveTable, chosen: set[Name], native: Callable[[str], str]) -> TablePlan:
    side = Side(table.name, tuple(_field(column, native) for column in table.columns if column.generated is None))
    return TablePlan(side, side, table.primary_key, table.uniques, tuple(_keys(table, chosen)), table.rows)


def _field(column: LiveColumn, native: Callable[[str], str]) -> Field:
    return Field(
        column.name,
        native(column.native),
        column.type.own or column.type.kind,
        column.nullable,
        column.type.size if column.type.kind in _LIMITED else None,
        column.default is not None or column.numbered,
        column.numbered,
        column.type.kind if column.type.own else None,
    )


def _keys(table: LiveTable, chosen: set[Name]) -> Iterator[ForeignKeyPlan]:
    for key in table.references:
        if key.table in chosen:
            yield ForeignKeyPlan(key.columns, key.table, key.referred, key.ondelete, key.name)
