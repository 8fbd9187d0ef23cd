"""The backup before what may lose data, or cannot be rolled back; and the way back to it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase, server_databases
from support.projects import MiniProject

TABLE = "op.execute('CREATE TABLE account (id INTEGER, note TEXT)'); op.execute('INSERT INTO account VALUES (1, 2)')"
URL = 'database: {url: "sqlite:///shop.db"}\n'


@pytest.fixture
def saved(shop: MiniProject) -> MiniProject:
    """A project with a backup, at the first of two migrations; the second only adds a table."""
    shop.write("config/orm.yaml", f"{URL}backup: true\n")
    shop.migration("aaa", None, upgrade=TABLE, downgrade="op.drop_table('account')")
    shop.upgrade()
    shop.migration("bbb", "aaa", upgrade="op.execute('CREATE TABLE other (id INTEGER)')")
    return shop


def backups(project: MiniProject) -> list[Path]:
    return sorted((project.path / "backups").glob("*.db"))


def rows(path: Path) -> list[tuple[object, ...]]:
    return Database("sqlite", "", "", path).execute("SELECT * FROM account")


def test_it_is_made_before_what_may_lose_data(saved: MiniProject) -> None:
    saved.ok("database_upgrade")
    assert not backups(saved)
    saved.migration("ccc", "bbb", upgrade="op.execute('DELETE FROM account')")
    assert "Copying shop.db to backups/shop-" in saved.ok("database_upgrade")
    (made,) = backups(saved)
    assert [row[0] for row in rows(made)] == [1]
    assert not rows(saved.path / "shop.db")
    saved.ok("database_downgrade", "--revision=base")
    assert len(backups(saved)) == 2
    saved.ok("database_drop", "--yes")
    assert len(backups(saved)) == 3


def test_it_is_made_before_a_copy_over_it_and_before_the_migrations_are_cleared(saved: MiniProject) -> None:
    saved.ok("database_copy", "--to=sqlite:///other.db")
    assert not backups(saved)
    told = saved.ok("database_copy", "--to=sqlite:///other.db", "--overwrite")
    assert "Copying other.db to backups/other-" in told
    saved.write("config/orm.yaml", f'{URL}backup: mine\ncopies:\n  mine: {{to: "sqlite:///mine-{{timestamp}}.db"}}\n')
    told = saved.ok("database_copy", "--from=sqlite:///other.db", "--to=sqlite:///shop.db", "--overwrite")
    assert "Copying shop.db to mine-" in told
    assert "Copying shop.db to mine-" in saved.ok("database_clear_migration", "--yes")
    assert len(backups(saved)) == 1


def test_a_failure_names_the_command_that_brings_it_back(saved: MiniProject) -> None:
    commits = "op.execute('DELETE FROM account'); op.get_bind().commit(); op.execute('SELECT * FROM nowhere')"
    saved.migration("bbb", "aaa", upgrade=commits)
    error = saved.fails("database_upgrade")
    assert not rows(saved.path / "shop.db")
    command = re.search(
        r"without what was written since: doit (database_copy --from=\S+ --to=\S+ --overwrite)$", error, re.M
    )
    assert command, error
    saved.ok(*shlex.split(command[1]))
    assert [row[0] for row in rows(saved.path / "shop.db")] == [1]
    assert "interrupted" not in saved.ok("database_status")


def test_a_failure_that_has_changed_nothing_names_none(saved: MiniProject) -> None:
    saved.migration("bbb", "aaa", upgrade="op.drop_table('account'); op.execute('SELECT * FROM nowhere')")
    error = saved.fails("database_upgrade")
    assert "database_copy" not in error
    assert len(backups(saved)) == 1


def test_a_named_copy_is_the_backup(saved: MiniProject) -> None:
    saved.write("config/orm.yaml", f'{URL}backup: mine\ncopies:\n  mine: {{to: "sqlite:///mine-{{timestamp}}.db"}}\n')
    saved.ok("database_upgrade")
    saved.ok("database_downgrade", "--revision=base")
    assert len(list(saved.path.glob("mine-*.db"))) == 1
    saved.write("config/orm.yaml", f"{URL}backup: others\n")
    assert "backup must be one of true, false, not 'others'." in saved.fails("database_status")


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_on_a_server_it_stands_beside(dialect: str, saved: MiniProject, make_database: MakeDatabase) -> None:
    database = make_database(dialect)
    saved.write("config/orm.yaml", "backup: true\n")
    saved.env["DATABASE_URL"] = database.url
    saved.ok("database_upgrade", "--revision=aaa")
    saved.migration("bbb", "aaa", upgrade="op.drop_table('account')", downgrade=TABLE)
    assert f"to {database.name}_backup_" in saved.ok("database_upgrade")
    assert [name for name in server_databases(dialect) if name.startswith(f"{database.name}_backup_")]
