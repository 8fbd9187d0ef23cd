"""The collations of columns: Alembic compares none, and what it alters gets the default one on a way back.

Entities that were made from a database may not say one. So one that is declared counts, and one that is not only where
the newest migration has given the column another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Enum, String, Table

from framefox_tasks.databases import database_named
from framefox_tasks.migrations.alembic.database_types import database_type
from framefox_tasks.migrations.alembic.ownership import ownership_of
from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables
from framefox_tasks.schema.snapshot import Table as RecordedTable

_RECORDED = re.compile(r'\bCOLLATE "?(\w+)')


@compares_tables
def _compare(table: TableComparison) -> None:
    migration, modify, schema, name = table.migration, table.modify, table.schema, table.name
    found, declared = table.found, table.declared
    if migration.connection is None:
        return
    recorded = _recorded(migration, schema, name)
    altered = {op.column_name: op for op in modify.ops if isinstance(op, ops.AlterColumnOp)}
    live: Mapping[str, str] | None = None
    for column, wanted in _texts(migration, declared, found):
        op = altered.get(column.name)
        retyped = op is not None and op.modify_type is not None
        if not (wanted or retyped or column.name in recorded):
            continue
        before = found.columns[column.name]
        if live is None:
            database = database_named(migration.dialect.name)
            live = database.collations(migration.connection, found.schema, str(found.name))
        held = live.get(column.name) or getattr(before.type, "collation", None)
        if not _same(migration, held, wanted) and (wanted or column.name in recorded):
            modify_type, existing = _collated(migration, column, wanted), _collated(migration, before, held)
        elif retyped and held:
            modify_type, existing = _collated(migration, column, held), _collated(migration, before, held)
        else:
            continue
        if op is None:
            op = ops.AlterColumnOp(
                modify.table_name,
                column.name,
                schema=schema,
                existing_nullable=before.nullable,
                existing_server_default=before.server_default or False,
                existing_comment=before.comment,
            )
            modify.ops.append(op)
        op.modify_type, op.existing_type = modify_type, existing


def _recorded(migration: MigrationContext, schema: str | None, name: str) -> dict[str, str]:
    """The collations that the newest migration has given columns."""
    table: RecordedTable | None = ownership_of(migration).recorded_table(schema, name)
    columns = table.columns if table else ()
    texts = ((one.name, one.type_on.get(migration.dialect.name, one.type)) for one in columns)
    return {column: match[1] for column, text in texts if (match := _RECORDED.search(text))}


def _texts(migration: MigrationContext, declared: Table, found: Table) -> Iterator[tuple[Column[Any], str | None]]:
    """The columns that are texts on both sides, with the collation that each is declared with."""
    for column in declared.columns:
        type_ = database_type(column.type, migration.dialect)
        before = found.columns.get(column.name)
        if isinstance(type_, String) and before is not None and isinstance(before.type, String):
            yield column, None if isinstance(type_, Enum) else type_.collation


def _same(migration: MigrationContext, held: str | None, wanted: str | None) -> bool:
    default = database_named(migration.dialect.name).default_collation
    one, other = ((text or default or "").casefold() for text in (held, wanted))
    return one == other


def _collated(migration: MigrationContext, column: Column[Any], collation: str | None) -> Any:
    """The type of a column with a collation; with the default one by name where an alteration keeps what it had."""
    type_ = database_type(column.type, migration.dialect)
    collation = collation or database_named(migration.dialect.name).default_collation
    if type_.collation == collation or isinstance(type_, Enum):
        return column.type
    changed = type_.copy()
    changed.collation = collation
    return changed
