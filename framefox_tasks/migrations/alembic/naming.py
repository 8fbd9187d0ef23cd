"""Names for the constraints that the entities leave without one.

In a new table the server names them. Added to a table that is there, one needs a name, so that SQLite can make it and a
downgrade can drop it on every database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util.sqla_compat import _get_constraint_final_name
from sqlalchemy import Boolean, CheckConstraint, Column, Enum, Inspector, MetaData, Table, TextClause, inspect, text

from framefox_tasks.databases import NAMES, database_named
from framefox_tasks.migrations.alembic.compare import unescaped
from framefox_tasks.migrations.alembic.ownership import declared_metadata

_PREFIXES = {"unique": "uq", "foreignkey": "fk", "check": "ck"}


def name_constraints(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Name the unnamed constraints that generated migrations add to tables that are there, and drop by that name."""
    for script in directives:
        namer = _Namer(context)
        for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            for op in container.ops:
                if isinstance(op, ops.CreateTableOp):
                    _move_checks(op)
                    op.columns = [_with_final_check(context, item) for item in op.columns]
            for table in _modified(container):
                changed = [one for op in table.ops for one in _with_checks(context, op)]
                gone = _checks_beside(context, [op._reverse for op in table.ops if isinstance(op, ops.DropColumnOp)])
                made = _checks_beside(context, table.ops)
                table.ops = [*map(_drop, gone), *changed, *made]
        for upgrade, downgrade in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True):
            added = {_key(op): namer.name(op) for table in _modified(upgrade) for op in _unnamed_additions(table)}
            for table in _modified(downgrade):
                for op in _unnamed_additions(table):
                    namer.name(op)
                for drop in table.ops:
                    if isinstance(drop, ops.DropConstraintOp) and drop.constraint_name is None and drop._reverse:
                        drop.constraint_name = added.get(_key(drop._reverse))


def _modified(container: ops.OpContainer) -> Iterator[ops.ModifyTableOps]:
    return (op for op in container.ops if isinstance(op, ops.ModifyTableOps))


def _unnamed_additions(table: ops.ModifyTableOps) -> Iterator[ops.AddConstraintOp]:
    op: Any
    for op in table.ops:
        unnamed = isinstance(op, ops.AddConstraintOp) and getattr(op, "constraint_name", "") is None
        if unnamed and not getattr(op, "stays_unnamed", False):
            yield op


def _key(op: ops.AddConstraintOp) -> tuple[Any, ...]:
    """What tells a constraint from the others, without its name."""
    return (type(op), *_parts(op), str(getattr(op, "condition", "")))


def _parts(op: ops.AddConstraintOp) -> tuple[str, ...]:
    if isinstance(op, ops.CreateForeignKeyOp):
        return (op.source_table, *op.local_cols, op.referent_table)
    if isinstance(op, ops.CreateUniqueConstraintOp):
        return (op.table_name, *map(str, op.columns))
    return (getattr(op, "table_name", ""),)


class _Namer:
    """Gives names that no other constraint or index has, each once."""

    def __init__(self, context: MigrationContext) -> None:
        self._context = context
        self._used: set[str] | None = None

    def name(self, op: Any) -> str:
        parts = _parts(op)
        name = conventional(_PREFIXES[op.constraint_type], parts)
        if name in self._taken:
            name = conventional(_PREFIXES[op.constraint_type], parts, told_apart=True)
        self._taken.add(name)
        op.constraint_name = name
        return name

    @property
    def _taken(self) -> set[str]:
        if self._used is None:
            declared = declared_metadata(self._context.opts)
            self._used = {*_declared_names(declared), *_names_in(self._context)}
        return self._used


def conventional(prefix: str, parts: Iterable[str], *, told_apart: bool = False) -> str:
    """A name such as fk_item_parent_id_item, no longer than every database takes.

    Args:
        prefix: The kind of the constraint.
        parts: The table, the columns, and the table that is referred to.
        told_apart: Add a digest, since something else has that name.
    """
    name = "_".join((prefix, *parts))
    longest = min(database_named(name).dialect.longest_name for name in NAMES)
    encoded = name.encode()
    if len(encoded) <= longest and not told_apart:
        return name
    digest = sha256("\0".join((prefix, *parts)).encode()).hexdigest()[:8]
    return f"{encoded[: longest - 9].decode(errors='ignore')}_{digest}"


def _declared_names(metadata: Iterable[MetaData]) -> Iterator[str]:
    for item in metadata:
        for table in item.tables.values():
            named: list[Any] = [*table.constraints, *table.indexes]
            yield from (str(item.name) for item in named if item.name)


def _names_in(context: MigrationContext) -> Iterator[str]:
    if context.connection is None:
        return
    inspector: Inspector = inspect(context.connection)
    for found in (inspector.get_multi_unique_constraints(), inspector.get_multi_foreign_keys()):
        yield from (str(item["name"]) for items in found.values() for item in items)
    for indexes in inspector.get_multi_indexes().values():
        yield from (str(index["name"]) for index in indexes)


def _with_checks(context: MigrationContext, op: ops.MigrateOperation) -> Iterator[ops.MigrateOperation]:
    """An operation; where it adds or drops a column that brings checks, those beside it by a name."""
    added = op._reverse if isinstance(op, ops.DropColumnOp) else op
    checks = list(_checks_of(context, added)) if isinstance(added, ops.AddColumnOp) else []
    if isinstance(op, ops.AddColumnOp):
        if _type_check(context, op.column) is not None:
            op = ops.AddColumnOp(op.table_name, _without_check(op.column), schema=op.schema, **op.kw)
        yield from (op, *checks)
        return
    yield from map(_drop, checks)
    yield op


def _drop(check: ops.CreateCheckConstraintOp) -> ops.DropConstraintOp:
    return ops.DropConstraintOp(
        check.constraint_name, check.table_name, type_="check", schema=check.schema, _reverse=check
    )


def _checks_beside(context: MigrationContext, operations: Iterable[Any]) -> list[ops.CreateCheckConstraintOp]:
    """The checks of declared tables that name a column that is added: they are as new as it is."""
    found: dict[int, ops.CreateCheckConstraintOp] = {}
    for op in operations:
        table = _declared_table(context, op.column) if isinstance(op, ops.AddColumnOp) else None
        check: Any
        for check in table.constraints if table is not None else ():
            named = isinstance(check, CheckConstraint) and not getattr(check, "_type_bound", False)
            if named and op.column.name in re.findall(r"\w+", str(check.sqltext)):
                found[id(check)] = _check_operation(context, op.column, check)
    return sorted(found.values(), key=lambda check: str(check.constraint_name))


def _checks_of(context: MigrationContext, op: ops.AddColumnOp) -> Iterator[ops.CreateCheckConstraintOp]:
    """The checks of a declared column: that of its type, and those within the column, which Alembic leaves out."""
    bound = _type_check(context, op.column)
    if bound is not None:
        yield _check_operation(context, op.column, bound)
    within = _within(op.column) if _declared_table(context, op.column) is not None else []
    unnamed = [check for check in within if check.name is None]
    for number, check in enumerate(unnamed, 1 if bound is None else 2):
        yield _check_operation(context, op.column, check, () if number == 1 else (str(number),))
    yield from (_check_operation(context, op.column, check) for check in within if check.name is not None)


def _declared_table(context: MigrationContext, column: Column[Any]) -> Table | None:
    """The table of a column; None where it was reflected."""
    declared = any(column.table is not None and column.table.metadata is one for one in declared_metadata(context.opts))
    return column.table if declared else None


def _within(column: Column[Any]) -> list[CheckConstraint]:
    found = [item for item in column.constraints if isinstance(item, CheckConstraint)]
    return sorted(found, key=lambda check: str(check.sqltext))


def _move_checks(op: ops.CreateTableOp) -> None:
    """Put the checks within the columns of a new table beside them, where Alembic writes them."""
    within = [check for item in op.columns if isinstance(item, Column) for check in _within(item)]
    op.columns = [*op.columns, *(check._copy() for check in within)]


class _FinalName(str):
    """A name that no naming convention changes, whatever metadata the migration is run with."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"op.f({str(self)!r})"


def _with_final_check(context: MigrationContext, item: Any) -> Any:
    """A column of a new table; the check of its type has the name that the convention of the metadata gives it."""
    check = _type_check(context, item) if isinstance(item, Column) else None
    if check is None or not isinstance(check.name, str):
        return item
    name = final_name(context, check)
    if name is None or name == item.type.name:
        return item
    changed: Column[Any] = item._copy()  # with a type of its own
    changed.type.name = _FinalName(name)  # type: ignore[attr-defined] # _type_check has seen a Boolean or an Enum
    return changed


def _type_check(context: MigrationContext, column: Column[Any]) -> CheckConstraint | None:
    """The check that the type of a declared column brings on this database."""
    type_ = column.type
    if column.table is None or not isinstance(type_, (Boolean, Enum)) or not type_.create_constraint:
        return None
    constraint: Any
    for constraint in column.table.constraints:
        bound = isinstance(constraint, CheckConstraint) and getattr(constraint, "_type_bound", False)
        if bound and list(constraint.columns) == [column]:
            return constraint if is_made(context, constraint) else None
    return None


def is_made(context: MigrationContext, check: CheckConstraint) -> bool:
    """Whether this database gets a check: one that has the values of an enum in its type needs none."""
    rule = check._create_rule
    compiler: Any = context.dialect.ddl_compiler(context.dialect, None)  # type: ignore[arg-type]
    return rule is None or bool(rule(compiler))


def _check_operation(
    context: MigrationContext, column: Column[Any], check: CheckConstraint, apart: tuple[str, ...] = ()
) -> ops.CreateCheckConstraintOp:
    name = final_name(context, check) or conventional("ck", (column.table.name, column.name, *apart))
    condition = condition_of(context, check)
    return ops.CreateCheckConstraintOp(name, column.table.name, condition, schema=column.table.schema)


def final_name(context: MigrationContext, constraint: Any) -> str | None:
    """The name of a constraint; a convention of the metadata is applied when the dialect is known."""
    name = _get_constraint_final_name(constraint, context.dialect)
    return None if name is None else str(name)


def condition_of(context: MigrationContext, check: CheckConstraint) -> TextClause:
    """The condition of a check as text: of an expression each constraint made of it would join the table's."""
    compiler: Any = context.dialect.ddl_compiler(context.dialect, None)  # type: ignore[arg-type]
    sql = compiler.sql_compiler.process(check.sqltext, include_table=False, literal_binds=True)
    return text(unescaped(context, sql).replace(":", "\\:"))


def _without_check(column: Column[Any]) -> Column[Any]:
    changed: Column[Any] = column._copy()
    changed.type = without_check(column.type)
    return changed


def without_check(type_: Any) -> Any:
    """The type, without the check of its values; another than these two as it is."""
    if not isinstance(type_, (Boolean, Enum)) or not type_.create_constraint:
        return type_
    changed: Any = type_.copy()  # type: ignore[no-untyped-call]
    changed.create_constraint = False
    return changed
