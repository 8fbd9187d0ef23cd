"""Projects that exist: at most two steps, no file of theirs changed, and their own tool in turn."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.miniatures import FILES, TEAM, with_alembic, write_files
from support.projects import MiniProject, copy_project
from support.typing_in import two_steps

pytestmark = pytest.mark.slow

SETTINGS = {
    "one models.py": "models.py",
    "a package": "shop/models",
    "a src layout": "src/shop/models.py",
    "several applications": '["shop/*/models.py"]',
    "several bases": "shop/models",
    "FastAPI with SQLModel": "app/models.py",
    "Flask-SQLAlchemy": "app.py",
}


def tables(project: MiniProject, file: str) -> set[str]:
    with closing(sqlite3.connect(project.path / file)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name for (name,) in found}


@pytest.mark.parametrize("name", FILES)
def test_models_without_migrations(name: str, tmp_path: Path) -> None:
    project = write_files(name, tmp_path)
    said = two_steps(project)
    assert "Next: doit database_create_migration database_upgrade\n" in said
    file = {"Flask-SQLAlchemy": "instance/heroes.db", "Framefox's folders": "heroes.db"}.get(name, "app.db")
    assert tables(project, file) == {"alembic_version", "hero"} | (
        {"team"} if name in ("several applications", "several bases") else set()
    )
    if name in SETTINGS:
        assert f"\nentities: {SETTINGS[name]}\n" in project.read("config/orm.yaml")
    else:
        assert not (project.path / "config").exists()
    assert "no changes since" in project.ok("database_create_migration")
    assert "Nothing to write: every file is there." in project.framefox_tasks("init").out
    assert "No new upgrade operations detected." in alembic(project, "check")


def test_an_application_that_comes_later_is_found(tmp_path: Path) -> None:
    project = write_files("several applications", tmp_path)
    two_steps(project)
    project.write(
        "shop/places/models.py", TEAM.format(base="shop.db").replace("Team", "Place").replace("team", "place")
    )
    assert "add table place" in project.ok("database_create_migration")


@pytest.mark.parametrize("template", ["generic", "async", "pyproject", "pyproject_async"])
def test_stock_alembic_in_turn_with_the_tasks(template: str, tmp_path: Path) -> None:
    project = with_alembic(template, tmp_path)
    if "async" in template:
        project.replace("alembic.ini", "sqlite:///", "sqlite+aiosqlite:///")
    alembic(project, "revision", "--autogenerate", "-m", "first")
    said = two_steps(project)
    assert "Next: doit database_upgrade\n" in said
    assert "sqlalchemy.url in alembic.ini" in said
    assert not (project.path / "config").exists()
    assert tables(project, "heroes.db") == {"alembic_version", "hero"}
    assert "(head)" in alembic(project, "current")
    if template != "generic":
        return
    project.replace("models.py", "name:", "age: Mapped[int | None]\n    name:")
    alembic(project, "revision", "--autogenerate", "-m", "second")
    assert "second" in project.doit("database_upgrade").out
    project.replace("models.py", "name:", "size: Mapped[int | None]\n    name:")
    assert "add column hero.size" in project.doit("database_create_migration", "-m", "third").out
    assert "third" in alembic(project, "upgrade", "head")
    assert "The database is up to date." in project.doit("database_status").out


def alembic(project: MiniProject, *arguments: str) -> str:
    result = project.module("alembic", *arguments)
    assert result.code == 0, result.all
    return result.all


def test_the_placeholder_of_a_new_alembic_folder_is_no_database(tmp_path: Path) -> None:
    project = with_alembic("generic", tmp_path, url="")
    said = two_steps(project)
    assert "  config/orm.yaml\n" in said
    assert "entities:" not in project.read("config/orm.yaml")  # env.py knows them
    assert tables(project, "app.db") == {"alembic_version", "hero"}


def test_a_variable_that_the_code_reads_becomes_no_empty_file(tmp_path: Path) -> None:
    project = with_alembic("generic", tmp_path, url="")
    project.write(
        "migrations/env.py", f"import os\n\nURL = os.environ.get('DATABASE_URL')\n{project.read('migrations/env.py')}"
    )
    told = project.framefox_tasks("init").out
    assert "config/orm.yaml" not in told
    error = project.fails("database_upgrade")
    assert "No database is configured: DATABASE_URL is not set" in error
    assert not (project.path / "app.db").exists()
    project.env["DATABASE_URL"] = "sqlite:///heroes.db"
    project.doit("database_create_migration", "database_upgrade")
    assert tables(project, "heroes.db") == {"alembic_version", "hero"}


def test_several_version_locations(tmp_path: Path) -> None:
    project = with_alembic("generic", tmp_path)
    project.replace("alembic.ini", "[alembic]", "[alembic]\nversion_locations = %(here)s/one %(here)s/two")
    project.replace("alembic.ini", "path_separator = os", "path_separator = space")
    (project.path / "one").mkdir()
    (project.path / "two").mkdir()
    alembic(project, "revision", "-m", "first", "--version-path=one", "--autogenerate")
    alembic(project, "revision", "-m", "second", "--version-path=two", "--head=head")
    said = two_steps(project)
    assert "first" in said
    assert "second" in said
    assert "(head)" in alembic(project, "current")


def test_flask_migrate(tmp_path: Path) -> None:
    project = write_files("Flask-SQLAlchemy", tmp_path)
    project.replace(
        "app.py", "db.init_app(app)", "db.init_app(app)\n\nfrom flask_migrate import Migrate\n\nMigrate(app, db)"
    )
    for arguments in (("db", "init"), ("db", "migrate", "-m", "first")):
        assert project.module("flask", *arguments).code == 0
    said = two_steps(project)
    assert "Next: doit database_upgrade\n" in said
    assert "the Flask application" in said
    assert not (project.path / "config").exists()
    assert tables(project, "instance/heroes.db") == {"alembic_version", "hero"}
    project.replace("app.py", "    name =", "    age = db.Column(db.Integer)\n    name =")
    assert project.module("flask", "db", "migrate", "-m", "second").code == 0
    assert "second" in project.doit("database_upgrade").out


def test_framefox(tmp_path: Path) -> None:
    project = copy_project("framefox_shop", tmp_path)
    (project.path / "dodo.py").unlink()
    project.env["DATABASE_URL"] = (
        f"sqlite:///{project.path}/shop.db"  # its own settings read .env, the stand-in does not
    )
    said = two_steps(project)
    assert "libraries  Framefox, SQLModel" in said
    assert "database   DATABASE_URL" in said
    assert "config/orm.yaml" not in said.partition("Written:")[2]
    assert {"product", "review"} <= tables(project, "shop.db")
