"""The status and a diagram of the database keep to what a migration would leave alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Sequence, Table
from support.databases import MakeDatabase
from support.declaring_tables import Declaring, described
from support.projects import MiniProject
from support.warned import nothing_raw

import framefox_tasks
from framefox_tasks import check_migration, create_migration
from framefox_tasks.migrations.metadata import write_live
from framefox_tasks.schema.snapshot import Schema

OTHERS = ("celery_taskmeta", "rails_users", "wp_posts", "wp_users")


@pytest.fixture
def project(shop: MiniProject, make_database: MakeDatabase) -> MiniProject:
    """The small shop on SQLite, with its first migration and the tables of others."""
    database = make_database("sqlite")
    shop.env["DATABASE_URL"] = database.url
    shop.ok("database_create_migration", "database_upgrade")
    for name in OTHERS:
        database.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY)")
    shop.write("config/orm.yaml", "diagram: {formats: mermaid, folder: drawn}\n")
    return shop


def test_a_diagram_of_the_database_leaves_out_the_tables_of_others(project: MiniProject) -> None:
    out = project.ok("database_diagram", "--source=database")
    counted = "4 tables are not of this project: left alone (celery_taskmeta, rails_users, wp_posts and 1 more)"
    assert out.count(counted) == out.count("left alone") == 1
    drawn = project.read("drawn/schema-live.mmd")
    assert "product" in drawn
    assert not any(name in drawn for name in (*OTHERS, "alembic_version"))
    assert "Left alone: wp_users\n" in project.ok("database_diagram", "--source=database", "--verbose")
    project.write("config/orm.yaml", "ignore_tables: ['*_*']\ndiagram: {formats: mermaid, folder: drawn}\n")
    assert "left alone" not in project.ok("database_diagram", "--source=database")


def test_the_status_counts_them(project: MiniProject) -> None:
    (project.path / ".framefox_tasks/history.json").unlink()
    out = project.ok("database_status")
    assert "4 tables are not known to be of this project (celery_taskmeta, rails_users, wp_posts and 1 more)" in out
    assert "doit database_create_migration --check finds that out" in out
    project.ok("database_create_migration", "--check")  # which replays the history, and keeps what that made
    out = project.ok("database_status", "--verbose")
    assert "4 tables are not of this project: left alone (celery_taskmeta" in out
    assert "Left alone: wp_users\n" in out
    data = json.loads(project.ok("database_status", "--format=json"))
    assert data["left_alone"] == list(OTHERS)
    assert data["left_alone_certain"] is True
    project.write("config/orm.yaml", "ignore_tables: ['*_*']\n")
    assert "left alone" not in project.ok("database_status")


def test_without_entities_and_migrations_all_is_drawn(tmp_path: Path, make_database: MakeDatabase) -> None:
    (tmp_path / "project").mkdir()
    database = make_database("sqlite")
    target = framefox_tasks.Target(database.url, framefox_tasks.Project(root=tmp_path / "project"))
    framefox_tasks.create(target)
    database.execute("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
    written = write_live(target)
    assert (written.tables, written.left_alone, written.foreign) == (1, (), False)


def test_a_database_none_of_whose_tables_is_the_projects_is_drawn_whole(project: MiniProject) -> None:
    project.ok("database_downgrade")
    out = project.ok("database_diagram", "--source=database")
    assert "No table of the database is of this project: 4 tables of others to draw." in out
    assert "wp_users" in project.read("drawn/schema-live.mmd")


def declare_shelf(name: str = "shelf") -> MetaData:
    metadata = MetaData()
    Table(name, metadata, Column("id", Integer, primary_key=True))
    return metadata


@pytest.mark.server
def test_partitions_and_tables_of_other_schemas(tmp_path: Path, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    project = Declaring(tmp_path / "declared", database)
    project.apply(metadata=declare_shelf())
    database.execute(
        "CREATE SCHEMA theirs",
        "CREATE TABLE theirs.shelf (id integer)",
        "CREATE TABLE shelf_part () INHERITS (shelf)",
        "CREATE TABLE public.of_others (id integer)",
    )
    written = write_live(project.target)
    assert written.left_alone == ("of_others",)
    drawn = Schema.from_json(written.path.read_text(encoding="utf-8"))
    assert [table.key for table in drawn.tables] == ["shelf"]


@pytest.mark.server
def test_a_sequence_of_its_own_goes_where_the_history_made_it(tmp_path: Path, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    project = Declaring(tmp_path / "declared", database)
    metadata = declare_shelf()
    Sequence("numbers", start=7, metadata=metadata)
    project.apply(metadata=metadata)
    database.execute("CREATE SEQUENCE of_others")
    with nothing_raw():
        project.round_trip(metadata=declare_shelf())
    assert [row[1] for row in described(database) if row[0] == "sequence"] == ["of_others", "shelf_id_seq"]
    assert check_migration(project.target).left_alone == ("sequence of_others",)
    assert create_migration(project.target, drop=("of_others",)).operations == ("drop sequence of_others",)
