"""Renamed tables and columns: written as renames where the user says so, else pointed out.

The entities are compared with the database as it is after the renames: so what differs besides follows as usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.autogenerate import render, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, inspect

from framefox_tasks.errors import ConfigError
from framefox_tasks.migrations.alembic.inspector import Renamed, renamed_inspector
from framefox_tasks.migrations.alembic.ownership import declared_metadata


@dataclass(frozen=True)
class Rename:
    """A table, or a column of a table, that gets another name; the table is called as it is in the database."""

    schema: str | None
    table: str
    new: str
    column: str | None = None

    def __str__(self) -> str:
        return f"{'.'.join(filter(None, (self.schema, self.table, self.column)))}:{self.new}"


class TableRenameOp(ops.MigrateOperation):
    """Renames a table."""

    def __init__(self, table_name: str, new_name: str, schema: str | None) -> None:
        self.table_name = table_name
        self.new_name = new_name
        self.schema = schema

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("rename_table", self.table_name, self.new_name)


class ColumnRenameOp(TableRenameOp):
    """Renames a column, which keeps all that it is: MySQL is told that again."""

    def __init__(self, table_name: str, column: Any, old: str, new: str, schema: str | None) -> None:
        super().__init__(table_name, new, schema)
        self.column_name = old
        self.alter = ops.AlterColumnOp(
            table_name,
            old,
            schema=schema,
            modify_name=new,
            existing_type=column.type,
            existing_nullable=column.nullable,
            existing_server_default=column.server_default or False,
            existing_comment=column.comment,
        )
        if column.autoincrement is True and column.primary_key:
            self.alter.kw["autoincrement"] = True

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("rename_column", self.table_name, self.column_name, self.new_name)


@renderers.dispatch_for(TableRenameOp)
def _render_table(context: AutogenContext, op: TableRenameOp) -> str:
    prefix = context.opts.get("alembic_module_prefix") or "op."
    schema = f", schema={op.schema!r}" if op.schema else ""
    return f"{prefix}rename_table({op.table_name!r}, {op.new_name!r}{schema})"


@renderers.dispatch_for(ColumnRenameOp)
def _render_column(context: AutogenContext, op: ColumnRenameOp) -> list[str]:
    # Not in a batch: SQLite renames a column wherever it is named, and a rebuild would not.
    return render.render_op(context, op.alter)


class Renames:
    """The renames of a migration, checked against the database and the entities.

    Args:
        context: It has the connection and the entities.
        asked: OLD:NEW for a table, TABLE.OLD:NEW for a column.

    Raises:
        ConfigError: One names nothing that is there.
    """

    def __init__(self, context: MigrationContext, asked: Sequence[str]) -> None:
        self._context = context
        self._declared = {
            (self._plain(table.schema), str(table.name)): table
            for item in declared_metadata(context.opts)
            for table in item.tables.values()
        }
        self.tables: list[Rename] = []
        self.columns: list[Rename] = []
        for text in asked:
            self._add(text)

    def _plain(self, schema: str | None) -> str | None:
        return None if schema == self._context.dialect.default_schema_name else schema

    def _add(self, text: str) -> None:
        old, _, new = text.partition(":")
        found = self._table(old, new) or self._column(old, new)
        if found is None:
            raise ConfigError(f"--rename={text} is no rename: {self._why(text)}", hint=self._hint())
        (self.columns if found.column else self.tables).append(found)

    def _table(self, old: str, new: str) -> Rename | None:
        schema, name = self._split(old)
        renamed = Rename(schema, name, self._split(new)[1])
        gone = (schema, name) in self._live and (schema, name) not in self._declared
        is_new = (schema, renamed.new) in self._declared and (schema, renamed.new) not in self._live
        return renamed if gone and is_new else None

    def _column(self, old: str, new: str) -> Rename | None:
        owner, _, column = old.rpartition(".")
        schema, name = self._split(owner)
        later = {(rename.schema, rename.table): rename.new for rename in self.tables}
        name = next((was for (_, was), new_name in later.items() if new_name == name), name)
        declared = self._declared.get((schema, later.get((schema, name), name)))
        if declared is None or (schema, name) not in self._live:
            return None
        live, names = self._reflected(schema, name).columns, {item.name for item in declared.columns}
        fits = column in live and column not in names and new in names and new not in live
        return Rename(schema, name, new, column) if fits else None

    def _split(self, name: str) -> tuple[str | None, str]:
        schema, _, table = name.rpartition(".")
        return self._plain(schema or None), table

    @property
    def _live(self) -> set[tuple[str | None, str]]:
        inspector = inspect(self._connection)
        schemas = {None, *(schema for schema, _ in self._declared)}
        found = {(schema, name) for schema in schemas for name in inspector.get_table_names(schema=schema)}
        return found - {(self._plain(self._context.version_table_schema), self._context.version_table)}

    @property
    def _connection(self) -> Connection:
        assert self._context.connection is not None  # noqa: S101 - autogenerate has one
        return self._context.connection

    def _reflected(self, schema: str | None, name: str) -> Table:
        return Table(name, MetaData(), schema=schema, autoload_with=self._connection, resolve_fks=False)

    def _why(self, text: str) -> str:
        if not text.partition(":")[2]:
            return "it is OLD:NEW for a table, and TABLE.OLD:NEW for a column."
        return (
            "the old name must be in the database and no more in the entities, "
            "the new one in the entities and not yet in the database."
        )

    def _hint(self) -> str:
        live = self._live
        gone = [".".join(filter(None, name)) for name in sorted(live - self._declared.keys(), key=str)]
        added = [".".join(filter(None, name)) for name in sorted(self._declared.keys() - live, key=str)]
        lines = [f"Tables: {', '.join(gone)}; new: {', '.join(added)}"] if gone and added else []
        for (schema, name), declared in sorted(self._declared.items(), key=lambda item: str(item[0])):
            if (schema, name) in live:
                old = [column.name for column in self._reflected(schema, name).columns]
                new = [column.name for column in declared.columns]
                was, becomes = [item for item in old if item not in new], [item for item in new if item not in old]
                if was and becomes:
                    lines.append(f"Columns of {name}: {', '.join(was)}; new: {', '.join(becomes)}")
        return "\n".join(lines) or "Nothing is gone and new at the same time."

    @contextmanager
    def applied(self) -> Iterator[None]:
        """A context in which the database looks as it does after the renames."""
        if not (self.tables or self.columns):
            yield
            return
        tables = {(item.schema, item.table): item.new for item in self.tables}
        columns: dict[tuple[str | None, str], dict[str, str]] = {}
        for item in self.columns:
            columns.setdefault((item.schema, item.table), {})[str(item.column)] = item.new
        with renamed_inspector(self._connection, Renamed(tables, columns)):
            yield

    def write(self, scripts: Iterable[ops.MigrationScript]) -> None:
        """Put the renames before all else into generated migrations, and take them back after all else."""
        later = {(item.schema, item.table): item.new for item in self.tables}
        up: list[ops.MigrateOperation] = [TableRenameOp(item.table, item.new, item.schema) for item in self.tables]
        down: list[ops.MigrateOperation] = [TableRenameOp(item.new, item.table, item.schema) for item in self.tables]
        for item in self.columns:
            table, old = later.get((item.schema, item.table), item.table), str(item.column)
            column = self._reflected(item.schema, item.table).columns[old]
            up.append(ColumnRenameOp(table, column, old, item.new, item.schema))
            down.insert(0, ColumnRenameOp(table, column, item.new, old, item.schema))
        for script in scripts:
            script.upgrade_ops_list[0].ops[:0] = up
            script.downgrade_ops_list[0].ops.extend(down)


def candidates(context: MigrationContext, scripts: Iterable[ops.MigrationScript]) -> Iterator[Rename]:
    """What generated migrations drop and add, and that looks like a rename: of one type, or of the same columns."""
    for script in scripts:
        for container in script.upgrade_ops_list:
            yield from _tables(context, container)
            for op in container.ops:
                if isinstance(op, ops.ModifyTableOps):
                    yield from _columns(context, op)


def _tables(context: MigrationContext, container: ops.OpContainer) -> Iterator[Rename]:
    dropped = [op for op in container.ops if isinstance(op, ops.DropTableOp)]
    for new in (op for op in container.ops if isinstance(op, ops.CreateTableOp)):
        alike = [op for op in dropped if op.schema == new.schema and _same_columns(context, op.to_table(), new)]
        if len(alike) == 1:
            yield Rename(new.schema, str(alike[0].table_name), str(new.table_name))


def _same_columns(context: MigrationContext, old: Table, new: ops.CreateTableOp) -> bool:
    declared = new.to_table()
    same_names = set(old.columns.keys()) == {column.name for column in declared.columns}
    return same_names and all(not _differs(context, old.columns[item.name], item) for item in declared.columns)


def _columns(context: MigrationContext, table: ops.ModifyTableOps) -> Iterator[Rename]:
    dropped = [op._reverse.column for op in table.ops if isinstance(op, ops.DropColumnOp) and op._reverse]
    again = {column.name for column in dropped}  # one whose expression is another
    added = [op.column for op in table.ops if isinstance(op, ops.AddColumnOp) and op.column.name not in again]
    for column in added:
        alike = [old for old in dropped if not _differs(context, old, column)]
        rivals = [new for new in added if any(not _differs(context, old, new) for old in alike)]
        if len(alike) == 1 and len(rivals) == 1:
            yield Rename(table.schema, str(table.table_name), column.name, alike[0].name)


def _differs(context: MigrationContext, old: Any, new: Any) -> bool:
    """Whether the types of two columns differ, as Alembic's comparison decides it."""
    theirs: Any = context._user_compare_type
    decided = theirs(context, old, new, old.type, new.type) if callable(theirs) else None
    return bool(context.impl.compare_type(old, new)) if decided is None else bool(decided)
