"""Migrations that commit by themselves: nothing is lost, as measured against plain Alembic."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.command import upgrade as alembic_upgrade
from alembic.config import Config
from support.databases import DIALECTS, Database, MakeDatabase
from support.foreign import application_url, hand_written
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target
from framefox_tasks.errors import MigrationError

A = "op.execute('CREATE TABLE a (id INTEGER)'); op.execute('INSERT INTO a VALUES (1)')"
B = "op.execute('CREATE TABLE b (id INTEGER)'); op.execute('INSERT INTO b VALUES (1)')"
MORE = "op.execute('INSERT INTO b VALUES (2)')"
COMMIT = "op.get_bind().commit()"
BLOCK = "with op.get_context().autocommit_block(): op.execute('CREATE TABLE c (id INTEGER)')"
SAVEPOINTS = (
    "s = op.get_bind().begin_nested(); op.execute('INSERT INTO a VALUES (2)'); s.rollback(); "
    "s = op.get_bind().begin_nested(); op.execute('INSERT INTO a VALUES (3)'); s.commit()"
)
SESSION = (
    "from sqlalchemy.orm import Session; s = Session(bind=op.get_bind()); "
    "s.execute(sa.text('INSERT INTO a VALUES (2)')); s.commit(); "
    "s.execute(sa.text('INSERT INTO a VALUES (3)')); s.commit()"
)
# What each migration of a project does, and what plain Alembic is to do for the same outcome. It loses what stands
# behind `op.get_bind().commit()`, at least the revision, so there it gets the migration without that.
CASES = {
    "in the middle": ([f"{A}; {COMMIT}; {B}"], [f"{A}; {B}"]),
    "at the end": ([f"{A}; {B}; {COMMIT}"], [f"{A}; {B}"]),
    "several times": ([f"{COMMIT}; {A}; {COMMIT}; {COMMIT}; {B}"], [f"{A}; {B}"]),
    "in the first of two": ([f"{A}; {COMMIT}", B], [A, B]),
    "in the second of two": ([A, f"{B}; {COMMIT}; {MORE}"], [A, f"{B}; {MORE}"]),
    "autocommit_block": ([f"{A}\n    {BLOCK}\n    {B}"], None),
    "commit before autocommit_block": ([f"{A}; {COMMIT}; {B}\n    {BLOCK}"], [f"{A}; {B}\n    {BLOCK}"]),
    "autocommit_block in the first of two": ([f"{A}\n    {BLOCK}", B], None),
    "savepoints": ([f"{A}; {SAVEPOINTS}"], None),
    "raw": ([f"{A}; op.execute('COMMIT'); {B}"], [f"{A}; {B}"]),
    "raw, with a transaction": ([f"{A}; op.execute('COMMIT'); op.execute('BEGIN'); {B}"], [f"{A}; {B}"]),
    "session": ([f"{A}; {SESSION}; {B}"], None),
}
ENV = (
    "from alembic import context\nfrom sqlalchemy import create_engine\n\n"
    "with create_engine({url!r}).connect() as connection:\n"
    "    context.configure(connection=connection, target_metadata=None)\n"
    "    with context.begin_transaction():\n        context.run_migrations()\n"
)


def write(project: MiniProject, migrations: list[str]) -> None:
    for number, upgrade in enumerate(migrations):
        project.migration(f"m{number}", f"m{number - 1}" if number else None, upgrade=upgrade)


def content(database: Database) -> dict[str, tuple[list[str], list[Any]]]:
    """Every table with its columns and its rows."""
    engine = sa.create_engine(application_url(database))
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        shown = {name: "version_num" if name == "alembic_version" else "*" for name in names}
        found = {name: connection.execute(sa.text(f"SELECT {shown[name]} FROM {name}")) for name in names}
        rows = {name: (list(result.keys()), sorted(map(tuple, result))) for name, result in found.items()}
    engine.dispose()
    return rows


def left_by_plain_alembic(project: MiniProject, database: Database, migrations: list[str]) -> Any:
    """What `alembic upgrade head` leaves, with an env.py as its own template is."""
    database.create()
    folder = project.path / "migrations"
    ours = project.read("migrations/env.py")
    write(project, migrations)
    project.write("migrations/env.py", ENV.format(url=application_url(database)))
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    alembic_upgrade(config, "head")
    project.write("migrations/env.py", ours)
    return content(database)


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost(case: str, project: MiniProject, database: Database, make_database: MakeDatabase) -> None:
    migrations, plain = CASES[case]
    expected = left_by_plain_alembic(project, make_database(database.dialect), plain or migrations)
    head = (f"m{len(migrations) - 1}",)
    assert expected["alembic_version"][1] == [head]
    write(project, migrations)
    target = Target(database.url, Project(root=project.path))
    database.create()
    assert framefox_tasks.upgrade(target).current == head
    assert content(database) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_lost_by_the_plain_command_with_our_env_py(
    dialect: str, shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database(dialect)
    shop.env["DATABASE_URL"] = database.url
    expected = left_by_plain_alembic(shop, make_database(dialect), [A, f"{B}; {MORE}"])
    write(shop, [f"{A}; {COMMIT}", f"{B}; {COMMIT}; {MORE}"])
    database.create()
    shop.write("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n")
    run = shop.run if dialect == "sqlite" else shop.module
    result = run("alembic", "upgrade", "head")
    assert result.code == 0, result.all
    assert content(database) == expected


def test_each_migration_is_logged_by_its_name(shop: MiniProject) -> None:
    write(shop, [A])
    shop.write(
        "migrations/env.py", f"import logging\nlogging.basicConfig(level='INFO')\n{shop.read('migrations/env.py')}"
    )
    assert "Running upgrade  -> m0, migration m0" in shop.doit("database_upgrade").err


FAILS = "op.execute('SELECT * FROM nowhere')"


@pytest.mark.parametrize(
    "commit", [COMMIT, "op.execute('COMMIT')", BLOCK.replace("CREATE TABLE c", "CREATE TABLE IF NOT EXISTS c")]
)
def test_what_a_failed_migration_has_committed_is_not_called_undone(
    commit: str, project: MiniProject, database: Database
) -> None:
    write(project, [A, f"{B}\n    {commit}\n    op.execute('CREATE TABLE d (id INTEGER)'); {FAILS}"])
    error = project.fails("database_upgrade")
    assert "The migration m1 (migration m1) failed." in error
    assert "is as it was before" not in error
    assert "is recorded at m0." in error
    assert {"a", "b"} <= database.tables()
    assert ("d" in database.tables()) == (database.dialect == "mysql")
    assert database.revision() == ["m0"]


def test_a_migration_that_has_committed_stays_whole_when_the_next_one_fails(
    project: MiniProject, database: Database
) -> None:
    write(project, [f"{A}; {COMMIT}; op.execute('INSERT INTO a VALUES (2)')", f"op.execute('DELETE FROM a'); {FAILS}"])
    assert "at m0." in project.fails("database_upgrade")
    assert content(database)["a"][1] == [(1,), (2,)]
    assert database.revision() == ["m0"]
    write(project, [A, B])
    project.ok("database_upgrade")
    assert database.revision() == ["m1"]


def test_a_commit_in_a_downgrade(project: MiniProject, database: Database) -> None:
    project.migration("m0", None, upgrade=A)
    project.migration(
        "m1", "m0", upgrade=B, downgrade=f"op.execute('DROP TABLE b'); {COMMIT}; op.execute('DELETE FROM a')"
    )
    project.ok("database_upgrade")
    project.ok("database_downgrade")
    assert content(database)["a"][1] == []
    assert database.tables() == {"alembic_version", "a"}
    assert database.revision() == ["m0"]


def test_a_commit_below_a_transaction_for_each_migration(database: Database, tmp_path: Any) -> None:
    project = hand_written("transaction_per_migration", database, tmp_path)
    write(project, [f"{A}; {COMMIT}; op.execute('INSERT INTO a VALUES (2)')", f"{B}; {COMMIT}"])
    project.ok("database_upgrade")
    assert content(database)["a"][1] == [(1,), (2,)]
    assert database.revision() == ["m1"]


def test_a_revision_that_is_not_what_the_migrations_should_have_left(project: MiniProject, database: Database) -> None:
    write(project, [A, B])
    project.ok("database_upgrade", "--revision=m0")
    env_py = project.read("migrations/env.py")
    project.write(
        "migrations/env.py",
        f"{env_py}\nimport sqlalchemy as sa\n"
        f"with sa.create_engine({application_url(database)!r}).begin() as connection:\n"
        "    connection.execute(sa.text(\"UPDATE alembic_version SET version_num = 'm0'\"))\n",
    )
    error = project.fails("database_upgrade")
    assert f"should have left the database {Target(database.url, Project(root=project.path)).label} at m1" in error
    assert "but it is at m0." in error
    assert "by hand" not in error


def test_a_migration_looks_at_the_database_over_a_second_connection(project: MiniProject, database: Database) -> None:
    look = "assert c.execute(sa.text('SELECT count(*) FROM a')).scalar() == 1"
    write(project, [A, f"{B}\n    with op.get_bind().engine.connect() as c: {look}"])
    project.ok("database_upgrade", "--revision=m0")
    project.ok("database_upgrade")
    assert database.revision() == ["m1"]


TOLD = "committed by itself: what it did before cannot be rolled back."


@pytest.mark.parametrize("commit", [COMMIT, "op.execute('COMMIT')", SESSION])
def test_a_migration_that_has_committed_by_itself_is_told(
    commit: str, project: MiniProject, database: Database
) -> None:
    write(project, [A, f"{B}\n    {BLOCK}\n    {commit}", MORE])
    target = Target(database.url, Project(root=project.path))
    database.create()
    told = () if database.dialect == "mysql" or commit == SESSION else ("m1",)
    assert framefox_tasks.upgrade(target).by_themselves == told
    project.migration("m2", "m1", upgrade=MORE, downgrade=f"{MORE}; {commit}")
    told = ("m2",) if told else ()
    assert framefox_tasks.downgrade(target).by_themselves == told


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_it_is_told_in_one_line(dialect: str, shop: MiniProject, make_database: MakeDatabase) -> None:
    shop.env["DATABASE_URL"] = make_database(dialect).url
    write(shop, [A, f"{B}; {COMMIT}", f"{MORE}\n    {BLOCK}"])
    out = shop.ok("database_upgrade")
    assert out.count(TOLD) == 1
    assert f"Migrations applied successfully.\nThe migration m1 {TOLD}\n" in out


# The revision, after every run


def test_an_env_py_that_keeps_the_error_of_a_migration_to_itself(project: MiniProject, database: Database) -> None:
    write(project, [A, f"{B}\n    {FAILS}"])
    swallows = ENV.format(url=application_url(database)).replace(
        "    with context.begin_transaction():\n        context.run_migrations()\n",
        "    try:\n        with context.begin_transaction():\n            context.run_migrations()\n"
        "    except Exception:\n        pass\n",
    )
    project.write("migrations/env.py", swallows)
    target = Target(database.url, Project(root=project.path))
    database.create()
    with pytest.raises(MigrationError, match=r"The migration m1 \(migration m1\) failed.\n.*m1_by_hand.py, line 14"):
        framefox_tasks.upgrade(target)
    assert database.revision() == (["m0"] if database.dialect == "mysql" else [])


def test_the_plain_command_with_our_env_py_compares_the_revision_as_well(shop: MiniProject) -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON alembic_version BEGIN UPDATE alembic_version SET version_num = 'x'; END"
    write(shop, [f'op.execute("{trigger}")'])
    shop.ok("database_create")
    shop.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    result = shop.run("alembic", "upgrade", "head")
    assert result.code != 0
    assert "Traceback" not in result.all
    assert "should have left the database shop.db at m0, but it is at x." in result.all


def test_an_offline_branch_that_runs_nothing_is_told(shop: MiniProject) -> None:
    write(shop, [A])
    shop.write("migrations/env.py", "from alembic import context\n\ncontext.configure(dialect_name='sqlite')\n")
    with pytest.raises(MigrationError, match=r"The offline branch of env.py has run no migrations"):
        framefox_tasks.upgrade_sql(Target("sqlite:///shop.db", Project(root=shop.path)))
