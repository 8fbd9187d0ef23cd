"""A project that an earlier version made, with its caches, runs unchanged: version 0.1.0 before its modules moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.projects import MiniProject, copy_project


@pytest.fixture
def made_before(tmp_path: Path) -> MiniProject:
    project = copy_project("made_before", tmp_path)
    for kept, name in (("cache", ".framefox_tasks"), ("doit.sqlite3", ".doit.sqlite3"), ("shop.sqlite", "shop.db")):
        (project.path / kept).rename(project.path / name)
    return project


def contents(project: MiniProject) -> dict[str, bytes]:
    folders = ("migrations", "config", "docs", ".framefox_tasks")
    files = (path for folder in folders for path in (project.path / folder).rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if "__pycache__" not in path.parts}


def test_there_is_nothing_to_do(made_before: MiniProject) -> None:
    before = contents(made_before)
    shown = made_before.ok("database_upgrade", "database_create_migration", "database_diagram")
    assert shown.splitlines() == [
        "-- database_create  shop.db exists",
        ".  database_upgrade",  # doit remembers the heads of the folder that it was made in
        "Applying migrations...",
        "The database is already up to date, no migrations to apply.",
        "-- database_metadata  the entities have not changed",
        "-- database_create_migration  no changes since ef421d336d5f",
        "-- database_diagram:schema  the schema has not changed",
    ]
    after = contents(made_before)
    made = {str(made_before.path / ".framefox_tasks" / name) for name in ("compiled", ".gitignore")}
    assert after.keys() - before.keys() == made  # the compiled migrations, and that git ignores the cache
    assert {name: after[name] for name in before} == before


@pytest.mark.slow
def test_its_next_migration_knows_the_last(made_before: MiniProject) -> None:
    made_before.replace(
        "src/entity/product.py",
        "    price:",
        "    code: Mapped[str | None] = mapped_column(String(9))\n    price:",
    )
    assert "\n  add column product.code\n" in made_before.ok("database_create_migration", "-m", "code")
    made_before.ok("database_upgrade")
    made_before.ok("database_create_migration", "--check")


def test_its_migrations_build_a_new_database(made_before: MiniProject) -> None:
    made_before.env["DATABASE_URL"] = "sqlite:///new.db"
    assert "  ef421d336d5f  first" in made_before.ok("database_upgrade")
    assert "up to date" in made_before.ok("database_status")


def test_the_alembic_command_runs_its_env_py(made_before: MiniProject) -> None:
    (made_before.path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\nprepend_sys_path = .\n")
    result = made_before.run("alembic", "current")
    assert result.code == 0, result.all
    assert "ef421d336d5f (head)" in result.out
