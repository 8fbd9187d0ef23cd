"""Several runs at once on one database: one after the other, each migration once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.commands import RunningModule
from support.databases import Database, MakeDatabase
from support.foreign import hand_written
from support.projects import MiniProject, Run, copy_project

import framefox_tasks
from framefox_tasks import LockTimeoutError, LockWait, MigrationError, Project, Target, Upgraded
from framefox_tasks.databases.lock import host_name

RUNS = 4
ACCOUNT = (
    "op.execute('CREATE TABLE account (id INTEGER, balance BIGINT)'); op.execute('INSERT INTO account VALUES (1, 5)')"
)
CENTS = "import time; op.execute('UPDATE account SET balance = balance * 100'); time.sleep(0.2)"
EUROS = "op.execute('UPDATE account SET balance = balance / 100')"


@pytest.fixture
def bank(project: MiniProject) -> MiniProject:
    """A project whose second migration must run once: it turns euros into cents."""
    return with_accounts(project)


def with_accounts(project: MiniProject) -> MiniProject:
    project.migration("aaa", None, upgrade=ACCOUNT, downgrade="op.execute('DROP TABLE account')")
    project.migration("bbb", "aaa", upgrade=CENTS, downgrade=EUROS)
    return project


UNTIL_GO = (
    "import time; open('begun', 'w'); import os; [time.sleep(0.1) for _ in range(600) if not os.path.exists('go')]"
)


def start(project: MiniProject, module: str = "doit", *arguments: str) -> RunningModule:
    return RunningModule(module, arguments or ("database_upgrade",), folder=project.path, env=project._environment())


def at_once(project: MiniProject, module: str = "doit", *arguments: str, runs: int = RUNS) -> list[Run]:
    """What so many processes say that run at the same time."""
    started = [start(project, module, *arguments) for _ in range(runs)]
    return [Run(*one.finish()) for one in started]


def balances(database: Database) -> list[int]:
    return [row[0] for row in database.execute("SELECT balance FROM account")]


def assert_once(done: list[Run], database: Database) -> None:
    """Every run succeeded, one of them applied the migration, and the others say that there was nothing left."""
    for run in done:
        assert run.code == 0, run.all
        assert re.fullmatch(r"(Waiting for another run that is changing .*\n)*", run.err), run.err
        assert "  bbb  migration bbb" in run.out or re.search(
            r"The database is up to date: applied meanwhile by another run\.|already up to date|at head bbb", run.out
        ), run.out
    assert sum("  bbb  migration bbb" in run.out for run in done) == 1
    assert balances(database) == [500]
    assert database.revision() == ["bbb"]


def test_several_downgrades_by_one_step_revert_one(bank: MiniProject, database: Database) -> None:
    bank.migration("bbb", "aaa", upgrade=CENTS, downgrade=f"{UNTIL_GO}; {EUROS}")
    bank.upgrade()
    first = start(bank, "doit", "database_downgrade")
    first.until((bank.path / "begun").exists)
    others = [start(bank, "doit", "database_downgrade") for _ in range(2)]
    for other in others:
        assert "Waiting for another run" in other.has_said()
    bank.write("go", "")
    assert first.finish()[0] == 0
    for other in others:
        run = Run(*other.finish())
        assert run.code == 1, run.all
        assert "from bbb to aaa meanwhile. Nothing was reverted." in run.err
    assert database.revision() == ["aaa"]
    assert balances(database) == [5]


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_several_upgrades_with_a_transaction_for_each_migration(
    dialect: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database(dialect)
    project = with_accounts(hand_written("transaction_per_migration", database, tmp_path))
    database.create()
    assert_once(at_once(project), database)


def test_several_upgrades_whose_migration_commits_in_between(bank: MiniProject, database: Database) -> None:
    bank.migration("bbb", "aaa", upgrade=f"{CENTS}; op.get_bind().commit(); time.sleep(0.2)")
    database.create()
    assert_once(at_once(bank), database)


def test_several_runs_of_the_plain_alembic_command(bank: MiniProject, database: Database) -> None:
    bank.upgrade("aaa")
    bank.write("alembic.ini", "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n")
    done = at_once(bank, "alembic", "upgrade", "head", runs=3)
    assert [run.code for run in done] == [0] * 3, [run.all for run in done]
    assert sum("Running upgrade aaa -> bbb" in run.err for run in done) == 1
    assert balances(database) == [500]


@contextmanager
def holding(project: MiniProject) -> Iterator[RunningModule]:
    """A process that is in the middle of a migration, ccc, until there is a file `go`."""
    project.upgrade()
    project.migration("ccc", "bbb", upgrade=UNTIL_GO)
    running = start(project)
    try:
        running.until((project.path / "begun").exists)
        yield running
    finally:
        running.process.kill()
        running.process.join()


SINCE = r"2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d"
HOLDERS = {
    "sqlite": rf"process \d+ on {re.escape(host_name())} \(user \w+, since {SINCE}\+\d\d:\d\d\)",
    "postgresql": rf"process \d+ on {re.escape(host_name())} \(server process \d+, user \w+, from [\d.:a-f]+, "
    rf"since {SINCE}\+\d\d\)",
    "mysql": rf"(process \d+ \()?connection \d+[ ,(]+user \w+, from [\w.:]+, since {SINCE}\)",
}


def test_a_second_run_says_for_whom_it_waits_and_that_nothing_is_left(bank: MiniProject, database: Database) -> None:
    with holding(bank) as first:
        second = start(bank)
        told = second.has_said()
        waiting = rf"Waiting for another run that is changing .*{database.name}.*: {HOLDERS[database.dialect]}\."
        assert re.fullmatch(waiting, told), told
        bank.write("go", "")
        assert first.finish()[0] == 0
        run = Run(*second.finish())
    assert (run.code, run.err) == (0, f"{told}\n"), run.all
    assert "The database is up to date: applied meanwhile by another run." in run.out
    assert database.revision() == ["ccc"]


def test_a_second_run_gives_up_after_a_while(bank: MiniProject, database: Database) -> None:
    target = Target(database.url, Project(root=bank.path))
    with holding(bank):
        waits: list[LockWait] = []
        for operation in (framefox_tasks.upgrade, framefox_tasks.downgrade, framefox_tasks.clear_migrations):
            start = time.monotonic()
            with pytest.raises(LockTimeoutError, match=HOLDERS[database.dialect]) as caught:
                operation(target, lock_wait=2.3, on_wait=waits.append)
            assert 2.3 <= time.monotonic() - start < 30
            assert "nothing was changed" in caught.value.message
            assert "by hand" not in str(caught.value)
            assert caught.value.hint == "Try again when it has ended, or wait longer for it with: --lock-wait=SECONDS"
        assert len(waits) == 3
        assert re.fullmatch(HOLDERS[database.dialect], waits[0].holder)
        assert database.revision() == ["bbb"]
        assert len(bank.versions()) == 3


def test_nothing_to_do_waits_for_nobody(bank: MiniProject, database: Database) -> None:
    bank.ok("database_upgrade")
    with holding(bank):
        (bank.path / "migrations/versions/ccc_by_hand.py").unlink()
        target = Target(database.url, Project(root=bank.path))
        assert framefox_tasks.upgrade(target, lock_wait=0).steps == ()
        assert "at head bbb" in bank.ok("database_upgrade")


SLEEPS = {
    "sqlite": "import time; time.sleep(60)",
    "postgresql": "op.execute('SELECT pg_sleep(5)')",
    "mysql": "op.execute('DO SLEEP(5)')",
}


def test_the_lock_of_a_run_that_was_killed_is_free(bank: MiniProject, database: Database) -> None:
    with holding(bank) as first:
        first.process.kill()
        first.process.join()
        bank.migration("ccc", "bbb", upgrade="pass")
        bank.ok("database_upgrade")
    assert database.revision() == ["ccc"]


def test_a_run_that_was_killed_in_a_statement_is_waited_for(bank: MiniProject, database: Database) -> None:
    bank.upgrade()
    more = f"{ACCOUNT}; open('begun', 'w'); {SLEEPS[database.dialect]}".replace(
        "CREATE TABLE account", "CREATE TABLE two"
    )
    bank.migration("ccc", "bbb", upgrade=more)
    first = start(bank)
    first.until((bank.path / "begun").exists)
    time.sleep(0.5)
    first.process.kill()
    first.process.join()
    bank.migration("ccc", "bbb", upgrade="op.execute('UPDATE account SET balance = balance + 1')")
    second = bank.doit("database_upgrade")
    if database.dialect == "mysql":  # which has committed the table
        assert "was interrupted" in second.err
        assert database.revision() == ["bbb"]
        bank.ok("database_resolve", "--reverted")
        second = bank.doit("database_upgrade")
    assert second.code == 0, second.all
    assert database.revision() == ["ccc"]
    assert 501 in balances(database)


RELEASED = {
    "postgresql": (
        "op.execute(\"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
        'AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")'
    ),
    "mysql": "op.execute('DO RELEASE_ALL_LOCKS()')",
}


@pytest.mark.parametrize("dialect", RELEASED)
def test_a_run_that_loses_its_lock_does_not_record_the_revision(
    dialect: str, shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database(dialect)
    shop.env["DATABASE_URL"] = database.url
    with_accounts(shop).upgrade()
    shop.migration("ccc", "bbb", upgrade=f"{CENTS}; {RELEASED[dialect]}")
    error = shop.fails("database_upgrade")
    assert "The lock on the migrations of " in error
    assert "Another run may have begun meanwhile." in error
    assert "by hand" not in error
    assert database.revision() == ["bbb"]
    assert balances(database) == [500]


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_revision_that_something_else_has_moved_is_not_to_be_undone_by_hand(
    dialect: str, shop: MiniProject, make_database: MakeDatabase
) -> None:
    """As by a tool that does not know of the lock."""
    database = make_database(dialect)
    shop.env["DATABASE_URL"] = database.url
    with_accounts(shop).upgrade("aaa")
    other = "e = sa.create_engine(op.get_bind().engine.url)\n    with e.begin() as c: c.execute(sa.text("
    moved = f"{other}\"UPDATE alembic_version SET version_num = 'bbb'\"))\n    op.execute('SELECT * FROM nowhere')"
    shop.migration("bbb", "aaa", upgrade=moved)
    error = shop.fails("database_upgrade")
    assert "The migration bbb (migration bbb) failed." in error
    assert "Something else has changed the revision of" in error
    assert "from aaa to bbb" in error
    assert "by hand" not in error
    assert "doit database_status" in error


@pytest.mark.server
def test_who_waits_does_not_block_an_index_that_is_built_concurrently(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database("postgresql")
    shop.env["DATABASE_URL"] = database.url
    with_accounts(shop).upgrade()
    index = "op.execute('CREATE INDEX CONCURRENTLY by_balance ON account (balance)')"
    block = f"import time; open('begun', 'w'); time.sleep(3)\n    with op.get_context().autocommit_block(): {index}"
    shop.migration("ccc", "bbb", upgrade=block)
    done = at_once(shop, runs=3)
    assert [run.code for run in done] == [0] * 3, [run.all for run in done]
    assert database.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_balance'::regclass") == [(True,)]


def test_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    project = with_accounts(copy_project("shop", tmp_path))
    targets = [Target(f"sqlite:///{name}.db", Project(root=project.path)) for name in ("one", "two", "one", "two")]
    for target in targets[:2]:
        framefox_tasks.create(target)
    done: list[Upgraded | BaseException] = []

    def run(target: Target) -> None:
        try:
            done.append(framefox_tasks.upgrade(target))
        except BaseException as exc:  # noqa: BLE001 - told by the assertion
            done.append(exc)

    threads = [threading.Thread(target=run, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(result.steps) for result in done if isinstance(result, Upgraded)) == [0, 0, 2, 2], done
    for name in ("one", "two"):
        database = Database("sqlite", f"sqlite:///{name}.db", name, project.path / f"{name}.db")
        assert balances(database) == [500]
        assert database.revision() == ["bbb"]


def test_an_env_py_that_runs_no_migrations_is_told(shop: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("sqlite")
    shop.env["DATABASE_URL"] = database.url
    with_accounts(shop).write("migrations/env.py", "")
    assert "env.py has run no migrations" in shop.fails("database_upgrade")
    with pytest.raises(MigrationError):
        framefox_tasks.upgrade(Target(database.url, Project(root=shop.path)))
