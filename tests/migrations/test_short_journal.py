"""The journal of a migration that only changes the schema, in the version table of MySQL: no table is made for it."""

from __future__ import annotations

from typing import Any

import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationError, MigrationInterruptedError, Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import NOTES

pytestmark = pytest.mark.server

JOURNAL = "alembic_version_journal"
FIRST = "op.execute('CREATE TABLE a (id INTEGER)')"
SECOND = "op.execute('CREATE TABLE b (id INTEGER)')"
FAILS = "op.execute('CREATE TABLE a (id INTEGER, again INTEGER)')"
HALF = f"{FIRST}; {SECOND}\n    {FAILS}"
WHOLE = HALF.replace(FAILS, "op.execute('CREATE TABLE c (id INTEGER)')")


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("mysql")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the driver sends."""
    from pymysql.connections import Connection

    found: list[str] = []
    execute = Connection._execute_command  # type: ignore[attr-defined]

    def send(self: Any, command: Any, sql: Any) -> None:
        found.append(sql.decode("utf-8", "replace") if isinstance(sql, (bytes, bytearray)) else str(sql))
        execute(self, command, sql)

    monkeypatch.setattr(Connection, "_execute_command", send)
    return found


def at_first(project: MiniProject, database: Database) -> Target:
    """A target whose first migration is applied, which changes nothing."""
    project.migration("m0", None)
    target = Target(database.url, Project(root=project.path))
    database.create()
    framefox_tasks.upgrade(target)
    return target


def noted(database: Database) -> list[Any]:
    return [row[0] for row in database.execute(f"SELECT {NOTES} FROM alembic_version")]


def failed(target: Target, **options: Any) -> str:
    with pytest.raises(MigrationError) as caught:
        framefox_tasks.upgrade(target, **options)
    return str(caught.value)


def tables_made(sent: list[str]) -> list[str]:
    return [statement for statement in sent if statement.startswith("CREATE TABLE IF NOT EXISTS")]


def test_a_migration_that_only_changes_the_schema_makes_no_table(
    shop: MiniProject, database: Database, sent: list[str]
) -> None:
    target = at_first(shop, database)
    sent.clear()
    shop.migration("m1", "m0", upgrade=WHOLE, downgrade="op.drop_table('a')\n    op.drop_table('b')")
    assert framefox_tasks.upgrade(target).current == ("m1",)
    assert framefox_tasks.downgrade(target).current == ("m0",)
    assert not tables_made(sent)
    assert [statement for statement in sent if f"SET {NOTES} = CONVERT" in statement]
    assert noted(database) == [None]
    shop.migration("m1", "m0", upgrade="op.execute('INSERT INTO c VALUES (1)')")
    framefox_tasks.upgrade(target)
    assert len(tables_made(sent)) == 1
    assert (noted(database), database.tables()) == ([None], {"c", "alembic_version"})


def test_one_that_does_not_end_is_told_refused_and_gone_on_with(shop: MiniProject, database: Database) -> None:
    target = at_first(shop, database)
    shop.migration("m1", "m0", upgrade=HALF)
    error = failed(target)
    assert "A part of m1 is committed, and stays. 2 statements of it are done, the last one: CREATE TABLE b" in error
    assert "go on after these: doit database_upgrade --resume" in error
    assert JOURNAL not in database.tables()
    assert database_of(target).standing(target) == (("m0",), True)
    found = framefox_tasks.status(target).interrupted
    assert found is not None
    assert (found.revision, found.done, found.unsure, found.not_resumable) == ("m1", 2, None, None)
    for operation in (framefox_tasks.upgrade, framefox_tasks.plan, framefox_tasks.downgrade):
        with pytest.raises(MigrationInterruptedError, match="The migration m1"):
            operation(target)
    with pytest.raises(MigrationInterruptedError):
        framefox_tasks.stamp(target, revision="m1")
    # It fails at the same statement again: what is done is told as before.
    assert "2 statements of it are done" in failed(target, resume=True)
    shop.migration("m1", "m0", upgrade=WHOLE)
    assert framefox_tasks.upgrade(target, resume=True).current == ("m1",)
    assert database.tables() == {"a", "b", "c", "alembic_version"}
    assert noted(database) == [None]
    assert database_of(target).standing(target) == (("m1",), False)


@pytest.mark.parametrize("applied", [True, False])
def test_one_that_does_not_end_is_settled(applied: bool, shop: MiniProject, database: Database) -> None:
    target = at_first(shop, database)
    shop.migration("m1", "m0", upgrade=HALF)
    failed(target)
    result = framefox_tasks.resolve(target, applied=applied, reverted=not applied)
    assert result.current == (("m1",) if applied else ("m0",))
    assert (noted(database), database.tables()) == ([None], {"a", "b", "alembic_version"})
    assert framefox_tasks.status(target).interrupted is None


def test_where_the_first_statement_is_refused_nothing_is_left(shop: MiniProject, database: Database) -> None:
    target = at_first(shop, database)
    shop.migration("m1", "m0", upgrade="op.execute('DROP TABLE nowhere')")
    assert "is as it was before, at m0" in failed(target)
    assert (noted(database), framefox_tasks.status(target).interrupted) == ([None], None)
    shop.migration("m1", "m0", upgrade=WHOLE)
    assert framefox_tasks.upgrade(target).current == ("m1",)


def test_an_error_that_is_caught_is_raised_again(shop: MiniProject, database: Database) -> None:
    target = at_first(shop, database)
    other = "op.execute('CREATE TABLE c (id INTEGER)')"
    tries = f"try:\n        op.execute('DROP TABLE nowhere')\n    except sa.exc.DBAPIError: {other}"
    shop.migration("m1", "m0", upgrade=f"{FIRST}\n    {tries}\n    {FAILS}")
    assert "3 statements of it are done, the last one: CREATE TABLE c" in failed(target)
    shop.migration("m1", "m0", upgrade=f"{FIRST}\n    {tries}\n    {SECOND}")
    assert framefox_tasks.upgrade(target, resume=True).current == ("m1",)
    assert (noted(database), database.tables()) == ([None], {"a", "b", "c", "alembic_version"})


def test_what_a_second_connection_writes_stands_beside_it(shop: MiniProject, database: Database) -> None:
    target = at_first(shop, database)
    begun = "sa.create_engine(op.get_bind().engine.url).begin()"
    writes = f"with {begun} as c: c.execute(sa.text('INSERT INTO a VALUES (7)'))"
    shop.migration("m1", "m0", upgrade=f"{FIRST}; {SECOND}\n    {writes}\n    {FAILS}")
    for _ in range(2):
        assert "since it writes over a second connection" in failed(target, resume=True)
        assert database.execute("SELECT * FROM a") == [(7,)]
    framefox_tasks.resolve(target, applied=True)
    assert (noted(database), database.tables()) == ([None], {"a", "b", "alembic_version"})


@pytest.mark.parametrize(
    "change",
    [
        f"ALTER TABLE alembic_version DROP COLUMN {NOTES}",
        "ALTER TABLE alembic_version ENGINE = MyISAM",
        "DELETE FROM alembic_version",
    ],
    ids=["of an earlier version", "without transactions", "at base"],
)
def test_where_the_version_table_cannot_hold_it_a_table_is_made(
    change: str, shop: MiniProject, database: Database, sent: list[str]
) -> None:
    target = at_first(shop, database)
    database.execute(change)
    shop.migration("m1", "m0", upgrade=HALF)
    sent.clear()
    assert "2 statements of it are done" in failed(target)
    assert len(tables_made(sent)) == 1
    assert framefox_tasks.status(target).interrupted is not None
    shop.migration("m1", "m0", upgrade=WHOLE)
    assert framefox_tasks.upgrade(target, resume=True).current == ("m1",)
    assert database.tables() == {"a", "b", "c", "alembic_version"}
