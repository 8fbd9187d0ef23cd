"""What the tests of copies share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Place, Source
from framefox_tasks.migrations.database import create
from framefox_tasks.model import Project, Target
from framefox_tasks.url import parse_url
from support.databases import Database, connect_server, server_url


def target_of(database: Database) -> Target:
    """The database as operations take it; the folder of a SQLite file is its project."""
    return Target(database.url, Project(database.path.parent if database.path else Path.cwd()))


def made(database: Database, *statements: str) -> Database:
    """The database, created and filled by statements on one connection."""
    create(target_of(database))
    connection = database.connect()
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    connection.commit()
    connection.close()
    return database


@contextmanager
def role(name: str, options: str = "") -> Iterator[str]:
    """A user of PostgreSQL; gives the start of a URL."""
    with connect_server("postgresql") as connection:
        connection.execute(f'CREATE ROLE "{name}" LOGIN {options}')
    address = parse_url(server_url("postgresql"))
    try:
        yield f"postgresql://{name}@{address.host}:{address.port or 5432}/"
    finally:
        with connect_server("postgresql") as connection:
            connection.execute(f'DROP ROLE "{name}"')


def open_source(target: Target, readers: int = 1) -> AbstractContextManager[Source]:
    """A database to be copied, as the copy opens it."""
    return database_of(target).open_source(target, readers)


def open_place(
    target: Target, *, overwrite: bool = False, data_only: bool = False, force_disconnect: bool = False
) -> Place:
    """Where a copy to a target is made, as the copy finds it."""
    return database_of(target).open_place(
        target, overwrite=overwrite, data_only=data_only, force_disconnect=force_disconnect
    )
