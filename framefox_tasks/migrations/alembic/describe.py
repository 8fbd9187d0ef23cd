"""The description of a generated migration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate import RevisionContext
from alembic.operations import ops
from sqlalchemy import CheckConstraint

from framefox_tasks.databases import database_of
from framefox_tasks.migrations.alembic.claims import names_of
from framefox_tasks.migrations.alembic.enums import EnumTypeOp
from framefox_tasks.migrations.alembic.generated_columns import rewritten
from framefox_tasks.migrations.alembic.primary_keys import PrimaryKeyOp
from framefox_tasks.migrations.alembic.renames import ColumnRenameOp, TableRenameOp
from framefox_tasks.migrations.alembic.risks import loses_data
from framefox_tasks.migrations.alembic.views import ViewOp
from framefox_tasks.model import Target


@dataclass(frozen=True)
class Difference:
    """The operations of a migration, those that lose data, and the constraints that it leaves unnamed.

    Attributes:
        names: The names of the constraints and indexes that it makes or drops, of the generated columns that it makes
            anew, as `table.column`, and `primary key of table`.
        created: The tables that it makes, or gives their names.
    """

    operations: tuple[str, ...]
    names: frozenset[str]
    destructive: tuple[str, ...]
    unnamed: tuple[str, ...]
    created: frozenset[str] = frozenset()


def difference_of(context: RevisionContext, target: Target) -> Difference:
    """The operations of the generated migrations; none if a hook of the project's has removed them all."""
    operations = operations_of(context)
    if not database_of(target).has_enum_types:
        operations = [operation for operation in operations if not isinstance(operation, EnumTypeOp)]
    shown = tuple(_describe(operation) for operation in operations)
    return Difference(
        shown,
        frozenset(name for operation in operations if (name := _name_done(operation))),
        tuple(text for text, operation in zip(shown, operations, strict=True) if loses_data(operation)),
        tuple(name for operation in operations for name in _unnamed(operation, target)),
        frozenset(filter(None, map(_created, operations))),
    )


def operations_of(context: RevisionContext) -> list[ops.MigrateOperation]:
    """The operations of the generated migrations, without the containers that group them."""
    return list(_flat(container for script in context.generated_revisions for container in script.upgrade_ops_list))


def described(containers: Iterable[ops.OpContainer]) -> tuple[str, ...]:
    """Operations in a few words each."""
    return tuple(map(_describe, _flat(containers)))


def _flat(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    for operation in operations:
        if isinstance(operation, ops.OpContainer):
            yield from _flat(operation.ops)
        else:
            yield operation


def _describe(operation: ops.MigrateOperation) -> str:
    """One operation in a few words, such as: add table product; drop column product.price."""
    if isinstance(operation, ViewOp):
        return f"{'add' if operation.create else 'drop'} view {operation.name}"
    if isinstance(operation, PrimaryKeyOp):
        return operation.shown
    if isinstance(operation, ops.ExecuteSQLOp):
        return str(operation.sqltext)
    if isinstance(operation, TableRenameOp):
        old = ".".join(filter(None, (operation.schema, operation.table_name, getattr(operation, "column_name", None))))
        kind = "column" if isinstance(operation, ColumnRenameOp) else "table"
        return f"rename {kind} {old} to {operation.new_name}"
    named = names_of(operation)
    table = ".".join(filter(None, named)) if named else None
    column = getattr(operation, "column_name", None) or getattr(getattr(operation, "column", None), "name", None)
    name = name_of(operation)
    enum = getattr(getattr(operation, "enum", None), "name", None) or getattr(operation, "name", None)
    if column:
        note = getattr(operation, "note", "")
        return f"{_kind(operation)} {table}.{column}" + (f" ({note})" if note else "")
    if name:
        return f"{_kind(operation)} {name} on {table}"
    return f"{_kind(operation)} {table or enum or ''}".rstrip()


def _created(operation: ops.MigrateOperation) -> str | None:
    if isinstance(operation, ops.CreateTableOp):
        return ".".join(filter(None, (operation.schema, operation.table_name)))
    if isinstance(operation, TableRenameOp) and not isinstance(operation, ColumnRenameOp):
        return ".".join(filter(None, (operation.schema, operation.new_name)))
    return None


def _name_done(operation: ops.MigrateOperation) -> str | None:
    if isinstance(operation, PrimaryKeyOp):
        return f"primary key of {'.'.join(filter(None, (operation.schema, operation.table_name)))}"
    return name_of(operation) or rewritten(operation)


def name_of(operation: ops.MigrateOperation) -> str | None:
    """The name of the constraint or the index that it makes or drops."""
    name = getattr(operation, "constraint_name", None) or getattr(operation, "index_name", None)
    return None if name is None else str(name)


def _kind(operation: ops.MigrateOperation) -> str:
    diff: Any = operation.to_diff_tuple()
    if isinstance(diff, list):  # the changes of one column
        return "modify " + ", ".join(str(change[0]).removeprefix("modify_") for change in diff)
    return str(diff[0]).replace("remove_", "drop ").replace("_", " ")


def _unnamed(operation: ops.MigrateOperation, target: Target) -> Iterator[str]:
    """The constraints that no migration drops for want of a name.

    In a new table servers give them one. SQLite does not, and there only checks are told apart by nothing else.
    """
    if isinstance(operation, ops.CreateTableOp) and database_of(target).rebuilds_tables:
        for constraint in operation.to_table().constraints:
            if constraint.name is None and isinstance(constraint, CheckConstraint):
                yield f"CheckConstraint on {operation.table_name}"
    elif isinstance(operation, ops.AddConstraintOp) and getattr(operation, "constraint_name", "") is None:
        yield f"{type(operation).__name__.removesuffix('Op')} on {getattr(operation, 'table_name', '')}"
