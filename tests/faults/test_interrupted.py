"""Signals, closed outputs, odd locales, read-only folders and broken state files: each run ends well, and says how."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

from framefox_tasks.tasks.state_file import state_file

TABLE = "op.execute('CREATE TABLE account (id INTEGER)')"
WAITS = "import time; open('begun', 'w'); time.sleep(60)"
UPGRADE = (sys.executable, "-m", "doit", "database_upgrade")


def _not_under_nohup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # else the process ignores it, and so does a task


def start(project: MiniProject, *command: str, stdout: Any = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command or UPGRADE,
        cwd=project.path,
        env=project._environment(),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_not_under_nohup,
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.slow
@pytest.mark.promise("SIGINT, SIGTERM, SIGHUP: one line on where the database is, exit 130, 143, 129; the lock is free")
def test_a_signal_ends_a_migration_with_a_line(project: MiniProject, database: Database) -> None:
    project.migration("aaa", None, upgrade=TABLE)
    project.upgrade()
    project.migration("bbb", "aaa", upgrade=WAITS)
    begun = project.path / "begun"
    for number, code in CODES.items():
        process = start(project)
        wait_for(begun, process)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err.count("\n")) == (code, 1), err
        assert err.startswith("Interrupted. The database ")
        assert err.endswith(" is at aaa.\n")
        begun.unlink()
    assert database.revision() == ["aaa"]
    project.migration("bbb", "aaa")
    assert project.ok("database_upgrade", "--lock-wait=0")


def test_an_interrupt_inside_of_an_exec_has_the_same_exit_code(one: MiniProject) -> None:
    one.migration("aaa", None, upgrade="exec('import os, signal; os.kill(os.getpid(), signal.SIGINT)')")
    run = one.run(sys.executable, "-m", "doit", "database_upgrade")
    assert (run.code, run.err.count("\n")) == (130, 1), run.all
    told = one.ok("database_status")
    assert "its last run failed" in told
    assert "at head aaa" not in told


def typed(project: MiniProject, *, times: int) -> tuple[int, str]:
    """Type Ctrl-C so many times on the terminal of an upgrade, once a migration runs; its code, and what it says."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        UPGRADE, cwd=project.path, env=project._environment(), preexec_fn=lambda: os.login_tty(follower)
    )
    os.close(follower)
    deadline, shown = time.monotonic() + 60, ""
    while not (project.path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for number in range(times):
        os.write(leader, b"\x03")
        while number == 0 and times > 1 and "Press Ctrl-C again" not in shown:
            shown += os.read(leader, 4096).decode()
    with suppress(OSError):  # how Linux tells that the other end is closed
        while part := os.read(leader, 4096):
            shown += part.decode()
    os.close(leader)
    return process.wait(timeout=60), shown


@pytest.fixture
def half(shop: MiniProject, make_database: MakeDatabase, request: pytest.FixtureRequest) -> Database:
    """A database at the first of three migrations; the second commits a part, then takes a while."""
    database = make_database(request.param)
    shop.env["DATABASE_URL"] = database.url
    shop.migration("aaa", None, upgrade=TABLE)
    shop.upgrade()
    part = "op.execute('CREATE TABLE part (id INTEGER)')"
    if request.param == "postgresql":
        part = f"with op.get_context().autocommit_block(): {part}"
    takes_a_while = "import time; open('begun', 'w'); time.sleep(2)"
    shop.migration("bbb", "aaa", upgrade=f"{part}\n    {takes_a_while}; op.execute('INSERT INTO part VALUES (1)')")
    shop.migration("ccc", "bbb")
    return database


@pytest.mark.slow
@pytest.mark.parametrize("half", ["postgresql", "mysql"], indirect=True)
def test_the_first_ctrl_c_on_a_terminal_ends_after_the_migration(shop: MiniProject, half: Database) -> None:
    code, shown = typed(shop, times=1)
    assert "Interrupted: it ends after this migration. Press Ctrl-C again to end it at once." in shown
    assert "is at bbb.\r\n" in shown
    assert (code, half.revision()) == (130, ["bbb"]), shown
    assert half.execute("SELECT id FROM part") == [(1,)]
    assert "  ccc  " in shop.ok("database_upgrade")


@pytest.mark.slow
@pytest.mark.parametrize("half", ["postgresql", "mysql"], indirect=True)
def test_the_second_ctrl_c_ends_it_at_once(shop: MiniProject, half: Database) -> None:
    code, shown = typed(shop, times=2)
    assert "is at aaa. A part of bbb is committed. 1 statement of it is done, the last one: CREATE TABLE part" in shown
    assert (code, half.revision()) == (130, ["aaa"]), shown
    shop.ok("database_upgrade", "--resume")
    assert half.execute("SELECT id FROM part") == [(1,)]


@pytest.mark.slow
def test_ctrl_c_ends_at_once_where_all_is_rolled_back(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade=f"{TABLE}; {WAITS}")
    code, shown = typed(shop, times=1)
    assert "it ends after this migration" not in shown
    assert "Interrupted. The database shop.db is at no revision." in shown
    assert code == 130


def test_a_signal_before_a_task_leaves_no_traceback(shop: MiniProject) -> None:
    shop.write("slow.py", "import time\nopen('begun', 'w')\ntime.sleep(60)\n")
    shop.write("dodo.py", f"{shop.read('dodo.py')}\nimport slow\n")
    process = start(shop)
    wait_for(shop.path / "begun", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "Interrupted.\n")


@pytest.fixture
def one(shop: MiniProject) -> MiniProject:
    shop.migration("aaa", None, upgrade=TABLE)
    return shop


def applied(project: MiniProject) -> bool:
    with sqlite3.connect(project.path / "shop.db") as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("aaa",)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full_is_told_and_the_task_is_finished(one: MiniProject) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            UPGRADE, cwd=one.path, env=one._environment(), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert run.returncode == 0, run.stderr
    assert (
        run.stderr
        == "The output cannot be written (No space left on device): the rest of it is lost, and the task goes on.\n"
    )
    assert applied(one)


def test_an_output_that_is_closed_does_not_stop_the_task(one: MiniProject) -> None:
    run = one.run("sh", "-c", f"{sys.executable} -m doit database_upgrade >&-")
    assert (run.code, run.err) == (0, "")
    assert applied(one)


def test_a_locale_without_utf8_shows_any_name(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.replace("migrations/versions/aaa_by_hand.py", "migration aaa", "größer 表")
    shop.env.update(
        {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "DATABASE_URL": "sqlite:///größe.db"}
    )
    out = shop.ok("database_upgrade")
    assert "aaa" in out
    assert "gr" in out
    assert (shop.path / "größe.db").exists()
    assert shop.ok("database_status")


@pytest.fixture
def readonly(one: MiniProject) -> Iterator[MiniProject]:
    """A project that may not be written, with its database elsewhere; run as a user who is not root."""
    one.ok("database_upgrade")
    yield one
    one.path.chmod(0o755)


# What root, too, may not do then: write where the permissions say that nobody may.
AS_OTHERS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner") if os.geteuid() == 0 else ()


@pytest.mark.parametrize("what", ["folder", "state file"])
def test_a_read_only_project_works_with_a_note(readonly: MiniProject, what: str) -> None:
    database = readonly.path.parent / "data"
    database.mkdir()
    (readonly.path / "shop.db").rename(database / "shop.db")
    readonly.env["DATABASE_URL"] = f"sqlite:///{database}/shop.db"
    (readonly.path / ".doit.sqlite3").chmod(0o444)
    commands: list[tuple[str, ...]] = [
        ("doit", command) for command in ("database_upgrade", "database_status", "database_history")
    ]
    if (
        what == "folder"
    ):  # where the project has a configuration of its own: one that spreads ours, then one that does not
        config = (
            'from framefox_tasks.tasks import *\nfrom framefox_tasks import tasks\nDOIT_CONFIG = {{{}"verbosity": 2}}\n'
        )
        readonly.write("dodo.py", config.format("**tasks.DOIT_CONFIG, "))
        readonly.write("own.py", config.format(""))
        readonly.path.chmod(0o555)
        commands = [*commands[:2], ("framefox_tasks", "-f", "own.py", "database:status")]
    for command in commands:
        run = readonly.run(*AS_OTHERS, sys.executable, "-m", *command)
        assert run.code == 0, run.all
        assert run.err == (
            "Note: .doit.sqlite3 cannot be written here: what this run finds out is forgotten. "
            "Another place: --db-file=FILE\n"
        )


@pytest.mark.parametrize("damage", ["text", "page", "header"])
def test_a_broken_state_file_is_told_and_made_anew(one: MiniProject, damage: str) -> None:
    one.ok("database_upgrade")
    path = one.path / ".doit.sqlite3"
    content = path.read_bytes()
    path.write_bytes(
        {"text": b"no database", "page": content[:100] + b"\xff" * (len(content) - 100), "header": content[:50]}[damage]
    )
    run = one.doit("database_upgrade")
    assert run.code == 0, run.all
    assert run.err == (
        "Note: .doit.sqlite3, where doit keeps its state, was broken: it is made anew, and tasks may run once more.\n"
    )
    assert "at head aaa" in one.ok("database_upgrade")


@pytest.mark.slow
def test_a_state_file_that_another_run_keeps_locked_is_told(one: MiniProject) -> None:
    one.ok("database_create")
    other = sqlite3.connect(one.path / ".doit.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    run = one.doit("database_upgrade")
    other.close()
    assert run.code == 0, run.all
    assert run.err == "Note: .doit.sqlite3 is locked by another doit: what this run finds out is forgotten.\n"
    assert applied(one)


@pytest.mark.slow
def test_a_state_that_cannot_be_written_at_the_end_is_told(one: MiniProject) -> None:
    one.ok("database_create")
    other = sqlite3.connect(one.path / ".doit.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run = one.doit("database_upgrade")
    other.close()
    assert run.code == 0, run.all
    assert run.err.startswith("Note: doit's state cannot be written (database is locked)")
    assert applied(one)


@pytest.mark.slow
def test_a_task_that_failed_where_the_state_cannot_be_written_is_told_as_that(one: MiniProject) -> None:
    """doit forgets a task as soon as it has failed, and that writes to its state."""
    one.ok("database_upgrade")
    one.migration("bbb", "aaa", upgrade="raise RuntimeError('out of order')")
    other = sqlite3.connect(one.path / ".doit.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run = one.doit("database_upgrade")
    other.close()
    assert run.code in (1, 2), run.all
    assert "out of order" in run.err
    assert "OperationalError" not in run.err
    assert "Note: doit's state cannot be written (database is locked)" in run.err


def test_a_disk_without_room_for_the_state_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_file() == ".doit.sqlite3"
    full = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert state_file() == ":memory:"
    Path(".doit.sqlite3").touch()  # what SQLite leaves where it cannot make the file
    assert state_file() == ":memory:"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [("database_upgrade",), ("database_upgrade", "--help")])
def test_all_output_to_a_full_disk_stops_no_task(one: MiniProject, words: tuple[str, ...]) -> None:
    """As `> log 2>&1` does: there is nowhere left to tell it."""
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [*UPGRADE[:-1], *words], cwd=one.path, env=one._environment(), stdout=full, stderr=full, check=False
        )
    assert run.returncode == 0
    assert words != ("database_upgrade",) or applied(one)
