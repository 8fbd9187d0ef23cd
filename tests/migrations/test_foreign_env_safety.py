"""A project's own env.py cannot lose data: what it swallows, misses or points elsewhere is noticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.databases import MakeDatabase, connect_server
from support.foreign import alembic_init, application_url, flask_db_init, hand_written, make, refused, succeeds
from support.projects import MiniProject

from framefox_tasks.migrations.alembic.failures import describe

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("shape", ["generic", "async", "flask", "demands_connection", "own_begin"])
def test_a_failed_upgrade_on_sqlite_leaves_nothing_behind(
    shape: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    project = make(shape, database, tmp_path)
    project.migration("0001", None, upgrade="op.create_table('one', sa.Column('id', sa.Integer))")
    project.migration(
        "0002", "0001", upgrade="op.create_table('two', sa.Column('id', sa.Integer)); op.execute('BROKEN')"
    )
    said = refused(project, "database_upgrade")
    assert "The migration 0002 (migration 0002) failed." in said
    assert "is as it was before" in said
    assert database.tables() == set()


def test_with_a_transaction_for_each_migration_the_failed_one_leaves_nothing_behind(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    project = hand_written("transaction_per_migration", database, tmp_path)
    project.migration("0001", None, upgrade="op.create_table('one', sa.Column('id', sa.Integer))")
    project.migration(
        "0002", "0001", upgrade="op.create_table('two', sa.Column('id', sa.Integer)); op.execute('BROKEN')"
    )
    assert "is at 0001" in refused(project, "database_upgrade")
    assert database.tables() == {"alembic_version", "one"}
    assert database.revision() == ["0001"]


@pytest.mark.parametrize("shape", ["framefox", "swallows_errors"])
def test_an_entity_that_cannot_be_imported_is_no_dropped_table(
    shape: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    project = make(shape, database, tmp_path)
    succeeds(project, "database_create_migration", "database_upgrade")
    source = project.read("src/entity/review.py")
    project.write("src/entity/review.py", f"import not_installed\n{source}")
    assert "src/entity/review.py, line 1: ModuleNotFoundError" in refused(project, "database_create_migration")
    assert len(project.versions()) == 1


def test_a_flask_application_that_cannot_be_imported_is_told_with_its_place(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    project = flask_db_init(make_database("sqlite"), tmp_path)
    source = project.read("shop/models.py")
    project.write("shop/models.py", f"import not_installed\n{source}")
    assert "shop/models.py, line 1: ModuleNotFoundError" in refused(project, "database_create_migration")
    project.write("shop/__init__.py", "import not_installed\n")
    assert "shop/__init__.py, line 1: ModuleNotFoundError" in refused(project, "database_upgrade")
    assert project.versions() == []


def test_a_flask_application_that_cannot_be_found_is_told_with_the_remedy(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    project = flask_db_init(make_database("sqlite"), tmp_path)
    del project.env["FLASK_APP"]
    said = refused(project, "database_upgrade")
    assert "Could not locate a Flask application" in said
    assert "Set FLASK_APP" in said


def test_models_that_a_flask_application_fails_to_import_in_silence_are_no_dropped_tables(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    project = flask_db_init(database, tmp_path)
    project.write(
        "shop/other.py",
        "from shop import db\n\n\nclass Other(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n",
    )
    succeeds(project, "database_create_migration", "database_upgrade")
    project.replace(
        "shop/__init__.py",
        "    from shop import models\n",
        "    from shop import other\n\n    try:\n        from shop import models\n"
        "    except ImportError as e:\n        print(e)\n",
    )
    project.replace("shop/models.py", "from shop import db\n", "from shop import db\nimport not_installed\n")
    said = refused(project, "database_create_migration")
    assert "shop/models.py, line 5: Product declares the table 'product'" in said
    assert len(project.versions()) == 1


def test_the_tables_to_ignore_stay(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = alembic_init("generic", database, tmp_path)
    project.write("config/orm.yaml", "ignore_tables: ['celery_*']\n")
    succeeds(project, "database_create_migration", "database_upgrade")
    database.execute("CREATE TABLE celery_task (id INTEGER)")
    assert "left alone" not in succeeds(project, "database_create_migration", "--check")
    database.execute("CREATE TABLE other_task (id INTEGER)")
    told = "1 table is not of this project: left alone (other_task)"
    assert told in succeeds(project, "database_create_migration", "--check")


def test_the_hooks_of_the_env_py_are_asked(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = hand_written("hooks", database, tmp_path)
    project.write("config/orm.yaml", "version_table: shop_version\n")
    succeeds(project, "database_create_migration", "database_upgrade")
    database.execute("CREATE TABLE legacy (id INTEGER)")
    assert "agree." in succeeds(project, "database_create_migration", "--check")


def test_another_version_table_than_the_settings_say_is_refused(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = hand_written("hooks", database, tmp_path)
    project.migration("0001", None)
    said = refused(project, "database_upgrade")
    assert "env.py keeps the revision in the table 'shop_version', the settings say 'alembic_version'." in said
    assert "Write `version_table: shop_version` into config/orm.yaml." in said
    assert database.tables() == set()


def test_another_database_than_the_settings_name_is_refused_and_not_made(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("sqlite")
    project = hand_written("elsewhere", database, tmp_path)
    project.migration("0001", None, upgrade="op.create_table('one', sa.Column('id', sa.Integer))")
    told = f"env.py connects to elsewhere.db, the settings name {database.name}.db."
    assert told in refused(project, "database_upgrade")
    assert not (project.path / "elsewhere.db").exists()
    (project.path / "elsewhere.db").touch()
    assert told in refused(project, "database_upgrade")
    assert (project.path / "elsewhere.db").read_bytes() == b""
    assert database.tables() == set()


def test_a_file_in_flasks_instance_folder_is_another_database(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = flask_db_init(database, tmp_path)
    project.env["DATABASE_URL"] = database.url
    project.migration("0001", None)
    assert f"env.py connects to instance/{database.name}.db" in refused(project, "database_upgrade")
    assert [path.name for path in project.path.rglob("*.db")] == [f"{database.name}.db"]
    assert database.tables() == set()


@pytest.mark.server
def test_another_database_on_the_same_server_is_refused(make_database: MakeDatabase, tmp_path: Path) -> None:
    database, other = make_database("postgresql"), make_database("postgresql", "other")
    project = hand_written("elsewhere", database, tmp_path)
    project.migration("0001", None, upgrade="op.create_table('one', sa.Column('id', sa.Integer))")
    project.replace("migrations/env.py", "sqlite:///elsewhere.db", application_url(other))
    connection = connect_server("postgresql")
    connection.execute(f'CREATE DATABASE "{other.name}"')
    connection.close()
    said = refused(project, "database_upgrade")
    assert f"env.py connects to {other.name} on " in said
    assert f"the settings name {database.name} on " in said
    assert database.tables() == other.tables() == set()


@pytest.mark.server
def test_a_local_server_by_its_number_and_by_its_name_is_the_same(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("mysql")
    project = hand_written("elsewhere", database, tmp_path)
    project.migration("0001", None)
    url = application_url(database)
    other = "localhost:" if "127.0.0.1:" in url else "127.0.0.1:"
    project.replace("migrations/env.py", "sqlite:///elsewhere.db", re.sub(r"(localhost|127\.0\.0\.1):", other, url))
    succeeds(project, "database_upgrade")
    assert database.revision() == ["0001"]


@pytest.mark.server
def test_sql_for_another_dialect_than_the_settings_name_is_refused(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("mysql")
    project = hand_written("elsewhere", database, tmp_path)
    project.migration("0001", None)
    project.write(
        "migrations/env.py",
        "from alembic import context\n\ncontext.configure(url='postgresql://user@host/shop')\n"
        "with context.begin_transaction():\n    context.run_migrations()\n",
    )
    said = refused(project, "database_upgrade", "--sql")
    assert f"env.py is for postgresql, the settings name {database.name} on " in said


def test_an_env_py_without_models_drops_no_table(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = hand_written("no_models", database, tmp_path)
    (project.path / "src").rename(project.path / "models")
    project.migration("0001", None, upgrade="op.create_table('one', sa.Column('id', sa.Integer))")
    succeeds(project, "database_upgrade")
    assert "no table to compare with the database" in refused(project, "database_create_migration")
    assert len(project.versions()) == 1


def test_an_env_py_that_fails_is_told_with_its_place_and_without_the_password(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    project = hand_written("connectable", make_database("sqlite"), tmp_path)
    project.write(
        "migrations/env.py", "from sqlalchemy import create_engine\n\ncreate_engine('oracel://user:geheim@host/x')\n"
    )
    said = refused(project, "database_upgrade")
    assert "env.py failed. migrations/env.py, line 3: NoSuchModuleError" in said
    project.write(
        "migrations/env.py", "from sqlalchemy import create_engine\n\ncreate_engine('://user:geheim@host/x')\n"
    )
    said = refused(project, "database_upgrade")
    assert "ArgumentError" in said
    assert "geheim" not in said


def test_a_described_error_holds_no_password() -> None:
    assert describe(ValueError("not a URL: oracel://user:geheim@host/x")) == (
        "ValueError: not a URL: oracel://user:***@host/x"
    )


def test_an_error_of_this_package_is_not_told_as_one_of_env_py(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    # As an error in the package would be: what it calls is not there.
    shop.write(
        "migrations/env.py",
        "from framefox_tasks.env import run_migrations\n"
        "from framefox_tasks.migrations.alembic import own_env\n\n"
        "own_env.migration_engine = None\n"
        "run_migrations()\n",
    )
    result = shop.doit("database_upgrade")
    assert result.code == 2
    assert "Unexpected error: 'NoneType' object is not callable" in result.err
    assert "env.py failed" not in result.all


def test_what_sqlalchemy_raises_for_rewritten_operations_is_not_told_as_of_env_py(shop: MiniProject) -> None:
    shop.write(
        "migrations/env.py",
        "from framefox_tasks.env import run_migrations\n"
        "from framefox_tasks.migrations.alembic import options\n"
        "from sqlalchemy import Table\n\n"
        "options.adapt = Table\n"
        "run_migrations()\n",
    )
    result = shop.doit("database_create_migration")
    assert result.code == 2
    assert "Unexpected error" in result.err
    assert "env.py failed" not in result.all
