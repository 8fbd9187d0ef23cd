"""What the tests of copies share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import Database, connect_server, server_url

from framefox_tasks.migrations.database import create
from framefox_tasks.model import Project, Target
from framefox_tasks.url import parse_url


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
