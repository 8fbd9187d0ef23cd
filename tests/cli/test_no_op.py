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

from framefox_tasks.cli.kept_answer import FILE, answered_as_before
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

OLD = 1_767_225_600
"""When the files of a project were written: some of the tests' own are written in the future."""


@pytest.fixture
def upgraded(shop: MiniProject, monkeypatch: pytest.MonkeyPatch) -> MiniProject:
    shop.migration("aaaa", None, upgrade="op.create_table('shelf', sa.Column('id', sa.Integer, primary_key=True))")
    for path in shop.path.rglob("*"):  # of files that were just written no answer is kept
        os.utime(path, (OLD, OLD))
    shop.ok("database_upgrade")
    monkeypatch.chdir(shop.path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return shop


def is_answered() -> bool:
    """Whether it is found out that there is nothing to do; an answer that is kept must say the same."""
    kept = answered_as_before()
    try:
        found_out = answered()
        assert found_out or not kept
        return found_out
    finally:
        for cache in (read_once, database_names):
            cache.cache_clear()


def test_it_says_what_doit_says(upgraded: MiniProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_answered()
    said = capsys.readouterr().out
    slowly = upgraded.framefox_tasks("run", "database_upgrade")
    assert (slowly.code, slowly.all) == (0, said)
    for arguments in (["database", "upgrade"], ["database_upgrade"]):
        assert upgraded.framefox_tasks(*arguments).all == said
    upgraded.fresh = True
    run = "from framefox_tasks.cli import main; main()"
    loaded = f"import sys; sys.argv[1:] = ['database:upgrade']; {run}; print('doit' in sys.modules)"
    assert upgraded.run(sys.executable, "-c", loaded).out == f"{said}False\n"


def test_other_databases_cost_it_nothing(upgraded: MiniProject, capsys: pytest.CaptureFixture[str]) -> None:
    edit("config/orm.yaml", "\ndatabases:\n  more:\n    url: sqlite:///more.db\n")(upgraded)
    assert is_answered()
    said = capsys.readouterr().out
    assert upgraded.framefox_tasks("run", "database_upgrade").out == said
    assert "more.db" in upgraded.framefox_tasks("database:upgrade:more").out


def test_in_doubt_doit_answers(upgraded: MiniProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_answered()
    assert answered_as_before()
    before = {path: path.read_bytes() for path in upgraded.path.rglob("*") if path.is_file()}
    times = {path: path.stat() for path in before}
    for doubt, change in DOUBTS.items():
        change(upgraded)
        assert not answered_as_before(), doubt
        assert not is_answered(), doubt
        for path in {*upgraded.path.rglob("*")} - {*before}:
            if path.is_file():
                path.unlink()
        for path, content in before.items():
            _restore(path, content, times[path].st_mtime_ns)
        assert answered_as_before(), f"after {doubt}"
        assert is_answered(), f"after {doubt}"
    assert "--" in capsys.readouterr().out


MODULES = "import sys; print(*sorted(sys.modules), file=sys.stderr)"


def test_the_answer_is_kept(upgraded: MiniProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert not answered_as_before()
    assert is_answered()
    said = capsys.readouterr().out
    assert answered_as_before()
    assert capsys.readouterr().out == said
    kept = upgraded.path / FILE
    assert kept.stat().st_mode & 0o777 == 0o600
    before = kept.stat().st_mtime_ns
    upgraded.fresh = True
    run = "import sys; sys.argv[1:] = ['database:upgrade']; from framefox_tasks.cli import main; main()"
    done = upgraded.run(sys.executable, "-c", f"{run}; {MODULES}")
    assert done.out == said
    loaded = {name for name in done.err.split() if name.startswith("framefox_tasks")}
    assert loaded == {
        *("framefox_tasks", "framefox_tasks.cli", "framefox_tasks.cli.kept_answer"),
        *("framefox_tasks.schema", "framefox_tasks.schema.python_files"),
    }
    assert kept.stat().st_mtime_ns == before


@pytest.mark.parametrize("content", [b"", b"\0" * 12, b"\xff", b"nonsense"])
def test_one_that_cannot_be_read_is_found_out_again(upgraded: MiniProject, content: bytes) -> None:
    assert is_answered()
    kept = upgraded.path / FILE
    good = kept.read_bytes()
    kept.write_bytes(content)
    assert not answered_as_before()
    assert is_answered()
    assert kept.read_bytes() == good


def test_one_of_another_variable_folder_or_link_does_not_count(
    upgraded: MiniProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_answered()
    assert answered_as_before()
    monkeypatch.setenv("DATABASE_URL", "sqlite:///other.db")
    assert not answered_as_before()
    monkeypatch.delenv("DATABASE_URL")
    assert answered_as_before()
    moved = upgraded.path.with_name("moved")
    upgraded.path.rename(moved)
    monkeypatch.chdir(moved)
    assert not answered_as_before()
    moved.rename(upgraded.path)
    monkeypatch.chdir(upgraded.path)
    assert answered_as_before()
    Path("shop.db").rename("elsewhere.db")
    Path("shop.db").symlink_to("elsewhere.db")
    assert not answered_as_before()


NOT_KEPT: dict[str, Callable[[MiniProject], None]] = {
    "a variable": edit("config/orm.yaml", "version_table: ${TABLE:-alembic_version}\n"),
    "a file that was just written": edit("config/orm.yaml", "\n# new\n"),
    "a variable in .env": edit(".env", "DATABASE_URL=sqlite:///${NAME:-shop}.db\n"),
}


@pytest.mark.parametrize("case", NOT_KEPT)
def test_what_depends_on_more_is_not_kept(upgraded: MiniProject, case: str) -> None:
    NOT_KEPT[case](upgraded)
    if "just" not in case:
        for name in ("config/orm.yaml", ".env"):
            if (path := upgraded.path / name).exists():
                os.utime(path, (OLD, OLD))
    assert is_answered()
    assert not (upgraded.path / FILE).exists()
    assert not answered_as_before()


def _restore(path: Path, content: bytes, modified: int) -> None:
    if not path.exists() or path.read_bytes() != content or path.stat().st_mtime_ns != modified:
        path.write_bytes(content)
        os.utime(path, ns=(modified, modified))
