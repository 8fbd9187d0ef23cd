"""What Alembic leaves out of the comparison of a table where changes rebuild it.

There SQLAlchemy reflects no index on expressions, and Alembic compares no condition of an index and drops no constraint
without a name. The table's own statements tell of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.operations import ops
from alembic.util import DispatchPriority, PriorityDispatchResult
from alembic.util.sqla_compat import constraint_name_string, is_expression_index
from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, UniqueConstraint, text
from sqlalchemy.schema import CreateIndex

from framefox_tasks.databases import database_named
from framefox_tasks.databases.rebuild import IndexText, TableRebuild
from framefox_tasks.migrations.alembic.as_found import has_collation, has_orders
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP, ownership_of
from framefox_tasks.migrations.alembic.rebuild import NAMING, conventional_name

_TOLD_BY_TEXT = "framefox_tasks.told_by_text"


class DropUnnamedOp(ops.DropConstraintOp):
    """The drop of a constraint that has no name in the database, but one by a naming convention."""

    def __init__(self, constraint: Any) -> None:
        kind = "foreignkey" if isinstance(constraint, ForeignKeyConstraint) else "unique"
        reverse = ops.AddConstraintOp.from_constraint(constraint)
        super().__init__(conventional_name(constraint), constraint.table.name, kind, _reverse=reverse)


class RebuiltTableOps(ops.ModifyTableOps):
    """The changes of a table with constraints to which a naming convention gives names."""


@renderers.dispatch_for(RebuiltTableOps)
def _render(context: AutogenContext, op: RebuiltTableOps) -> list[str]:
    if not context.opts.get("render_as_batch"):
        return [line for inner in op.ops for line in render_op(context, inner)]
    with context._within_batch():
        lines = [line for inner in op.ops for line in render_op(context, inner)]
    names = ", ".join(f"{kind!r}: {name!r}" for kind, name in NAMING.items())
    return [
        "# The names are by this convention: in the database the constraints have none.",
        f"naming_convention = {{{names}}}",
        f"with op.batch_alter_table({op.table_name!r}, naming_convention=naming_convention) as batch_op:",
        *lines,
        "",
    ]


def add_naming_conventions(containers: Iterable[ops.OpContainer]) -> None:
    """Have the naming convention in each batch that drops a constraint without a name."""
    for container in containers:
        for place, table in enumerate(container.ops):
            if isinstance(table, ops.ModifyTableOps) and any(isinstance(op, DropUnnamedOp) for op in table.ops):
                container.ops[place] = RebuiltTableOps(table.table_name, table.ops, schema=table.schema)


def _database(context: AutogenContext) -> Any:
    assert context.connection is not None  # noqa: S101 - a comparison has one
    return database_named(context.connection.dialect.name)


def _is_concerned(context: AutogenContext, schema: str | None) -> bool:
    return OWNERSHIP in context.opts and schema is None and bool(_database(context).rebuilds_tables)


@comparators.dispatch_for("table", priority=DispatchPriority.FIRST)
def _leave_out(context: AutogenContext, _changes: Any, schema: str | None, *_: Any) -> PriorityDispatchResult:
    """Keep Alembic from warning of the indexes that are compared here."""
    if _is_concerned(context, schema):
        context.migration_context.impl.correct_for_autogen_constraints = _without_expressions  # type: ignore[assignment, method-assign]
    return PriorityDispatchResult.CONTINUE


def _without_expressions(_uniques: Any, found: set[Index], _declared_uniques: Any, declared: set[Index]) -> None:
    ours = {index for index in declared if is_expression_index(index)}
    names = {index.name for index in ours}
    declared -= ours
    # One with a collation is reflected as if it had none.
    found -= {index for index in found if index.name in names}


@comparators.dispatch_for("table", priority=DispatchPriority.LAST)
def _compare(
    context: AutogenContext,
    changes: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    found: Table | None,
    declared: Table | None,
) -> PriorityDispatchResult:
    if _is_concerned(context, schema) and not _is_told(context, changes, name, declared):
        rebuild = None if found is None else _database(context).rebuild(context.connection, name)
        _compare_indexes(context, changes, rebuild, found, declared)
        if rebuild is not None and found is not None and declared is not None:
            _drop_unnamed(context, changes, rebuild, found, declared)
    return PriorityDispatchResult.CONTINUE


def _is_told(context: AutogenContext, changes: ops.ModifyTableOps, name: str, declared: Table | None) -> bool:
    """Whether what SQLAlchemy reflects and Alembic compares of a table is all, as of nearly every one."""
    if _TOLD_BY_TEXT not in context.opts:
        context.opts[_TOLD_BY_TEXT] = _database(context).told_by_text(context.connection)
    by_text = context.opts[_TOLD_BY_TEXT]
    if by_text is None or name.lower() in by_text:
        return False
    unnamed = (isinstance(op, ops.DropConstraintOp) and op.constraint_name is None for op in changes.ops)
    indexes = declared.indexes if declared is not None else ()
    return not any(unnamed) and all(_is_plain(index, context.dialect.name) for index in indexes)


def _is_plain(index: Index, dialect: str) -> bool:
    return index.dialect_options[dialect].get("where") is None and all(
        isinstance(one, Column) for one in index.expressions
    )


def _compare_indexes(
    context: AutogenContext,
    changes: ops.ModifyTableOps,
    rebuild: TableRebuild | None,
    found: Table | None,
    declared: Table | None,
) -> None:
    """Compare the indexes on expressions, and the conditions of others."""
    ours = {str(index.name): index for index in (declared.indexes if declared is not None else ())}
    theirs = {index.name: index for index in (rebuild.indexes() if rebuild else ())}
    known = {op.index_name for op in changes.ops if isinstance(op, (ops.CreateIndexOp, ops.DropIndexOp))}
    for name in sorted({*ours, *theirs} - known):
        index, other = ours.get(name), theirs.get(name)
        if index is not None and other is not None and rebuild is not None:
            mine = rebuild.index(_sql(index, context))
            compared = any((mine.of_expressions, other.of_expressions, mine.where, other.where))
            said = has_collation(context.migration_context, index) or has_orders(context.migration_context, index)
            unsaid = _is_plain(index, context.dialect.name) and not said
            differs = (compared or said) and mine.normal != (_uncollated(other.normal) if unsaid else other.normal)
        else:
            differs = bool(index is not None and is_expression_index(index)) or bool(other and other.of_expressions)
        if differs:
            _replace(context, changes, index, _reflected(other, found, context) if other else None)


def _uncollated(words: Sequence[str]) -> tuple[str, ...]:
    """The words of an index without collations and orders, which reflection leaves out."""
    gone = {place + more for place, word in enumerate(words) if word.upper() == "COLLATE" for more in (0, 1)}
    return tuple(word for place, word in enumerate(words) if place not in gone and word.upper() != "DESC")


def _sql(index: Index, context: AutogenContext) -> str:
    return str(CreateIndex(index).compile(dialect=context.dialect))


def _reflected(index: IndexText, table: Table | None, context: AutogenContext) -> Index:
    options: dict[str, Any] = {f"{context.dialect.name}_where": text(index.where)} if index.where else {}
    return Index(index.name, *map(text, index.parts), unique=index.unique, _table=table, **options)


def _replace(context: AutogenContext, changes: ops.ModifyTableOps, index: Index | None, other: Index | None) -> None:
    if other is not None:
        name = str(other.name)
        parents: Any = {"table_name": changes.table_name, "schema_name": changes.schema}
        if not context.run_name_filters(name, "index", parents):
            return
        made = ownership_of(context.migration_context).made_index(changes.table_name, name)
        if index is None and not (made and context.run_object_filters(other, name, "index", True, None)):
            return  # somebody else's
    if index is not None and not context.run_object_filters(index, str(index.name), "index", False, other):
        return
    if other is not None:
        changes.ops.append(ops.DropIndexOp.from_index(other))
    if index is not None:
        changes.ops.append(ops.CreateIndexOp.from_index(index))


def _drop_unnamed(
    context: AutogenContext, changes: ops.ModifyTableOps, rebuild: TableRebuild, found: Table, declared: Table
) -> None:
    """Drop the unique constraints without a name that are not declared, and find names for such foreign keys."""
    for place, op in enumerate(changes.ops):
        if isinstance(op, ops.DropConstraintOp) and op.constraint_name is None:
            changes.ops[place] = DropUnnamedOp(op.to_constraint())
    uniques = [one for one in declared.constraints if isinstance(one, UniqueConstraint)]
    kept = {frozenset(column.name for column in one.columns) for one in uniques if not constraint_name_string(one.name)}
    for columns in rebuild.unnamed_uniques():
        if frozenset(columns) not in kept:
            constraint = UniqueConstraint(*[found.c[column] for column in columns])
            if context.run_object_filters(constraint, None, "unique_constraint", True, None):
                changes.ops.insert(0, DropUnnamedOp(constraint))
