"""The schema that the entities declare as a script of SQL: the same schema gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefox_tasks import files
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.errors import EntityError
from framefox_tasks.migrations.metadata import declared_metadata
from framefox_tasks.model import Target
from framefox_tasks.results import SchemaWritten
from framefox_tasks.schema.sources import ignored

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

_BETWEEN = ", \n\t"  # SQLAlchemy's, between the constraints of a table


def write_schema_sql(target: Target, *, path: Path | str = "docs/database/schema.sql") -> SchemaWritten:
    """Write the SQL of the schema into a file, if that changes it. See schema_sql.

    Args:
        target: The kind of the database, and the project.
        path: The file; relative to the project's root.

    Raises:
        EntityError: The entities cannot be imported completely, or declare what this database has not.
        PermissionDeniedError: The file cannot be written.
    """
    place = target.project.path(path)
    text = schema_sql(target)
    return SchemaWritten(target.project, place, text.count("\nCREATE TABLE "), files.write(target.project, place, text))


def schema_sql(target: Target) -> str:
    """The statements that make the tables of the entities in an empty database of a kind. No database is connected to.

    Constraints and indexes are in the order of their text, so that the order in which they are declared does not count.

    Args:
        target: The kind of the database, and the project.

    Raises:
        EntityError: The entities cannot be imported completely, or declare what this database has not.
    """
    from sqlalchemy.exc import CompileError

    database = database_of(target)
    command = ":".join(filter(None, ("doit database_schema", target.project.name)))
    title = f"-- The tables that the entities declare, as {database.title} has them. Written by: {command}"
    try:
        made = list(_statements(target, declared_metadata(target)))
    except CompileError as exc:
        raise EntityError(f"The entities declare what {database.title} has not: {exc}") from exc
    return "\n\n".join([title, *(f"{statement};" for statement in made)]) + "\n"


def _statements(target: Target, metadata: Sequence[MetaData]) -> Iterator[str]:
    from sqlalchemy import create_mock_engine
    from sqlalchemy.schema import CreateIndex, CreateTable

    elements: list[Any] = []
    engine: Any = create_mock_engine(
        sqlalchemy_url(target, database_of(target)), lambda element, *_, **__: elements.append(element)
    )
    tables = [[table for table in one.sorted_tables if not ignored(target.project, table.name)] for one in metadata]
    if database_of(target).has_schemas:
        quote = engine.dialect.identifier_preparer.quote
        schemas = sorted({table.schema for ours in tables for table in ours if table.schema})
        yield from (f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}" for schema in schemas)
    for one, ours in zip(metadata, tables, strict=True):
        one.create_all(engine, tables=ours, checkfirst=False)
    for kind, group in groupby(elements, key=lambda element: type(element)):
        if kind is CreateTable:
            yield from (_table(element, engine.dialect) for element in group)
        else:
            texts = [str(element.compile(dialect=engine.dialect)).strip() for element in group]
            yield from sorted(texts) if kind is CreateIndex or "Type" in kind.__name__ else texts


def _table(create: Any, dialect: Any) -> str:
    """CREATE TABLE with its columns as they are declared, the primary key, and then the constraints, sorted."""
    from sqlalchemy.schema import CreateColumn

    table: Table = create.element
    compiler = dialect.ddl_compiler(dialect, create)
    parts: list[str] = []
    keyed = False
    for column in table.columns:
        parts.append(compiler.process(CreateColumn(column), first_pk=column.primary_key and not keyed))
        keyed = keyed or column.primary_key
    listed = compiler.create_table_constraints(
        table, _include_foreign_key_constraints=create.include_foreign_key_constraints
    )
    constraints = [part for part in listed.split(_BETWEEN) if part]
    parts += sorted(constraints, key=lambda text: ("PRIMARY KEY" not in text, text))
    prefix = f"{' '.join(table._prefixes)} " if table._prefixes else ""
    body = ",\n    ".join(part.strip() for part in parts)
    end = compiler.post_create_table(table).strip()
    return f"CREATE {prefix}TABLE {compiler.preparer.format_table(table)} (\n    {body}\n){f' {end}' if end else ''}"
