"""Primary keys that have other columns than the newest migration gave them; Alembic compares none.

Written where nothing depends on the key: no foreign key refers to it, and the column that numbers itself stays the
same. All else is told, and written by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Identity, Table, inspect

from framefox_tasks.databases import database_named
from framefox_tasks.migrations.alembic.database_types import plain
from framefox_tasks.migrations.alembic.naming import conventional, final_name
from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables


@dataclass(frozen=True)
class KeyColumns:
    """A primary key, with its name where it has one."""

    columns: tuple[str, ...]
    name: str | None = None


class PrimaryKeyOp(ops.AlterTableOp):
    """Gives a table another primary key, or takes its key away, or gives it one."""

    def __init__(
        self, table: str, schema: str | None, *, gone: KeyColumns | None = None, made: KeyColumns | None = None
    ) -> None:
        super().__init__(table, schema=schema)
        self.gone, self.made = gone, made

    def reverse(self) -> PrimaryKeyOp:
        """The key as it was."""
        return PrimaryKeyOp(self.table_name, self.schema, gone=self.made, made=self.gone)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("modify_primary_key", self.schema, self.table_name, self.gone, self.made)

    @property
    def shown(self) -> str:
        """The key in words."""
        key = self.made or self.gone
        columns = f" ({', '.join(key.columns)})" if key else ""
        kind = "modify" if self.gone and self.made else "add" if self.made else "drop"
        return f"{kind} primary key{columns} on {'.'.join(filter(None, (self.schema, self.table_name)))}"


@renderers.dispatch_for(PrimaryKeyOp)
def _render(context: AutogenContext, op: PrimaryKeyOp) -> list[str]:
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    database = database_named(context.dialect.name)
    if op.gone and op.made and database.replaces_keys:
        return [_in_one(context, op, op.made)]
    table = [] if context._has_batch else [repr(str(op.table_name))]
    schema = [f"schema={str(op.schema)!r}"] if op.schema and not context._has_batch else []
    prefix = "batch_op." if context._has_batch else context.opts.get("alembic_module_prefix") or "op."
    lines = []
    if op.gone and not (op.made and database.rebuilds_tables):  # a rebuilt table has the new one in its place
        name = op.gone.name or conventional("pk", (op.table_name,))
        given = ", ".join([repr(name), *table, "type_='primary'", *schema])
        lines.append(f"{prefix}drop_constraint({given})")
    if op.made:
        given = ", ".join([repr(op.made.name), *table, repr(list(op.made.columns)), *schema])
        lines.append(f"{prefix}create_primary_key({given})")
    return lines


def _in_one(context: AutogenContext, op: PrimaryKeyOp, made: KeyColumns) -> str:
    """One statement: a column that numbers itself must be in a key at any time."""
    assert context.dialect is not None  # noqa: S101 - autogenerate has a connection
    prefix = context.opts.get("alembic_module_prefix") or "op."
    quote = context.dialect.identifier_preparer.quote
    table = ".".join(quote(part) for part in (op.schema, op.table_name) if part)
    columns = ", ".join(map(quote, made.columns))
    statement = f"ALTER TABLE {table} DROP PRIMARY KEY, ADD PRIMARY KEY ({columns})".replace(":", "\\:")
    return f"{prefix}execute({statement!r})"


@compares_tables
def _compare(table: TableComparison) -> None:
    migration, modify, schema, name = table.migration, table.modify, table.schema, table.name
    found, declared = table.found, table.declared
    recorded = table.ownership.recorded_table(schema, name)
    before, after = (tuple(str(column.name) for column in one.primary_key.columns) for one in (found, declared))
    if recorded is None or before == after or recorded.primary_key.columns != before:
        return  # or the database is not as recorded: told as to be written by hand
    if recorded.primary_key.options or not _is_free(table.context, found, declared):
        return
    database = database_named(migration.dialect.name)
    old = KeyColumns(before, str(found.primary_key.name) if found.primary_key.name else None) if before else None
    new = (
        KeyColumns(after, final_name(migration, declared.primary_key) or (old.name if old else None)) if after else None
    )
    if new and not new.name and not (database.rebuilds_tables or database.replaces_keys):
        new = KeyColumns(after, conventional("pk", (name,)))
    if database.replaces_keys:
        late = [op for op in modify.ops if _must_follow(op, before)]
        first = [op for op in modify.ops if op not in late]
        modify.ops[:] = [*first, PrimaryKeyOp(name, schema, gone=old, made=new), *late]
    elif database.rebuilds_tables:
        modify.ops.append(PrimaryKeyOp(name, schema, gone=old, made=new))
    else:  # before its columns are dropped or may be NULL, and after those of the new one are there
        gone = [PrimaryKeyOp(name, schema, gone=old)] if old else []
        made = [PrimaryKeyOp(name, schema, made=new)] if new else []
        modify.ops[:] = [*gone, *modify.ops, *made]


def _must_follow(op: ops.MigrateOperation, key: tuple[str, ...]) -> bool:
    """Whether a column must have left the key before."""
    if isinstance(op, ops.DropColumnOp):
        return op.column_name in key
    return isinstance(op, ops.AlterColumnOp) and op.column_name in key and op.modify_nullable is True


def _is_free(context: AutogenContext, found: Table, declared: Table) -> bool:
    """Whether nothing depends on the key: no foreign key, and no column that numbers itself only because of it."""
    database = database_named(context.migration_context.dialect.name)
    if database.rebuilds_tables:
        numbers = {"autoincrement"} & {name.rpartition("_")[2] for name in declared.dialect_kwargs}
        return not numbers and not _is_referred(context, found)
    before, after = _numbered(found), _numbered(declared)
    first = {str(column.name) for column in list(declared.primary_key.columns)[:1]}
    kept = before == after and (before <= first or not database.replaces_keys)  # there it must come first in a key
    return kept and not _is_referred(context, found)


def _numbered(table: Table) -> set[str | None]:
    """The columns that number themselves."""
    automatic = table._autoincrement_column
    return {
        str(column.name)
        for column in table.columns
        if column is automatic or column.autoincrement is True or isinstance(column.server_default, Identity)
    }


def _is_referred(context: AutogenContext, table: Table) -> bool:
    """Whether a foreign key of any table in the database refers to one."""
    assert context.connection is not None  # noqa: S101 - a comparison has one
    migration, inspector = context.migration_context, inspect(context.connection)
    wanted = plain(migration, table.schema, table.name)
    schemas = inspector.get_schema_names() if database_named(migration.dialect.name).has_schemas else [None]
    keys = (key for schema in schemas for found in inspector.get_multi_foreign_keys(schema).values() for key in found)
    return any(plain(migration, key["referred_schema"], key["referred_table"]) == wanted for key in keys)
