"""The script framefox-tasks: the spellings that Framefox documents run the same tasks of doit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.projects import MiniProject

from framefox_tasks.cli.loader import spelled
from framefox_tasks.cli.usage import command, tasks

pytestmark = pytest.mark.slow
NAMES = set(tasks())


@pytest.mark.parametrize("task", sorted(NAMES))
def test_each_task_has_a_spelling_that_means_it(task: str) -> None:
    assert spelled(command(task), NAMES) == task


@pytest.mark.parametrize(
    ("word", "task"),
    [
        ("database:create-migration", "database_create_migration"),
        ("database:create_migration", "database_create_migration"),
        ("database:copy:backup", "database_copy:backup"),
        ("database:copy:nightly-1", "database_copy:nightly-1"),
        ("database_copy:backup", None),
        ("database:nothing", None),
        ("upgrade", None),
        ("postgresql://h/x", None),
        (":", None),
    ],
)
def test_a_word_is_a_task_or_left_as_it_is(word: str, task: str | None) -> None:
    assert spelled(word, NAMES) == task


@pytest.mark.parametrize(
    ("words", "task"),
    [
        (("database:upgrade", "--plan"), ("database_upgrade", "--plan")),
        (("database", "upgrade", "--plan"), ("database_upgrade", "--plan")),
        (("database_upgrade", "--plan"), ("database_upgrade", "--plan")),
        (("database:check",), ("database_check",)),
        (("database:downgrade", "--steps=x"), ("database_downgrade", "--steps=x")),
        (
            ("database:status", "--exit-code", "--format", "json"),
            ("database_status", "--exit-code", "--format", "json"),
        ),
        (("database:drop",), ("database_drop",)),
        (("database:upgrade", "--plan", "database:history"), ("database_upgrade", "--plan", "database_history")),
        (("help", "database_upgrade"), ("help", "database_upgrade")),
        (("help", "database:upgrade"), ("database_upgrade", "--help")),
        (("help", "database", "create-migration"), ("database_create_migration", "--help")),
        (("database:drop", "--help"), ("database_drop", "--help")),
        (("list",), ("list",)),
        (("database:upgrade", "--nope"), ("database_upgrade", "--nope")),
    ],
)
def test_output_and_exit_code_are_those_of_doit(
    shop: MiniProject, words: tuple[str, ...], task: tuple[str, ...]
) -> None:
    shop.migration("aaa", None)
    assert shop.framefox_tasks(*words) == shop.doit(*task)


def test_the_value_of_an_option_is_no_task(shop: MiniProject) -> None:
    assert shop.framefox_tasks("database:create-migration", "--empty", "-m", "database:upgrade").code == 0
    assert [name[16:] for name in shop.versions()] == ["database_upgrade.py"]
    assert shop.framefox_tasks("database:create-migration", "--empty", "database:upgrade").code == 0
    assert len(shop.versions()) == 2


def test_it_works_from_a_folder_below(shop: MiniProject) -> None:
    shop.write("docs/notes.txt", "")
    told = shop.framefox_tasks("database:create", cwd="docs")
    assert (told.code, told.out) == (0, ".  database_create\nDatabase created successfully: shop.db\n")
    assert (shop.path / "shop.db").exists()


@pytest.mark.parametrize("words", [("database:upgrade",), ("database", "upgrade"), ("list",), ("upgrade",)])
def test_without_a_dodo_it_says_how_to_get_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    told = MiniProject(tmp_path).framefox_tasks(*words)
    assert (told.code, told.out) == (3, "")
    assert told.err == "There is no dodo.py here, nor in a folder above. Make one with: framefox-tasks init\n"


def test_a_dodo_of_something_else_is_told(tmp_path: Path) -> None:
    project = MiniProject(tmp_path)
    project.write("dodo.py", "def task_build():\n    return {'actions': []}\n")
    told = project.framefox_tasks("database:upgrade")
    assert told.code == 3
    assert "This dodo.py has no task of framefox_tasks." in told.err
    assert "framefox-tasks init" in told.err


def test_a_dodo_may_be_named(shop: MiniProject) -> None:
    (shop.path / "dodo.py").rename(shop.path / "tasks.py")
    assert "Database created" in shop.framefox_tasks("run", "-f", "tasks.py", "database:create").out


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_the_usage_lists_every_command(tmp_path: Path, words: tuple[str, ...]) -> None:
    told = MiniProject(tmp_path).framefox_tasks(*words)
    assert told.code == 0
    listed = {line.split()[0] for line in told.out.splitlines() if line.startswith("  ")}
    assert listed == {command(name) for name in NAMES - {"database_init"}} | {"init", "watch", "completion"}


@pytest.mark.parametrize(
    ("words", "meant"), [(("init", "--dri-run"), "--dry-run"), (("completion", "--hlp"), "--help")]
)
def test_an_option_that_is_mistyped_is_told(tmp_path: Path, words: tuple[str, ...], meant: str) -> None:
    told = MiniProject(tmp_path).framefox_tasks(*words)
    assert told.code == 3
    assert f"Did you mean {meant}?" in told.err or words[0] == "completion"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("--too=postgresql://u:red horse@h/d",), ("init", "--pasword=red horse")])
def test_a_password_before_a_dodo_is_loaded_is_not_shown(shop: MiniProject, words: tuple[str, ...]) -> None:
    run = shop.run(sys.executable, "-m", "framefox_tasks", *words)
    assert run.code
    assert "***" in run.err or "option --too not recognized." in run.err  # the one of doit does not show its value
    assert "horse" not in run.all


def test_a_command_that_is_mistyped_is_told(shop: MiniProject) -> None:
    assert "Did you mean database_init?" in shop.framefox_tasks("inti").err
    assert "Did you mean database_upgrade?" in shop.framefox_tasks("database", "upgrde").err


def test_the_version_is_told(tmp_path: Path) -> None:
    assert MiniProject(tmp_path).framefox_tasks("--version").out.startswith("framefox-tasks ")


def test_an_area_alone_shows_its_commands(shop: MiniProject) -> None:
    shop.write("dodo.py", f"{shop.read('dodo.py')}\ndef task_data_load():\n    return {{'actions': []}}\n")
    for words, code in ((("database",), 3), (("database", "--help"), 0)):
        told = shop.framefox_tasks(*words)
        assert told.code == code
        assert told.out.startswith("Usage: framefox-tasks database:COMMAND [OPTIONS]\n")
        assert "  database:upgrade " in told.out
        assert "fleet:" not in told.out
    assert '"data" is no task' in shop.framefox_tasks("data").err
    shop.write("dodo.py", f"{shop.read('dodo.py')}\ndef task_database():\n    return {{'actions': ['echo own']}}\n")
    assert "own" in shop.framefox_tasks("database").out


def test_help_before_a_command_is_its_help(shop: MiniProject) -> None:
    assert shop.framefox_tasks("--help", "database:upgrade") == shop.doit("database_upgrade", "--help")
