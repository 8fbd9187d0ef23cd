"""Runs that begin at the same moment, on a database that must be changed once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import framefox_tasks
from framefox_tasks import Target
from support.commands import run_module
from support.databases import Database
from support.projects import MiniProject

TESTS = Path(__file__).parent.parent
REVISIONS = [f"m{number:02}" for number in range(1, 13)]
_TOLD = re.compile(r"  m12  |applied meanwhile by another run\.|already up to date|at head m12")
BEHIND = {"empty": None, "one": "m11", "ten": "m02"}


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
    env = {**project._environment(), "PYTHONPATH": str(TESTS)}
    code, out, err = run_module("support.crowd_script", (json.dumps(asked),), folder=project.path, env=env)
    assert code == 0, err
    return [(code, text) for code, text in json.loads(out)]


def prepare(target: Target, behind: str) -> None:
    """Make the database as it is before a round."""
    framefox_tasks.drop(target, missing_ok=True, force_disconnect=True)
    if BEHIND[behind]:
        framefox_tasks.create(target)
        framefox_tasks.upgrade(target, revision=BEHIND[behind])


def assert_applied_once(done: list[tuple[int, str]], database: Database) -> None:
    assert [code for code, _ in done] == [0] * len(done), "\n".join(text for code, text in done if code)
    assert sum("  m12  " in text for _, text in done) == 1, done
    for _, text in done:
        assert not text or _TOLD.search(text), text
    assert sorted(row[0] for row in database.execute("SELECT revision FROM applied")) == REVISIONS
    assert database.execute("SELECT balance FROM account") == [(2 ** len(REVISIONS),)]
    assert database.revision() == ["m12"]
