"""Several databases of different kinds in one project: the life of each, on its own server."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import DIALECTS, Database, MakeDatabase
from support.projects import MiniProject

pytestmark = [pytest.mark.slow, pytest.mark.server]

NAMES = ("", "analytics", "billing")
TABLES = {"": "product", "analytics": "visit", "billing": "invoice"}
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "M"}
ENTITY = """
from sqlalchemy import Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class {name}(Base):
    __tablename__ = "{table}"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    price: Mapped[float | None] = mapped_column(Numeric(10, 2))
"""
ROTATIONS = [DIALECTS[turn:] + DIALECTS[:turn] for turn in range(3)]


class Several:
    """A project with a default database and two others, each of another kind."""

    def __init__(self, project: MiniProject, kinds: tuple[str, ...], make_database: MakeDatabase) -> None:
        self.project = project
        self.databases: dict[str, Database] = {
            name: make_database(kind, name or "shop") for name, kind in zip(NAMES, kinds, strict=True)
        }
        lines = [f"database:\n  url: {self.databases[''].url}", "databases:"]
        for name in NAMES:
            folder = f"src/{name or 'entity'}"
            table = TABLES[name]
            project.write(f"{folder}/{table}.py", ENTITY.format(name=table.title(), table=table))
            project.write(f"seeds/{name}/{table}.yaml", f"{table}: [{{id: 1, name: of {table}}}]\n")
            if name:
                lines.append(f"  {name}:\n    url: {self.databases[name].url}\n    entities: {folder}")
        project.write("config/orm.yaml", "\n".join(lines) + "\n")


def several(tmp_path: Path, kinds: tuple[str, ...], make_database: MakeDatabase) -> Several:
    path = tmp_path / "project"
    path.mkdir()
    return Several(MiniProject(path), kinds, make_database)


def task(name: str, of: str) -> str:
    return f"{name}:{of}" if of else name


@pytest.mark.parametrize("kinds", ROTATIONS, ids="-".join)
def test_the_life_of_databases_of_three_kinds(
    kinds: tuple[str, ...], tmp_path: Path, make_database: MakeDatabase
) -> None:
    made = several(tmp_path, kinds, make_database)
    project, databases = made.project, made.databases
    told = project.framefox_tasks("init").out
    assert "is left as it is" not in told  # the entities of the others are theirs, and not of the default one
    project.ok("database_create_migration:*", "-m", "first", "database_upgrade:*")
    for name, database in databases.items():
        assert database.tables() == {"alembic_version", TABLES[name]}
        project.ok(task("database_seed", name))
        assert database.execute(f"SELECT name FROM {TABLES[name]}") == [(f"of {TABLES[name]}",)]
        assert f"│ Type       │ {TITLES[database.dialect]}" in project.ok(task("database_status", name))
    assert project.ok("database_check:*").count("entities: ok") == 3
    assert project.ok("database_upgrade:*").count("at head") == 3
    project.ok("database_diagram:*", "--format=mermaid", "database_schema:*")
    for name in NAMES:
        folder = f"docs/database/{name}".rstrip("/")
        assert TABLES[name] in project.read(f"{folder}/schema.mmd")
        schema = project.read(f"{folder}/schema.sql")
        assert f"Written by: doit {task('database_schema', name)}\n" in schema
        assert schema.count("CREATE TABLE") == 1


def test_one_is_changed_and_the_others_are_not(tmp_path: Path, make_database: MakeDatabase) -> None:
    made = several(tmp_path, DIALECTS, make_database)
    project, databases = made.project, made.databases
    project.framefox_tasks("init")
    project.ok("database_create_migration:*", "-m", "first", "database_upgrade:*")
    before = {name: database.revision() for name, database in databases.items()}
    project.replace("src/billing/invoice.py", "    price:", "    size: Mapped[int | None]\n    price:")
    wrote = project.ok("database_create_migration:*", "-m", "second")
    assert "  in migrations/billing/versions\n  add column invoice.size\nProven on a scratch database" in wrote
    assert wrote.count("Migration file") == 1
    project.ok("database_upgrade:billing")
    assert databases["billing"].revision() != before["billing"]
    assert "Apply again with: doit database_upgrade:billing" in project.ok("database_downgrade:billing")
    assert {name: database.revision() for name, database in databases.items()} == before
    project.ok("database_drop:billing", "--yes")
    assert [database.exists() for database in databases.values()] == [True, True, False]


def test_one_of_several_is_copied_into_another_kind(tmp_path: Path, make_database: MakeDatabase) -> None:
    project = several(tmp_path, DIALECTS, make_database).project
    project.framefox_tasks("init")
    project.ok("database_create_migration:*", "-m", "first", "database_setup:analytics")
    said = project.ok("database_copy:analytics", "--to=sqlite:///copied.db")
    assert "2 rows of 2 tables copied to copied.db" in said
    copied = Database("sqlite", "", "copied", project.path / "copied.db")
    assert copied.execute("SELECT name FROM visit") == [("of visit",)]
    project.env["DATABASE_COPY_URL"] = "sqlite:///of_default.db"  # the others have none
    assert "Type: doit database_copy:billing --to=" in project.fails("database_copy:billing")
    assert not (project.path / "of_default.db").exists()
