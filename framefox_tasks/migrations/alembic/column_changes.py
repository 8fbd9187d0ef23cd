"""Changes of columns: types whose values must be cast, and identities, which no ordinary default can replace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic import util
from alembic.autogenerate import comparators, render, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Identity
from sqlalchemy.types import NullType

from framefox_tasks.databases.definitions import Cast, ServerDefinitions
from framefox_tasks.migrations.alembic.database_types import definitions_of, domain_of, plain
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP
from framefox_tasks.migrations.alembic.sequences import completed, options_of, sequences_in
from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables

_NUMBERS = ("smallint", "integer", "bigint")


class ColumnOp(ops.AlterColumnOp):
    """An alteration that is written with all that it takes: the expression of a cast, and what the default was.

    Attributes:
        note: What is to be told of it.
    """

    note = ""


@renderers.dispatch_for(ColumnOp)
def _render(context: AutogenContext, op: ColumnOp) -> str:
    text = render._alter_column(context, op).removesuffix(")")
    indent = " " * 11
    if op.modify_server_default is not False and op.existing_server_default:
        existing = render._render_server_default(op.existing_server_default, context)
        text += f",\n{indent}existing_server_default={existing}"
    for key, value in op.kw.items():
        if key.endswith("_using") and value:
            text += f",\n{indent}{key}={value!r}"
    return text + ")"


class StatementOp(ops.ExecuteSQLOp):
    """A statement for this kind of database alone."""


@renderers.dispatch_for(StatementOp)
def _render_statement(context: AutogenContext, op: StatementOp) -> list[str]:
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    prefix = context.opts.get("alembic_module_prefix") or "op."
    statement = str(op.sqltext).replace(":", "\\:")  # no parameter of text()
    return [
        f"if {prefix}get_context().dialect.name == {context.dialect.name!r}:",
        f"{prefix}execute({statement!r})",
        "",
    ]


def _mixes(one: Any, other: Any) -> bool:
    return isinstance(one, Identity) != isinstance(other, Identity) and one is not None and other is not None


def _compare_mixed(
    context: AutogenContext,
    op: ops.AlterColumnOp,
    schema: str | None,  # noqa: ARG001 - Alembic's signature
    table: str,  # noqa: ARG001
    name: str,  # noqa: ARG001
    found: Column[Any],
    declared: Column[Any],
) -> Any:
    """Alembic's own comparison fails where a default is an identity on one side and an expression on the other."""
    result = util.PriorityDispatchResult
    if not _mixes(found.server_default, declared.server_default) or OWNERSHIP not in context.migration_context.opts:
        return result.CONTINUE
    op.existing_server_default = found.server_default
    op.modify_server_default = declared.server_default
    return result.STOP


if hasattr(util, "PriorityDispatchResult"):  # since Alembic 1.18
    comparators.dispatch_for("column", priority=util.DispatchPriority.FIRST, subgroup="server_default")(_compare_mixed)


@compares_tables
def _compare(table: TableComparison) -> None:
    migration, modify, schema, name = table.migration, table.modify, table.schema, table.name
    found, declared, definitions = table.found, table.declared, definitions_of(migration)
    if definitions is None:
        return
    for column in declared.columns:
        if column.name in found.columns:
            before = found.columns[column.name]
            _compare_identity(migration, modify, schema, before, column)
            for op in list(_alterations(modify.ops, column.name)):
                domain = domain_of(column)
                if domain is not None and domain.not_null and op.modify_nullable:
                    op.modify_nullable = None  # SQLAlchemy reports the domain's NOT NULL as the column's
                    if not op.has_changes():
                        modify.ops.remove(op)
                        continue
                if isinstance(before.server_default, Identity) and not isinstance(column.server_default, Identity):
                    op.modify_nullable = True if column.nullable else None  # Alembic leaves that out
                serial = isinstance(before.server_default, Identity) and declared._autoincrement_column is column
                live = definitions.default(plain(migration, schema, name), column.name)
                if live and declared._autoincrement_column is column and column.server_default is None:
                    op.kw["numbers"] = next(sequences_in(live), None)
                if before.server_default is None and live and isinstance(column.server_default, Identity):
                    op.kw["serial"] = next(sequences_in(live), None)
                elif serial and column.server_default is None:
                    op.kw["serial"] = ".".join(filter(None, (schema, f"{name}_{column.name}_seq")))


def _compare_identity(
    migration: MigrationContext,
    modify: ops.ModifyTableOps,
    schema: str | None,
    found: Column[Any],
    declared: Column[Any],
) -> None:
    """Compare the options of an identity: Alembic does not see one that is no longer declared."""
    if not (isinstance(found.server_default, Identity) and isinstance(declared.server_default, Identity)):
        return
    before, after = (_options(migration, column, found) for column in (found, declared))
    known = next(_alterations(modify.ops, declared.name), None)
    if before == after:
        if known is not None:
            known.modify_server_default = False
            if not known.has_changes():
                modify.ops.remove(known)
        return
    if known is None:
        known = ops.AlterColumnOp(
            modify.table_name,
            declared.name,
            schema=schema,
            existing_type=found.type,
            existing_nullable=found.nullable,
        )
        modify.ops.append(known)
    changed = [name for name in after if after[name] != before[name] or name == "always"]
    known.existing_server_default = Identity(**{name: before[name] for name in changed})
    known.modify_server_default = Identity(**{name: after[name] for name in changed})


def _options(migration: MigrationContext, column: Column[Any], found: Column[Any]) -> dict[str, Any]:
    name = _type_sql(migration, found.type).lower()
    identity: Any = column.server_default
    options = completed(options_of(identity), name if name in ("smallint", "integer") else "bigint")
    return {**options, "always": bool(identity.always)}


def _alterations(operations: Iterable[ops.MigrateOperation], column: str) -> Iterator[ops.AlterColumnOp]:
    yield from (op for op in operations if isinstance(op, ops.AlterColumnOp) and op.column_name == column)


def complete_changes(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Write the changes of columns in generated migrations so that they run."""
    definitions = definitions_of(context)
    if definitions is None:
        return
    for script in directives:
        for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            for modify in container.ops:
                if isinstance(modify, ops.ModifyTableOps):
                    modify.ops = [part for op in modify.ops for part in _completed(context, definitions, op)]


def _completed(
    context: MigrationContext, definitions: ServerDefinitions, op: ops.MigrateOperation
) -> list[ops.MigrateOperation]:
    if not isinstance(op, ops.AlterColumnOp) or isinstance(op, ColumnOp):
        return [op]
    op.__class__ = ColumnOp
    assert isinstance(op, ColumnOp)  # noqa: S101 - it has just become one
    if isinstance(op.existing_type, NullType):
        op.existing_type = None  # one that SQLAlchemy does not know, such as point
    old, new = op.existing_server_default, op.modify_server_default
    numbers = op.kw.pop("numbers", None)
    if isinstance(old, Identity) != isinstance(new, Identity) and new is not False:
        return list(_identity_change(context, definitions, op))
    if op.modify_type is None:
        return [op]
    after = _type_sql(context, op.modify_type)
    found = list(_type_change(context, definitions, op))
    if numbers and after.lower() in _NUMBERS:  # the sequence of a serial column has its type
        found.append(StatementOp(f"ALTER SEQUENCE {numbers} AS {after}"))
    return found


def _type_change(
    context: MigrationContext, definitions: ServerDefinitions, op: ColumnOp
) -> Iterator[ops.MigrateOperation]:
    """The default is set anew: the server would cast the old one, or refuse to."""
    before, after = (_type_sql(context, type_) for type_ in (op.existing_type, op.modify_type))
    cast = definitions.cast(before, after)
    if cast is not Cast.ASSIGNMENT:
        column = context.dialect.identifier_preparer.quote(op.column_name)
        value = f"CAST({column} AS {definitions.text_type(before)})" if cast in (Cast.TEXT, Cast.NONE) else column
        op.kw[f"{context.dialect.name}_using"] = f"CAST({value} AS {after})"
    if cast is Cast.NONE:
        op.note = f"no cast from {before.lower()} to {after.lower()}: by its text, correct the expression if need be"
    old, new = op.existing_server_default, op.modify_server_default
    if not old or isinstance(old, Identity):
        yield op
        return
    yield _default_op(op, existing=old, new=None)
    op.existing_server_default = None
    op.modify_server_default = False
    yield op
    if (wanted := old if new is False else new) is not None:
        yield _default_op(op, existing=None, new=wanted, type_=op.modify_type)


def _default_op(op: ops.AlterColumnOp, *, existing: Any, new: Any, type_: Any = None) -> ColumnOp:
    return ColumnOp(
        op.table_name,
        op.column_name,
        schema=op.schema,
        existing_type=type_ or op.existing_type,
        existing_nullable=op.existing_nullable,
        existing_server_default=existing,
        modify_server_default=new,
    )


def _nullable_op(op: ops.AlterColumnOp, *, nullable: bool) -> ColumnOp:
    return ColumnOp(
        op.table_name,
        op.column_name,
        schema=op.schema,
        existing_type=op.existing_type,
        existing_nullable=op.existing_nullable,
        modify_nullable=nullable,
    )


def _type_sql(context: MigrationContext, type_: Any) -> str:
    """Without a collation, which no cast takes."""
    if getattr(type_, "collation", None):
        type_ = type_.copy()
        type_.collation = None
    return str(type_.compile(dialect=context.dialect))


def _identity_change(
    context: MigrationContext, definitions: ServerDefinitions, op: ColumnOp
) -> Iterator[ops.MigrateOperation]:
    """An identity takes the place of a default or of a serial column's sequence, or the other way round."""
    table, serial, new = (op.schema, op.table_name), op.kw.pop("serial", None), op.modify_server_default
    if isinstance(new, Identity):
        if op.existing_server_default:
            yield _default_op(op, existing=op.existing_server_default, new=None)
            op.existing_server_default = None
        first, last = definitions.numbers_by_identity(table, op.column_name, serial, new.start)
        yield from (StatementOp(statement) for statement in first)
        if op.existing_nullable:
            yield _nullable_op(op, nullable=False)  # before it is an identity; Alembic leaves that out
            op.existing_nullable, op.modify_nullable = False, None
        yield op
        yield from (StatementOp(statement) for statement in last)
        return
    yield _default_op(op, existing=op.existing_server_default, new=None)  # before it may be null
    op.existing_server_default, op.modify_server_default = None, new if new is not None else False
    if op.existing_nullable and op.modify_nullable is None:  # as it was before it became an identity
        op.existing_nullable, op.modify_nullable = False, True
    if op.has_changes():
        yield op
    if serial:
        type_ = _type_sql(context, op.modify_type or op.existing_type)
        yield from (
            StatementOp(statement)
            for statement in definitions.numbers_by_sequence(table, op.column_name, serial, type_)
        )
