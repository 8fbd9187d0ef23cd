"""The schema of a live database."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, inspect
from sqlalchemy.exc import OperationalError, SAWarning

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_engine
from framefox_tasks.model import Target
from framefox_tasks.schema.from_metadata import schema_of
from framefox_tasks.schema.snapshot import Schema
from framefox_tasks.schema.sources import ignored


def reflected_schema(target: Target) -> Schema:
    """The tables of a database, in every schema of it, without the version table and those under ignore_tables.

    Raises:
        ConnectionFailedError: It cannot be reached.
    """
    engine = sqlalchemy_engine(target, database_of(target))
    metadata = MetaData()
    try:
        with engine.connect() as connection, warnings.catch_warnings():
            # Of expression indexes and types that SQLAlchemy does not know, which are left out.
            warnings.simplefilter("ignore", SAWarning)
            for schema in _schemas(target, connection):
                metadata.reflect(connection, schema=schema, resolve_fks=False)
    except OperationalError as exc:
        raise database_of(target).translate(exc.orig or exc, target) from exc
    found = schema_of([metadata], dialect=engine.dialect)
    version = target.project.version_table
    return Schema(
        tuple(table for table in found.tables if table.key != version and not ignored(target.project, table.name))
    )


def _schemas(target: Target, connection: Connection) -> Iterator[str | None]:
    yield None
    if not database_of(target).has_schemas:
        return  # what MySQL calls a schema is another database
    inspector = inspect(connection)
    for name in inspector.get_schema_names():
        if name not in (inspector.default_schema_name, "information_schema"):
            yield name
