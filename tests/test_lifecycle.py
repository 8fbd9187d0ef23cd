"""The whole life of a database through doit, the same on every dialect."""

from __future__ import annotations

import json
import re

from support.databases import Database
from support.projects import MiniProject


def test_create_says_so_and_then_is_up_to_date(project: MiniProject, database: Database) -> None:
    assert "Database created successfully" in project.ok("database_create")
    assert database.exists()
    assert re.search(r"^-- database_create  .*exists$", project.ok("database_create"), re.MULTILINE)


def test_the_whole_life(project: MiniProject, database: Database) -> None:
    out = project.ok("database_create_migration", "-m", "first tables")
    (name,) = project.versions()
    assert re.fullmatch(r"\d{8}_\d{6}_first_tables\.py", name)
    assert f"Migration file '{name}' created successfully.\n  in migrations/versions\n" in out
    assert "Apply it with: doit database_upgrade" in out
    assert "Revision ID:" in project.read(f"migrations/versions/{name}")
    assert database.tables() == {"alembic_version"}

    out = project.ok("database_upgrade")
    assert "Applying migrations..." in out
    assert "first tables" in out
    assert "Migrations applied successfully." in out
    assert "doit database_downgrade" in out
    assert database.tables() == {"alembic_version", "product", "review"}

    assert "-- database_upgrade  at head " in project.ok("database_upgrade")
    assert "agree." in project.ok("database_create_migration", "--check")
    assert len(project.versions()) == 1

    project.replace(
        "src/entity/product.py", "price:", "stock: Mapped[int] = mapped_column(server_default='0')\n    price:"
    )
    project.ok("database_create_migration")
    assert re.fullmatch(r"\d{8}_\d{6}_migration\.py", max(project.versions()))
    project.ok("database_upgrade")
    database.execute("INSERT INTO product (id, name, price) VALUES (1, 'pen', 2)")
    assert database.execute("SELECT stock FROM product") == [(0,)]

    out = project.ok("database_downgrade")
    assert "Successfully reverted 1 migration." in out
    assert database.execute("SELECT * FROM product")[0][:2] == (1, "pen")
    out = project.ok("database_downgrade", "--steps", "0")
    assert database.tables() == {"alembic_version"}
    assert database.revision() == []
    assert "Migrations applied successfully." in project.ok("database_upgrade")

    assert "Database dropped successfully" in project.ok("database_drop", "--yes")
    assert not database.exists()
    assert "Migrations applied successfully." in project.ok("database_upgrade")


def test_the_tasks_chain_in_one_run(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "database_upgrade")
    assert "product" in database.tables()
    out = project.ok("database_drop", "--yes", "database_upgrade", "database_status")
    assert "The database is up to date." in out
    assert "product" in database.tables()


def test_clear_migration_and_start_anew(project: MiniProject, database: Database) -> None:
    project.set_up()
    project.write("migrations/README", "mine")
    project.write("migrations/versions/__init__.py", "")
    project.write("migrations/versions/notes.txt", "mine")
    out = project.ok("database_clear_migration", "--yes")
    assert "Version table cleared." in out
    assert "1 migration deleted." in out
    assert project.versions() == ["__init__.py"]
    assert project.read("migrations/versions/notes.txt") == "mine"
    assert sorted(p.name for p in (project.path / "migrations").iterdir() if p.is_file()) == [
        "README",
        "env.py",
        "script.py.mako",
    ]
    assert database.revision() == []
    project.ok("database_drop", "--yes", "database_create_migration", "database_upgrade")
    assert len(project.versions()) == 2
    assert "product" in database.tables()


def test_status_as_json(project: MiniProject, database: Database) -> None:
    project.set_up("-m", "one")
    project.ok("database_create_migration", "--empty", "-m", "two")
    data = json.loads(project.ok("database_status", "--format", "json"))
    assert data["format"] == 1
    assert data["database"]["dialect"] == database.dialect
    assert data["database"]["exists"] is True
    assert data["database"]["server_version"]
    assert data["pending"] == 1
    assert data["up_to_date"] is False
    assert [(m["description"], m["status"]) for m in data["migrations"]] == [("two", "PENDING"), ("one", "CURRENT")]
    assert project.fails("database_status", "--exit-code")
    project.ok("database_upgrade", "database_status", "--exit-code")
