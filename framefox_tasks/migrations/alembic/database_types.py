"""The types that a database keeps beside its tables: enums and domains, and which of them a column's type needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from alembic import util
from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ARRAY, Column, Enum, MetaData, Table
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from framefox_tasks.databases import NAMES, database_named
from framefox_tasks.databases.definitions import Name, ServerDefinitions
from framefox_tasks.migrations.alembic.ownership import declared_metadata

_DEFINITIONS = "framefox_tasks_definitions"


def compares_last(target: str) -> Callable[[Any], Any]:
    """Register a comparison of schemas or tables that sees what Alembic's own have found."""
    last = getattr(getattr(util, "DispatchPriority", None), "LAST", None)  # since Alembic 1.18; before, as registered
    options: dict[str, Any] = {"priority": last} if last is not None else {}
    return comparators.dispatch_for(target, **options)


def definitions_of(context: MigrationContext) -> ServerDefinitions | None:
    """The definitions of the database that a context is connected to; None where it has none or there is none."""
    if context.connection is None:
        return None
    if _DEFINITIONS not in context.opts:
        context.opts[_DEFINITIONS] = database_named(context.dialect.name).definitions(context.connection)
    found: ServerDefinitions | None = context.opts[_DEFINITIONS]
    return found


@cache
def owner_of_types() -> str:
    """The database that keeps enums as types of their own."""
    return next(name for name in NAMES if database_named(name).has_enum_types)


@cache
def dialect_of_types() -> Dialect:
    """SQLAlchemy's dialect of that database."""
    dialect: Dialect = registry.load(owner_of_types())()
    return dialect


def database_type(type_: Any, dialect: Dialect) -> Any:
    """The type that a column has in the database: without variants and the decorators around it."""
    while True:
        variant = type_._variant_mapping.get(dialect.name)
        if variant is not None and variant is not type_:
            type_ = variant
        elif isinstance(type_, TypeDecorator):
            type_ = type_.load_dialect_impl(dialect)
        else:
            return type_


def types_within(type_: Any, dialect: Dialect) -> Iterator[Any]:
    """The type in the database, and those that it is made of: of an array its items, of a domain what is below it."""
    found = database_type(type_, dialect)
    yield found
    below = getattr(found, "item_type", None) if isinstance(found, ARRAY) else None
    below = found.data_type if isinstance(found, DOMAIN) else below
    if below is not None:
        yield from types_within(below, dialect)


def is_native(item: Any) -> bool:
    """Whether it is an enum that is kept as a type of its own, where there are such types."""
    return isinstance(item, Enum) and bool(item.native_enum) and bool(item.name)


def enum_of(column: Column[Any]) -> Enum | None:
    """The native enum in the type of a column."""
    return next((item for item in types_within(column.type, dialect_of_types()) if is_native(item)), None)


def domain_of(column: Column[Any]) -> DOMAIN | None:
    """The domain in the type of a column."""
    return next((item for item in types_within(column.type, dialect_of_types()) if isinstance(item, DOMAIN)), None)


def plain(context: MigrationContext, schema: str | None, name: str) -> Name:
    """A name whose schema is None where it is the default one of the connection."""
    default = context.dialect.default_schema_name
    return None if not schema or schema == default else schema, str(name)


def declared_tables(context: AutogenContext) -> Iterator[Table]:
    """The tables of the entities that the hooks of the project let pass."""
    for metadata in declared_of(context):
        for table in metadata.tables.values():
            if context.run_object_filters(table, table.name, "table", False, None):
                yield table


def declared_of(context: AutogenContext) -> list[MetaData]:
    """The target metadata of a comparison."""
    return declared_metadata(context.migration_context.opts)
