"""A migration that has committed a part and did not end: told, refused, gone on with, or settled."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support.databases import Database, MakeDatabase
from support.faults import killed_at
from support.projects import MiniProject
from support.proxying import Fate, address_of, proxied, reached

import framefox_tasks
from framefox_tasks import ConfigError, MigrationError, MigrationInterruptedError, Project, Target

TABLE = "op.execute('CREATE TABLE a (id INTEGER)')"
ROW = "op.execute('INSERT INTO a VALUES (1)')"
BLOCK = "with op.get_context().autocommit_block(): op.execute('CREATE TABLE b (id INTEGER)')"
FAILS = "op.execute('INSERT INTO nowhere VALUES (1)')"
JOURNAL = "alembic_version_journal"


def ready(project: MiniProject, database: Database, *migrations: str) -> Target:
    """A target whose database is there, of a project with these migrations."""
    for number, upgrade in enumerate(migrations):
        project.migration(f"m{number}", f"m{number - 1}" if number else None, upgrade=upgrade)
    target = Target(database.url, Project(root=project.path))
    database.create()
    return target


def failed(target: Target, **options: Any) -> str:
    with pytest.raises(MigrationError) as caught:
        framefox_tasks.upgrade(target, **options)
    return str(caught.value)


# What commits in between on each database.
HALF = f"{TABLE}; {ROW}\n    {BLOCK}\n    {FAILS}"
WHOLE = HALF.replace(FAILS, "op.execute('INSERT INTO a VALUES (2)')")


def test_a_migration_that_has_committed_a_part_is_never_repeated_in_silence(
    shop: MiniProject, database: Database
) -> None:
    target = ready(shop, database, "pass", HALF)
    error = failed(target)
    assert "The migration m1 (migration m1) failed." in error
    assert "A part of m1 is committed, and stays. 3 statements of it are done, the last one: CREATE TABLE b" in error
    assert f"The database {target.label} is recorded at m0." in error
    assert "no statement that is done, and go on after these: doit database_upgrade --resume" in error
    for operation in (framefox_tasks.upgrade, framefox_tasks.plan, framefox_tasks.downgrade):
        with pytest.raises(MigrationInterruptedError) as caught:
            operation(target)
        assert "The migration m1 (migration m1) was interrupted in" in caught.value.message
        assert "Go on after the last statement that was done: doit database_upgrade --resume" in str(caught.value)
        assert "doit database_resolve --applied" in str(caught.value)
    with pytest.raises(MigrationInterruptedError):
        framefox_tasks.stamp(target, revision="m1")
    with pytest.raises(MigrationInterruptedError):
        framefox_tasks.clear_migrations(target)
    assert database.execute("SELECT * FROM a") == [(1,)]
    assert database.revision() == ["m0"]
    shop.migration("m1", "m0", upgrade=WHOLE)
    assert framefox_tasks.upgrade(target, resume=True).current == ("m1",)
    assert sorted(database.execute("SELECT * FROM a")) == [(1,), (2,)]
    assert database.tables() == {"a", "b", "alembic_version"}


def test_resume_is_an_upgrade_where_nothing_was_interrupted(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database, WHOLE)
    assert framefox_tasks.upgrade(target, resume=True).current == ("m0",)
    assert framefox_tasks.upgrade(target, resume=True).steps == ()
    assert database.tables() == {"a", "b", "alembic_version"}


def test_a_migration_that_runs_other_statements_now_is_not_gone_on_with(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database, "pass", HALF)
    failed(target)
    for other in (WHOLE.replace("VALUES (1)", "VALUES (7)"), "pass", WHOLE.replace(f"{ROW}\n", "pass\n")):
        shop.migration("m1", "m0", upgrade=other)
        error = failed(target, resume=True)
        assert "The upgrade m1 cannot be gone on with: it " in error
        assert "doit database_resolve --applied" in error
        assert database.execute("SELECT * FROM a") == [(1,)]
        assert database.revision() == ["m0"]


def test_an_interrupted_downgrade_goes_on(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database, "pass")
    down = f"op.execute('DROP TABLE b')\n    {BLOCK.replace('TABLE b', 'TABLE c')}\n    {FAILS}"
    shop.migration("m1", "m0", upgrade="op.execute('CREATE TABLE b (id INTEGER)')", downgrade=down)
    framefox_tasks.upgrade(target)
    with pytest.raises(MigrationError, match="doit database_downgrade --resume"):
        framefox_tasks.downgrade(target)
    assert framefox_tasks.status(target).current == ("m1",)
    assert not framefox_tasks.status(target).up_to_date
    with pytest.raises(MigrationInterruptedError, match="The downgrade of the migration m1"):
        framefox_tasks.upgrade(target)
    with pytest.raises(MigrationError, match="doit database_downgrade --resume"):
        framefox_tasks.upgrade(target, resume=True)
    shop.migration("m1", "m0", upgrade="pass", downgrade=down.replace(FAILS, "pass"))
    assert framefox_tasks.downgrade(target, resume=True).current == ("m0",)
    assert database.tables() == {"c", "alembic_version"}


@pytest.mark.parametrize("applied", [True, False])
def test_an_interrupted_migration_is_settled(applied: bool, shop: MiniProject, database: Database) -> None:
    target = ready(shop, database, "pass", HALF)
    failed(target)
    result = framefox_tasks.resolve(target, applied=applied, reverted=not applied)
    assert (result.revision, result.current) == ("m1", ("m1",) if applied else ("m0",))
    assert JOURNAL not in database.tables()
    found = framefox_tasks.status(target)
    assert found.interrupted is None
    assert found.up_to_date is applied
    with pytest.raises(MigrationError, match="No migration was interrupted"):
        framefox_tasks.resolve(target, applied=True)


def test_what_an_interrupted_migration_has_is_to_be_said(shop: MiniProject, make_database: MakeDatabase) -> None:
    target = ready(shop, make_database("sqlite"))
    for both in (False, True):
        with pytest.raises(ConfigError, match="database_resolve --reverted"):
            framefox_tasks.resolve(target, applied=both, reverted=both)


def test_the_first_and_a_reverted_migration_are_settled(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database, HALF)
    failed(target)
    assert framefox_tasks.resolve(target, applied=True).current == ("m0",)
    shop.migration("m0", None, downgrade=f"op.execute('DROP TABLE b')\n    {BLOCK}\n    {FAILS}")
    with pytest.raises(MigrationError):
        framefox_tasks.downgrade(target)
    assert framefox_tasks.resolve(target, reverted=True).current == ()


@pytest.mark.parametrize("dialect", ["mysql"])
def test_the_tasks_tell_of_it(dialect: str, shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database(dialect)
    shop.env["DATABASE_URL"] = database.url
    ready(shop, database, "pass", HALF)
    assert "--resume" in shop.fails("database_upgrade")
    shop.migration("m1", "m0", upgrade=WHOLE)
    assert "was interrupted" in shop.fails("database_upgrade")
    told = shop.ok("database_status")
    assert "The migration m1 (migration m1) was interrupted: it began at 2" in told
    assert "3 statements of it are done, the last one: CREATE TABLE b" in told
    found = json.loads(shop.ok("database_status", "--format=json"))
    assert found["up_to_date"] is False
    assert found["interrupted"]["revision"] == "m1"
    assert found["interrupted"]["direction"] == "upgrade"
    assert found["interrupted"]["statements_done"] == 3
    assert "doit database_status" in shop.fails("database_status", "--exit-code")
    assert "  m1  migration m1" in shop.ok("database_upgrade", "--resume")
    assert "at head m1" in shop.ok("database_upgrade")
    shop.migration("m1", "m0", downgrade=f"op.execute('DROP TABLE b'); {FAILS}")
    shop.fails("database_downgrade")
    assert "was interrupted" in shop.fails("database_upgrade")
    assert "The migration m1 (migration m1) is marked as applied." in shop.ok("database_resolve", "--applied")
    assert "already up to date" in shop.ok("database_upgrade")


def test_what_was_rolled_back_as_a_whole_is_not_interrupted(shop: MiniProject, database: Database) -> None:
    target = ready(shop, database, f"{TABLE}", f"{ROW}; {FAILS}")
    error = failed(target)
    assert "--resume" not in error
    assert framefox_tasks.status(target).interrupted is None
    assert database.revision() == (["m0"] if database.dialect == "mysql" else [])
    assert JOURNAL not in database.tables()
    shop.migration("m1", "m0", upgrade=ROW)
    framefox_tasks.upgrade(target)
    assert database.execute("SELECT * FROM a") == [(1,)]


UNSAFE = {
    "savepoints": ("s = op.get_bind().begin_nested(); s.commit()", "it has savepoints"),
    "rollback": ("op.get_bind().rollback()", "it rolls back by itself"),
    "lock": ("op.execute('LOCK TABLES a WRITE'); op.execute('UNLOCK TABLES')", "it locks tables"),
    "variable": ("op.execute('SET @x = 5')", "it uses variables of its session"),
    "last id": ("op.execute('SELECT LAST_INSERT_ID()')", "it asks what its own session did last"),
    "myisam": (
        "op.execute('CREATE TABLE m (id INTEGER) ENGINE=MyISAM'); op.execute('INSERT INTO m VALUES (1)')",
        "it writes to a table that no transaction can roll back",
    ),
    "much": ("op.get_bind().execute(sa.text(\"SELECT REPEAT('x', 1100000)\")).all()", "more than 1 MB of results"),
    "temporary": ("op.execute('CREATE TEMPORARY TABLE t (id INTEGER)')", "it uses temporary tables"),
    "streamed": (
        "op.get_bind().execution_options(stream_results=True).execute(sa.text('SELECT 1')).all()",
        "it streams rows",
    ),
    "call": ("op.execute('CREATE PROCEDURE p() BEGIN END'); op.execute('CALL p()')", "it runs CALL"),
}


@pytest.mark.server
@pytest.mark.parametrize("case", UNSAFE)
def test_what_cannot_be_gone_on_with_is_resolved_only(
    case: str, shop: MiniProject, make_database: MakeDatabase
) -> None:
    statements, reason = UNSAFE[case]
    database = make_database("mysql")
    more = "op.execute('CREATE TABLE c (id INTEGER)')"
    target = ready(shop, database, f"{TABLE}\n    {statements}\n    {more}\n    {FAILS}")
    error = failed(target)
    assert f"It cannot be gone on with, since {reason}" in error or reason in error
    assert "--resume" not in error
    assert "doit database_resolve --applied" in error
    with pytest.raises(MigrationInterruptedError, match="It cannot be gone on with, since"):
        framefox_tasks.upgrade(target, resume=True)
    assert {"a", "c"} <= database.tables()
    assert framefox_tasks.resolve(target, reverted=True).current == ()


@pytest.mark.server
def test_an_error_that_a_migration_has_caught_is_raised_again(shop: MiniProject, make_database: MakeDatabase) -> None:
    statements = {"dropped": "DROP TABLE no", "written": "INSERT INTO no VALUES (1)", "read": "SELECT 1 FROM no"}
    wrapped = "\n    ".join(
        f"try: op.execute('{text}')\n    except sa.exc.DBAPIError as exc: "
        f"op.execute(f'CREATE TABLE {name}_{{exc.orig.args[0]}} (id INTEGER)')"
        for name, text in statements.items()
    )
    database = make_database("mysql")
    target = ready(shop, database, f"{TABLE}\n    {wrapped}\n    {FAILS}")
    assert "--resume" in failed(target)
    shop.migration("m0", None, upgrade=f"{TABLE}\n    {wrapped}\n    op.execute('CREATE TABLE no (id INTEGER)')")
    framefox_tasks.upgrade(target, resume=True)
    assert database.tables() == {"a", "alembic_version", "dropped_1051", "no", "read_1146", "written_1146"}


@pytest.mark.server
def test_a_session_setting_is_made_again(shop: MiniProject, make_database: MakeDatabase) -> None:
    keys = "CREATE TABLE a (id INTEGER PRIMARY KEY, up INTEGER REFERENCES a (id))"
    start = f"op.execute('SET FOREIGN_KEY_CHECKS = 0'); op.execute('{keys}')"
    target = ready(shop, make_database("mysql"), f"{start}; {FAILS}")
    failed(target)
    shop.migration("m0", None, upgrade=f"{start}; op.execute('INSERT INTO a VALUES (1, 99)')")
    assert framefox_tasks.upgrade(target, resume=True).current == ("m0",)


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_what_is_written_over_a_second_connection_is_not_repeated(
    dialect: str, shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database(dialect)
    other = "e = sa.create_engine(op.get_bind().engine.url)\n    with e.begin() as c: c.execute(sa.text("
    second = f"{other}'INSERT INTO a VALUES (7)'))\n    "
    target = ready(shop, database, TABLE)
    framefox_tasks.upgrade(target)
    shop.migration("m1", "m0", upgrade=f"{ROW}\n    {second}{FAILS}")
    for _ in range(2):
        with pytest.raises(MigrationError, match="since it writes over a second connection"):
            framefox_tasks.upgrade(target, resume=True)
        assert database.execute("SELECT * FROM a") == [(7,)]
    framefox_tasks.resolve(target, reverted=True)
    shop.migration("m1", "m0", upgrade=f"{ROW}\n    {second}")
    framefox_tasks.upgrade(target)
    assert sorted(database.execute("SELECT * FROM a")) == [(1,), (7,), (7,)]
    assert database.tables() == {"a", "alembic_version"}


@pytest.mark.server
def test_a_connection_that_ends_in_a_migration(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    kill = "c = sa.create_engine(op.get_bind().engine.url).connect(); c.execute(sa.text(f'KILL {number}'))"
    number = "number = op.get_bind().execute(sa.text('SELECT CONNECTION_ID()')).scalar()"
    target = ready(shop, database, f"{TABLE}; {number}; {kill}\n    {ROW}")
    error = failed(target)
    assert "The migration m0 (migration m0) failed." in error
    assert "A part of m0 is committed, and stays." in error
    assert framefox_tasks.status(target).interrupted


@pytest.mark.server
def test_a_statement_of_which_it_is_not_known_whether_it_was_done(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database("mysql")
    target = ready(shop, database, f"{TABLE}; op.execute('ALTER TABLE a ENGINE = InnoDB')")
    # It is noted, and sent, which commits the note. What it changes cannot be seen.
    assert killed_at(database, target, 3, sent=False, began="ALTER TABLE a ENGINE")
    error = failed(target)
    assert "1 statement of it is done, the last one: CREATE TABLE a (id INTEGER)" in error
    assert "It is not known whether this one is: ALTER TABLE a ENGINE = InnoDB" in error
    assert framefox_tasks.upgrade(target, resume=True).current == ("m0",)


@pytest.mark.server
def test_a_statement_that_was_done_and_is_only_noted_as_begun(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    target = ready(shop, database, f"{TABLE}; op.execute('CREATE TABLE b (id INTEGER)')")
    assert killed_at(database, target, 3, sent=False, began="CREATE TABLE b (id")
    found = framefox_tasks.status(target).interrupted
    assert found
    assert (found.done, found.last, found.unsure) == (2, "CREATE TABLE b (id INTEGER)", None)
    assert "2 statements of it are done, the last one: CREATE TABLE b (id INTEGER)" in failed(target)
    assert framefox_tasks.upgrade(target, resume=True).current == ("m0",)


@pytest.mark.server
def test_a_server_that_dies_in_a_migration(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    ready(shop, database, f"{TABLE}; {ROW}")
    dead = False

    def fate(sent: bytes) -> Fate:
        nonlocal dead
        dead = dead or b"INSERT INTO a" in sent
        return "lose" if dead else "pass"

    with proxied(address_of("mysql"), fate) as port:
        error = failed(replace(reached(database, port), project=Project(root=shop.path)))
    assert "The migration m0 (migration m0) failed." in error
    assert "has ended while m0 ran at its statement 2: INSERT INTO a" in error
    assert "What of it is done cannot be asked now. When the database answers again: doit database_status" in error
    found = framefox_tasks.status(Target(database.url, Project(root=shop.path))).interrupted
    assert found
    assert (found.revision, found.done, found.last) == ("m0", 1, "CREATE TABLE a (id INTEGER)")


def test_a_journal_whose_end_is_recorded_is_removed(shop: MiniProject, database: Database) -> None:
    """As of a run that was killed between the two, where each statement is committed by itself."""
    target = ready(shop, database, "pass", HALF)
    failed(target)
    database.execute("UPDATE alembic_version SET version_num = 'm1'")
    assert framefox_tasks.status(target).interrupted is None
    framefox_tasks.upgrade(target)
    assert JOURNAL not in database.tables()


@pytest.mark.server
def test_an_interrupted_run_says_that_a_part_is_committed(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    shop.env["DATABASE_URL"] = database.url
    ready(shop, database, f"{TABLE}; {ROW}; import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    run = shop.doit("database_upgrade")
    assert run.code == 143, run.all
    assert "is at no revision. A part of m0 is committed. 1 statement of it is done, the last one: CREATE" in run.err
    assert run.err.endswith(" See: doit database_status\n")
    assert run.err.count("\n") == 1
    shop.migration("m0", None, upgrade=f"{TABLE}; {ROW}")
    shop.ok("database_upgrade", "--resume")
    assert database.execute("SELECT * FROM a") == [(1,)]
