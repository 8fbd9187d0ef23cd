"""Fixtures: miniature projects and databases of a test's own; and what must be as before after a test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from support.databases import DIALECTS, Database, MakeDatabase, drop_database, require_server, server_url
from support.projects import MiniProject, copy_project


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for a server or for a process of their own."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[MakeDatabase]:
    """A function that names a new database of a dialect; it is dropped after the test."""
    made: list[Database] = []

    def make(dialect: str, name: str | None = None) -> Database:
        unique = f"{name or 'shop'}_{uuid.uuid4().hex[:10]}"
        if dialect == "sqlite":
            path = tmp_path / "project" / f"{unique}.db"
            database = Database(dialect, f"sqlite:///{quote(path.name)}", unique, path)
        else:
            require_server(dialect)
            database = Database(dialect, f"{server_url(dialect).rstrip('/')}/{quote(unique, safe='')}", unique)
        made.append(database)
        return database

    yield make
    for database in made:
        if database.path is None:
            drop_database(database.dialect, database.name)


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """A new database of each dialect in turn."""
    return make_database(request.param)


@pytest.fixture
def shop(tmp_path: Path) -> MiniProject:
    """A small shop without migrations; SQLite unless DATABASE_URL is put into its env."""
    return copy_project("shop", tmp_path)


@pytest.fixture
def project(shop: MiniProject, database: Database) -> MiniProject:
    """The small shop, on each dialect in turn."""
    shop.env["DATABASE_URL"] = database.url
    return shop
