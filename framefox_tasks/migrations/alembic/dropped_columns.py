"""What goes with a dropped column or table, and must come back with it: its checks, its collation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Column, Connection, MetaData, String, Table, inspect, text

from framefox_tasks.databases import database_named
from framefox_tasks.migrations.alembic.database_types import definitions_of

_LISTS = re.compile(r"\bIN\s*\(", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'")


def keep_what_columns_had(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Drop the checks of dropped columns before these, and have the downgrade make again what went with a column."""
    if context.connection is None:
        return
    for script in directives:
        for upgrade, downgrade in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=False):
            for op in downgrade.ops:
                if isinstance(op, ops.CreateTableOp):
                    _keep_table(context.connection, op)
            for table in _tables(upgrade):
                dropped = [op for op in table.ops if isinstance(op, ops.DropColumnOp)]
                back = [other for other in _tables(downgrade) if _name(other) == _name(table)]
                if back:
                    _keep_type_checks(context.connection, table, back[0])
                if dropped and back:
                    _keep_checks(context, table, back[0], [op.column_name for op in dropped])
                    _keep_collations(context.connection, back[0])


def _keep_table(connection: Connection, op: ops.CreateTableOp) -> None:
    """Have in a table that comes back what SQLAlchemy does not reflect, where the text of the table tells it."""
    rebuild = database_named(connection.dialect.name).rebuild(connection, op.table_name) if op.schema is None else None
    if rebuild is None:
        return
    op.kw.update(rebuild.options())
    for item in op.columns:
        if isinstance(item, Column) and isinstance(item.type, String):
            item.type.collation = rebuild.collation(item.name)
        elif isinstance(item, CheckConstraint) and isinstance(item.name, str):
            item.name = item.name.replace('""', '"')  # as it stands in the text


def _tables(container: ops.OpContainer) -> list[ops.ModifyTableOps]:
    return [op for op in container.ops if isinstance(op, ops.ModifyTableOps)]


def _name(table: ops.ModifyTableOps) -> tuple[str | None, str]:
    return table.schema, table.table_name


def _keep_checks(
    context: MigrationContext, table: ops.ModifyTableOps, back: ops.ModifyTableOps, columns: list[str]
) -> None:
    stub = Table(table.table_name, MetaData(), schema=table.schema)
    definitions, connection = definitions_of(context), context.connection
    for check in _checks(connection, table, columns) if connection is not None else ():
        sql = definitions.repeatable(check["sqltext"]) if definitions else check["sqltext"]
        constraint = CheckConstraint(text(sql.replace(":", "\\:")), name=check["name"])
        stub.append_constraint(constraint)
        if check["name"]:  # one without goes with its column
            first = next(place for place, op in enumerate(table.ops) if isinstance(op, ops.DropColumnOp))
            table.ops.insert(first, ops.DropConstraintOp.from_constraint(constraint))
        back.ops.append(ops.CreateCheckConstraintOp.from_constraint(constraint))


def _keep_type_checks(connection: Connection, table: ops.ModifyTableOps, back: ops.ModifyTableOps) -> None:
    """Where a table is rebuilt, a check without a name that lists values goes with the type of its column."""
    retyped = [op.column_name for op in table.ops if isinstance(op, ops.AlterColumnOp) and op.modify_type is not None]
    if not retyped or not database_named(connection.dialect.name).rebuilds_tables:
        return
    stub = Table(table.table_name, MetaData(), schema=table.schema)
    for check in _checks(connection, table, retyped):
        if check["name"] is None and _LISTS.search(check["sqltext"]):
            constraint = CheckConstraint(text(check["sqltext"].replace(":", "\\:")))
            stub.append_constraint(constraint)
            made: Any = ops.CreateCheckConstraintOp.from_constraint(constraint)
            made.stays_unnamed = True  # for one with a name would not go with the type the next time
            back.ops.append(made)


def _checks(connection: Connection, table: ops.ModifyTableOps, columns: list[str]) -> Iterator[Any]:
    """The checks that use one of some columns, and that the migration does not drop anyway."""
    known = {op.constraint_name for op in table.ops if isinstance(op, ops.DropConstraintOp)}
    for check in inspect(connection).get_check_constraints(table.table_name, schema=table.schema):
        plain = _LITERAL.sub("", check["sqltext"])
        names = [re.escape(column) for column in columns]
        if check["name"] not in known - {None} and re.search(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)", plain, re.I):
            yield check


def _keep_collations(connection: Connection, back: ops.ModifyTableOps) -> None:
    """Have the collations that SQLAlchemy does not reflect in the columns that come back."""
    rebuild = None
    if back.schema is None:
        rebuild = database_named(connection.dialect.name).rebuild(connection, back.table_name)
    for op in back.ops:
        if rebuild is not None and isinstance(op, ops.AddColumnOp) and isinstance(op.column.type, String):
            op.column.type.collation = rebuild.collation(op.column.name)
