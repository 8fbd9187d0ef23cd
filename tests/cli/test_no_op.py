"""An upgrade that has nothing to do is answered by the script itself, in doit's words; in doubt by doit."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.projects import MiniProject

from framefox_tasks.cli.no_op import answered
from framefox_tasks.settings import database_names, read_once


def edit(path: str, more: str) -> Callable[[MiniProject], None]:
    def change(project: MiniProject) -> None:
        project.write(path, (project.read(path) if (project.path / path).exists() else "") + more)

    return change


def in_state(statement: str) -> Callable[[MiniProject], None]:
    def change(project: MiniProject) -> None:
        with closing(sqlite3.connect(project.path / ".doit.sqlite3")) as connection:
            connection.execute(statement)
            connection.commit()

    return change


def in_database(statement: str) -> Callable[[MiniProject], None]:
    def change(project: MiniProject) -> None:
        with closing(sqlite3.connect(project.path / "shop.db")) as connection:
            connection.execute(statement)
            connection.commit()

    return change


def broken(project: MiniProject) -> None:
    (project.path / ".doit.sqlite3").write_bytes(b"nonsense")


IGNORED = (
    """UPDATE doit SET task_data = replace(task_data, '{"', '{"ignore:": "1", "') WHERE task_id = 'database_upgrade'"""
)
DOUBTS: dict[str, Callable[[MiniProject], None]] = {
    "a task of the project's own": edit("dodo.py", "\ndef task_mine():\n    return {'actions': []}\n"),
    "settings of doit": edit("pyproject.toml", "[tool.doit]\nverbosity = 0\n"),
    "doit.cfg": edit("doit.cfg", "[GLOBAL]\n"),
    "settings that are wrong": edit("config/orm.yaml", "\nnonsense: 1\n"),
    "another database that is wrong": edit("config/orm.yaml", "\ndatabases:\n  more:\n    urls: 1\n"),
    "a new revision": lambda project: project.migration("bbbb", "aaaa"),
    "an edited revision": edit("migrations/versions/aaaa_by_hand.py", "\n# edited\n"),
    "no state": lambda project: (project.path / ".doit.sqlite3").unlink(),
    "a broken state": broken,
    "a task that doit ignores": in_state(IGNORED),
    "a failure before": in_state("DELETE FROM doit"),
    "another revision": in_database("DELETE FROM alembic_version"),
    "a journal": in_database("CREATE TABLE alembic_version_journal (id INTEGER)"),
    "no database": lambda project: (project.path / "shop.db").unlink(),
}


@pytest.fixture
def upgraded(shop: MiniProject, monkeypatch: pytest.MonkeyPatch) -> MiniProject:
    shop.migration("aaaa", None, upgrade="op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True))")
    shop.ok("database_upgrade")
    monkeypatch.chdir(shop.path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return shop


def is_answered(*arguments: str) -> bool:
    caches = (read_once, database_names)
    try:
        return answered(arguments)
    finally:
        for cache in caches:
            cache.cache_clear()


def test_it_says_what_doit_says(upgraded: MiniProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_answered("database:upgrade")
    said = capsys.readouterr().out
    slowly = upgraded.framefox_tasks("run", "database_upgrade")
    assert (slowly.code, slowly.all) == (0, said)
    for arguments in (["database", "upgrade"], ["database_upgrade"]):
        assert is_answered(*arguments)
        assert capsys.readouterr().out == said
    upgraded.fresh = True
    run = "from framefox_tasks.cli import main; main()"
    loaded = f"import sys; sys.argv[1:] = ['database:upgrade']; {run}; print('doit' in sys.modules)"
    assert upgraded.run(sys.executable, "-c", loaded).out == f"{said}False\n"


def test_other_databases_cost_it_nothing(upgraded: MiniProject, capsys: pytest.CaptureFixture[str]) -> None:
    edit("config/orm.yaml", "\ndatabases:\n  more:\n    url: sqlite:///more.db\n")(upgraded)
    assert is_answered("database:upgrade")
    said = capsys.readouterr().out
    assert upgraded.framefox_tasks("run", "database_upgrade").out == said
    assert not is_answered("database:upgrade:more")


def test_in_doubt_doit_answers(upgraded: MiniProject, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["database:upgrade", "--plan"], ["database:status"], ["database_upgrade", "database_status"]):
        assert not is_answered(*arguments)
    before = {path: path.read_bytes() for path in upgraded.path.rglob("*") if path.is_file()}
    times = {path: path.stat() for path in before}
    for doubt, change in DOUBTS.items():
        change(upgraded)
        assert not is_answered("database:upgrade"), doubt
        for path in {*upgraded.path.rglob("*")} - {*before}:
            if path.is_file():
                path.unlink()
        for path, content in before.items():
            _restore(path, content, times[path].st_mtime_ns)
        assert is_answered("database:upgrade"), f"after {doubt}"
    assert "--" in capsys.readouterr().out


def _restore(path: Path, content: bytes, modified: int) -> None:
    if not path.exists() or path.read_bytes() != content or path.stat().st_mtime_ns != modified:
        path.write_bytes(content)
        os.utime(path, ns=(modified, modified))
