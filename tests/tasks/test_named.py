"""What loses data runs only when it was named: not by default, as with a DOIT_CONFIG of one's own, nor by a pattern."""

from __future__ import annotations

import pytest
from support.databases import Database
from support.naming import DODO, SKIPPED, file, is_whole, upgraded
from support.projects import MiniProject

__all__ = ["file"]


def test_a_bare_doit_of_a_project_with_its_own_config_loses_nothing(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "-m", "first", "database_upgrade")
    project.write("dodo.py", DODO.format(config=""))
    tables, versions = database.tables(), project.versions()
    for arguments in ((), ("--continue",)):
        result = project.doit(*arguments)
        assert result.code == 0, result.all
        assert SKIPPED in result.out
        assert "Skipped: it would drop the database. To run it, name it: doit database_drop\n" in result.out
        assert "Skipped: it would delete all migrations." in result.out
        assert "Skipped: it would copy the database." in result.out
        assert "Skipped: it would remove what is cached of the entities." in result.out
        assert (database.tables(), project.versions()) == (tables, versions)


def test_what_is_named_runs(project: MiniProject, database: Database) -> None:
    upgraded(project)
    assert "Successfully reverted 1 migration." in project.ok("database_downgrade")
    assert database.revision() == []
    project.ok("database_drop", "--yes")
    assert not database.exists()
    project.ok("database_upgrade", "database_clear_migration", "--yes")
    assert project.versions() == []


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "run",
        "--continue",
        "-a",
        "-s",
        "-k",
        "-n 2",
        "-n 2 -P thread",
        "-f dodo.py",
        "database_down*",
        "run database_down*",
        "*downgrade",
        "-a database_down*",
        "database_create database_down*",
        "database_status --format json database_down*",
        "database_create_migration --check -m database_downgrade database_down*",
        "pattern",
        "x=database_downgrade",
    ],
)
def test_what_is_not_named_is_skipped(shop: MiniProject, file: Database, arguments: str) -> None:
    upgraded(shop)
    if "--check" in arguments:
        shop.write("config/orm.yaml", "database: {url: 'sqlite:///x.db'}\nignore_tables: ['*']\n")
    result = shop.doit(*arguments.split())
    assert result.code == 0, result.all
    assert SKIPPED in result.out
    assert is_whole(shop, file)


@pytest.mark.parametrize(
    "arguments",
    [
        "database_downgrade",
        "run database_downgrade",
        "--continue database_downgrade",
        "-a database_downgrade",
        "-s database_downgrade",
        "-n 2 database_downgrade",
        "-n 2 -P thread database_downgrade",
        "-f dodo.py database_downgrade",
        "database_create database_downgrade --steps 1",
        "database_upgrade --revision aaa database_downgrade",
        "database_down* database_downgrade",
        "database_status* database_status* database_downgrade",
        "database_downgrade database_downgrade --steps 1",
        "group",
        "parts",
        "parts:one",
        "needs",
        "finds",
        "report.txt",
        "file_of_file",
        "pattern_and_name",
        "renamed",
        "late",
    ],
)
def test_what_is_named_or_needed_by_what_is_named_runs(shop: MiniProject, file: Database, arguments: str) -> None:
    upgraded(shop)
    result = shop.doit(*arguments.split())
    assert result.code == 0, result.all
    assert "Successfully reverted 1 migration." in result.out
    assert "Skipped" not in result.out
    assert file.revision() == []
    assert "noted" not in file.tables()


def test_a_task_that_runs_by_default_does_not_name_what_it_needs(shop: MiniProject, file: Database) -> None:
    upgraded(shop, config=', "default_tasks": ["group"]')
    assert SKIPPED in shop.ok()
    assert is_whole(shop, file)


def test_a_sub_folder_is_the_same_project(shop: MiniProject, file: Database) -> None:
    upgraded(shop).write("docs/notes.txt", "")
    assert SKIPPED in shop.doit("-k", cwd="docs").out
    assert is_whole(shop, file)
    assert shop.doit("-k", "database_downgrade", cwd="docs").code == 0
    assert file.revision() == []


def test_a_confirmation_in_doit_cfg_does_not_name_the_task(shop: MiniProject, file: Database) -> None:
    upgraded(shop).write("doit.cfg", "[task:database_drop]\nyes = 1\n[task:database_clear_migration]\nyes = 1\n")
    shop.ok()
    assert is_whole(shop, file)


def test_the_other_commands_are_as_they_were(shop: MiniProject, file: Database) -> None:
    upgraded(shop)
    result = shop.doit("info", "database_downgrade")
    assert "status     : run\n * The task has no dependencies.\n" in result.out
    assert "R database_downgrade" in shop.ok("list", "--status")
    for arguments in (("forget",), ("forget", "database_downgrade"), ("clean",), ("clean", "database_drop"), ("list",)):
        shop.ok(*arguments)
    assert is_whole(shop, file)
