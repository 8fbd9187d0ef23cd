"""The comment of a table that is declared as an option of one database, such as `mysql_comment`."""

from __future__ import annotations

from alembic.operations import ops

from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables


@compares_tables
def _compare(table: TableComparison) -> None:
    """Alembic compares the comment of the table alone, and would take this one away in each migration."""
    wanted = table.declared.dialect_kwargs.get(f"{table.migration.dialect.name}_comment")
    if wanted is None or table.declared.comment is not None:
        return
    kinds, known = (ops.CreateTableCommentOp, ops.DropTableCommentOp), table.found.comment
    table.modify.ops[:] = [op for op in table.modify.ops if not isinstance(op, kinds)]
    if known != str(wanted):
        comment = ops.CreateTableCommentOp(table.name, str(wanted), schema=table.schema, existing_comment=known)
        table.modify.ops.append(comment)
