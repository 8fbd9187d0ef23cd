"""What is the project's is what its history makes; what others have added to its tables is left alone as well."""

from __future__ import annotations

from itertools import count

import pytest
from support.databases import Database
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import ConfigError, MigrationNeededError, Project, Target

_MODELS = count(1)
BY_HAND = (
    "CREATE INDEX ix_by_hand ON shelf (size)",
    "ALTER TABLE shelf ADD tenant INTEGER",
)
LEFT = ("column shelf.tenant", "index shelf.ix_by_hand")


def declared(project: MiniProject, database: Database, tables: str) -> Target:
    """A target whose entities are in a module that nobody has imported yet; the database is made."""
    module = f"ownership_models_{next(_MODELS)}"
    project.write(f"{module}.py", f"from sqlalchemy import *\nmetadata = MetaData()\n{tables}\n")
    target = Target(database.url, Project(root=project.path, entities=(), metadata=f"{module}:metadata"))
    database.create(exist_ok=True)
    return target


def shelf(*parts: str) -> str:
    columns = ("'shelf'", "metadata", "Column('id', Integer, primary_key=True)", "Column('size', Integer)", *parts)
    return f"Table({', '.join(columns)})"


BOX = "Table('box', metadata, Column('id', Integer, primary_key=True))"


def migrated(target: Target) -> tuple[str, ...]:
    """Write a migration and apply it; what it does."""
    created = framefox_tasks.create_migration(target)
    framefox_tasks.upgrade(target)
    return created.operations


def test_a_table_that_only_the_history_makes_is_dropped(project: MiniProject, database: Database) -> None:
    project.migration("aaa", None, upgrade="op.create_table('old', sa.Column('id', sa.Integer, primary_key=True))")
    target = declared(project, database, BOX)
    framefox_tasks.upgrade(target)
    database.execute("CREATE TABLE others (id INTEGER PRIMARY KEY)")
    created = framefox_tasks.create_migration(target)
    assert set(created.operations) == {"add table box", "drop table old"}
    assert created.left_alone == ("others",)


def test_what_is_added_to_a_table_of_the_project_is_left_alone(project: MiniProject, database: Database) -> None:
    assert migrated(declared(project, database, shelf("Column('kind', Integer)"))) == ("add table shelf",)
    database.execute(*BY_HAND)
    target = declared(project, database, shelf("Column('age', Integer)"))
    with pytest.raises(MigrationNeededError) as told:
        framefox_tasks.check_migration(target)
    assert "by_hand" not in told.value.message
    created = framefox_tasks.create_migration(target)
    assert set(created.operations) == {"add column shelf.age", "drop column shelf.kind"}
    assert created.left_alone == LEFT
    assert created.proven
    framefox_tasks.upgrade(target)
    assert framefox_tasks.check_migration(target).left_alone == LEFT
    database.execute("SELECT tenant, age FROM shelf")


def test_an_index_and_a_unique_constraint_of_the_project_are_dropped(project: MiniProject, database: Database) -> None:
    parts = ("Index('ix_size', 'size')", "Column('code', String(9))", "UniqueConstraint('code', name='uq_code')")
    migrated(declared(project, database, shelf(*parts)))
    found = migrated(declared(project, database, shelf("Column('code', String(9))")))
    assert any("ix_size" in operation for operation in found)
    assert any("uq_code" in operation for operation in found)


def test_an_index_that_a_migration_written_by_hand_made_is_dropped(project: MiniProject, database: Database) -> None:
    project.migration(
        "aaa",
        None,
        upgrade="op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True), "
        "sa.Column('size', sa.Integer))\n    op.create_index('ix_old', 'shelf', ['size'])",
    )
    target = declared(project, database, shelf())
    framefox_tasks.upgrade(target)
    created = framefox_tasks.create_migration(target)
    assert created.operations == ("drop index ix_old on shelf",) or "ix_old" in created.operations[0]
    assert created.left_alone == ()


def test_a_claim_is_dropped(project: MiniProject, database: Database) -> None:
    migrated(declared(project, database, shelf()))
    database.execute(*BY_HAND, "CREATE TABLE others (id INTEGER PRIMARY KEY)")
    target = declared(project, database, shelf())
    with pytest.raises(ConfigError, match="--drop=nothing"):
        framefox_tasks.create_migration(target, drop=("nothing",))
    created = framefox_tasks.create_migration(target, drop=("others", "shelf.ix_by_hand"))
    assert created.proven
    assert created.left_alone == ("column shelf.tenant",)
    assert len(created.operations) == 2
    framefox_tasks.upgrade(target)
    assert "others" not in database.tables()


def test_it_is_told_in_one_line(shop: MiniProject) -> None:
    shop.env["DATABASE_URL"] = "sqlite:///shop.db"
    shop.ok("database_create_migration", "database_upgrade")
    database = Database("sqlite", "sqlite:///shop.db", "shop", shop.path / "shop.db")
    for number in range(5):
        database.execute(f"CREATE TABLE others_{number} (id INTEGER PRIMARY KEY)")
    database.execute("CREATE INDEX ix_by_hand ON product (name)", "ALTER TABLE product ADD tenant INTEGER")
    out = shop.ok("database_create_migration", "--check", "--verbose")
    assert "5 tables, 1 column and 1 index are not of this project: left alone (others_0, others_1, others_2" in out
    assert "--verbose lists them" in out
    assert "Left alone: others_4\nLeft alone: column product.tenant\nLeft alone: index product.ix_by_hand\n" in out
