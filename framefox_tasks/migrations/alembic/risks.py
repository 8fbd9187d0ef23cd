"""What a generated migration does that can fail, or lose values, where its tables have rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Computed, Identity, types
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from framefox_tasks.databases import database_named
from framefox_tasks.migrations.alembic.database_types import definitions_of, plain
from framefox_tasks.migrations.alembic.primary_keys import PrimaryKeyOp

# Each type holds what the ones after it hold.
_INTEGERS = (types.BigInteger, types.Integer, types.SmallInteger)
_MOMENTS = (types.DateTime, types.Date)


def risks_of(operations: Iterable[ops.MigrateOperation], dialect: Dialect) -> tuple[str, ...]:
    """One line for each risk of the operations of an upgrade, with the table and the column."""
    operations = list(operations)
    created = {(op.schema, op.table_name) for op in operations if isinstance(op, ops.CreateTableOp)}
    old = (op for op in operations if (getattr(op, "schema", None), getattr(op, "table_name", None)) not in created)
    return tuple(line for op in old for line in _risks(op, dialect))


def view_risks(context: MigrationContext, operations: Iterable[ops.MigrateOperation]) -> tuple[str, ...]:
    """One line for each column that an upgrade drops or gives another type, and that the server refuses it for."""
    definitions = definitions_of(context)
    found = []
    op: Any
    for op in operations if definitions else ():
        retyped = isinstance(op, ops.AlterColumnOp) and op.modify_type is not None
        if definitions and (retyped or isinstance(op, ops.DropColumnOp)):
            table, column = plain(context, op.schema, str(op.table_name)), str(op.column_name)
            if views := definitions.views(table, column):
                done = "gets another type" if retyped else "is dropped"
                found.append(
                    f"{_shown(op.schema, op.table_name)}.{column} {done}, which fails while this uses it: "
                    f"{', '.join(views)}. Drop it in the migration before that, and create it again after it."
                )
    return tuple(found)


def _risks(op: ops.MigrateOperation, dialect: Dialect) -> Iterator[str]:
    if isinstance(op, ops.AddColumnOp):
        yield from _added(op, dialect)
    elif isinstance(op, ops.AlterColumnOp):
        yield from _altered(op, dialect)
    elif isinstance(op, ops.CreateUniqueConstraintOp) or (isinstance(op, ops.CreateIndexOp) and op.unique):
        yield _unique(op.schema, op.table_name, op.columns)
    elif isinstance(op, PrimaryKeyOp) and op.made and not (op.gone and {*op.gone.columns} <= {*op.made.columns}):
        yield _unique(op.schema, op.table_name, op.made.columns)
    elif isinstance(op, ops.CreateCheckConstraintOp):
        table = _shown(op.schema, op.table_name)
        yield f"{table} gets the check {op.constraint_name}: this fails where a row does not meet it. Look for such."


def _added(op: ops.AddColumnOp, dialect: Dialect) -> Iterator[str]:
    column, table = op.column, _shown(op.schema, op.table_name)
    filled = column.server_default is not None or isinstance(column.server_default, (Computed, Identity))
    if column.nullable or filled or column is getattr(column.table, "_autoincrement_column", None):
        return
    name = f"{table}.{column.name}"
    database = database_named(dialect.name)
    instead = f" ({database.title} fills in '' or 0 instead)" if database.fills_added_columns else ""
    yield (
        f"{name} has no default and may not be NULL: this fails where {table} has rows{instead}. "
        "Give it a server_default, or add it as nullable, fill it, and make it NOT NULL later."
    )


def _altered(op: ops.AlterColumnOp, dialect: Dialect) -> Iterator[str]:
    name = f"{_shown(op.schema, op.table_name)}.{op.column_name}"
    if op.modify_nullable is False:
        yield f"{name} may no longer be NULL: this fails where a row has NULL in it. Fill these rows in before that."
    if op.modify_type is not None and op.existing_type is not None:
        old, new = _plain(op.existing_type, dialect), _plain(op.modify_type, dialect)
        if _is_narrower(old, new):
            change = f"{name} becomes {_compiled(new, dialect)} and was {_compiled(old, dialect)}"
            yield f"{change}: values that do not fit make this fail, or are cut."


def _unique(schema: str | None, name: str, columns: Iterable[Any]) -> str:
    table = _shown(schema, name)
    names = ", ".join(f"{table}.{getattr(column, 'name', column)}" for column in columns)
    return f"{names} must be unique: this fails where rows of {table} have the same value. Look for these before that."


def _shown(schema: str | None, table: str) -> str:
    return ".".join(filter(None, (schema, str(table))))


def _plain(type_: TypeEngine[Any], dialect: Dialect) -> Any:
    """The type as it is on a database, without what decorates it there."""
    found = type_.dialect_impl(dialect)
    return found.impl_instance if isinstance(found, types.TypeDecorator) else found


def _compiled(type_: TypeEngine[Any], dialect: Dialect) -> str:
    return type_.compile(dialect=dialect)


def _is_narrower(old: Any, new: Any) -> bool:
    """Whether values of the one can be out of the range of the other."""
    if isinstance(old, types.Enum) or isinstance(new, types.Enum):
        return isinstance(new, types.Enum) and (
            not isinstance(old, types.Enum) or bool(set(old.enums) - set(new.enums))
        )
    if _both(old, new, types.String) or _both(old, new, types.LargeBinary):
        return new.length is not None and (old.length is None or old.length > new.length)
    if _both(old, new, types.Numeric) and not isinstance(new, types.Float):
        return _digits(old) is None or (_digits(new) is not None and any(map(int.__gt__, _digits(old), _digits(new))))
    for ranked in (_INTEGERS, _MOMENTS):
        if _both(old, new, ranked):
            return _rank(old, ranked) < _rank(new, ranked)
    wide = (types.String, types.Numeric, types.Float, types.DateTime)
    return isinstance(old, wide) and old._type_affinity is not new._type_affinity and not isinstance(new, types.String)


def _both(old: Any, new: Any, kind: Any) -> bool:
    return isinstance(old, kind) and isinstance(new, kind)


def _digits(type_: Any) -> Any:
    """How many digits it has before and after the point; None where it says nothing."""
    if type_.precision is None:
        return None
    return type_.precision - (type_.scale or 0), type_.scale or 0


def _rank(type_: Any, ranked: tuple[Any, ...]) -> int:
    """Its place; of BigInteger, which is an Integer as well, its own."""
    special = [place for place, kind in enumerate(ranked) if isinstance(type_, kind) and kind is not types.Integer]
    return special[0] if special else ranked.index(types.Integer)


def loses_data(op: ops.MigrateOperation) -> bool:
    """Whether it drops a table, or a column whose values nothing computes."""
    if isinstance(op, ops.DropColumnOp):
        column: Column[Any] | None = op._reverse.column if op._reverse else None
        return column is None or column.computed is None
    return isinstance(op, ops.DropTableOp)
