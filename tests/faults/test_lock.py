"""The lock of a database: who takes it, who is named as its holder, and when it is free."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import crowds
from support.commands import RunningModule
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import CopyOptions, LockTimeoutError, Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience

TABLE = "op.execute('CREATE TABLE account (balance INTEGER)')"


@pytest.fixture
def target(project: MiniProject) -> Target:
    """A database at the first of two migrations."""
    project.migration("aaa", None, upgrade=TABLE, downgrade="op.execute('DROP TABLE account')")
    found = Target(project.env["DATABASE_URL"], Project(root=project.path))
    framefox_tasks.create(found)
    framefox_tasks.upgrade(found)
    project.migration("bbb", "aaa")
    return found


CHANGES: dict[str, Callable[[Target], object]] = {
    "upgrade": lambda target: framefox_tasks.upgrade(target, lock_wait=0),
    "downgrade": lambda target: framefox_tasks.downgrade(target, lock_wait=0),
    "stamp": lambda target: framefox_tasks.stamp(target, revision="bbb", lock_wait=0),
    "clear_migrations": lambda target: framefox_tasks.clear_migrations(target, lock_wait=0),
    "drop": lambda target: framefox_tasks.drop(target, lock_wait=0),
    "copy": lambda target: framefox_tasks.copy(
        Target("sqlite:///source.db", target.project), target, options=CopyOptions(overwrite=True), lock_wait=0
    ),
    "copy of rows": lambda target: framefox_tasks.copy(
        Target("sqlite:///source.db", target.project), target, options=CopyOptions(data_only=True), lock_wait=0
    ),
}


@pytest.mark.promise("All that changes a database waits for the lock, and names who holds it")
def test_all_that_changes_a_database_waits_for_the_lock(target: Target, database: Database) -> None:
    framefox_tasks.create(Target("sqlite:///source.db", target.project))
    tables = database.tables()
    with database_of(target).migration_lock(target, Patience()):
        for change in CHANGES.values():
            with pytest.raises(LockTimeoutError, match=f"process {os.getpid()} on |connection \\d+") as caught:
                change(target)
            assert "nothing was changed" in caught.value.message
        framefox_tasks.upgrade(target, revision="aaa", lock_wait=0)  # nothing to do
        assert not framefox_tasks.create(target, exist_ok=True, lock_wait=0).created
    assert database.tables() == tables
    assert database.revision() == ["aaa"]
    with database_of(target).replacement_lock(target, Patience()):
        if database.dialect != "postgresql":  # whose server refuses to drop a database that is in use
            with pytest.raises(LockTimeoutError):
                framefox_tasks.upgrade(target, lock_wait=0)
        with pytest.raises(LockTimeoutError):
            framefox_tasks.drop(target, lock_wait=0)
    framefox_tasks.drop(target, lock_wait=0)
    if database.path:
        assert not [path.name for path in database.path.parent.glob(f"{database.path.name}*")]


def test_another_version_table_has_another_lock(target: Target) -> None:
    other = Target(target.url, Project(root=target.project.root, version_table="others"))
    with ExitStack() as stack:
        if not target.address.is_file:
            stack.enter_context(database_of(target).migration_lock(target, Patience()))
        stack.enter_context(database_of(other).migration_lock(other, Patience(0)))


def test_the_option_says_how_long_to_wait(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    target = Target("sqlite:///shop.db", Project(root=shop.path))
    framefox_tasks.create(target)
    with database_of(target).migration_lock(target, Patience()):
        start = time.monotonic()
        error = shop.fails("database_upgrade", "--lock-wait=0.2")
        assert time.monotonic() - start < 30
        assert f"process {os.getpid()} on " in error
        assert "within 0.2 s, and nothing was changed." in error
        shop.write("config/orm.yaml", 'database:\n  url: "sqlite:///shop.db"\nlock_wait: 0.1\n')
        assert "within 0.1 s, and nothing was changed." in shop.fails("database_drop", "--yes")
        assert "--lock-wait must be a number of seconds" in shop.fails("database_upgrade", "--lock-wait=soon")
    assert shop.ok("database_upgrade", "--lock-wait=5")


def test_a_lock_is_as_private_as_its_database(shop: MiniProject) -> None:
    target = Target("sqlite:///shop.db", Project(root=shop.path))
    framefox_tasks.create(target)
    target.file.chmod(0o600)
    lock = target.file.with_name("shop.db-lock")
    lock.unlink()
    shop.migration("aaa", None)
    framefox_tasks.upgrade(target)
    assert lock.stat().st_mode & 0o777 == 0o600
    lock.unlink()
    lock.symlink_to(shop.path / "precious")
    shop.write("precious", "text")
    with pytest.raises(framefox_tasks.PermissionDeniedError, match="cannot be locked"):
        framefox_tasks.downgrade(target)
    assert shop.read("precious") == "text"


@pytest.mark.slow
@pytest.mark.promise("Runs of create and drop at once are told as what they are, and end with exit 0")
def test_create_and_drop_at_once(
    project: MiniProject, often: Callable[[int, int], int], measured: Callable[[str], None]
) -> None:
    project.migration("aaa", None, upgrade=TABLE)
    project.write("config/orm.yaml", "lock_wait: 600\n")  # this machine may be busy, and a server slow to drop
    runs, rounds = often(2, 8), often(1, 20)
    for _ in range(rounds):
        commands = [["database_create"], ["database_drop", "--yes"]] * runs
        done = crowds.crowd(project, runs=[[str(project.path), command] for command in commands])
        for code, text in done:
            assert code == 0, text
            assert "password" not in text
    measured(f"{rounds} x {2 * runs} processes")


@pytest.mark.slow
@pytest.mark.promise("Two runs that write a migration at once write one file")
def test_several_runs_that_write_a_migration_write_one_file(
    shop: MiniProject, often: Callable[[int, int], int], measured: Callable[[str], None]
) -> None:
    runs, rounds = often(3, 16), often(1, 20)
    shop.write("config/orm.yaml", 'database: {url: "sqlite:///shop.db"}\nlock_wait: 600\n')  # this machine may be busy
    shop.ok("database_create")
    for _ in range(rounds):
        done = crowds.crowd(shop, runs=[[str(shop.path), ["database_create_migration"]]] * runs)
        assert [code for code, _ in done] == [0] * runs, "\n".join(text for code, text in done if code)
        assert len(shop.versions()) == 1
        assert sum("created successfully." in text for _, text in done) == 1
        for path in (shop.path / "migrations/versions").glob("*.py"):
            path.unlink()
        (shop.path / "migrations/schema.json").unlink()
        (shop.path / ".doit.sqlite3").unlink()
    measured(f"{rounds} x {runs} processes")


SLEEPS = {
    "postgresql": (
        "SELECT pg_sleep(6)",
        "pg_stat_activity WHERE query LIKE '%pg_sleep(6)%' AND pid <> "
        "pg_backend_pid() AND datname = current_database()",
    ),
    "mysql": ("DO SLEEP(6)", "information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP(6)' AND DB = DATABASE()"),
}


@pytest.mark.slow
@pytest.mark.promise("A killed run's lock is free within 1 s of its last statement, not before")
@pytest.mark.parametrize("dialect", SLEEPS)
def test_a_killed_run_frees_its_lock_when_its_statement_ends(
    dialect: str,
    shop: MiniProject,
    make_database: MakeDatabase,
    often: Callable[[int, int], int],
    measured: Callable[[str], None],
) -> None:
    database = make_database(dialect)
    target = Target(database.url, Project(root=shop.path))
    shop.env["DATABASE_URL"] = database.url
    statement, running = SLEEPS[dialect]
    shop.migration("aaa", None, upgrade=f"open('begun', 'w'); op.execute('{statement}')")
    framefox_tasks.create(target)
    late = []
    for _ in range(often(1, 20)):
        late.append(killed_in_statement(target, database, shop, running))
        assert -0.1 <= late[-1] < 1
    measured(f"{len(late)} x, {max(late):.2f} s at most")


def killed_in_statement(target: Target, database: Database, project: MiniProject, running: str) -> float:
    """How many seconds after the end of a killed run's statement the lock is free."""
    begun = Path(project.path, "begun")
    begun.unlink(missing_ok=True)
    script = "import framefox_tasks as f, sys; f.upgrade(f.Target(sys.argv[1]))"
    run = RunningModule("-c", (script, target.url), folder=project.path, env=os.environ)
    deadline = time.monotonic() + 60
    while not begun.exists() or not database.execute(f"SELECT 1 FROM {running}"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    run.process.kill()
    run.process.join()
    ended: list[float] = []

    def watch() -> None:
        cursor = database.connect().cursor()  # one for all: to connect takes a while on a busy machine
        while cursor.execute(f"SELECT 1 FROM {running}") and cursor.fetchall():
            time.sleep(0.02)
        ended.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    told: list[str] = []
    with database_of(target).migration_lock(target, Patience(60, told.append)):
        free = time.monotonic()
    watcher.join()
    assert len(told) == 1
    assert "still at " in told[0]
    assert "SLEEP" in told[0].upper()
    return free - ended[0]
