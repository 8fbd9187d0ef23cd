"""Many runs that begin at the same moment: each migration is applied once, and every run ends well."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.crowds import BEHIND, assert_applied_once, crowd, prepare, write_migrations
from support.databases import Database
from support.projects import MiniProject

from framefox_tasks import Project, Target

pytestmark = pytest.mark.slow
Often = Callable[[int, int], int]
Measured = Callable[[str], None]


@pytest.fixture
def twelve(project: MiniProject, database: Database) -> MiniProject:
    if database.path:
        project.env["DATABASE_URL"] = f"sqlite:///{database.path}"  # the same one from every checkout
    project.write("config/orm.yaml", "lock_wait: 600\n")  # this machine may be busy
    write_migrations(project)
    return project


def target_of(project: MiniProject) -> Target:
    return Target(project.env["DATABASE_URL"], Project(root=project.path))


def checkouts(project: MiniProject, count: int, folder: Path) -> list[str]:
    paths = [folder / f"checkout{number}" for number in range(count)]
    for path in paths:
        shutil.copytree(project.path, path, ignore=shutil.ignore_patterns("*.db*", ".doit*"))
    return list(map(str, paths))


@pytest.mark.promise("Runs at once from many checkouts apply each migration once, all exit with 0")
def test_upgrades_from_many_checkouts(
    twelve: MiniProject, database: Database, tmp_path: Path, often: Often, measured: Measured
) -> None:
    runs, rounds = often(4, 16), often(5, 20)
    folders = checkouts(twelve, runs, tmp_path)
    for number in range(rounds):
        prepare(target_of(twelve), [*BEHIND][number % len(BEHIND)])
        assert_applied_once(crowd(twelve, runs=[[path, ["database_upgrade"]] for path in folders]), database)
    measured(f"{rounds} x {runs} processes")


@pytest.mark.promise("Runs at once from one checkout: the same, and the state of doit stays whole")
def test_upgrades_from_one_checkout(twelve: MiniProject, database: Database, often: Often, measured: Measured) -> None:
    runs, rounds = often(4, 16), often(5, 20)
    for number in range(rounds):
        prepare(target_of(twelve), [*BEHIND][number % len(BEHIND)])
        done = crowd(twelve, runs=[[str(twelve.path), ["database_upgrade"]]] * runs)
        assert_applied_once(done, database)
        assert re.search(r"^-- database_upgrade  at head m12$", twelve.ok("database_upgrade"), re.MULTILINE)
    measured(f"{rounds} x {runs} processes")


@pytest.mark.promise("Runs at once from threads of one process, by the public functions: the same")
def test_upgrades_from_threads(twelve: MiniProject, database: Database, often: Often, measured: Measured) -> None:
    runs, rounds = often(4, 8), often(5, 20)
    for number in range(rounds):
        prepare(target_of(twelve), [*BEHIND][number % len(BEHIND)])
        done = crowd(twelve, count=runs, root=str(twelve.path), url=twelve.env["DATABASE_URL"])
        assert len(done) == runs
        assert_applied_once(done, database)
    measured(f"{rounds} x {runs} threads")
