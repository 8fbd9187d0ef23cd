"""Changes of columns where each states all of the column, and what it leaves out is lost: on MySQL."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Computed, DefaultClause, Index, MetaData, Table, UniqueConstraint, inspect

from framefox_tasks.databases.columns import ColumnComparison
from framefox_tasks.migrations.alembic.compare import columns_of
from framefox_tasks.migrations.alembic.dialect_operations import DialectOps
from framefox_tasks.migrations.alembic.generated_columns import DropGeneratedOp
from framefox_tasks.migrations.alembic.ownership import declared_metadata


class AlterNumberingOp(ops.AlterColumnOp):
    """Gives a column automatic numbers, or takes them away."""

    def reverse(self) -> ops.AlterColumnOp:
        """The other of the two."""
        return _numbering(self, not self.kw["autoincrement"])

    def to_diff_tuple(self) -> Any:
        """What Alembic shows as the difference."""
        return [("modify_autoincrement", self.schema, self.table_name, self.column_name)]


def _numbering(op: ops.AlterColumnOp, numbered: bool) -> AlterNumberingOp:
    return AlterNumberingOp(
        op.table_name,
        op.column_name,
        schema=op.schema,
        existing_type=op.existing_type,
        existing_nullable=op.existing_nullable,
        existing_comment=op.existing_comment,
        modify_nullable=op.existing_nullable,  # for it to be stated
        autoincrement=numbered,
    )


def complete_columns(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Complete the changes of columns in generated migrations, where a server has ColumnComparison."""
    columns = columns_of(context)
    if columns is None:
        return
    for script in directives:
        for upgrade, downgrade in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True):
            _number(columns, upgrade, downgrade)
            for container, live in ((upgrade, False), (downgrade, True)):
                for table in [op for op in container.ops if isinstance(op, ops.ModifyTableOps)]:
                    table.ops = [new for op in table.ops for new in _completed(context, columns, op, live=live)]
                    table.ops.sort(key=_order)
                for op in container.ops:
                    if isinstance(op, ops.CreateTableOp) and not columns.generated_not_null:
                        op.columns = [_nullable(item) for item in op.columns]
                container.ops = [op for op in container.ops if not isinstance(op, ops.ModifyTableOps) or op.ops]
            _free_checked(context, upgrade, downgrade)
            _tell_refused(context, columns, upgrade)


def _completed(
    context: MigrationContext, columns: ColumnComparison, op: ops.MigrateOperation, *, live: bool
) -> Iterator[ops.MigrateOperation]:
    if isinstance(op, ops.AddColumnOp) and not columns.generated_not_null:
        yield ops.AddColumnOp(op.table_name, _nullable(op.column), schema=op.schema, **op.kw)
    elif isinstance(op, ops.AlterColumnOp) and isinstance(op.existing_server_default, Computed):
        yield from _generated(context, columns, op, live=live)
    else:
        if isinstance(op, ops.AlterColumnOp):
            op.existing_server_default = _plain(op.existing_server_default)
            op.modify_server_default = _plain(op.modify_server_default)
        if isinstance(op, ops.AlterColumnOp) and op.modify_server_default is not False and op.modify_nullable is None:
            updates = "on update" in str(getattr(op.existing_server_default, "arg", "")).lower()
            # Dropping the default alone would leave what an update sets.
            op.modify_nullable = op.existing_nullable if updates else None
        yield op


def _plain(default: Any) -> Any:
    """A literal that was reflected, as a value: the percent sign of a text() would be doubled."""
    text = getattr(getattr(default, "arg", None), "text", "")
    if "%" in text and re.fullmatch(r"'(?:[^'\\]|'')*'", text):
        return DefaultClause(text[1:-1].replace("''", "'"))
    return default


def _generated(
    context: MigrationContext, columns: ColumnComparison, op: ops.AlterColumnOp, *, live: bool
) -> Iterator[ops.MigrateOperation]:
    """The change of a generated column, as SQL: Alembic has no operation for it."""
    if op.modify_nullable is not None and not columns.generated_not_null:
        op.modify_nullable = None
    if not op.has_changes():
        return
    table = Table(op.table_name, MetaData(), schema=op.schema)
    if live:
        written = columns.written(table, op.column_name)
    else:
        declared = next(iter(_declared(context, op)), None)
        written = columns.specification(declared) if declared is not None else None
    if written is None:
        yield op
        return
    name = context.dialect.identifier_preparer.format_table(table)
    sql = f"ALTER TABLE {name} MODIFY COLUMN {written}".replace(":", "\\:")
    yield DialectOps([ChangeGeneratedOp(op, sql)])


class ChangeGeneratedOp(ops.ExecuteSQLOp):
    """Changes a generated column."""

    def __init__(self, change: ops.AlterColumnOp, sql: str) -> None:
        super().__init__(sql)
        self.change = change

    def to_diff_tuple(self) -> Any:
        """What Alembic shows as the difference."""
        return self.change.to_diff_tuple()


def _declared(context: MigrationContext, op: Any) -> Iterator[Column[Any]]:
    for item in declared_metadata(context.opts):
        for table in item.tables.values():
            if table.name == op.table_name and table.schema in (op.schema, context.dialect.default_schema_name):
                yield from (column for column in table.columns if column.name == op.column_name)


def _nullable(item: Any) -> Any:
    if not isinstance(item, Column) or item.computed is None or item.nullable:
        return item
    changed: Column[Any] = item._copy()
    changed.nullable = True
    return changed


def _order(op: ops.MigrateOperation) -> int:
    """Generated columns are added after those that they are made of, and dropped before them; or both in one place."""
    if isinstance(op, ops.AddColumnOp):
        return -1 if op.column.computed is None else 0
    if isinstance(op, ops.DropColumnOp) and not isinstance(op, DropGeneratedOp):
        generated = op._reverse is not None and op._reverse.column.computed is not None
        return 1 if generated else 2
    return 0


def _number(columns: ColumnComparison, upgrade: ops.OpContainer, downgrade: ops.OpContainer) -> None:
    for live, declared in columns.renumbered:
        table = live.table
        change = ops.AlterColumnOp(
            table.name,
            live.name,
            schema=table.schema,
            existing_type=live.type,
            existing_nullable=live.nullable,
            existing_comment=live.comment,
        )
        stated = [
            op
            for container in (upgrade, downgrade)
            for group in container.ops
            if isinstance(group, ops.ModifyTableOps) and (group.schema, group.table_name) == (table.schema, table.name)
            for op in group.ops
            if isinstance(op, ops.AlterColumnOp) and op.column_name == live.name
        ]
        numbered = declared.autoincrement is True
        for op, value in zip(stated, (numbered, not numbered), strict=False):
            op.kw["autoincrement"] = value
        if not stated:
            up = _numbering(change, numbered)
            upgrade.ops.append(ops.ModifyTableOps(table.name, [up], schema=table.schema))
            downgrade.ops.insert(0, ops.ModifyTableOps(table.name, [up.reverse()], schema=table.schema))
    columns.renumbered.clear()


def _free_checked(context: MigrationContext, upgrade: ops.OpContainer, downgrade: ops.OpContainer) -> None:
    """Drop the checks that use a column before it goes, and make them again when it is back."""
    if context.connection is None:
        return
    inspector = inspect(context.connection)
    quote = context.dialect.identifier_preparer.quote_identifier
    for group in [op for op in upgrade.ops if isinstance(op, ops.ModifyTableOps)]:
        names = [op.column_name for op in group.ops if isinstance(op, ops.DropColumnOp)]
        gone = {op.constraint_name for op in group.ops if isinstance(op, ops.DropConstraintOp)}
        for check in inspector.get_check_constraints(group.table_name, schema=group.schema) if names else ():
            if check["name"] in gone or not any(quote(name) in check["sqltext"] for name in names):
                continue
            added = ops.CreateCheckConstraintOp(
                check["name"], group.table_name, str(check["sqltext"]), schema=group.schema
            )
            drop = ops.DropConstraintOp(
                check["name"], group.table_name, type_="check", schema=group.schema, _reverse=added
            )
            group.ops.insert(0, drop)
            downgrade.ops.append(DialectOps([added]))


def _tell_refused(context: MigrationContext, columns: ColumnComparison, upgrade: ops.OpContainer) -> None:
    """Warn of the indexes that the server will not make."""
    touched = {getattr(op, "table_name", None) for op in upgrade.ops}
    tables = [table for item in declared_metadata(context.opts) for table in item.tables.values()]
    for table in tables:
        if table.name not in touched:
            continue
        uniques = [item for item in table.constraints if isinstance(item, UniqueConstraint)]
        indexes: list[Index | UniqueConstraint] = [*table.indexes, *uniques]
        for index in indexes:
            for name in columns.refused_parts(index):
                warnings.warn(
                    f"{table.name}.{name} is in an index, and has no length: the database will refuse that. "
                    f"Give the column a length, or the index {context.dialect.name}_length.",
                    stacklevel=2,
                )
