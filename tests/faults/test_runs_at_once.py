"""Many runs that begin at the same moment: each migration is applied once, and every run ends well."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.databases import Database
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target

CROWD = Path(__file__).with_name("crowd.py")
REVISIONS = [f"m{number:02}" for number in range(1, 13)]
BEHIND = {"empty": None, "one": "m11", "ten": "m02"}
Often = Callable[[int, int], int]
Measured = Callable[[str], None]


def write_migrations(project: MiniProject) -> None:
    """Twelve migrations: each doubles a balance, and says so in a table."""
    for number, revision in enumerate(REVISIONS):
        made = (
            "op.execute('CREATE TABLE account (balance BIGINT)'); op.execute('INSERT INTO account VALUES (1)'); "
            "op.execute('CREATE TABLE applied (revision VARCHAR(9))'); "
        )
        project.migration(
            revision,
            REVISIONS[number - 1] if number else None,
            upgrade=("" if number else made)
            + "op.execute('UPDATE account SET balance = balance * 2'); "
            + f"op.execute(\"INSERT INTO applied VALUES ('{revision}')\")",
        )


def crowd(project: MiniProject, **asked: Any) -> list[tuple[int, str]]:
    command = [sys.executable, str(CROWD), json.dumps(asked)]
    done = subprocess.run(command, env=project._environment(), capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return [(code, text) for code, text in json.loads(done.stdout)]


def prepare(target: Target, behind: str) -> None:
    """Make the database as it is before a round."""
    framefox_tasks.drop(target, missing_ok=True, force_disconnect=True)
    if BEHIND[behind]:
        framefox_tasks.create(target)
        framefox_tasks.upgrade(target, revision=BEHIND[behind])


def assert_applied_once(done: list[tuple[int, str]], database: Database) -> None:
    assert [code for code, _ in done] == [0] * len(done), "\n".join(text for code, text in done if code)
    assert sum("  m12  " in text for _, text in done) == 1, done
    assert sorted(row[0] for row in database.execute("SELECT revision FROM applied")) == REVISIONS
    assert database.execute("SELECT balance FROM account") == [(2 ** len(REVISIONS),)]
    assert database.revision() == ["m12"]


@pytest.fixture
def twelve(project: MiniProject, database: Database) -> MiniProject:
    if database.path:
        project.env["DATABASE_URL"] = f"sqlite:///{database.path}"  # the same one from every checkout
    write_migrations(project)
    return project


def target_of(project: MiniProject) -> Target:
    return Target(project.env["DATABASE_URL"], Project(root=project.path))


def checkouts(project: MiniProject, count: int, folder: Path) -> list[str]:
    paths = [folder / f"checkout{number}" for number in range(count)]
    for path in paths:
        shutil.copytree(project.path, path, ignore=shutil.ignore_patterns("*.db*", ".doit*"))
    return list(map(str, paths))


@pytest.mark.promise("Runs from many checkouts at once: each migration is applied once, and every run ends with exit 0")
def test_upgrades_from_many_checkouts(
    twelve: MiniProject, database: Database, tmp_path: Path, often: Often, measured: Measured
) -> None:
    runs, rounds = often(4, 16), often(3, 20)
    folders = checkouts(twelve, runs, tmp_path)
    for number in range(rounds):
        prepare(target_of(twelve), [*BEHIND][number % len(BEHIND)])
        assert_applied_once(crowd(twelve, runs=[[path, ["database_upgrade"]] for path in folders]), database)
    measured(f"{rounds} x {runs} processes")


@pytest.mark.promise("The same from one checkout, whose state file of doit stays whole")
def test_upgrades_from_one_checkout(twelve: MiniProject, database: Database, often: Often, measured: Measured) -> None:
    runs, rounds = often(4, 16), often(3, 20)
    for number in range(rounds):
        prepare(target_of(twelve), [*BEHIND][number % len(BEHIND)])
        done = crowd(twelve, runs=[[str(twelve.path), ["database_upgrade"]]] * runs)
        assert_applied_once(done, database)
        assert re.search(r"^-- database_upgrade  at head m12$", twelve.ok("database_upgrade"), re.MULTILINE)
    measured(f"{rounds} x {runs} processes")


@pytest.mark.promise("The same from threads of one process, by the public functions")
def test_upgrades_from_threads(twelve: MiniProject, database: Database, often: Often, measured: Measured) -> None:
    runs, rounds = often(4, 8), often(3, 20)
    for number in range(rounds):
        prepare(target_of(twelve), [*BEHIND][number % len(BEHIND)])
        done = crowd(twelve, count=runs, root=str(twelve.path), url=twelve.env["DATABASE_URL"])
        assert len(done) == runs
        assert_applied_once(done, database)
    measured(f"{rounds} x {runs} threads")
