"""Named copies between databases of a server, and from a server to files."""

from __future__ import annotations

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

from framefox_tasks.databases import database_of
from framefox_tasks.model import Project, Target

TABLE = "op.create_table({!r}, sa.Column('id', sa.Integer, primary_key=True))"


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest, make_database: MakeDatabase, shop: MiniProject) -> Database:
    """A database with a table and three rows, which the project uses."""
    database = make_database(request.param)
    shop.env["DATABASE_URL"] = database.url
    shop.migration("aaa", None, upgrade=TABLE.format("a"))
    shop.ok("database_upgrade")
    database.execute("INSERT INTO a VALUES (1), (2), (3)")
    return database


def configure(project: MiniProject, copies: str) -> None:
    project.write("config/orm.yaml", f'database:\n  url: "sqlite:///unused.db"\ncopies:\n  {copies}\n')


def test_a_copy_of_a_server_always_runs_and_is_upgraded(
    shop: MiniProject, server: Database, make_database: MakeDatabase
) -> None:
    copy = make_database(server.dialect)
    shop.env["STAGING"] = copy.url
    configure(shop, 'staging: {to: "${STAGING}", then: upgrade, overwrite: true, verify: true}')
    shop.migration("bbb", "aaa", upgrade=TABLE.format("b"))
    for rows in (3, 4):
        out = shop.ok("database_copy:staging")
        assert f"{rows + 1} rows of 2 tables copied to {copy.name} on " in out
        assert "  bbb  migration bbb" in out
        assert copy.revision() == ["bbb"]
        assert copy.execute("SELECT count(*) FROM a") == [(rows,)]
        server.execute(f"INSERT INTO a VALUES ({rows + 1})")
    assert server.revision() == ["aaa"]


def test_a_copy_is_made_before_the_upgrade_of_a_server(
    shop: MiniProject, server: Database, make_database: MakeDatabase
) -> None:
    copy = make_database(server.dialect)
    shop.env["SPARE"] = copy.url
    configure(shop, 'spare: {to: "${SPARE}", overwrite: true, before: upgrade}')
    assert "Copying" not in shop.ok("database_upgrade")
    assert not copy.exists()
    shop.migration("bbb", "aaa", upgrade=TABLE.format("b"))
    assert "4 rows of 2 tables copied" in shop.ok("database_upgrade")
    assert (copy.revision(), server.revision()) == (["aaa"], ["bbb"])


def test_whether_a_database_holds_tables(database: Database, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = database.path.parent if database.path else tmp_path_factory.mktemp("project")
    folder.mkdir(exist_ok=True)
    target = Target(database.url, Project(folder))
    dialect = database_of(target)
    dialect.create(target)
    assert not dialect.holds_tables(target)
    database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    assert not dialect.holds_tables(target)
    database.execute("CREATE TABLE a (id INTEGER)")
    assert dialect.holds_tables(target)
