"""What a user types for a copy, and what is said of it: mistakes, passwords, an interrupt."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.projects import MiniProject

CONFIG = 'database:\n  url: "sqlite:///shop.db"\ncopies:\n'


def run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


@pytest.fixture
def filled(shop: MiniProject) -> MiniProject:
    """A shop with three rows."""
    run(shop.path / "shop.db", "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3);")
    return shop


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--to is missing, and DATABASE_COPY_URL is not set"),
        (["--to="], "--to is empty."),
        (["--to=sqlite:///c.db", "--from="], "--from is empty."),
        (["--to=sqlite:///c.db", "--tables="], "--tables is empty."),
        (["--to=sqlite:///c.db", "--jobs=x"], "--jobs must be a whole number of 1 or more, not 'x'."),
        (["--to=sqlite:///c.db", "--jobs=0"], "--jobs must be a whole number of 1 or more, not '0'."),
        (["--to=sqlite:///c.db", "--where=t"], "--where needs a table and a condition, not 't'."),
        (["--to=sqlite:///c.db", "--where=t=id > 1", "--where=t=id < 9"], "--where is given twice for t."),
        (["--to=sqlite:///c.db", "--mask=t.id"], "--mask needs a column and how to mask it, not 't.id'."),
        (["--to=sqlite:///c.db", "--mask=t.id=mail"], "--mask: unknown mask 'mail'."),
        (["--to=sqlite:///c.db", "--mask=id=hash"], "--mask: 'id' names no column."),
        (["--to=sqlite:///c.db", "--schema-only", "--data-only"], "--schema-only and --data-only cannot be used"),
        (["--to=sqlite:///./shop.db"], "Source and target of the copy are the same database: shop.db."),
        (["--to=sqlite:///c.db", "--from=sqlite:///none.db"], "The database none.db does not exist."),
    ],
)
def test_a_mistake_on_the_command_line(filled: MiniProject, options: list[str], message: str) -> None:
    assert message in filled.fails("database_copy", *options)
    assert not (filled.path / "c.db").exists()


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--from=sqlite:///none.db", "--to=sqlite:///c.db"], "It is the source: check --from,"),
        (["--to=postgresql://me@127.0.0.1:1/shop"], "host and port in --to, --from, DATABASE_URL or config/orm.yaml."),
        (["--from=mysql://me@127.0.0.1:1/shop", "--to=sqlite:///c.db"], "host and port in --to, --from, DATABASE_URL"),
        (["--to=sqlite:///c.db", "--where=t=idd > 3"], "Correct it; behind WHERE stands: (idd > 3)"),
    ],
)
def test_a_hint_is_about_the_database_that_it_is_about(filled: MiniProject, options: list[str], hint: str) -> None:
    error = filled.fails("database_copy", *options)
    assert hint in error
    assert "doit database_create" not in error


def test_overwriting_with_some_tables_leaves_no_others_and_rows_alone_leave_them(filled: MiniProject) -> None:
    other = "CREATE TABLE mine (id INTEGER); INSERT INTO mine VALUES (7);"
    for name in ("whole.db", "rows.db"):
        run(filled.path / name, f"CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (9); {other}")
    filled.ok("database_copy", "--to=sqlite:///whole.db", "--tables=t", "--overwrite")
    filled.ok("database_copy", "--to=sqlite:///rows.db", "--tables=t", "--overwrite", "--data-only")
    with closing(sqlite3.connect(filled.path / "whole.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]
    with closing(sqlite3.connect(filled.path / "rows.db")) as connection:
        assert connection.execute("SELECT id FROM mine").fetchall() == [(7,)]
        assert connection.execute("SELECT id FROM t").fetchall() == [(1,), (2,), (3,)]


def test_conditions_and_masks_may_be_given_more_than_once(filled: MiniProject) -> None:
    run(filled.path / "shop.db", "CREATE TABLE u (name TEXT, mail TEXT); INSERT INTO u VALUES ('Eve', 'eve@b.org')")
    out = filled.ok(
        "database_copy",
        "--to=sqlite:///c.db",
        "--where=t=id > 1",
        "--where=u=name = 'Eve'",
        "--mask=u.name=fixed:x",
        "--mask=u.mail=null",
    )
    assert "3 rows of 2 tables copied to c.db" in out
    with closing(sqlite3.connect(filled.path / "c.db")) as connection:
        assert connection.execute("SELECT * FROM u").fetchall() == [("x", None)]


@pytest.mark.parametrize("name", ["database_copy", "database_copy:a", "database_copy:b"])
def test_no_message_shows_the_password_of_a_source_or_target(filled: MiniProject, name: str) -> None:
    url = "postgresql://me:s3cr%20et@127.0.0.1:1/shop"
    filled.env["OTHER"] = url
    a, b = '  a: {to: "${OTHER}"}\n', '  b: {from: "${OTHER}", to: "mysql://me:s3cr%20et@127.0.0.1:1/shop"}\n'
    filled.write("config/orm.yaml", CONFIG + a + b)
    options = [f"--to={url}"] if name == "database_copy" else []
    result = filled.doit(name, *options)
    assert result.code == 1
    assert "shop on 127.0.0.1:1" in result.err
    assert "s3cr" not in result.all
    for file in filled.path.glob(".doit*"):
        assert b"s3cr" not in file.read_bytes()


def test_a_password_is_hidden_in_a_traceback_too(filled: MiniProject) -> None:
    filled.write("config/orm.yaml", CONFIG + '  a: {to: "postgresql://me:s3cret-word@127.0.0.1:1/shop"}\n')
    dodo = filled.read("dodo.py")
    filled.write(
        "dodo.py",
        f"{dodo}\nimport psycopg\ndef connect(*_, **given):\n"
        "    raise RuntimeError('the word is ' + given['password'])\npsycopg.connect = connect\n",
    )
    result = filled.doit("database_copy:a")
    assert "RuntimeError: the word is ***" in result.err
    assert "s3cret-word" not in result.all


@pytest.mark.parametrize("copies", ["a: {too: x}", "a: {then: x}", '"x=y": {}\n  a: {}', "[]: {}", "a: [b]"])
def test_settings_that_cannot_be_used_stop_every_task_and_no_command(filled: MiniProject, copies: str) -> None:
    filled.write("config/orm.yaml", f"{CONFIG}  {copies}\n")
    assert "config/orm.yaml" in filled.fails("database_upgrade")
    assert "database_copy" in filled.ok("list", "--all")
    if not copies.startswith("["):
        assert "config/orm.yaml" in filled.fails("database_copy:a")


def test_the_commands_of_doit_know_the_named_copies(filled: MiniProject) -> None:
    filled.write("config/orm.yaml", CONFIG + '  a: {to: "sqlite:///a.db", then: upgrade, before: upgrade}\n')
    lines = filled.ok("list", "--all").splitlines()
    assert "Make the copy a of the settings, and upgrade it" in next(
        x for x in lines if x.startswith("database_copy:a ")
    )
    assert "--dry-run" in filled.ok("help", "database_copy:a")
    assert "database_copy:a:upgrade" in filled.ok("info", "--no-status", "database_copy:a")
    for command in (["forget"], ["clean"], ["ignore"], ["forget", "-s"]):
        filled.ok(*command, "database_copy:a")
    assert "database_copy:a" in filled.ok("tabcompletion", "--hardcode-tasks")


HALF_WAY = """
import time
from pathlib import Path

from framefox_tasks.databases.sqlite.backup import FileSnapshot
from framefox_tasks.tasks import *

backup = FileSnapshot.backup


def wait(done, total):
    assert 0 < done < total
    Path("half-way").touch()
    time.sleep(60)


FileSnapshot.backup = lambda snapshot, copy, note: backup(snapshot, copy, wait)
"""


def test_an_interrupted_copy_says_so_and_leaves_the_target_as_it_was(filled: MiniProject) -> None:
    run(filled.path / "shop.db", "CREATE TABLE big (x BLOB); INSERT INTO big VALUES (zeroblob(20000000));")
    run(filled.path / "copy.db", "CREATE TABLE mine (id)")
    before = (filled.path / "copy.db").read_bytes()
    filled.write("dodo.py", HALF_WAY)
    process = subprocess.Popen(
        [sys.executable, "-m", "doit", "database_copy", "--to=sqlite:///copy.db", "--overwrite"],
        cwd=filled.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (filled.path / "half-way").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "The copy was interrupted; copy.db is as it was." in err
    assert "Traceback" not in err
    assert (filled.path / "copy.db").read_bytes() == before
    assert not list(filled.path.glob(".copy.db*"))


def test_a_copy_on_a_terminal_shows_a_bar_that_is_gone_at_the_end(filled: MiniProject) -> None:
    run(filled.path / "shop.db", "CREATE TABLE big (x BLOB); INSERT INTO big VALUES (zeroblob(100000000));")
    result = filled.on_terminal("database_copy", "--to=sqlite:///copy.db", answer="")
    assert result.code == 0, result.out
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.out)
    assert "2 tables" in shown.split("4 rows of 2 tables")[0]
    assert "4 rows of 2 tables copied to copy.db" in shown
    assert max(len(line) for line in re.split(r"[\r\n]+", shown)) <= 80
