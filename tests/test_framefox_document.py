"""What the page of Framefox on its database commands shows: every command, option, output and setting of it.

The commands are typed as there, with `framefox-tasks` for `framefox`. Where the page shows an output, each of its lines
is there word for word; a time, a revision, or the kind of the database may be another.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.databases import Database
from support.projects import MiniProject

from framefox_tasks import load_settings

pytestmark = pytest.mark.slow

USER = """
from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime]
"""
ORM_YAML = """
database:
  url: ${DATABASE_URL}
  echo: false
  pool_size: 5
"""
ENVS = (
    "DATABASE_URL=sqlite:///./framefox.db",
    "DATABASE_URL=postgresql://user:pass@localhost/dbname",
    "DATABASE_URL=mysql://user:pass@localhost/dbname",
)
NAME = r"\d{8}_\d{6}_migration"


@pytest.fixture
def site(tmp_path: Path) -> MiniProject:
    """A project as the page has it: an entity, its settings, and what init adds."""
    path = tmp_path / "project"
    path.mkdir()
    project = MiniProject(path)
    project.write("src/entity/user.py", USER)
    project.write("config/orm.yaml", ORM_YAML)
    project.write(".env", f"# .env\n{ENVS[0]}\n")
    assert project.framefox_tasks("init").code == 0
    return project


def types(project: MiniProject, command: str, *, code: int = 0) -> str:
    """Type a command of the page; give its output."""
    program, *words = command.split()
    assert program == "framefox"
    result = project.framefox_tasks(*words)
    assert result.code == code, result.all
    assert "Traceback" not in result.all
    return result.out


def migrated(project: MiniProject, times: int = 1) -> None:
    """The database with so many migrations."""
    for number in range(times):
        if number:
            project.replace(
                "src/entity/user.py", "    created_at", f"    more_{number}: Mapped[int | None]\n    created_at"
            )
        types(project, "framefox database:create-migration")
        types(project, "framefox database:upgrade")


# Each command, the state before it, and the lines that the page shows of its output, as patterns.
OUTPUTS = [
    ("framefox database:create", 0, ["Database created successfully"]),
    ("framefox database:create-migration", 0, [rf"Migration file '{NAME}\.py' created successfully\."]),
    ("framefox database:upgrade", 0, []),
    ("framefox database:upgrade", 1, [r"The database is already up to date, no migrations to apply\."]),
    ("framefox database:downgrade", 1, [r"Reverting 1 migration\.\.\.", r"Successfully reverted 1 migration\."]),
    (
        "framefox database:downgrade --steps 3",
        3,
        [r"Reverting 3 migrations\.\.\.", r"Successfully reverted 3 migrations\."],
    ),
    (
        "framefox database:downgrade --steps 0",
        2,
        [r"Reverting 2 migrations\.\.\.", r"Successfully reverted 2 migrations\."],
    ),
    (
        "framefox database:status",
        1,
        [
            "Database Status",
            r"│ Database   │ Exists        │ framefox\.db",
            r"│ Connection │ Established   │ OK",
            r"│ Type       │ SQLite",
            "Migration Status",
            rf"│ [0-9a-f]{{12}} │ {NAME} │ CURRENT │",
            "The database is up to date",
        ],
    ),
    ("framefox database:diagram", 0, [r"  docs/database/schema\.mmd"]),
    ("framefox database:clear-metadata", 1, [r"Metadata cache cleared:"]),
    ("framefox database:drop --yes", 1, ["Database dropped successfully"]),
    ("framefox database:clear-migration --yes", 1, [r"1 migration deleted\."]),
    ("framefox database:copy --to=sqlite:///copy.db", 1, [r"1 row of 2 tables copied to copy\.db"]),
]


@pytest.mark.parametrize(
    ("command", "migrations", "lines"), OUTPUTS, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_a_command_and_its_output(site: MiniProject, command: str, migrations: int, lines: list[str]) -> None:
    migrated(site, migrations)
    if command.endswith(":diagram"):
        site.write("config/orm.yaml", f"{ORM_YAML}\ndiagram: {{formats: mermaid}}\n")
    out = types(site, command)
    for line in lines:
        assert re.search(rf"^{line}", out, re.MULTILINE), out


def test_an_upgrade_says_what_the_page_shows(site: MiniProject) -> None:
    types(site, "framefox database:create-migration")
    out = types(site, "framefox database:upgrade")
    assert re.search(r"^Applying migrations\.\.\.\n(  .*\n)?Migrations applied successfully\.\n", out, re.MULTILINE)


def test_a_migration_file_is_as_on_the_page(site: MiniProject) -> None:
    types(site, "framefox database:create-migration")
    (name,) = site.versions()
    text = site.read(f"migrations/versions/{name}")
    assert text.startswith(f'"""{name.removesuffix(".py")}\n\nRevision ID: ')
    for line in (
        r"Revision ID: [0-9a-f]{12}",
        r"Revises: ",
        r"Create Date: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}",
        r"import sqlalchemy as sa",
        r"revision: str = '[0-9a-f]{12}'",
        r"    op\.create_table\('user',",
        r"    sa\.Column\('id', sa\.Integer\(\), nullable=False\),",
        r"    sa\.Column\('username', sa\.String\(length=100\), nullable=False\),",
        r"    sa\.Column\('email', sa\.String\(length=255\), nullable=False\),",
        r"    sa\.Column\('created_at', sa\.DateTime\(\), nullable=False\),",
        r"    sa\.PrimaryKeyConstraint\('id'\),",
        r"    sa\.UniqueConstraint\('email'\),",
        r"    op\.drop_table\('user'\)",
    ):
        assert re.search(f"^{line}", text, re.MULTILINE), line


def test_a_downgrade_reverts_the_last_by_default_and_all_with_0(site: MiniProject) -> None:
    migrated(site, 3)
    database = Database("sqlite", "", "framefox", site.path / "framefox.db")
    (last,) = database.revision()
    types(site, "framefox database:downgrade")
    assert database.revision() != [last]
    assert database.revision() != []
    types(site, "framefox database:downgrade --steps 0")
    assert database.revision() == []
    assert "user" not in database.tables()


# The four workflows

SET_UP = ("database:create", "database:create-migration", "database:upgrade", "database:status")
MODIFY = ("database:create-migration", "database:upgrade")


def test_the_initial_set_up(site: MiniProject) -> None:
    for command in SET_UP:
        out = types(site, f"framefox {command}")
    assert "The database is up to date" in out


def test_modifying_an_entity(site: MiniProject) -> None:
    migrated(site)
    site.replace(
        "src/entity/user.py",
        "    created_at",
        "    phone: Mapped[str | None] = mapped_column(String(40))\n    created_at",
    )
    assert "add column user.phone" in types(site, f"framefox {MODIFY[0]}")
    assert "Migrations applied successfully." in types(site, f"framefox {MODIFY[1]}")


def test_adding_an_entity(site: MiniProject) -> None:
    migrated(site)
    types(site, "framefox create:entity product", code=1)  # it asks for the fields, and there is no terminal
    types(site, "framefox create:entity product --fields=name:str(100)")
    assert "product" in site.read("src/entity/product.py")
    assert "add table product" in types(site, f"framefox {MODIFY[0]}")
    assert "Migrations applied successfully." in types(site, f"framefox {MODIFY[1]}")


def test_migration_conflicts(site: MiniProject) -> None:
    migrated(site)
    assert "CURRENT" in types(site, "framefox database:status")
    types(site, "framefox database:downgrade")
    types(site, "framefox database:clear-migration --yes")
    types(site, "framefox database:create-migration")
    assert len(site.versions()) == 1
    assert "Migrations applied successfully." in types(site, "framefox database:upgrade")


@pytest.mark.parametrize("command", ["drop", "clear-migration"])
def test_what_loses_data_asks_before(site: MiniProject, command: str) -> None:
    migrated(site)
    types(site, f"framefox database:{command}", code=1)
    assert (site.path / "framefox.db").exists()
    assert len(site.versions()) == 1


# Settings


def test_connection_errors_are_looked_into(site: MiniProject) -> None:
    result = site.run("sh", "-c", "framefox-tasks debug:config | grep DATABASE_URL")
    assert result.code == 0, result.all
    assert re.search(r"^DATABASE_URL +sqlite:///(\./)?framefox\.db +\.env, line 2$", result.out, re.MULTILINE), (
        result.out
    )


@pytest.mark.parametrize(
    ("env", "label"), [(ENVS[0], "framefox.db"), (ENVS[1], "dbname on localhost"), (ENVS[2], "dbname on localhost")]
)
def test_the_settings_of_the_page(tmp_path: Path, env: str, label: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/orm.yaml").write_text(f"# config/orm.yaml{ORM_YAML}", encoding="utf-8")
    (tmp_path / ".env").write_text(f"# .env\n{env}\n", encoding="utf-8")
    settings = load_settings(tmp_path, environ={})
    assert settings.target.label.startswith(label)
    assert settings.source == "DATABASE_URL"
