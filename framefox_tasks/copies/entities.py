"""A database with the tables that the entities declare, and no rows."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from framefox_tasks.copies.commit import Commit
from framefox_tasks.copies.options import check_options
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Place
from framefox_tasks.databases.drivers import sqlalchemy_engine, sqlalchemy_url
from framefox_tasks.databases.rows import Statement
from framefox_tasks.errors import CopyError
from framefox_tasks.migrations.metadata import declared_metadata
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, PlannedTable
from framefox_tasks.schema.sources import ignored

if TYPE_CHECKING:
    from sqlalchemy import Table

_NOT_CARRIED = "rows, and the revision of the migrations: these are only the tables that the entities declare"


def plan(source: Target, target: Target, options: CopyOptions) -> CopyPlan:
    """The plan of create()."""
    check_options(options)
    place = _place(target, options)
    place.check()
    return _planned(_tables(source), source, target, place)


def create(source: Target, target: Target, options: CopyOptions, on_plan: Callable[[CopyPlan], None]) -> Copied:
    """Make the tables of the source's project in the target, which is replaced at once."""
    started = perf_counter()
    check_options(options)
    place = _place(target, options)
    place.check()
    tables = _tables(source)
    planned = _planned(tables, source, target, place)
    on_plan(planned)
    with Commit(target) as commit, place:
        _create(tables, place)
        notes = commit.run(place.put)
    made = tuple(CopiedTable(table.fullname, 0) for table in tables)
    return Copied(source, target, made, perf_counter() - started, notes=tuple(notes), not_carried=planned.not_carried)


def _place(target: Target, options: CopyOptions) -> Place:
    return database_of(target).open_place(
        target, overwrite=options.overwrite, data_only=False, force_disconnect=options.force_disconnect
    )


def _tables(source: Target) -> list[Table]:
    """In the order of their foreign keys."""
    found = [table for metadata in declared_metadata(source) for table in metadata.sorted_tables]
    return [table for table in found if not ignored(source.project, table.name)]


def _planned(tables: list[Table], source: Target, target: Target, place: Place) -> CopyPlan:
    planned = tuple(PlannedTable(table.fullname, 0) for table in tables)
    return CopyPlan(source, target, planned, (_NOT_CARRIED,), how=place.how)


def _create(tables: list[Table], place: Place) -> None:
    from sqlalchemy.exc import CompileError, DBAPIError

    make = _create_in_file if place.staging.address.is_file else _create_on_server
    try:
        make(tables, place)
    except (CompileError, DBAPIError) as exc:
        reason = exc.orig if isinstance(exc, DBAPIError) else exc
        raise CopyError(
            f"The tables cannot be made in {place.staging.label}: {reason}. The target is as it was.",
            hint="Correct the entity that the message names.",
        ) from exc


def _create_on_server(tables: list[Table], place: Place) -> None:
    from sqlalchemy.schema import CreateSchema

    engine = sqlalchemy_engine(place.staging, database_of(place.staging))
    with engine.begin() as connection:
        if database_of(place.staging).has_schemas:
            for schema in sorted({table.schema for table in tables if table.schema}):
                connection.execute(CreateSchema(schema, if_not_exists=True))
        _create_all(tables, connection)


def _create_all(tables: list[Table], connection: Any) -> None:
    for metadata in dict.fromkeys(table.metadata for table in tables):
        ours = [table for table in tables if table.metadata is metadata]
        metadata.create_all(connection, tables=ours, checkfirst=False)


def _create_in_file(tables: list[Table], place: Place) -> None:
    """By the place's own connection, whose lock lets no other one in."""
    from sqlalchemy import create_mock_engine

    statements: list[Statement] = []
    url = sqlalchemy_url(place.staging, database_of(place.staging))
    engine: Any = create_mock_engine(url, lambda ddl, *_, **__: statements.append(_statement(ddl, engine)))
    _create_all(tables, engine)
    with place.loader() as loader:
        for statement in statements:
            loader.execute(statement)


def _statement(ddl: Any, engine: Any) -> Statement:
    return Statement(str(ddl.compile(dialect=engine.dialect)), f"{ddl.element.__visit_name__} {ddl.element.name}")
