"""A copy waits for nobody without end: not for who alters a table of its source, nor behind who waits to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from support.copying import made, open_source, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.databases.contract import Source
from framefox_tasks.databases.mysql import session
from framefox_tasks.databases.mysql.place_rows import MySQLRowsPlace
from framefox_tasks.databases.postgresql.place_rows import PostgreSQLRowsPlace
from framefox_tasks.databases.postgresql.snapshot import PostgreSQLSource
from framefox_tasks.errors import DatabaseInUseError
from framefox_tasks.model import CopyOptions

pytestmark = pytest.mark.server

SERVERS = ["postgresql", "mysql"]
TABLES = ["CREATE TABLE a (id int PRIMARY KEY, n int)", "INSERT INTO a VALUES (1, 2)"]
ACTIVE = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE a%' "
    "AND wait_event_type = 'Lock' AND datname = current_database()",
    "mysql": "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER TABLE a%' "
    "AND STATE LIKE 'Waiting for table%' AND DB = DATABASE()",
}


@pytest.fixture(params=SERVERS)
def held(request: pytest.FixtureRequest, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(session, "_PATIENCE", 1)
    return made(make_database(request.param), *TABLES)


@contextmanager
def altering(database: Database) -> Iterator[None]:
    """Another session that waits to alter the table."""
    connection = database.connect()

    def alter() -> None:
        with suppress(Exception), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE a ADD COLUMN more int")

    thread = threading.Thread(target=alter)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not database.execute(ACTIVE[database.dialect])[0][0]:
            assert time.monotonic() < until
            time.sleep(0.02)
        yield
    finally:
        end_waiting(database)
        thread.join(10)
        assert not thread.is_alive()
        with suppress(Exception):
            connection.close()


def end_waiting(database: Database) -> None:
    """End the statement that waits."""
    if database.dialect == "postgresql":
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'ALTER TABLE a%' AND datname = current_database()"
        )
        return
    find = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER TABLE a%' AND DB = DATABASE()"
    for (number,) in database.execute(find):
        with suppress(Exception):
            database.execute(f"KILL {number}")


def impatient(source: Source) -> Source:
    if isinstance(source, PostgreSQLSource):
        source.patience = 0.3
    return source


def test_a_reader_does_not_wait_behind_who_waits_to_alter_a_table(held: Database) -> None:
    with open_source(target_of(held), 2) as source:
        plans = impatient(source).schema().tables
        with source.reader() as one:
            assert b"".join(one.lines(plans[0].source)) == b"1\t2\n"
            with altering(held), pytest.raises(DatabaseInUseError) as caught, source.reader() as other:
                b"".join(other.lines(plans[0].source))
            assert "ALTER TABLE a ADD COLUMN more" in caught.value.message


def test_readers_that_have_begun_go_on_while_somebody_waits_to_alter_a_table(make_database: MakeDatabase) -> None:
    source = made(make_database("postgresql"), *TABLES, "CREATE TABLE b AS SELECT 3 AS n")
    with open_source(target_of(source), 2) as opened:
        plans = opened.schema().tables
        with opened.reader() as one, opened.reader() as other, altering(source):
            assert {b"".join(one.lines(plan.source)) for plan in plans} == {b"1\t2\n", b"3\n"}
            assert {b"".join(other.lines(plan.source)) for plan in plans} == {b"1\t2\n", b"3\n"}


def test_a_plan_does_not_wait_for_who_has_a_table_for_himself(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(make_database("postgresql"), *TABLES)
    holder = source.connect()
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
    monkeypatch.setattr(PostgreSQLSource, "patience", 0.3)
    try:
        with pytest.raises(DatabaseInUseError, match=r"server process \d+ .*: LOCK TABLE a"):
            plan_copy(target_of(source), target_of(make_database("postgresql", "copy")))
    finally:
        holder.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_who_changes_rows_of_the_target_is_named(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    source, target = made(make_database("sqlite"), *TABLES), made(make_database(kind, "copy"), TABLES[0])
    monkeypatch.setattr(MySQLRowsPlace, "patience", 1)
    monkeypatch.setattr(PostgreSQLRowsPlace, "patience", 1)
    holder = target.connect()
    with holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO a VALUES (1, 5)")
    try:
        with pytest.raises(DatabaseInUseError, match=r"(server process|connection) \d+ \(user .*: "):
            copy(target_of(source), target_of(target), options=CopyOptions(data_only=True))
    finally:
        holder.rollback()
        holder.close()
    assert target.execute("SELECT count(*) FROM a") == [(0,)]
