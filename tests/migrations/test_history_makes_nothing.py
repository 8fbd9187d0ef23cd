"""A history that does not make what is there: it is told, not recorded as made, and a change is proven all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared

import framefox_tasks
from framefox_tasks import check_migration, create_migration

ITEM = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
OTHER = ITEM.replace("Item", "Other").replace("item", "other")
EMPTY = 'revision = "made"\ndown_revision = None\n\n\ndef upgrade() -> None:\n    pass\n'


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declared:
    """A project whose one migration makes nothing, on a database that has a table."""
    project = Declared(tmp_path / "project", database)
    (project.path / "migrations/versions/made.py").write_text(EMPTY)
    project.upgrade()
    database.execute("CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY)")
    project.declare(ITEM.replace("(primary_key=True)", "(primary_key=True, autoincrement=False)"))
    return project


def recorded(project: Declared) -> list[str]:
    path = project.path / "migrations/schema.json"
    return list(json.loads(path.read_text())["tables"])


def test_it_is_told_each_time_and_not_recorded(project: Declared) -> None:
    for _ in range(2):
        created = create_migration(project.target)
        assert (created.path, created.unmade) == (None, ("item",))
        assert recorded(project) == []
    assert check_migration(project.target).unmade == ("item",)


def test_what_a_migration_makes_is_not_told(project: Declared) -> None:
    project.create(ITEM.replace("(primary_key=True)", "(primary_key=True, autoincrement=False)") + OTHER)
    assert project.written.unmade == ("item",)
    assert recorded(project) == ["other"]


def test_a_change_of_such_a_table_is_proven_on_a_copy(project: Declared) -> None:
    entities = ITEM.replace("(primary_key=True)", "(primary_key=True, autoincrement=False)")
    project.create(entities + "    size: Mapped[int | None]\n")
    assert project.written.operations == ("add column item.size",)
    assert project.written.proof is not None
    assert project.written.proof.proven
    assert "No migration makes item: proven on a copy of the schema." in project.written.proof.reason
    project.upgrade()
    project.downgrade()
    framefox_tasks.upgrade(project.target)
