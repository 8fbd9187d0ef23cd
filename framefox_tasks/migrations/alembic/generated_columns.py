"""Generated columns whose expression has changed: dropped and added, since Alembic does not change one.

Nothing is lost by that: the database computes the values anew. Its indexes are made again.
"""

from __future__ import annotations

import re
from typing import Any

from alembic.operations import ops
from sqlalchemy import CheckConstraint, Column, Index, Table

from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables
from framefox_tasks.schema.from_metadata import computed_sql


class DropGeneratedOp(ops.DropColumnOp):
    """The drop of a column whose values are computed anew."""

    def reverse(self) -> AddGeneratedOp:
        """The column as it was."""
        made = super().reverse()
        return AddGeneratedOp(made.table_name, made.column, schema=made.schema)


class AddGeneratedOp(ops.AddColumnOp):
    """The column with its other expression."""

    def reverse(self) -> DropGeneratedOp:
        """Its drop."""
        return DropGeneratedOp(self.table_name, self.column.name, schema=self.schema, _reverse=self)


def rewritten(operation: object) -> str | None:
    """The table and the column, as `table.column`, whose expression an operation changes."""
    if not isinstance(operation, DropGeneratedOp):
        return None
    return ".".join(filter(None, (operation.schema, operation.table_name, operation.column_name)))


@compares_tables
def _compare(table: TableComparison) -> None:
    """Drop and add what computes something else than the newest migration made it compute."""
    recorded = table.ownership.recorded_table(table.schema, table.name)
    before = {column.name: column.computed for column in recorded.columns} if recorded else {}
    for column in table.declared.columns:
        live = table.found.columns.get(column.name)
        changed = live is not None and before.get(column.name) not in (None, computed_sql(column))
        if live is not None and changed and column.computed is not None and not _is_in_constraint(table.found, live):
            _replace(table.modify, live, column, table.declared)


def _is_in_constraint(table: Table, column: Column[Any]) -> bool:
    """Whether a constraint, or another generated column, has the column: it is written by hand."""
    texts = [str(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)]
    texts += [str(one.computed.sqltext) for one in table.columns if one.computed is not None and one is not column]
    named = any(column.name in re.findall(r"\w+", text) for text in texts)
    return named or any(column.name in getattr(one, "columns", ()) for one in table.constraints)


def _replace(modify: ops.ModifyTableOps, live: Column[Any], column: Column[Any], declared: Table) -> None:
    kept = [op for op in modify.ops if not (isinstance(op, ops.AlterColumnOp) and op.column_name == column.name)]
    known = {op.index_name for op in kept if isinstance(op, (ops.CreateIndexOp, ops.DropIndexOp))}
    gone = [index for index in live.table.indexes if column.name in index.columns and index.name not in known]
    names = {index.name for index in gone}
    again = [index for index in declared.indexes if index.name in names]
    arguments: dict[str, Any] = {"schema": modify.schema}
    modify.ops[:] = [
        *kept,
        *(ops.DropIndexOp.from_index(index) for index in _sorted(gone)),
        DropGeneratedOp(
            modify.table_name,
            column.name,
            **arguments,
            _reverse=ops.AddColumnOp.from_column_and_tablename(modify.schema, modify.table_name, live),
        ),
        AddGeneratedOp(modify.table_name, column._copy(), **arguments),
        *(ops.CreateIndexOp.from_index(index) for index in _sorted(again)),
    ]


def _sorted(indexes: list[Index]) -> list[Index]:
    """By name, and each once: Alembic adds to a table that was read the indexes once more."""
    found = {str(index.name): index for index in indexes}
    return [found[name] for name in sorted(found)]
