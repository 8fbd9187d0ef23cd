"""A replay on a scratch database: what would leave it is stopped before it does."""

from __future__ import annotations

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

from framefox_tasks import Project, ReplayError, Target
from framefox_tasks.databases import database_of
from framefox_tasks.errors import causes
from framefox_tasks.migrations.alembic.replay import replay, revert
from framefox_tasks.migrations.upgrade import history_of

TABLE = "op.create_table('a', sa.Column('id', sa.Integer, primary_key=True))"


def target_of(project: MiniProject, database: Database) -> Target:
    target = Target(database.url, Project(root=project.path))
    database.create(exist_ok=True)
    return target


def replayed(target: Target) -> set[str]:
    """Replay the history, and give what the scratch database holds."""
    from sqlalchemy import inspect

    from framefox_tasks.databases.drivers import sqlalchemy_engine

    database = database_of(target)
    with database.scratch(target) as scratch:
        replay(history_of(target), scratch)
        return set(inspect(sqlalchemy_engine(scratch, database)).get_table_names())


def stopped(target: Target) -> str:
    with pytest.raises(ReplayError) as told:
        replayed(target)
    return told.value.message


def test_the_history_runs_on_the_scratch_database_alone(project: MiniProject, database: Database) -> None:
    target = target_of(project, database)
    project.migration("aaa", None, upgrade=TABLE, downgrade="op.drop_table('a')")
    project.migration("bbb", "aaa", upgrade="op.add_column('a', sa.Column('b', sa.Integer))")
    assert replayed(target) == {"a", "alembic_version"}
    assert database.tables() == set()


def test_up_down_up(project: MiniProject, database: Database) -> None:
    target = target_of(project, database)
    project.migration("aaa", None, upgrade=TABLE, downgrade="op.drop_table('a')")
    history, kind = history_of(target), database_of(target)
    with kind.scratch(target) as scratch:
        replay(history, scratch)
        assert kind.revision(scratch) == ("aaa",)
        revert(history, scratch, "aaa")
        assert kind.revision(scratch) == ()
        replay(history, scratch)
        assert kind.revision(scratch) == ("aaa",)


def test_what_a_migration_prints_is_not_shown(
    project: MiniProject, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    project.migration("aaa", None, upgrade=f"print('rows moved'); {TABLE}")
    assert "a" in replayed(target_of(project, database))
    assert capfd.readouterr() == ("", "")


def test_a_migration_that_fails_is_told(project: MiniProject, database: Database) -> None:
    project.migration("aaa", None, upgrade="op.execute('nonsense')")
    assert "The migration aaa (migration aaa) failed" in stopped(target_of(project, database))


ENGINE = "sa.create_engine({url!r}).connect().exec_driver_sql('CREATE TABLE leaked (id INTEGER)')"
RAW = {
    "sqlite": "import sqlite3; sqlite3.connect({path!r}).execute('CREATE TABLE leaked (id INTEGER)')",
    "postgresql": "import psycopg; psycopg.connect({url!r}, autocommit=True).execute('CREATE TABLE leaked (id INT)')",
    "mysql": "import pymysql; pymysql.connect(host='127.0.0.1', user='root', database={name!r})",
}


@pytest.mark.parametrize("way", ["engine", "raw", "swallowed"])
def test_a_connection_to_the_live_database(project: MiniProject, database: Database, way: str) -> None:
    target = target_of(project, database)
    url = database.url.replace("mysql:", "mysql+pymysql:").replace("sqlite:///", f"sqlite:///{project.path}/")
    code = (RAW[database.dialect] if way == "raw" else ENGINE).format(
        url=url, path=str(database.path), name=database.name
    )
    if way == "swallowed":
        code = f"try:\n        {code}\n    except Exception:\n        pass"
    project.migration("aaa", None, upgrade=TABLE)
    project.migration("bbb", "aaa", upgrade=code)
    told = stopped(target)
    assert told.startswith("the migration bbb (migrations/versions/bbb_by_hand.py, line 1"), told
    assert told.endswith(") connects to another database"), told
    assert database.tables() == set()


def test_a_connection_to_any_other_database(project: MiniProject, database: Database) -> None:
    project.migration("aaa", None, upgrade="sa.create_engine('sqlite:////tmp/framefox_other.db').connect()")
    assert "connects to another database" in stopped(target_of(project, database))


def test_a_second_connection_to_the_scratch_database_is_none(project: MiniProject, database: Database) -> None:
    looks = (
        "assert sa.inspect(op.get_bind().engine).dialect; sa.create_engine(op.get_bind().engine.url).connect().close()"
    )
    project.migration("aaa", None, upgrade=f"{looks}; {TABLE}")
    assert "a" in replayed(target_of(project, database))


BEYOND = {
    "sqlite": ["ATTACH 'other.db' AS other", "VACUUM INTO '/tmp/framefox_copy.db'"],
    "postgresql": [
        "CREATE ROLE framefox_test_role",
        "DO $$ BEGIN CREATE ROLE framefox_test_role; EXCEPTION WHEN others THEN NULL; END $$",
        "DO $$ BEGIN EXECUTE 'CREATE ROLE framefox_test_role'; END $$",
        "SELECT 1; /* then */ ALTER SYSTEM SET work_mem = '4MB'",
        "ALTER DATABASE {name} SET work_mem = '4MB'",
        "GRANT CONNECT ON DATABASE {name} TO PUBLIC",
        "GRANT pg_read_all_data TO postgres",
        "DROP TABLESPACE IF EXISTS framefox_test_space",
        "-- a comment\n drop user if exists framefox_test_role",
    ],
    "mysql": [
        "CREATE USER framefox_test_role",
        "GRANT SELECT ON `{name}`.* TO root@localhost",
        "SET GLOBAL max_connections = 151",
        "SET @@GLOBAL.max_connections = 151",
        "USE {name}",
        "CREATE TABLE {name}.leaked (id INT)",
        "INSERT INTO `{name}`.`leaked` VALUES (1)",
        "DROP DATABASE IF EXISTS {name}",
        "CREATE SCHEMA framefox_test_schema",
    ],
}


@pytest.mark.parametrize(("dialect", "statement"), [(kind, sql) for kind, found in BEYOND.items() for sql in found])
def test_a_statement_that_reaches_beyond(
    shop: MiniProject, make_database: MakeDatabase, dialect: str, statement: str
) -> None:
    database = make_database(dialect)
    target = target_of(shop, database)
    shop.migration("aaa", None, upgrade=f"op.execute({statement.format(name=database.name)!r})")
    assert stopped(target).startswith("the migration aaa (migrations/versions/aaa_by_hand.py, line 1")


@pytest.mark.server
def test_a_statement_by_a_raw_cursor(shop: MiniProject, make_database: MakeDatabase) -> None:
    for dialect in ("postgresql", "mysql"):
        target = target_of(shop, make_database(dialect))
        statement = "CREATE USER framefox_test_role"
        shop.migration("aaa", None, upgrade=f"op.get_bind().connection.cursor().execute({statement!r})")
        assert "runs CREATE USER" in stopped(target)


HARMLESS = {
    "sqlite": ["SELECT 'ATTACH'", "CREATE TABLE attach_ (id INTEGER)"],
    "postgresql": [
        'CREATE TABLE "user" (id INT)',
        "COMMENT ON SCHEMA public IS 'create role; drop database'",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
        "CREATE TABLE {name} ({name} INT)",
        "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD b INT', 'a'); END $$",
    ],
    "mysql": [
        "CREATE TABLE {name} (id INT)",
        "SELECT a.id FROM a",
        "ALTER DATABASE CHARACTER SET utf8mb4",
        "INSERT INTO a VALUES (LENGTH('GRANT ALL; SET GLOBAL'))",
    ],
}


@pytest.mark.parametrize(("dialect", "statement"), [(kind, sql) for kind, found in HARMLESS.items() for sql in found])
def test_a_statement_that_does_not(
    shop: MiniProject, make_database: MakeDatabase, dialect: str, statement: str
) -> None:
    database = make_database(dialect)
    target = target_of(shop, database)
    shop.migration("aaa", None, upgrade=f"{TABLE}; op.execute({statement.format(name=database.name)!r})")
    assert "a" in replayed(target)


OWN_ENGINE = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine({url!r})
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""


def test_an_env_py_with_an_engine_of_its_own_gets_the_scratch_database(
    project: MiniProject, database: Database
) -> None:
    url = database.url.replace("mysql:", "mysql+pymysql:").replace("sqlite:///", f"sqlite:///{project.path}/")
    project.write("migrations/env.py", OWN_ENGINE.format(url=url))
    target = target_of(project, database)
    project.migration("aaa", None, upgrade=TABLE)
    assert replayed(target) == {"a", "alembic_version"}
    assert database.tables() == set()
    project.migration("bbb", "aaa", upgrade=ENGINE.format(url=url))
    assert "connects to another database" in stopped(target)
    assert database.tables() == set()


def test_an_env_py_that_connects_to_a_third_database(project: MiniProject, database: Database) -> None:
    project.write("migrations/env.py", OWN_ENGINE.format(url="sqlite:////tmp/framefox_third.db"))
    project.migration("aaa", None, upgrade=TABLE)
    assert stopped(target_of(project, database)) == "env.py connects to another database"


def test_a_connection_that_was_open_before(project: MiniProject, database: Database) -> None:
    target = target_of(project, database)
    url = database.url.replace("mysql:", "mysql+pymysql:").replace("sqlite:///", f"sqlite:///{project.path}/")
    project.write(
        f"opened_{database.dialect}.py",
        f"import sqlalchemy\nconnection = sqlalchemy.create_engine({url!r}).connect()\n",
    )
    import sys

    sys.path.insert(0, str(project.path))
    try:
        opened = __import__(f"opened_{database.dialect}")
        project.migration(
            "aaa",
            None,
            upgrade=f"from opened_{database.dialect} import connection; connection.exec_driver_sql('SELECT 1')",
        )
        assert "uses a connection to another database" in stopped(target)
        opened.connection.close()
        opened.connection.engine.dispose()
    finally:
        sys.path.remove(str(project.path))
        sys.modules.pop(f"opened_{database.dialect}")


LEAVING = {
    "sqlite": "ATTACH DATABASE 'other.db' AS other",
    "postgresql": "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
    "mysql": "CREATE USER nobody_of_a_test",
}


def test_what_was_stopped_is_not_among_its_own_causes(project: MiniProject, database: Database) -> None:
    """Whoever looks for the cause of an error that comes after it would never end."""
    target = target_of(project, database)
    project.migration("aaa", None, upgrade=f'op.execute("{LEAVING[database.dialect]}")')
    with pytest.raises(ReplayError) as told:
        replayed(target)
    seen: list[BaseException] = []
    error: BaseException | None = told.value
    while error is not None:
        assert not any(error is one for one in seen)
        seen.append(error)
        error = error.__cause__ or error.__context__


def test_a_circle_of_errors_is_walked_once() -> None:
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__context__ = second, first
    assert list(causes(first)) == [first, second]
    assert list(causes(None)) == []
