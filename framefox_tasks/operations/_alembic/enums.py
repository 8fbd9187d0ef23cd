"""PostgreSQL's enum types in generated migrations.

PostgreSQL keeps an enum as a type beside the tables: it must be created before a column uses it, outlives the table,
and is changed by statements of its own. Generated on PostgreSQL, the statements come from alembic-postgresql-enum,
which knows the catalogue. Generated on another dialect they are added here, from the metadata: they do nothing where
there are no enum types, and make the same file run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ARRAY, Column, Enum, MetaData


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


def is_native(item: Any) -> bool:
    """Whether it is an enum that PostgreSQL keeps as a type of its own."""
    return isinstance(item, Enum) and bool(item.native_enum) and bool(item.name)


def load_postgresql_support() -> None:
    """Let autogenerate see PostgreSQL's enum types, and migrations change them."""
    import alembic_postgresql_enum

    assert alembic_postgresql_enum  # noqa: S101 - importing it registers its comparators and operations


def add_enum_types(context: MigrationContext, directives: list[ops.MigrationScript]) -> None:
    """Add to generated migrations what creates and drops the enum types of the columns that come and go."""
    if context.dialect.name == "postgresql":
        return
    for script in directives:
        if script.upgrade_ops is None or script.downgrade_ops is None:
            continue
        new = _new_enums(script.upgrade_ops, _metadata(context))
        script.upgrade_ops.ops[:0] = [EnumTypeOp(enum, create=True) for enum in new]
        script.downgrade_ops.ops.extend(EnumTypeOp(enum, create=False) for enum in reversed(new))


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


def _metadata(context: MigrationContext) -> list[MetaData]:
    found = context.opts.get("target_metadata")
    return list(found) if isinstance(found, (list, tuple)) else [found] if found is not None else []
