"""Projects that others have: their databases were made before there were migrations, or by a history that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase
from support.foreign import application_url, flask_db_init, refused, succeeds
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationError, Project, Target

pytestmark = pytest.mark.slow

MADE = {
    "table": ("CREATE TABLE thing (id INTEGER PRIMARY KEY)", "op.create_table('thing', sa.Column('id', sa.Integer))"),
    "column": (
        "CREATE TABLE thing (id INTEGER PRIMARY KEY, size INTEGER)",
        "op.add_column('thing', sa.Column('size', sa.Integer))",
    ),
    "index": ("CREATE TABLE thing (id INTEGER, size INTEGER)", "op.create_index('thing_size', 'thing', ['size'])"),
    "constraint": (
        "CREATE TABLE thing (id INTEGER PRIMARY KEY, size INTEGER, CONSTRAINT thing_size UNIQUE (size))",
        "op.create_unique_constraint('thing_size', 'thing', ['size'])",
    ),
}


@pytest.mark.parametrize("what", MADE)
def test_what_is_there_already_is_no_fault_of_the_migration(
    project: MiniProject, database: Database, what: str
) -> None:
    target = Target(database.url, Project(root=project.path))
    database.create()
    if database.dialect == "sqlite" and what == "constraint":  # it adds none to a table
        what = "table"
    statement, upgrade = MADE[what]
    database.execute(statement)
    if what == "index":
        database.execute("CREATE INDEX thing_size ON thing (size)")
    project.migration("aaa", None, upgrade=upgrade)
    with pytest.raises(MigrationError, match="had tables before, and no revision: no migration of this") as caught:
        framefox_tasks.upgrade(target)
    assert "doit database_stamp --revision=aaa\n" in str(caught.value)
    assert "database_baseline" in str(caught.value)
    assert "Correct the migration" not in str(caught.value)


@pytest.mark.server
def test_a_type_that_is_there_already(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("postgresql")
    target = Target(database.url, Project(root=shop.path))
    database.create()
    database.execute("CREATE TYPE colour AS ENUM ('red')", "CREATE TABLE thing (shade colour)")
    shop.migration("aaa", None, upgrade="op.execute(\"CREATE TYPE colour AS ENUM ('red')\")")
    with pytest.raises(MigrationError, match="no migration of this history made them"):
        framefox_tasks.upgrade(target)


def test_a_history_that_makes_a_table_twice_is_to_be_corrected(project: MiniProject, database: Database) -> None:
    target = Target(database.url, Project(root=project.path))
    database.create()
    for revision, down in (("aaa", None), ("bbb", "aaa")):
        project.migration(revision, down, upgrade=MADE["table"][1])
    with pytest.raises(MigrationError) as caught:
        framefox_tasks.upgrade(target)
    assert "stamp" not in str(caught.value)


HERO = """
from sqlmodel import Field, Relationship, SQLModel


class Team(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    headquarters: str
    heroes: list["Hero"] = Relationship(back_populates="team")


class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    secret_name: str
    age: int | None = Field(default=None, index=True)
    team_id: int | None = Field(default=None, foreign_key="team.id")
    team: Team | None = Relationship(back_populates="heroes")
"""
MAIN = """
import os
from sqlmodel import Session, SQLModel, create_engine, select
from heroes.models import Hero, Team

engine = create_engine(os.environ["APP_URL"])
SQLModel.metadata.create_all(engine)
with Session(engine) as session:
    session.add(Hero(name="Deadpond", secret_name="Dive", team=Team(name="Z-Force", headquarters="Bar")))
    session.commit()
    print(len(session.exec(select(Hero)).all()), "heroes")
"""


def test_the_project_of_the_sqlmodel_tutorial(shop: MiniProject, database: Database) -> None:
    shop.env.update(DATABASE_URL=database.url, APP_URL=application_url(database))
    shop.write("heroes/__init__.py", "")
    shop.write("heroes/models.py", HERO)
    shop.write("main.py", MAIN)
    shop.write("config/orm.yaml", "entities: heroes\n")
    database.create()
    assert "1 heroes" in shop.module("main").out
    said = shop.fails("database_create_migration")
    assert "has tables of the entities (hero, team), and there is no migration that makes them" in said
    assert "doit database_baseline" in said
    assert shop.versions() == []
    assert "Marked as applied" in shop.ok("database_baseline")
    assert database.execute("SELECT name FROM hero") == [("Deadpond",)]
    shop.replace("heroes/models.py", "    secret_name: str\n", "    secret_name: str\n    power: str | None = None\n")
    assert "add column hero.power" in shop.ok("database_create_migration", "database_upgrade")
    assert database.execute("SELECT name, power FROM hero") == [("Deadpond", None)]
    out = shop.ok("database_drop", "--yes", "database_upgrade", "database_create_migration", "--check")
    assert "The entities and the database agree." in out
    assert {"hero", "team"} < database.tables()


def flask(project: MiniProject, database: Database, *arguments: str) -> str:
    """The command itself on SQLite, else the same as a module, in a fork."""
    run = project.run if database.dialect == "sqlite" else project.module
    result = run("flask", *arguments)
    assert result.code == 0, result.all
    return result.all


def test_a_flask_application_whose_database_create_all_made(database: Database, tmp_path: Path) -> None:
    project = flask_db_init(database, tmp_path)
    database.create()
    made = "from shop import create_app, db\nwith create_app().app_context():\n    db.create_all()\n"
    result = project.module("-c", made)
    assert result.code == 0, result.all
    assert "doit database_baseline" in refused(project, "database_create_migration")
    assert "Marked as applied" in succeeds(project, "database_baseline")
    assert "(head)" in flask(project, database, "db", "current")
    flask(project, database, "db", "check")
    flask(project, database, "db", "downgrade")
    assert database.tables() == {"alembic_version"}
    flask(project, database, "db", "upgrade")
    assert "agree" in succeeds(project, "database_create_migration", "--check")


def test_a_version_of_a_history_that_was_squashed(project: MiniProject, database: Database) -> None:
    project.set_up("-m", "squashed")
    database.execute("UPDATE alembic_version SET version_num = 'of_2019'")
    said = project.fails("database_upgrade")
    assert "is at the revision of_2019, which has no file" in said
    assert "doit database_stamp --revision=REVISION" in said
    assert "before at of_2019. No migration was run." in project.ok("database_stamp", "--revision=head")
    assert "agree" in project.ok("database_create_migration", "--check")


def test_the_documented_way_to_begin_anew(project: MiniProject, database: Database) -> None:
    project.set_up("-m", "one")
    project.replace("src/entity/product.py", "String(100)", "String(120)")
    project.set_up("-m", "two")
    database.execute("INSERT INTO product (id, name, price) VALUES (1, 'pen', 2)")
    begin = ("database_clear_migration", "--yes", "database_create_migration", "-m", "initial", "database_upgrade")
    assert "already up to date" in project.ok(*begin)
    assert database.execute("SELECT name FROM product") == [("pen",)]
    assert len(project.versions()) == 1
    out = project.ok("database_drop", "--yes", "database_upgrade", "database_create_migration", "--check")
    assert "The entities and the database agree." in out
    assert {"product", "review"} < database.tables()


def test_the_documented_recipe_word_for_word(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "-m", "one", "database_upgrade")
    project.ok("database_status")
    project.ok("database_downgrade", "--yes")
    project.ok("database_clear_migration", "--yes")
    project.ok("database_create_migration", "-m", "initial")
    assert "agree" in project.ok("database_upgrade", "database_create_migration", "--check")
    assert {"product", "review"} < database.tables()


def test_the_recipe_where_the_downgrade_leaves_an_older_schema(project: MiniProject, database: Database) -> None:
    project.set_up("-m", "one")
    project.replace("src/entity/product.py", "String(100)", "String(120)")
    project.set_up("-m", "two")
    project.ok("database_downgrade", "--yes", "database_clear_migration", "--yes")
    assert "doit database_baseline" in project.fails("database_create_migration", "-m", "initial")
    project.ok("database_baseline", "database_create_migration", "-m", "later", "database_upgrade")
    out = project.ok("database_drop", "--yes", "database_upgrade", "database_create_migration", "--check")
    assert "agree" in out
    assert len(project.versions()) == 2
    assert {"product", "review"} < database.tables()
