"""Enum types in generated migrations, where a database keeps them beside the tables.

Such a type must be created before a column uses it, outlives the table, and is changed by statements of its own. Where
a database has none, the statements come from the metadata, so that the file runs on every database.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Column, Enum, MetaData

from framefox_tasks.databases import database_named
from framefox_tasks.databases.definitions import Name, ServerDefinitions
from framefox_tasks.migrations.alembic.database_types import (
    compares_last,
    declared_tables,
    definitions_of,
    enum_of,
    plain,
)
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP, declared_metadata, ownership_of


class EnumTypeOp(ops.MigrateOperation):
    """Creates or drops an enum type, if it is not there or is there."""

    def __init__(self, enum: Enum, *, create: bool) -> None:
        self.enum = enum
        self.create = create

    def reverse(self) -> EnumTypeOp:
        """The other of the two."""
        return EnumTypeOp(self.enum, create=not self.create)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("create_enum" if self.create else "drop_enum", self.enum.name)


@renderers.dispatch_for(EnumTypeOp)
def _render(context: AutogenContext, op: EnumTypeOp) -> str:
    sa = context.opts.get("sqlalchemy_module_prefix") or "sa."
    values = "".join(f"{value!r}, " for value in op.enum.enums)
    schema = f", schema={op.enum.schema!r}" if op.enum.schema else ""
    verb = "create" if op.create else "drop"
    alembic = context.opts.get("alembic_module_prefix") or "op."
    return f"{sa}Enum({values}name={str(op.enum.name)!r}{schema}).{verb}({alembic}get_bind(), checkfirst=True)"


class EnumValuesOp(ops.MigrateOperation):
    """Gives an enum type other values.

    Values that are only added go into the type as it is; else it is made anew.

    Args:
        schema: That of the type; None for the default one.
        name: The type's.
        old: Its values before.
        new: Its values after.
        rebuild: Whether it is to be made anew even if values are only added: they can be used in the same transaction.
    """

    def __init__(
        self, schema: str | None, name: str, old: Sequence[str], new: Sequence[str], *, rebuild: bool = False
    ) -> None:
        self.schema = schema
        self.name = name
        self.old = tuple(old)
        self.new = tuple(new)
        self.rebuild = rebuild
        self.commit = False

    @property
    def adds(self) -> bool:
        """Whether no value goes and none of the others moves."""
        return not self.rebuild and tuple(value for value in self.new if value in self.old) == self.old

    def reverse(self) -> EnumValuesOp:
        """The way back."""
        return EnumValuesOp(self.schema, self.name, self.new, self.old, rebuild=self.rebuild)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        kind = "add_enum_value" if set(self.new) >= set(self.old) else "drop_enum_value"
        return (kind, self.name, [value for value in self.new if value not in self.old])

    def statements(self, type_name: str) -> Iterator[str]:
        """ALTER TYPE for each added value, in order."""
        for index, value in enumerate(self.new):
            if value not in self.old:
                follower = next((later for later in self.new[index + 1 :] if later in self.old), None)
                place = f" BEFORE {_literal(follower)}" if follower is not None else ""
                yield f"ALTER TYPE {type_name} ADD VALUE IF NOT EXISTS {_literal(value)}{place}"


def _literal(value: str) -> str:
    escaped = value.replace("'", "''").replace(":", "\\:")  # a colon would be a parameter of text()
    return f"'{escaped}'"


@renderers.dispatch_for(EnumValuesOp)
def _render_values(context: AutogenContext, op: EnumValuesOp) -> list[str]:
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    if not op.adds:
        context.imports.add("from framefox_tasks.env import set_enum_values")
        schema = f", schema={op.schema!r}" if op.schema else ""
        return [f"set_enum_values({op.name!r}, {list(op.new)!r}{schema})"]
    prefix = context.opts.get("alembic_module_prefix") or "op."
    quote = context.dialect.identifier_preparer.quote
    type_name = ".".join(quote(part) for part in (op.schema, op.name) if part)
    lines = [f"{prefix}execute({statement!r})" for statement in op.statements(type_name)]
    if op.commit:  # a new value can be used only after a commit
        lines = [f"with {prefix}get_context().autocommit_block():", *lines, ""]
    return [f"if {prefix}get_context().dialect.name == {context.dialect.name!r}:", *lines, ""]


@compares_last("schema")
def _compare(context: AutogenContext, upgrade: ops.UpgradeOps, schemas: Iterable[str | None]) -> None:
    migration = context.migration_context
    definitions = definitions_of(migration) if OWNERSHIP in migration.opts else None
    if definitions is None:
        return
    wanted = {plain(migration, schema, "")[0] for schema in schemas}
    theirs = _library_settings()
    declared: dict[Name, Enum] = {}
    for table in declared_tables(context):
        for enum in filter(None, map(enum_of, table.columns)):
            if theirs is None or theirs.include_name(str(enum.name)):
                declared.setdefault(plain(migration, enum.schema, str(enum.name)), enum)
    found = {name: values for name, values in definitions.enums.items() if name[0] in wanted or name in declared}
    new = [enum for name, enum in sorted(declared.items(), key=str) if name not in found]
    changed = [
        change
        for name, enum in sorted(declared.items(), key=str)
        if name in found and found[name] != tuple(enum.enums)
        for change in _changes(name, found[name], enum.enums)
        if theirs is None or theirs.detect_enum_values_changes
    ]
    unused = [
        Enum(*values, name=name[1], schema=name[0])
        for name, values in sorted(found.items(), key=str)
        if name not in declared and _is_dropped(migration, definitions, upgrade, name)
    ]
    _place(upgrade, new, changed, unused if theirs is None or theirs.drop_unused_enums else [])


def _place(upgrade: ops.UpgradeOps, new: list[Enum], changed: list[EnumValuesOp], unused: list[Enum]) -> None:
    """First what columns need, last what no column needs any more; the way back is the reverse."""
    added = [change for change in changed if set(change.new) >= set(change.old)]
    rest = list(upgrade.ops)
    first = [EnumTypeOp(enum, create=True) for enum in new]
    last = [EnumTypeOp(enum, create=False) for enum in unused]
    upgrade.ops[:] = [*first, *added, *rest, *(op for op in changed if op not in added), *last]


def _changes(name: Name, old: Sequence[str], new: Sequence[str]) -> Iterator[EnumValuesOp]:
    """Where values come and go, first the one and at the end the other, so that rows can be changed between them."""
    both = list(new) + [value for value in old if value not in new]
    if set(both) in (set(new), set(old)):
        yield EnumValuesOp(*name, old, new)
    else:
        yield EnumValuesOp(*name, old, both, rebuild=True)
        yield EnumValuesOp(*name, both, new, rebuild=True)


def _is_dropped(
    migration: MigrationContext, definitions: ServerDefinitions, upgrade: ops.UpgradeOps, name: Name
) -> bool:
    """Whether a type is the project's, and nothing is left that uses it when the migration has run."""
    if not ownership_of(migration).includes_type(*name):
        return False
    released = set(_released(migration, upgrade.ops))
    tables = {table for table, _ in released}
    return all(
        table is not None
        and ((table, None) in released or (table, column) in released or (column is None and table in tables))
        for _, table, column in definitions.type_users(name)
    )


def _released(
    migration: MigrationContext, operations: Iterable[ops.MigrateOperation]
) -> Iterator[tuple[Name, str | None]]:
    for op in operations:
        if isinstance(op, ops.ModifyTableOps):
            yield from _released(migration, op.ops)
        elif isinstance(op, ops.DropTableOp):
            yield plain(migration, op.schema, op.table_name), None
        elif isinstance(op, ops.DropColumnOp) or (isinstance(op, ops.AlterColumnOp) and op.modify_type is not None):
            yield plain(migration, op.schema, op.table_name), op.column_name


def set_values(operations: Any, schema: str | None, name: str, values: Sequence[str]) -> None:
    """Run the statement that gives an enum type these values, where there are enum types."""
    database = database_named(operations.get_context().dialect.name)
    if statement := database.set_enum_values(schema, name, values):
        operations.execute(statement.replace(":", "\\:"))  # no parameters of text()


def _library_settings() -> Any:
    """Those that a project has made for alembic-postgresql-enum, which compared enums here before."""
    module = sys.modules.get("alembic_postgresql_enum.configuration")
    return module.get_configuration() if module else None


def replace_library() -> None:
    """Keep alembic-postgresql-enum, which an env.py or an older migration may import, from comparing a second time."""
    for functions in comparators._registry.values():
        if isinstance(functions, list):
            functions[:] = [item for item in functions if not _is_theirs(item)]


def _is_theirs(item: Any) -> bool:
    function = item[0] if isinstance(item, tuple) else item
    return str(getattr(function, "__module__", "")).startswith("alembic_postgresql_enum.")


def add_enum_types(context: MigrationContext, directives: list[ops.MigrationScript]) -> None:
    """Add to generated migrations what creates and drops the enum types of the columns that are added."""
    for script in directives:
        if script.upgrade_ops is None or script.downgrade_ops is None:
            continue
        if database_named(context.dialect.name).has_enum_types:
            for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
                _commit_where_used(container)
            continue
        new = _new_enums(script.upgrade_ops, declared_metadata(context.opts))
        script.upgrade_ops.ops[:0] = [EnumTypeOp(enum, create=True) for enum in new]
        script.downgrade_ops.ops.extend(EnumTypeOp(enum, create=False) for enum in reversed(new))


def _commit_where_used(container: ops.OpContainer) -> None:
    """A value that is added where the rest of the migration mentions it must be committed before that."""
    used = "\n".join(_expressions(container.ops))
    for op in container.ops:
        if isinstance(op, EnumValuesOp) and op.adds:
            op.commit = any(value in used for value in op.new if value not in op.old)


def _expressions(operations: Iterable[Any]) -> Iterator[str]:
    """The SQL in defaults, checks and indexes of what is created."""
    for op in operations:
        if isinstance(op, ops.OpContainer):
            yield from _expressions(op.ops)
        elif isinstance(op, ops.CreateTableOp):
            yield from (_default(item.server_default) for item in op.columns if isinstance(item, Column))
            yield from (str(item.sqltext) for item in op.columns if isinstance(item, CheckConstraint))
        elif isinstance(op, ops.AddColumnOp):
            yield _default(op.column.server_default)
        elif isinstance(op, ops.AlterColumnOp):
            yield _default(op.modify_server_default)
        elif isinstance(op, ops.CreateIndexOp):
            yield " ".join(map(str, (*op.columns, *op.kw.values())))
        elif isinstance(op, ops.CreateCheckConstraintOp):
            yield str(op.condition)
        elif isinstance(op, ops.ExecuteSQLOp):
            yield str(op.sqltext)


def _default(default: Any) -> str:
    return str(getattr(default, "arg", default))


def _new_enums(upgrade: ops.UpgradeOps, metadata: Iterable[MetaData]) -> list[Enum]:
    """The enums whose every column is added here. One that older columns use has its type already."""
    added = {(table, column.name): column for table, column in _added_columns(upgrade.ops)}
    users: dict[Name, set[tuple[str, str]]] = {}
    for item in metadata:
        for table in item.tables.values():
            for column in table.columns:
                if enum := enum_of(column):
                    users.setdefault(_key(enum), set()).add((table.fullname, column.name))
    found = {_key(enum): enum for column in added.values() if (enum := enum_of(column))}
    return [
        enum
        for key, enum in sorted(found.items(), key=lambda item: item[0][1])
        if users.get(key, set()) <= added.keys()
    ]


def _added_columns(operations: Iterable[ops.MigrateOperation]) -> Iterator[tuple[str, Column[Any]]]:
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            yield from _added_columns(operation.ops)
        elif isinstance(operation, ops.CreateTableOp):
            name = ".".join(filter(None, (operation.schema, operation.table_name)))
            yield from ((name, column) for column in operation.columns if isinstance(column, Column))
        elif isinstance(operation, ops.AddColumnOp):
            yield ".".join(filter(None, (operation.schema, operation.table_name))), operation.column


def _key(enum: Enum) -> Name:
    return enum.schema, str(enum.name)
