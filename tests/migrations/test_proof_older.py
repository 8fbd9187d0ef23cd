"""A proof looks at what has changed since the one before; what differed in all else is counted again."""

from __future__ import annotations

import json
from itertools import count

import pytest
from support.databases import Database
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target, UnprovenError
from framefox_tasks.migrations.create import create_migration

_MODELS = count(1)
CHECK = "CheckConstraint('age > 0', name='ck_shelf_age')"  # which Alembic does not compare
KEPT = ".framefox_tasks/older.json"
ENV = """
from alembic import context
from alembic.operations import ops
from sqlalchemy import create_engine

def change(context, revision, directives):
    up, down = directives[0].upgrade_ops.ops, directives[0].downgrade_ops.ops
    up.append(ops.ExecuteSQLOp("ALTER TABLE shelf ADD COLUMN extra INTEGER"))
    down.append(ops.ExecuteSQLOp("ALTER TABLE shelf DROP COLUMN extra"))

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, process_revision_directives=change)
    with context.begin_transaction():
        context.run_migrations()
"""


def declared(project: MiniProject, database: Database, shelf: str, more: str = "") -> Target:
    module = f"older_models_{next(_MODELS)}"
    table = f"Table('shelf', metadata, Column('id', Integer, primary_key=True), {shelf})"
    project.write(f"{module}.py", f"from sqlalchemy import *\nmetadata = MetaData()\n{table}\n{more}")
    target = Target(database.url, Project(root=project.path, entities=(), metadata=f"{module}:metadata"))
    database.create(exist_ok=True)
    return target


def older(target: Target) -> tuple[str, ...]:
    created = create_migration(target)
    assert created.proven
    assert created.proof is not None
    framefox_tasks.upgrade(target)
    return created.proof.older


@pytest.fixture
def begun(project: MiniProject, database: Database) -> str:
    """A project with a difference that is as old as its history; the entities of the table."""
    table = "op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True), sa.Column('age', sa.Integer))"
    project.migration("aaa", None, upgrade=table, downgrade="op.drop_table('shelf')")
    shelf = f"Column('age', Integer), Column('size', Integer), {CHECK}"
    target = declared(project, database, shelf)
    framefox_tasks.upgrade(target)
    (found,) = older(target)
    assert found.startswith("constraint ck_shelf_age of shelf is missing")
    return shelf


def box(number: int) -> str:
    """A table that refers to an older one, which must be made for it on a server."""
    columns = "Column('id', Integer, primary_key=True), Column('shelf_id', ForeignKey('shelf.id'))"
    return f"Table('box_{number}', metadata, {columns})\n"


def marked(project: MiniProject) -> None:
    kept = json.loads(project.read(KEPT))
    kept["older"] = [[table, "as it was kept"] for table, _ in kept["older"]]
    project.write(KEPT, json.dumps(kept))


def test_what_nobody_has_changed_is_counted_as_it_was(project: MiniProject, database: Database, begun: str) -> None:
    marked(project)
    assert older(declared(project, database, begun, box(1))) == ("as it was kept",)
    # It has been changed: it is looked at.
    (found,) = older(declared(project, database, f"{begun}, Column('depth', Integer)", box(1)))
    assert found.startswith("constraint ck_shelf_age of shelf is missing")


def test_another_history_is_looked_at_as_a_whole(project: MiniProject, database: Database, begun: str) -> None:
    marked(project)
    project.write(
        "migrations/versions/aaa_by_hand.py", project.read("migrations/versions/aaa_by_hand.py") + "\n# edited\n"
    )
    (found,) = older(declared(project, database, begun, box(1)))
    assert found.startswith("constraint ck_shelf_age of shelf is missing")


def test_what_a_migration_does_beside_is_found_all_the_same(
    project: MiniProject, database: Database, begun: str
) -> None:
    project.write("migrations/env.py", ENV)
    target = declared(project, database, begun, box(1))
    with pytest.raises(UnprovenError, match=r"column shelf\.extra should not be there"):
        create_migration(target)
