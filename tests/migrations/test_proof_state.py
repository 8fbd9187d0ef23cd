"""The schema behind a long history is kept, so that the next proof starts from there."""

from __future__ import annotations

import json
import socket
from itertools import count

import pytest
from support.databases import Database, MakeDatabase, connect_server, drop_database, server_databases
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.migrations.create import create_migration

_MODELS = count(1)
STATE = "framefox_tasks_state_"


def declared(project: MiniProject, database: Database, columns: int) -> Target:
    """A target whose entities are in a module that nobody has imported yet."""
    module = f"state_models_{next(_MODELS)}"
    listed = "".join(f", Column('c{number}', Integer)" for number in range(columns))
    project.write(
        f"{module}.py",
        "from sqlalchemy import *\nmetadata = MetaData()\n"
        f"Table('shelf', metadata, Column('id', Integer, primary_key=True){listed})\n",
    )
    return Target(database.url, Project(root=project.path, entities=(), metadata=f"{module}:metadata"))


def with_history(project: MiniProject, length: int) -> None:
    """Migrations by hand: a table, and a column in each that follows."""
    table = "op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True))"
    project.migration("r00", None, upgrade=table)
    for number in range(1, length):
        column = f"op.add_column('shelf', sa.Column('c{number - 1}', sa.Integer))"
        project.migration(f"r{number:02}", f"r{number - 1:02}", upgrade=column)


@pytest.mark.server
def test_a_later_proof_starts_from_the_state_that_is_kept(project: MiniProject, database: Database) -> None:
    with_history(project, 12)
    target = declared(project, database, 12)
    database.create()
    framefox_tasks.upgrade(target)
    replayed: list[int] = []
    before = server_databases("postgresql") if database.dialect == "postgresql" else set()
    try:
        for columns in (12, 13, 14):
            target = declared(project, database, columns)
            assert create_migration(target, on_replay=replayed.append).proven
            framefox_tasks.upgrade(target)
        assert replayed == [12]
        file = "migrations/versions/r11_by_hand.py"
        project.write(file, f"{project.read(file)}\n# edited\n")
        assert create_migration(declared(project, database, 15), on_replay=replayed.append).proven
        assert replayed == [12, 15]
        kept = list((project.path / ".framefox_tasks").glob("state-*"))
        assert len(kept) == (database.dialect != "postgresql")
        if database.dialect == "postgresql":
            (made,) = {name for name in server_databases("postgresql") - before if name.startswith(STATE)}
            project.ok("database_clear_metadata")
            assert made not in server_databases("postgresql")
    finally:
        if database.dialect == "postgresql":
            database_of(target).forget_state(target)


@pytest.mark.server
def test_the_states_of_projects_that_are_gone_are_dropped(shop: MiniProject, make_database: MakeDatabase) -> None:
    with_history(shop, 10)
    database = make_database("postgresql")
    target = declared(shop, database, 10)
    database.create()
    framefox_tasks.upgrade(target)
    gone = f"{STATE}0123456789ab"
    drop_database("postgresql", gone)
    with connect_server("postgresql") as connection:
        mark = json.dumps(["key", socket.gethostname(), str(shop.path / "gone")])
        connection.execute(f"CREATE DATABASE {gone}")
        connection.execute(f"COMMENT ON DATABASE {gone} IS '{mark}'")
    try:
        assert create_migration(target).proven
        assert gone not in server_databases("postgresql")
    finally:
        drop_database("postgresql", gone)
        database_of(target).forget_state(target)
