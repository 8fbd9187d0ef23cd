"""Types that SQLAlchemy has no name for, such as a geometry: in a migration as the database writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import NullType, UserDefinedType

from framefox_tasks.databases import database_named
from framefox_tasks.errors import EntityError
from framefox_tasks.migrations.alembic.compare import columns_of, differs_unknown
from framefox_tasks.migrations.alembic.database_types import compares_last, definitions_of, plain
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP


class NativeType(UserDefinedType[Any]):
    """A type by its text in SQL; empty for a column without one."""

    cache_ok = True

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def get_col_spec(self, **_: Any) -> str:
        """What SQLAlchemy asks for."""
        return self.sql


@compares_last("table")
def _compare(
    context: AutogenContext,
    modify: ops.ModifyTableOps,
    schema: str | None,
    name: str,  # noqa: ARG001 - Alembic's signature
    found: Table | None,
    declared: Table | None,
) -> None:
    """Compare such columns: Alembic takes each for what is declared."""
    migration = context.migration_context
    if found is None or declared is None or OWNERSHIP not in migration.opts or migration.connection is None:
        return
    known = {op.column_name: op for op in modify.ops if isinstance(op, ops.AlterColumnOp)}
    for column in declared.columns:
        before = found.columns.get(column.name)
        if before is None or not _is_unknown(before.type) or _is_unknown(column.type):
            continue
        sql = _live(migration, (found.schema, str(found.name)), column.name)
        if not sql or not differs_unknown(migration, before, column):
            continue
        op = known.get(column.name)
        if op is None:
            op = ops.AlterColumnOp(modify.table_name, column.name, schema=schema, existing_nullable=before.nullable)
            op.existing_server_default, op.existing_comment = before.server_default or False, before.comment
            modify.ops.append(op)
        op.modify_type, op.existing_type = column.type, NativeType(sql)


def rendered_native(item: Any, context: AutogenContext) -> str | None:
    """The text of such a type; None where it is another."""
    if isinstance(item, NullType) and context.dialect is not None:
        item = NativeType("") if database_named(context.dialect.name).types_by_affinity else item
    if not isinstance(item, NativeType):
        return None
    base = f"{context.opts.get('sqlalchemy_module_prefix') or 'sa.'}types.UserDefinedType"
    return f"type('Native', ({base},), {{'cache_ok': True, 'get_col_spec': lambda self, **_: {item.sql!r}}})()"


def complete_native_types(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Let generated downgrades make columns of such types again.

    Raises:
        EntityError: A new column has no type, and the database needs one.
    """
    for script in directives:
        for upgrade in script.upgrade_ops_list:
            for table, column in _columns(upgrade):
                if _is_unknown(column.type) and not database_named(context.dialect.name).types_by_affinity:
                    raise _untyped(table, column.name)
        for container in script.downgrade_ops_list:
            for table, column in _columns(container):
                if _is_unknown(column.type) and (sql := _live(context, table, column.name)) is not None:
                    column.type = NativeType(sql)
            for op in _alterations(container):
                _complete(context, op)


def _columns(container: ops.OpContainer) -> Iterator[tuple[tuple[str | None, str], Column[Any]]]:
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps):
            yield from _columns(op)
        elif isinstance(op, ops.AddColumnOp):
            yield (op.schema, op.table_name), op.column
        elif isinstance(op, ops.CreateTableOp):
            yield from (((op.schema, op.table_name), item) for item in op.columns if isinstance(item, Column))


def _alterations(container: ops.OpContainer) -> Iterator[ops.AlterColumnOp]:
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps):
            yield from _alterations(op)
        elif isinstance(op, ops.AlterColumnOp):
            yield op


def _complete(context: MigrationContext, op: ops.AlterColumnOp) -> None:
    if op.modify_type is not None and _is_unknown(op.modify_type):
        sql = _live(context, (op.schema, op.table_name), op.column_name)
        op.modify_type = NativeType(sql) if sql is not None else op.modify_type


def _is_unknown(type_: Any) -> bool:
    return isinstance(type_, NullType)


def _live(context: MigrationContext, table: tuple[str | None, str], column: str) -> str | None:
    if (definitions := definitions_of(context)) is not None:
        return definitions.column_type(plain(context, *table), column)
    if (columns := columns_of(context)) is not None:
        return columns.native_type(Table(table[1], MetaData(), schema=table[0]), column)
    return "" if database_named(context.dialect.name).types_by_affinity else None


def _untyped(table: tuple[str | None, str], column: str) -> EntityError:
    return EntityError(
        f"The column {'.'.join(filter(None, (*table, column)))} has no type that SQLAlchemy knows: it cannot be made.",
        hint="Give it one: a class of sqlalchemy.types.UserDefinedType whose get_col_spec() returns its SQL.",
    )
