"""Constraints and indexes, compared as the server writes them: Alembic compares texts, and not all of their options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from alembic.ddl.impl import ComparisonResult
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    ClauseElement,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import CreateIndex

from framefox_tasks.databases import database_named
from framefox_tasks.databases.definitions import ConstraintDefinition, Name, ServerDefinitions
from framefox_tasks.migrations.alembic.as_found import has_deferral, has_orders
from framefox_tasks.migrations.alembic.column_changes import StatementOp
from framefox_tasks.migrations.alembic.compare import unescaped
from framefox_tasks.migrations.alembic.database_types import definitions_of, plain
from framefox_tasks.migrations.alembic.ownership import ownership_of
from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables
from framefox_tasks.schema.references import reference_of

_ORDER = re.compile(r" (?:DESC|NULLS FIRST|NULLS LAST)(?=[ ,)])")


def help_compare_keys(context: MigrationContext) -> None:
    """Let Alembic compare constraints and indexes by what the server makes of them, where it can tell."""
    implementation: Any = context.impl
    render = implementation.render_ddl_sql_expr
    implementation.render_ddl_sql_expr = lambda *arguments, **options: unescaped(context, render(*arguments, **options))
    if context.connection is not None:
        database_named(context.dialect.name).complete_reflection(context.connection)
    definitions = definitions_of(context)
    if definitions is None:
        _complete_match(context)
        return
    indexes, uniques = implementation.compare_indexes, implementation.compare_unique_constraint
    correct = implementation.correct_for_autogen_constraints

    def compare_indexes(declared: Index, found: Index) -> Any:
        same = _same_index(context, definitions, declared, found)
        if same is None:
            return indexes(declared, found)
        return ComparisonResult.Equal() if same else ComparisonResult.Different("the definition")

    def compare_unique_constraint(declared: UniqueConstraint, found: UniqueConstraint) -> Any:
        result = uniques(declared, found)
        if result.is_equal and _deferral(declared) != _deferral(found) and has_deferral(context, declared):
            return ComparisonResult.Different("when it is checked")
        return result

    def correct_constraints(conn_uniques: Any, conn_indexes: Any, *declared: Any) -> None:
        for constraint in conn_uniques:
            _complete(context, definitions, constraint)
        for index in conn_indexes:
            _found_indexes(context)[plain(context, index.table.schema, str(index.name))] = index
        correct(conn_uniques, conn_indexes, *declared)

    def correct_foreign_keys(found: set[ForeignKeyConstraint], declared: set[ForeignKeyConstraint]) -> None:
        """Take those away that are the same: Alembic takes a schema that is written out for another one."""
        for constraint in found:
            _complete(context, definitions, constraint)
        known = {_signature(context, constraint): constraint for constraint in found}
        for constraint in list(declared):
            if (same := known.pop(_signature(context, constraint), None)) is not None:
                declared.discard(constraint)
                found.discard(same)

    implementation.compare_indexes = compare_indexes
    implementation.compare_unique_constraint = compare_unique_constraint
    implementation.correct_for_autogen_constraints = correct_constraints
    implementation.correct_for_autogen_foreignkeys = correct_foreign_keys


def _complete_match(context: MigrationContext) -> None:
    """Give reflected keys the MATCH that Alembic does not take from their reflection: a downgrade states it."""
    implementation: Any = context.impl
    correct = implementation.correct_for_autogen_foreignkeys
    database, connection = database_named(context.dialect.name), context.connection
    if connection is None:
        return

    def correct_foreign_keys(found: set[ForeignKeyConstraint], declared: set[ForeignKeyConstraint]) -> None:
        for constraint in found:
            columns = tuple(column.name.casefold() for column in constraint.columns)
            constraint.match = database.match_clauses(connection, constraint.table.name).get(columns)
        correct(found, declared)

    implementation.correct_for_autogen_foreignkeys = correct_foreign_keys


def _found_indexes(context: MigrationContext) -> dict[Name, Index]:
    """The indexes that were read, on the tables that they are on."""
    found: dict[Name, Index] = context.opts.setdefault("framefox_tasks_indexes", {})
    return found


def _deferral(constraint: Any) -> tuple[bool, bool]:
    deferred = (constraint.initially or "").upper() == "DEFERRED"
    return bool(constraint.deferrable) or deferred, deferred


def _made(context: MigrationContext, table: Table, name: str, found: ConstraintDefinition) -> bool:
    """Whether the history makes an exclusion constraint, which no reflection knows."""
    words = set(re.findall(r"\w+", found.text))
    used = SimpleNamespace(table=table, columns=[column for column in table.columns if column.name in words])
    return ownership_of(context).includes_part(used, name, "exclude_constraint")


def _complete(context: MigrationContext, definitions: ServerDefinitions, constraint: Any) -> None:
    """Give a reflected constraint what its reflection leaves out."""
    table = constraint.table
    found = _constraints(context, definitions, table.schema, table.name).get(str(constraint.name))
    if found is not None:
        constraint.deferrable = found.deferrable or None
        constraint.initially = "DEFERRED" if found.deferred else None
        if isinstance(constraint, ForeignKeyConstraint):
            constraint.match = "FULL" if found.match_full else None


def _constraints(
    context: MigrationContext, definitions: ServerDefinitions, schema: str | None, table: str
) -> dict[str, ConstraintDefinition]:
    read: dict[Name, dict[str, ConstraintDefinition]] = context.opts.setdefault("framefox_tasks_constraints", {})
    name = plain(context, schema, table)
    if name not in read:
        read[name] = dict(definitions.constraints(name))
    return read[name]


def _signature(context: MigrationContext, key: ForeignKeyConstraint) -> tuple[Any, ...]:
    schema, table, _ = reference_of(key.elements[0])
    actions = (_action(key.onupdate), _action(key.ondelete))
    match = (key.match or "").upper().replace("SIMPLE", "")
    columns = tuple((element.parent.name, reference_of(element).column) for element in key.elements)
    return (plain(context, schema or None, table), frozenset(columns), actions, _deferral(key), match)


def _action(action: str | None) -> str:
    text = re.sub(r'[\s"]+', " ", (action or "").lower()).strip()
    return (
        "" if text == "no action" else text.replace(" (", "(").replace("( ", "(").replace(" )", ")").replace(" ,", ",")
    )


def _statement(context: MigrationContext, index: Index) -> str:
    text = str(CreateIndex(index).compile(dialect=context.dialect))
    return unescaped(context, text).replace("INDEX CONCURRENTLY ", "INDEX ", 1)


def _is_plain(index: Index) -> bool:
    """Whether it is a list of columns and nothing more, which Alembic compares well."""
    return all(isinstance(item, Column) for item in index.expressions) and not any(
        isinstance(value, ClauseElement) or (value and value != "btree")
        for options in index.dialect_options.values()
        for name, value in options.items()
        if name != "concurrently"
    )


def _same_index(
    context: MigrationContext, definitions: ServerDefinitions, declared: Index, found: Index
) -> bool | None:
    if declared.table is None or found.table is None or (_is_plain(declared) and _is_plain(found)):
        return None
    table, statement = plain(context, found.table.schema, found.table.name), _statement(context, declared)
    normal, live = definitions.normal_index(table, statement), definitions.index(table[0], str(found.name))
    if normal is None or normal == live:
        return None if normal is None else True
    # As a tool has copied it from the server, which reads it in another way.
    if (again := definitions.repeatable(statement)) != statement and definitions.normal_index(table, again) == live:
        return True
    unsaid = not _ORDER.search(normal) and not has_orders(context, declared)
    return unsaid and _ORDER.sub("", live or "") == normal


@compares_tables
def _compare(table: TableComparison) -> None:
    """Compare the exclusion constraints, and those keys that differ in no more than Alembic looks at."""
    migration, modify, schema, name = table.migration, table.modify, table.schema, table.name
    definitions = definitions_of(migration)
    if definitions is None:
        return
    live = _constraints(migration, definitions, schema, name)
    wanted = {
        str(item.name): item for item in table.declared.constraints if isinstance(item, ExcludeConstraint) and item.name
    }
    for constraint in sorted(wanted.keys() | {key for key, item in live.items() if item.kind == "x"}):
        old, new = live.get(constraint), wanted.get(constraint)
        if old is not None and new is not None and _same_exclusion(migration, definitions, (schema, name), old, new):
            continue
        if old is not None and (new is not None or _made(migration, table.found, constraint, old)):
            modify.ops.append(_drop(migration, schema, name, constraint, old))
        if new is not None:
            modify.ops.append(ops.AddConstraintOp.from_constraint(new))


def _same_exclusion(
    context: MigrationContext,
    definitions: ServerDefinitions,
    table: Name,
    old: ConstraintDefinition,
    new: ExcludeConstraint,
) -> bool:
    compiler: Any = context.dialect.ddl_compiler
    clause = unescaped(context, str(compiler(context.dialect, None).process(new)))
    normal = definitions.normal_constraint(plain(context, *table), clause)
    return normal is None or normal == old.text


class DropDefinitionOp(ops.DropConstraintOp):
    """Drops a constraint that the way back makes as the server has defined it."""

    statement = ""

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("remove_constraint", self.constraint_name, self.table_name)

    def reverse(self) -> Any:
        """What makes it again."""
        return StatementOp(self.statement)


def _drop(
    context: MigrationContext, schema: str | None, table: str, name: str, found: ConstraintDefinition
) -> DropDefinitionOp:
    definitions = definitions_of(context)
    quote = context.dialect.identifier_preparer.quote
    shown = ".".join(quote(part) for part in (schema, table) if part)
    op = DropDefinitionOp(name, table, schema=schema)
    clause = definitions.repeatable(found.text) if definitions else found.text
    op.statement = f"ALTER TABLE {shown} ADD CONSTRAINT {quote(name)} {clause}"
    return op


def restore_definitions(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Let generated downgrades make again what the migration drops, with all of its options."""
    definitions = definitions_of(context)
    if definitions is None:
        return
    for script in directives:
        dropped = [item for container in script.upgrade_ops_list for item in _dropped_indexes(context, container.ops)]
        statements = dict(_lossy(context, definitions, dropped))
        for container in script.downgrade_ops_list:
            container.ops = list(_restored(context, definitions, container.ops, statements))


def _dropped_indexes(
    context: MigrationContext, operations: Iterable[ops.MigrateOperation]
) -> Iterator[tuple[Name, Index]]:
    for op in operations:
        if isinstance(op, ops.ModifyTableOps):
            yield from _dropped_indexes(context, op.ops)
        elif isinstance(op, ops.DropIndexOp):
            name = plain(context, op.schema, str(op.index_name))
            if name in _found_indexes(context):
                yield name, _found_indexes(context)[name]


def _lossy(
    context: MigrationContext, definitions: ServerDefinitions, indexes: Iterable[tuple[Name, Index]]
) -> Iterator[tuple[Name, str]]:
    """The indexes of which SQLAlchemy's reflection loses something, and the statements that make them."""
    for name, index in indexes:
        if index.table is None or _is_plain(index):
            continue
        live = definitions.index(*name)
        table = plain(context, index.table.schema, index.table.name)
        if live is not None and definitions.normal_index(table, _statement(context, index)) != live:
            yield name, definitions.index_statement(*name)


def _restored(
    context: MigrationContext,
    definitions: ServerDefinitions,
    operations: Iterable[Any],
    statements: dict[Name, str],
) -> Iterator[ops.MigrateOperation]:
    for op in operations:
        if isinstance(op, ops.ModifyTableOps):
            op.ops = list(_restored(context, definitions, op.ops, statements))
            yield op
        elif isinstance(op, ops.CreateIndexOp):
            name = plain(context, op.schema, str(op.index_name))
            yield StatementOp(statements[name]) if name in statements else op
        elif isinstance(op, ops.CreateTableOp):
            if key := definitions.partition_key(plain(context, op.schema, op.table_name)):
                op.kw[f"{context.dialect.name}_partition_by"] = key
            yield op
            live = _constraints(context, definitions, op.schema, op.table_name)
            _complete_table(definitions, op, live)
            for constraint, found in live.items():
                if found.kind == "x":
                    yield _drop(context, op.schema, op.table_name, constraint, found).reverse()
        else:
            yield op


def _complete_table(
    definitions: ServerDefinitions, op: ops.CreateTableOp, live: dict[str, ConstraintDefinition]
) -> None:
    for item in op.columns:
        if isinstance(item, CheckConstraint):
            item.sqltext = text(definitions.repeatable(str(item.sqltext)).replace(":", "\\:"))
        found = live.get(str(getattr(item, "name", None)))
        if found is not None and not isinstance(item, Column) and found.kind in ("f", "p", "u"):
            constraint: Any = item
            constraint.deferrable = found.deferrable or None
            constraint.initially = "DEFERRED" if found.deferred else None
            if found.kind == "f":
                constraint.match = "FULL" if found.match_full else None
