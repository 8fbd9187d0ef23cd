"""database_wait, database_setup, database_seed and database_reset, as they are typed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from seeds.test_seeds import MODULE, ROWS, TABLES
from support.databases import Database
from support.projects import MiniProject

from framefox_tasks import ConnectionFailedError, DriverMissingError, MigrationError, Project, Target, wait


def with_seeds(project: MiniProject) -> MiniProject:
    project.migration("aaa", None, upgrade=TABLES, downgrade="op.drop_table('review')\n    op.drop_table('product')")
    project.write("seeds/shop.yaml", ROWS)
    project.write("seeds/test/test.sql", "INSERT INTO product (name, price) VALUES ('of test', 3)")
    project.write("seeds.py", MODULE)
    return project


def names(database: Database) -> list[str]:
    return [row[0] for row in database.execute("SELECT name FROM product ORDER BY id")]


def test_the_whole_life(project: MiniProject, database: Database) -> None:
    project = with_seeds(project)
    out = project.ok("database_setup")
    assert "Database created successfully" in out
    assert "  seeds/shop.yaml  (3)\n  seeds.py\n" in out
    assert names(database) == ["Book", "Pen", "of Python"]
    assert "Run before with the same content: seeds/shop.yaml, seeds.py" in project.ok("database_setup")
    database.execute("DELETE FROM review")
    out = project.ok("database_reset", "--yes", "--environment=test")
    assert "Database dropped successfully" in out
    assert "seeds/test/test.sql  (1)" in out
    assert len(names(database)) == 4
    assert "is at head aaa." in project.ok("database_wait", "--head")
    project.env["APP_ENV"] = "production"
    assert "is protected by the settings" in project.fails("database_reset", "--yes")
    assert len(names(database)) == 4


def test_what_it_loses_must_be_named_and_confirmed(shop: MiniProject) -> None:
    with_seeds(shop).ok("database_setup")
    assert "Skipped: it would drop the database, and build it anew." in shop.ok("database_re*et")
    assert "Confirm with: doit database_reset --yes\n" in shop.fails("database_reset")
    for task in ("database_reset", "database_drop", "database_clear_migration"):  # both words, where it needs both
        assert f"Confirm with: doit {task} --yes --force=shop.db\n" in shop.fails(task, "--force=shop.db")
    assert "is no name of a folder" in shop.fails("database_reset", "--yes", "--environment=a/b")
    assert "Run before" in shop.ok("database_seed")
    assert "Skipped: it would write the first rows." in shop.ok("database_se?d*")


def test_a_reset_that_fails_leads_back_to_the_backup(shop: MiniProject) -> None:
    with_seeds(shop).ok("database_setup")
    shop.write("config/orm.yaml", f"{shop.read('config/orm.yaml')}\nbackup: true\n")
    shop.write("seeds.py", "def seed(session):\n    raise ValueError('no')\n")
    told = shop.fails("database_reset", "--yes")
    assert "seeds.py, line 2: ValueError: no" in told
    (made,) = (shop.path / "backups").glob("*.db")
    assert f"backups/{made.name}" in told
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("SELECT count(*) FROM product").fetchone() == (3,)


def test_without_seeds_it_is_an_upgrade(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    assert "There are no seeds" in shop.ok("database_setup")


def test_a_server_that_comes_later_is_waited_for() -> None:
    target = Target("postgresql://me@127.0.0.1:1/shop")
    begun, told = time.monotonic(), list[str]()
    with pytest.raises(ConnectionFailedError, match=r"After 0.5 s: .*127\.0\.0\.1:1"):
        wait(target, timeout=0.5, on_try=told.append)
    assert 0.4 < time.monotonic() - begun < 30
    assert len(told) == 1


def test_a_database_that_comes_to_its_head_is_waited_for(shop: MiniProject) -> None:
    with_seeds(shop)
    target = Target("sqlite:///late.db", Project(shop.path))
    with pytest.raises(MigrationError, match=r"After 0.1 s: The database late.db does not exist"):
        wait(target, timeout=0.1, head=True)
    script = (
        "import time; from framefox_tasks import *; from framefox_tasks import Target, create, upgrade\ntime.sleep(1)\n"
    )
    script += "target = Target('sqlite:///late.db'); create(target); time.sleep(0.5); upgrade(target)\n"
    with subprocess.Popen([sys.executable, "-c", script], cwd=shop.path):
        told: list[str] = []
        found = wait(target, timeout=30, head=True, on_try=told.append)
    assert found.heads == ("aaa",)
    assert found.seconds > 0.5
    assert told[0] == "The database late.db does not exist."


def test_what_time_does_not_change_is_no_wait() -> None:
    with pytest.raises(DriverMissingError):
        wait(Target("postgresql+pg8000://me@127.0.0.1:1/shop"), timeout=60)


def test_how_long_is_a_number(shop: MiniProject) -> None:
    assert "--timeout must be a number of seconds" in shop.fails("database_wait", "--timeout=soon")
    assert "No server to wait for" in shop.ok("database_wait", "--timeout=1")
