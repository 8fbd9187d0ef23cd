"""The order of the drops in a generated migration, for MySQL.

MySQL refuses to drop an index that a foreign key needs (error 1553), and Alembic drops the indexes of a table first. An
index of a table that is dropped in the same migration goes with it; of a table that stays, the foreign key goes first.
"""

from __future__ import annotations

from collections.abc import Iterable

from alembic.operations import ops


def reorder_drops(directives: Iterable[ops.MigrationScript]) -> None:
    """Put the drops of generated migrations into an order that every dialect accepts."""
    for script in directives:
        for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            _reorder(container)


def _reorder(container: ops.OpContainer) -> None:
    dropped = {(op.schema, op.table_name) for op in container.ops if isinstance(op, ops.DropTableOp)}
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps):
            if (op.schema, op.table_name) in dropped:
                op.ops = [inner for inner in op.ops if not isinstance(inner, ops.DropIndexOp)]
            op.ops.sort(key=lambda inner: not _drops_foreign_key(inner))
    container.ops = [op for op in container.ops if not isinstance(op, ops.ModifyTableOps) or op.ops]


def _drops_foreign_key(op: ops.MigrateOperation) -> bool:
    return isinstance(op, ops.DropConstraintOp) and op.constraint_type == "foreignkey"
