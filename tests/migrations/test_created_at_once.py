"""Two runs that write the migration for the same entities at once: one file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer
from support.databases import MakeDatabase
from support.declaring_tables import Declaring

from framefox_tasks import create_migration


@pytest.mark.server
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_one_file_is_written(dialect: str, tmp_path: Path, make_database: MakeDatabase) -> None:
    project = Declaring(tmp_path / "project", make_database(dialect))
    project.declare(Column("size", Integer))
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: create_migration(project.target), range(2)))
    (file,) = (project.path / "migrations/versions").glob("*.py")
    assert [one.path for one in made if one.path] == [file]
    assert [one.meanwhile for one in made if not one.path] == [file]
    project.up()
