"""The plain `alembic` command works beside the tasks, with our env.py."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase
from support.projects import ROOT, MiniProject, Run

pytestmark = pytest.mark.slow

TABLES = {"category", "customer", "tag", "order", "product", "order_line", "payment", "product_tag", "review"}


@pytest.fixture
def sample(tmp_path: Path) -> MiniProject:
    """The sample project of the root, with its migration."""
    path = tmp_path / "project"
    for folder in ("migrations", "src", "config"):
        shutil.copytree(ROOT / folder, path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "dodo.py"):
        shutil.copy(ROOT / file, path)
    return MiniProject(path)


def run(project: MiniProject, *arguments: str, cwd: str = ".") -> Run:
    """The command itself where the project is fresh, else the same as a module, in a fork."""
    if project.fresh:
        return project.run("alembic", *arguments, cwd=cwd)
    return project.module("alembic", *arguments, cwd=cwd)


def alembic(project: MiniProject, *arguments: str, cwd: str = ".") -> str:
    """Run alembic, which must succeed; give all it said."""
    result = run(project, *arguments, cwd=cwd)
    assert result.code == 0, result.all
    return result.all


def fails(project: MiniProject, *arguments: str) -> str:
    """Run alembic, which must fail with a message of its own; give all it said."""
    result = run(project, *arguments)
    assert result.code == 255, result.all
    assert result.out.startswith("FAILED: "), result.all
    assert "Traceback" not in result.all, result.all
    return result.all


def test_every_command_works(sample: MiniProject, database: Database) -> None:
    sample.env["DATABASE_URL"] = database.url
    plain = MiniProject(sample.path, sample.env, fresh=database.dialect == "sqlite")
    sql = run(plain, "upgrade", "head", "--sql")
    assert sql.code == 0, sql.all
    assert sql.out.count("CREATE TABLE") == len(TABLES) + 1
    assert not database.exists()

    database.create()
    assert "create the shop" in alembic(plain, "upgrade", "head")
    assert database.tables() == {"alembic_version", *TABLES}
    assert f"{database.revision()[0]} (head)" in alembic(plain, "current")
    assert "No new upgrade operations detected." in alembic(plain, "check")

    sample.replace("src/entity/tag.py", "name:", "color: Mapped[str | None] = mapped_column(String(20))\n    name:")
    assert "Detected added column 'tag.color'" in alembic(plain, "revision", "--autogenerate", "-m", "color")
    assert re.fullmatch(r"\d{8}_\d{6}_color\.py", _newest(sample))
    assert "sa.Column('color'" in sample.read(f"migrations/versions/{_newest(sample)}")

    alembic(plain, "downgrade", "base")
    assert database.tables() == {"alembic_version"}
    assert "color" in sample.ok("database_upgrade")
    assert {"alembic_version", *TABLES} == database.tables()


def _newest(project: MiniProject) -> str:
    files = (project.path / "migrations/versions").glob("*.py")
    return max(files, key=lambda path: path.stat().st_mtime_ns).name


def test_a_failed_upgrade_on_sqlite_leaves_nothing_behind(sample: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database("sqlite")
    sample.env["DATABASE_URL"] = database.url
    sample.migration("0002", "00b90d6b2eda", upgrade="op.execute('BROKEN')")
    result = run(sample, "upgrade", "head")
    assert result.code == 1
    assert 'near "BROKEN": syntax error' in result.err
    assert database.tables() == set()


def test_it_is_the_project_of_the_migrations_whatever_the_current_folder(sample: MiniProject, tmp_path: Path) -> None:
    sample.fresh = True
    other = MiniProject(tmp_path / "other")
    other.write("config/orm.yaml", "database:\n  url: 'sqlite:///other.db'\n")
    alembic(sample, "-c", str(sample.path / "pyproject.toml"), "upgrade", "head", cwd="../other")
    assert (sample.path / "app.db").stat().st_size > 0
    assert not (other.path / "other.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "This is not a database URL"),
        ("oracle://u:geheim@h/x", "The database 'oracle' is not supported."),
        ("sqlite:///:memory:", "A database in memory"),
        ("sqlite:///src", "src is not a file."),
        ("sqlite:////no/such/folder/app.db", "The database /no/such/folder/app.db does not exist."),
        ("postgresql://u:geheim@127.0.0.1:1/x", "The database x on 127.0.0.1:1 cannot be used"),
    ],
)
def test_a_wrong_url_is_told_without_a_traceback(sample: MiniProject, url: str, message: str) -> None:
    sample.env["DATABASE_URL"] = url
    said = fails(sample, "current")
    assert message in said
    assert "geheim" not in said


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_missing_database_is_told_with_the_command_that_makes_it(
    dialect: str, sample: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database(dialect)
    sample.env["DATABASE_URL"] = database.url
    said = fails(sample, "upgrade", "head")
    assert f"The database {database.name} on " in said
    assert "Create it with: doit database_create" in said


def test_wrong_settings_are_told_without_a_traceback(sample: MiniProject) -> None:
    sample.write("config/orm.yaml", "databse:\n  url: 'sqlite:///app.db'\n")
    assert "config/orm.yaml: unknown key databse." in fails(sample, "upgrade", "head")


def test_an_entity_that_cannot_be_imported_writes_no_migration(sample: MiniProject) -> None:
    alembic(sample, "upgrade", "head")
    sample.write("src/entity/tag.py", "import not_installed\n")
    said = fails(sample, "revision", "--autogenerate")
    assert "src/entity/tag.py, line 1: ModuleNotFoundError" in said
    assert len(sample.versions()) == 1
