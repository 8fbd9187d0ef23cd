"""What the tests of copies share."""

from __future__ import annotations

from pathlib import Path

from conftest import Database

from framefox_tasks.model import Project, Target
from framefox_tasks.operations.database import create


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
