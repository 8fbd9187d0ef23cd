"""A history that does not make what is there: it is told, not recorded as made, and a change is proven all the same."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Target, check_migration, create_migration

ITEM = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
OTHER = ITEM.replace("Item", "Other").replace("item", "other")
DEAL = """
from sqlalchemy.orm import Mapped, mapped_column

from src.entity.base import Base


class Deal(Base):
    __tablename__ = "deal"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
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


def test_the_check_before_a_merge_fails_until_a_migration_makes_it(project: Declared) -> None:
    (finding,) = framefox_tasks.check(project.target).findings
    assert (finding.check, "no migration makes item" in finding.message) == ("entities", True)
    assert "database_create_migration --empty" in str(finding.hint)
    made = create_migration(project.target, message="made after all", empty=True)
    assert made.path
    column = "sa.Column('id', sa.Integer, primary_key=True, autoincrement=False)"
    body = f"op.create_table('item', {column}, if_not_exists=True)"
    made.path.write_text(made.path.read_text(encoding="utf-8").replace("pass", body, 1), encoding="utf-8")
    project.upgrade()
    assert framefox_tasks.check(project.target).findings == ()
    assert create_migration(project.target).unmade == ()


def test_what_the_settings_ignore_is_not_missed(project: Declared) -> None:
    project.target = Target(project.target.url, replace(project.target.project, ignore_tables=("item",)))
    assert framefox_tasks.check(project.target).findings == ()


@pytest.mark.parametrize("command", ["--check", "-m=none"])
def test_both_commands_say_the_same(shop: MiniProject, command: str) -> None:
    shop.write("migrations/versions/made.py", EMPTY)
    shop.ok("database_create", "database_upgrade")
    with closing(sqlite3.connect(shop.path / "shop.db")) as connection:
        connection.execute("CREATE TABLE other (id INTEGER)")
        connection.execute("CREATE VIEW deal AS SELECT id FROM other")
    for path in (shop.path / "src/entity").glob("*.py"):
        if path.stem not in ("__init__", "base"):
            path.unlink()
    shop.write("src/entity/deal.py", DEAL)
    said = shop.ok("database_create_migration", command)
    assert "No migration makes deal: a new database would stay without.\n" in said
    assert "doit database_create_migration --empty" in said
    assert "no migration makes deal" in shop.fails("database_check")
