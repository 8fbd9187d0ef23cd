"""Copies that replace what their target holds run only when they were named, but for a backup that an upgrade needs."""

from __future__ import annotations

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

DODO = 'from framefox_tasks.tasks import *\n\nDOIT_CONFIG = {{"verbosity": 2, "default_tasks": [{}]}}\n'
CREATE = "op.create_table({0!r}, sa.Column('id', sa.Integer))"


@pytest.fixture
def source(make_database: MakeDatabase, shop: MiniProject) -> Database:
    """The database of the shop, at its revision."""
    database = make_database("sqlite")
    shop.env["DATABASE_URL"] = database.url
    shop.migration("aaa", None, upgrade=CREATE.format("noted"))
    shop.upgrade()
    database.execute("INSERT INTO noted VALUES (1)")
    return database


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def staging(
    request: pytest.FixtureRequest, make_database: MakeDatabase, shop: MiniProject, source: Database
) -> Database:
    """Another database of each dialect in turn, with a table of its own."""
    database = make_database(request.param)
    shop.env["DATABASE_URL"] = database.url
    shop.ok("database_create")
    if database.path:
        database.path.touch()
    database.execute("CREATE TABLE theirs (id INT)")
    shop.env["DATABASE_URL"] = source.url
    return database


def configure(project: MiniProject, copies: str, *default: str) -> None:
    project.write("config/orm.yaml", f"database: {{url: 'sqlite:///x.db'}}\ncopies: {copies}\n")
    project.write("dodo.py", DODO.format(", ".join(map(repr, default))))


def test_a_copy_that_replaces_its_target_is_skipped_by_default(shop: MiniProject, staging: Database) -> None:
    configure(shop, f"{{staging: {{to: '{staging.url}', overwrite: true, then: upgrade}}}}", "database_copy:staging")
    out = shop.ok()
    assert "Skipped: it would replace what is in" in out
    assert "Skipped: it would apply migrations to" in out
    assert "To run it, name it: doit database_copy:staging" in out
    assert staging.tables() == {"theirs"}
    assert "Skipped" in shop.ok("database_copy:*")
    assert staging.tables() == {"theirs"}
    assert "Skipped" not in shop.ok("database_copy:staging")
    assert staging.tables() == {"alembic_version", "noted"}


def test_what_a_skipped_copy_knew_of_its_last_run_is_still_known(shop: MiniProject, source: Database) -> None:
    configure(shop, "{backup: {to: 'sqlite:///backup.db', overwrite: true}}", "database_copy:backup")
    shop.ok("database_copy:backup")
    source.execute("INSERT INTO noted VALUES (2)")
    assert "Skipped: it would replace what is in backup.db" in shop.ok()
    assert " has changed" in shop.doit("info", "database_copy:backup").out  # else: it has not run here yet
    shop.ok("database_copy:backup")
    assert "Skipped" not in shop.ok()
    assert "-- database_copy:backup" in shop.ok("database_copy:backup")


def test_a_copy_that_replaces_nothing_is_made_by_default(shop: MiniProject, source: Database) -> None:
    configure(shop, "{backup: {to: 'sqlite:///backups/{timestamp}.db'}}", "database_copy:backup")
    assert "copied to backups/" in shop.ok()
    assert source.exists()


def test_an_upgrade_by_default_has_its_backup(shop: MiniProject, source: Database) -> None:
    backups = "{backup: {to: 'sqlite:///backup.db', overwrite: true, before: upgrade}}"
    for default in (("database_upgrade",), ("database_copy:backup", "database_upgrade")):
        configure(shop, backups, *default)
        shop.migration(
            f"b{len(default)}", "aaa" if len(default) == 1 else "b1", upgrade=CREATE.format(f"b{len(default)}")
        )
        before = source.revision()
        out = shop.ok()
        assert "copied to backup.db" in out
        assert out.index("copied to backup.db") < out.index("Applying migrations")
        copied = Database("sqlite", "", "backup", shop.path / "backup.db")
        assert copied.revision() == before != source.revision()


def test_a_copy_that_the_command_line_does_not_ask_for_is_skipped(shop: MiniProject, staging: Database) -> None:
    configure(shop, "{}", "database_copy")
    shop.env["DATABASE_COPY_URL"] = staging.url
    shop.write("doit.cfg", "[task:database_copy]\noverwrite = 1\n")
    assert "Skipped: it would copy the database. To run it, name it: doit database_copy\n" in shop.ok()
    assert staging.tables() == {"theirs"}
