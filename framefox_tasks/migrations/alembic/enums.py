"""PostgreSQL's enum types in generated migrations.

PostgreSQL keeps an enum as a type beside the tables: it must be created before a column uses it, outlives the table,
and is changed by statements of its own. Generated on PostgreSQL, the statements come from alembic-postgresql-enum,
which knows the catalogue. Generated on another dialect they are added here, from the metadata: they do nothing where
there are no enum types, and make the same file run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ARRAY, Column, Enum, MetaData

from framefox_tasks.databases import database_named, database_of
from framefox_tasks.migrations.alembic.ownership import declared_metadata
from framefox_tasks.model import Target


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
    return f"{sa}Enum({values}name={op.enum.name!r}{schema}).{verb}({alembic}get_bind(), checkfirst=True)"


class AddEnumValuesOp(ops.MigrateOperation):
    """Adds values to a PostgreSQL enum type, each at its place."""

    def __init__(self, schema: str | None, name: str, old: Sequence[str], new: Sequence[str], *, commit: bool) -> None:
        self.commit = commit
        self.schema = schema
        self.name = name
        self.old = old
        self.new = new

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("add_enum_value", self.name, [value for value in self.new if value not in self.old])

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


@renderers.dispatch_for(AddEnumValuesOp)
def _render_added_values(context: AutogenContext, op: AddEnumValuesOp) -> list[str]:
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    prefix = context.opts.get("alembic_module_prefix") or "op."
    quote = context.dialect.identifier_preparer.quote
    type_name = ".".join(quote(part) for part in (op.schema, op.name) if part)
    lines = [f"{prefix}execute({statement!r})" for statement in op.statements(type_name)]
    if op.commit:  # PostgreSQL lets a new value be used only after a commit
        lines = [f"with {prefix}get_context().autocommit_block():", *lines, ""]
    return [f"if {prefix}get_context().dialect.name == {context.dialect.name!r}:", *lines, ""]


def is_native(item: Any) -> bool:
    """Whether it is an enum that PostgreSQL keeps as a type of its own."""
    return isinstance(item, Enum) and bool(item.native_enum) and bool(item.name)


def load_enum_types(target: Target) -> None:
    """Let autogenerate see the enum types of a database that has them, and migrations change them."""
    if database_of(target).has_enum_types:
        import alembic_postgresql_enum

        assert alembic_postgresql_enum  # noqa: S101 - importing it registers its comparators and operations


def add_enum_types(context: MigrationContext, directives: list[ops.MigrationScript]) -> None:
    """Add to generated migrations what creates and drops the enum types of the columns that are added."""
    if database_named(context.dialect.name).has_enum_types:
        _correct_values(directives)
        return
    for script in directives:
        if script.upgrade_ops is None or script.downgrade_ops is None:
            continue
        new = _new_enums(script.upgrade_ops, declared_metadata(context.opts))
        script.upgrade_ops.ops[:0] = [EnumTypeOp(enum, create=True) for enum in new]
        script.downgrade_ops.ops.extend(EnumTypeOp(enum, create=False) for enum in reversed(new))


def _correct_values(directives: Iterable[ops.MigrationScript]) -> None:
    """Correct what alembic-postgresql-enum 1.11 generates for changed values.

    It finds each type twice where a table names the default schema. It writes AFTER where it means BEFORE. Where a
    column's default changes along, the new value must be there, and committed, before it can be the default; on the way
    back the default goes first; and the default that is written into the operation must be SQL, not an object of
    SQLAlchemy's.
    """
    from alembic_postgresql_enum.operations.add_enum_values import AddEnumValuesOp as Theirs
    from alembic_postgresql_enum.operations.sync_enum_values import SyncEnumValuesOp

    for script in directives:
        for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            container.ops = list(_once(container.ops))
        changes = [op for container in script.upgrade_ops_list for op in _changed_defaults(container.ops)]
        for container in script.upgrade_ops_list:
            container.ops = [
                AddEnumValuesOp(op.schema, op.name, op.old_values, op.new_values, commit=bool(changes))
                if isinstance(op, Theirs)
                else op
                for op in container.ops
            ]
            container.ops.sort(key=lambda op: not isinstance(op, AddEnumValuesOp))
        new = {(op.table_name, op.column_name): _sql(op.modify_server_default) for op in changes}
        old = {(op.table_name, op.column_name): _sql(op.existing_server_default) for op in changes}
        pairs: list[tuple[ops.OpContainer, dict[tuple[str, str], str | None]]] = [
            *((container, new) for container in script.upgrade_ops_list),
            *((container, old) for container in script.downgrade_ops_list),
        ]
        for both, defaults in pairs:
            both.ops = sorted(both.ops, key=lambda op: isinstance(op, SyncEnumValuesOp))
            for op in both.ops:
                if isinstance(op, SyncEnumValuesOp):
                    op.affected_columns = [_with_default(column, defaults) for column in op.affected_columns]


def _once(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    """The operations, with each change of an enum type only once."""
    seen: set[tuple[type, Any, Any]] = set()
    for op in operations:
        key = (type(op), getattr(op, "schema", None), getattr(op, "name", None))
        if not type(op).__module__.startswith("alembic_postgresql_enum."):
            yield op
        elif key not in seen:
            seen.add(key)
            yield op


def _changed_defaults(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.AlterColumnOp]:
    for op in operations:
        if isinstance(op, ops.ModifyTableOps):
            yield from _changed_defaults(op.ops)
        elif isinstance(op, ops.AlterColumnOp) and op.modify_server_default is not False:
            yield op


def _sql(default: Any) -> str | None:
    argument = getattr(default, "arg", None)
    return (
        f"'{argument.replace(chr(39), chr(39) * 2)}'" if isinstance(argument, str) else getattr(argument, "text", None)
    )


def _with_default(column: Any, defaults: dict[tuple[str, str], str | None]) -> Any:
    key = (column.table_name, column.column_name)
    return replace(column, existing_server_default=defaults[key]) if key in defaults else column


def _new_enums(upgrade: ops.UpgradeOps, metadata: Iterable[MetaData]) -> list[Enum]:
    """The enums whose every column is added here. One that older columns use has its type already."""
    added = {(table, column.name): column for table, column in _added_columns(upgrade.ops)}
    users: dict[tuple[str | None, str], set[tuple[str, str]]] = {}
    for item in metadata:
        for table in item.tables.values():
            for column in table.columns:
                if enum := _enum_of(column):
                    users.setdefault(_key(enum), set()).add((table.fullname, column.name))
    found = {_key(enum): enum for column in added.values() if (enum := _enum_of(column))}
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


def _enum_of(column: Column[Any]) -> Enum | None:
    type_ = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return type_ if isinstance(type_, Enum) and is_native(type_) else None


def _key(enum: Enum) -> tuple[str | None, str]:
    return enum.schema, str(enum.name)
