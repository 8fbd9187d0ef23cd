"""init: what is missing is written, what is there is left as it is, and an upgrade is all that is left to do."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from support.databases import Database
from support.projects import ROOT, MiniProject
from support.typing_in import shell

import framefox_tasks
from framefox_tasks import ConfigError

pytestmark = pytest.mark.slow


@pytest.fixture
def empty(tmp_path: Path) -> MiniProject:
    path = tmp_path / "project"
    path.mkdir()
    return MiniProject(path)


def contents(project: MiniProject) -> dict[str, bytes]:
    files = (path for path in project.path.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(project.path)): path.read_bytes() for path in files}


def test_an_empty_folder_is_two_short_commands_away_from_a_migrated_database(empty: MiniProject) -> None:
    with shell(empty) as terminal:
        assert "Next: doit database_upgrade" in terminal.type("framefox-tasks init")
        assert "Migrations applied successfully." in terminal.type("doit database_upgrade")
        assert len(terminal.typed) == 2
        assert sum(map(len, terminal.typed)) < 50
    assert "no changes since" in empty.ok("database_create_migration")
    database = Database("sqlite", "sqlite:///app.db", "app", empty.path / "app.db")
    assert database.tables() == {"alembic_version", "user"}


def test_the_first_migration_makes_what_the_example_declares(empty: MiniProject, database: Database) -> None:
    empty.env["DATABASE_URL"] = database.url
    framefox_tasks.init(empty.path)
    told = empty.ok("database_upgrade", "database_create_migration", "--check")
    assert "The entities and the database agree." in told
    assert database.tables() == {"alembic_version", "user"}


def test_the_first_migration_is_the_one_that_would_be_generated(empty: MiniProject) -> None:
    framefox_tasks.init(empty.path)
    (given,) = (empty.path / "migrations/versions").iterdir()
    record, text = empty.read("migrations/schema.json"), given.read_text(encoding="utf-8")
    given.unlink()
    (empty.path / "migrations/schema.json").unlink()
    empty.ok("database_create_migration", "-m", "create user")
    assert empty.read("migrations/schema.json") == record
    written = empty.read(f"migrations/versions/{empty.versions()[0]}")
    assert [line for line in lines(text) if line not in lines(written)] == []


# What is another in each migration, and the brackets that Alembic puts around a default of SQLite's.
OWN = re.compile(r"[0-9a-f]{12}|(?<=Create Date: ).*|(?<=text\(')\(|\)(?='\))")


def lines(migration: str) -> list[str]:
    return OWN.sub("", migration).splitlines()


def test_plain_alembic_works_beside_it(empty: MiniProject) -> None:
    framefox_tasks.init(empty.path)
    assert empty.run("alembic", "upgrade", "head").code == 0  # as it is typed
    assert "already up to date" in empty.ok("database_upgrade")
    checked = empty.module("alembic", "check")
    assert "No new upgrade operations detected." in checked.all


def test_a_second_run_changes_nothing(empty: MiniProject) -> None:
    written = framefox_tasks.init(empty.path).written
    before = contents(empty)
    assert set(map(str, written)) == set(before)
    again = framefox_tasks.init(empty.path)
    assert again.written == ()
    assert again.additions == ()
    assert contents(empty) == before


def test_a_dry_run_writes_nothing_and_names_what_would_be(empty: MiniProject) -> None:
    told = empty.framefox_tasks("init", "--dry-run")
    assert told.code == 0
    assert contents(empty) == {}
    assert "Would be written:\n  dodo.py\n" in told.out
    written = framefox_tasks.init(empty.path).written
    named = {line.strip() for line in told.out.splitlines() if line.startswith("  ")}
    assert len(named) == len(written)  # the time in the migration's name is another
    assert {str(path) for path in written if "versions" not in path.parts} <= named


@pytest.mark.parametrize(
    "name",
    ["dodo.py", "config/orm.yaml", ".env.example", ".gitignore", "migrations/env.py", "migrations/script.py.mako"],
)
def test_what_is_there_is_never_overwritten(empty: MiniProject, name: str) -> None:
    text = "# theirs\ndatabase:\n  url: sqlite:///theirs.db\n" if name.endswith(".yaml") else "# theirs\n"
    empty.write(name, text)
    assert name not in map(str, framefox_tasks.init(empty.path).written)
    assert empty.read(name) == text


def test_a_link_to_nowhere_is_left_too(empty: MiniProject) -> None:
    (empty.path / "dodo.py").symlink_to("elsewhere.py")
    framefox_tasks.init(empty.path)
    assert not (empty.path / "elsewhere.py").exists()


DODO = """
DOIT_CONFIG = {"verbosity": 0}


def task_build():
    return {"actions": ["echo built"]}


def task_lint():
    return {"actions": ["echo linted"]}
"""


def test_a_dodo_that_is_there_gets_lines_to_add_that_keep_what_it_does(empty: MiniProject) -> None:
    empty.write("dodo.py", DODO)
    told = empty.framefox_tasks("init").out
    assert "dodo.py is left as it is. Add to it, above its DOIT_CONFIG and tasks:" in told
    first, second = told.partition("tasks:\n")[2].splitlines()[:2]
    assert first == "  from framefox_tasks.tasks import *"
    assert second == '  DOIT_CONFIG = {**DOIT_CONFIG, "default_tasks": ["build", "lint"], \'verbosity\': 0}'
    changed = DODO.replace('DOIT_CONFIG = {"verbosity": 0}', second.strip())
    empty.write("dodo.py", f"{first.strip()}\n{changed}")
    assert empty.doit().out == ".  build\n.  lint\n"
    empty.ok("database_upgrade")
    assert "Add to it" not in empty.framefox_tasks("init").out


def test_tasks_of_a_dodo_that_hide_ours_are_told(empty: MiniProject) -> None:
    empty.write("dodo.py", DODO.replace("task_build", "task_database_upgrade"))
    told = empty.framefox_tasks("init").out
    line = next(each.strip() for each in told.splitlines() if "import *" in each)
    assert line == "from framefox_tasks.tasks import *  # but task_database_upgrade: those of this file count"
    empty.write("dodo.py", f"{line}\n{empty.read('dodo.py')}")
    assert "built" in empty.doit("-v2", "database_upgrade").out


def test_what_is_no_python_is_told(empty: MiniProject) -> None:
    empty.write("models.py", "class Hero(Base:\n")
    empty.write("other.py", "")
    told = empty.framefox_tasks("init").out
    assert "  no Python  models.py\n" in told


@pytest.mark.parametrize(
    ("text", "missing"), [("*.pyc\n", True), (".env*\n.doit*\n.framefox_tasks\n*.db\n*.db-lock", False)]
)
def test_a_gitignore_that_is_there_gets_the_lines_that_it_lacks(empty: MiniProject, text: str, missing: bool) -> None:
    empty.write(".gitignore", text)
    told = empty.framefox_tasks("init").out
    assert (".gitignore is left as it is. Add to it:\n  .env\n  .doit*\n  .framefox_tasks/\n" in told) is missing
    assert ("  *.db-lock\n" in told) is missing
    assert empty.read(".gitignore") == text


def test_git_sees_nothing_of_what_the_tasks_make(empty: MiniProject) -> None:
    framefox_tasks.init(empty.path)
    known = set(contents(empty))
    empty.ok("database_upgrade", "database_create_migration")
    assert empty.run("git", "init", "-q").code == 0
    listed = empty.run("git", "ls-files", "--others", "--exclude-standard").out.splitlines()
    assert set(listed) == known


def test_a_pyproject_that_is_there_is_not_changed(empty: MiniProject) -> None:
    text = "[project]\nname = 'shop'\n"
    empty.write("pyproject.toml", text)
    assert Path("alembic.ini") in framefox_tasks.init(empty.path).written
    assert empty.read("pyproject.toml") == text
    assert empty.module("alembic", "upgrade", "head").code == 0
    assert "already up to date" in empty.ok("database_upgrade")


def test_settings_that_cannot_be_read_are_told_and_nothing_is_written(empty: MiniProject) -> None:
    empty.write("config/orm.yaml", "database: [\n")
    before = contents(empty)
    with pytest.raises(ConfigError, match="not valid YAML"):
        framefox_tasks.init(empty.path)
    told = empty.framefox_tasks("init")
    assert (told.code, told.out) == (1, "")
    assert "Traceback" not in told.err
    assert contents(empty) == before


def test_the_task_of_doit_does_the_same(empty: MiniProject) -> None:
    empty.write("dodo.py", "from framefox_tasks.tasks import *\n")
    assert "Would be written:" in empty.ok("database_init", "--dry-run")
    assert "Skipped: it would write what the project lacks. To run it, name it: doit database_init" in empty.ok(
        "database_i*"
    )
    assert set(contents(empty)) == {"dodo.py", ".doit.sqlite3"}
    assert "Next: doit database_upgrade" in empty.ok("database_init")
    assert "Migrations applied successfully." in empty.ok("database_upgrade")


def test_python_m_is_the_same_program(empty: MiniProject) -> None:
    told = empty.run(sys.executable, "-m", "framefox_tasks", "--help")
    assert told.out == empty.run("framefox-tasks").out
    assert "Usage: framefox-tasks COMMAND" in told.out
    assert told.code == 0


@pytest.mark.parametrize(
    ("template", "ours"),
    [
        ("dodo.py.txt", "dodo.py"),
        ("env.py.txt", "migrations/env.py"),
        ("script.py.mako", "migrations/script.py.mako"),
        ("env.example", ".env.example"),
    ],
)
def test_the_templates_are_what_this_repository_has(template: str, ours: str) -> None:
    folder = ROOT / "framefox_tasks/scaffold/templates"
    assert (folder / template).read_text(encoding="utf-8") == (ROOT / ours).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("url", "command", "missing"),
    [
        ("", "database_upgrade", "No database is configured: DATABASE_URL is not set"),
        ("sqlite:///app.db", "database_upgrade", "The migrations folder migrations does not exist."),
        ("sqlite:///app.db", "database_status", "The migrations folder migrations does not exist."),
        ("sqlite:///app.db", "database_create_migration", "The entity folder src/entity does not exist."),
    ],
)
def test_what_is_missing_is_told_with_init(empty: MiniProject, url: str, command: str, missing: str) -> None:
    empty.write("dodo.py", "from framefox_tasks.tasks import *\n")
    empty.env["DATABASE_URL"] = url
    said = empty.fails(command)
    assert missing in said
    assert "framefox-tasks init\n" in said
