"""The comment of a table that is declared as an option of one database, such as `mysql_comment`."""

from __future__ import annotations

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Table

from framefox_tasks.migrations.alembic.database_types import compares_last
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP


@compares_last("table")
def _compare(
    context: AutogenContext,
    modify: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    found: Table | None,
    declared: Table | None,
) -> None:
    """Alembic compares the comment of the table alone, and would take this one away in each migration."""
    migration = context.migration_context
    if found is None or declared is None or declared.comment is not None or OWNERSHIP not in migration.opts:
        return
    wanted = declared.dialect_kwargs.get(f"{migration.dialect.name}_comment")
    if wanted is None:
        return
    kinds = (ops.CreateTableCommentOp, ops.DropTableCommentOp)
    modify.ops[:] = [op for op in modify.ops if not isinstance(op, kinds)]
    if found.comment != str(wanted):
        modify.ops.append(ops.CreateTableCommentOp(name, str(wanted), schema=schema, existing_comment=found.comment))
