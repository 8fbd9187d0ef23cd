"""From the schema of one database to that of another kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from framefox_tasks.copies.translate.tables import Made, MadeTable, Making
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import Field, ForeignKey, Name, Schema, Side, TablePlan
from framefox_tasks.databases.schema import Found
from framefox_tasks.model import Target


@contextmanager
def reading(
    source: Target, dialect: str, tables: Callable[[Name], bool] | None = None
) -> Iterator[Callable[[], Found]]:
    """Gives what finds the tables that a copy in another kind of database needs.

    A SQLite database is read meanwhile, since its cells decide on the types of the copy, and no server reads them.

    Args:
        source: The database to copy.
        dialect: What it becomes: `sqlite`, `postgresql` or `mysql`, and not what it is.
        tables: Says which tables to copy, where it is not all.
    """
    if source.address.dialect == "sqlite":
        from framefox_tasks.databases.sqlite import inspect

        with inspect.finding(source, tables) as found:
            yield found.result
    else:
        yield partial(_found, source, dialect, tables)


def translate(find: Callable[[], Found], dialect: str, *, onto: Target | None = None) -> Schema:
    """Everything that a copy of a database in another kind of database needs, written as that one writes it.

    Args:
        find: What reading() gave.
        dialect: The same as there.
        onto: Where the copy will be, to ask its server what it has: some of those that speak MySQL have a type for a
            UUID. The database need not be there.

    Returns:
        What the other database cannot have is in `not_carried`, and what it has in another way in the `changes` of its
        table.
    """
    from framefox_tasks.copies.translate.ddl import Statements
    from framefox_tasks.copies.translate.sequences import numberings

    found = find()
    making = Making(found, dialect, has_uuid=dialect == "mysql" and onto is not None and _has_uuid(onto))
    statements = Statements(making)
    last = (*statements.foreign_keys(), *statements.checks(), *numberings(making), *statements.comments())
    plans = in_order([_plan(made) for made in making.tables])
    lost = [phrase for made in making.tables for phrase in made.lost]
    lost += [f"table {table.name}, which has no columns" for table in making.empty]
    return Schema(
        tables=tuple(plans),
        before=(*statements.types(), *statements.tables),
        after=tuple(listed for listed in statements.indexes if listed),
        last=last,
        not_carried=tuple(dict.fromkeys((*found.not_carried, *lost))),
    )


def _has_uuid(target: Target) -> bool:
    """Whether an entity with a UUID gets a type of the server's own there, which depends on both."""
    from sqlalchemy import Uuid, create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine(sqlalchemy_url(target, database_of(target)).set(database=""), poolclass=NullPool)
    try:
        engine.connect().close()
    except DBAPIError as exc:
        raise database_of(target).translate(exc.orig, target) from exc
    return Uuid().compile(dialect=engine.dialect).upper() == "UUID"


def _found(target: Target, dialect: str, tables: Callable[[Name], bool] | None) -> Found:
    """What a server holds; where SQLite will keep its numbers, with a look at how long they are."""
    finder: Any
    if target.address.dialect == "mysql":
        from framefox_tasks.databases.mysql import inspect as finder
    else:
        from framefox_tasks.databases.postgresql import inspect as finder
    found: Found = finder.find(target, tables, narrow=dialect == "sqlite")
    return found


def _plan(made: MadeTable) -> TablePlan:
    table = made.table
    return TablePlan(
        source=Side(table.name, tuple(_source_field(one) for one in made.columns.values())),
        target=Side(Name(made.name), tuple(_target_field(one, made) for one in made.columns.values())),
        primary_key=table.primary_key,
        uniques=table.uniques,
        foreign_keys=tuple(
            ForeignKey(reference.columns, reference.table, reference.referred, reference.ondelete, reference.name)
            for reference in made.references
        ),
        rows=table.rows,
        changes=tuple(dict.fromkeys(made.changes)),
    )


def _source_field(one: Made) -> Field:
    column = one.column
    limited = column.type.kind.value in ("text", "bytes", "bits")
    return Field(
        column.name,
        column.native,
        column.type.kind,
        column.nullable,
        column.type.size if limited else None,
        column.default is not None or column.numbered,
    )


def _target_field(one: Made, made: MadeTable) -> Field:
    nullable = one.column.nullable and one.column.name not in made.table.primary_key
    default = one.default is not None or one.numbered
    return Field(
        one.name, one.written.native, one.column.type.kind, nullable, one.written.length, default, one.numbered
    )
