"""A project's own env.py works as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.foreign import flask_db_init, framefox, hand_written, make, refused, succeeds

pytestmark = pytest.mark.slow

ON_EVERY_DIALECT = ("generic", "flask", "framefox")
ON_SQLITE = (
    "pyproject",
    "async",
    "url_option",
    "custom_option",
    "demands_connection",
    "connection_or_engine",
    "connectable",
    "transaction_per_migration",
    "hooks",
)
SHAPES = [
    *((shape, dialect) for shape in ON_EVERY_DIALECT for dialect in ("sqlite", "postgresql", "mysql")),
    *((shape, "sqlite") for shape in ON_SQLITE),
    ("async", "postgresql"),
]


@pytest.mark.parametrize(("shape", "dialect"), SHAPES)
def test_the_whole_life_with_an_env_py_of_the_projects_own(
    shape: str, dialect: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database(dialect)
    project = make(shape, database, tmp_path)
    if shape == "custom_option":
        project.write(
            "alembic.ini", "[alembic]\nscript_location = migrations\nshop_database_url = mysql://nowhere/shop\n"
        )
    if shape == "hooks":
        project.write("config/orm.yaml", "version_table: shop_version\n")
    tables = {"product", "review", "shop_version" if shape == "hooks" else "alembic_version"}

    succeeds(project, "database_create_migration", "-m", "first", "database_upgrade")
    assert database.tables() == tables

    project.add_column()
    database.execute(
        "INSERT INTO product (id, name, price) VALUES (1, 'pen', 2)",
        "INSERT INTO review (id, product_id, text) VALUES (1, 1, 'fine')",
    )
    out = succeeds(project, "database_upgrade", "database_create_migration", "-m", "second")
    assert "-- database_upgrade  at head " in out
    assert "no changes since" in succeeds(project, "database_upgrade", "database_create_migration")
    assert database.execute("SELECT stock FROM product") == [(0,)]

    out = succeeds(project, "database_create_migration", "--check", "database_status", "database_downgrade")
    assert "The entities and the database agree." in out
    assert "The database is up to date." in out
    assert "Successfully reverted 1 migration." in out
    assert len(project.versions()) == 2
    assert len(database.execute("SELECT * FROM product")[0]) == 3
    assert database.execute("SELECT text FROM review") == [("fine",)]


def test_an_option_in_pyproject_is_the_targets_url_and_that_of_another_service_is_kept(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    project = hand_written("toml_option", database, tmp_path)
    project.write("alembic.ini", "[alembic]\nscript_location = migrations\nbroker_url = redis://localhost/0\n")
    project.write("pyproject.toml", "[tool.alembic]\nshop_database_url = 'postgresql://nowhere/shop'\n")
    project.migration("0001", None)
    succeeds(project, "database_upgrade")
    assert database.revision() == ["0001"]


@pytest.mark.server
def test_the_url_that_framefox_puts_together_from_its_parts_is_the_same_database(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("mysql")
    project = framefox(database, tmp_path)
    project.env |= {"DATABASE_URL": database.url, "URL_IN_PARTS": "1"}
    project.migration("0001", None)
    succeeds(project, "database_upgrade")
    assert database.revision() == ["0001"]


@pytest.mark.parametrize(
    ("shape", "dialect"), [("generic", "postgresql"), ("async", "sqlite"), ("flask", "mysql"), ("framefox", "sqlite")]
)
def test_the_sql_is_written_without_a_database(
    shape: str, dialect: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database(dialect)
    project = make(shape, database, tmp_path)
    project.migration("0001", None, upgrade="op.create_table('one', sa.Column('id', sa.Integer))")
    assert "CREATE TABLE one (" in succeeds(project, "database_upgrade", "--sql")
    assert not database.exists()


def test_an_env_py_that_cannot_write_sql_without_a_connection_makes_no_database(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    project = hand_written("url_option", database, tmp_path)
    project.migration("0001", None)
    assert f"The database {database.name}.db does not exist." in refused(project, "database_upgrade", "--sql")
    assert not database.exists()


def test_an_async_engine_made_of_a_plain_one_gets_an_async_driver(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = make("async", database, tmp_path)
    project.migration("0001", None)
    text = project.read("migrations/env.py").replace("async_engine_from_config(", "AsyncEngine(engine_from_config(")
    text = text.replace("poolclass=pool.NullPool,\n    )", "poolclass=pool.NullPool,\n    ))")
    text = text.replace(
        "from sqlalchemy.ext.asyncio import async_engine_from_config",
        "from sqlalchemy import engine_from_config\nfrom sqlalchemy.ext.asyncio import AsyncEngine",
    )
    assert "async_engine" not in text
    project.write("migrations/env.py", text)
    succeeds(project, "database_upgrade")
    assert database.revision() == ["0001"]


def test_flasks_own_files_name_the_application_and_the_database(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = flask_db_init(database, tmp_path)
    project.migration("0001", None)
    project.write(".flaskenv", f"FLASK_APP={project.env.pop('FLASK_APP')}\n")
    project.write(".env", f"DATABASE_URL={project.env.pop('DATABASE_URL')}\n")
    succeeds(project, "database_upgrade")
    assert database.revision() == ["0001"]


def test_a_project_with_several_version_locations(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = hand_written("connectable", database, tmp_path)
    project.write(
        "alembic.ini",
        "[alembic]\nscript_location = migrations\npath_separator = newline\n"
        "version_locations =\n  %(here)s/migrations/versions\n  %(here)s/more\n",
    )
    succeeds(project, "database_create_migration", "-m", "first", "database_upgrade")
    (first,) = (project.path / "migrations/versions").glob("*_first.py")
    (project.path / "more").mkdir()
    first.rename(project.path / "more" / first.name)
    project.add_column()
    succeeds(project, "database_create_migration", "-m", "second", "database_upgrade", "database_status")
    assert sorted(path.name[16:] for path in (project.path / "more").glob("*.py")) == ["first.py", "second.py"]
    assert "stock" in project.read(f"more/{next((project.path / 'more').glob('*_second.py')).name}")
    assert "Successfully reverted 2 migrations." in succeeds(project, "database_downgrade", "--steps", "0")
    assert database.tables() == {"alembic_version"}
