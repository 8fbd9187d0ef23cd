"""Readers of a snapshot of PostgreSQL: who comes later reads on a connection that nobody uses any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.copying import made, open_source, target_of
from support.databases import Database, MakeDatabase
from support.waiting import wait_until

from framefox_tasks.databases.postgresql.snapshot import PostgreSQLSource
from framefox_tasks.databases.rows import TablePlan

pytestmark = pytest.mark.server


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return made(make_database("postgresql"), "CREATE TABLE a AS SELECT 1 AS id", "CREATE TABLE b AS SELECT 2 AS id")


@pytest.fixture
def source(database: Database) -> Iterator[PostgreSQLSource]:
    with open_source(target_of(database), 2) as opened:
        assert isinstance(opened, PostgreSQLSource)
        yield opened


def number(reader: Any) -> int:
    return int(reader._connection.info.backend_pid)


def used(source: PostgreSQLSource) -> int:
    with source.reader() as reader:
        return number(reader)


def rows(source: PostgreSQLSource, plan: TablePlan) -> bytes:
    with source.reader() as reader:
        return b"".join(reader.lines(plan.source))


def sessions(database: Database) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return int(database.execute(query)[0][0])


def test_one_after_the_other_has_one_connection_and_two_at_once_have_two(
    source: PostgreSQLSource, database: Database
) -> None:
    plans = source.tables()
    first = used(source)
    assert [rows(source, plan) for plan in plans] == [b"1\n", b"2\n"]
    with source.reader() as one, source.reader() as other:
        assert number(one) == first != number(other)
    for _ in range(3):
        assert rows(source, plans[0]) == b"1\n"
    wait_until(lambda: sessions(database) == 3)  # that which holds the snapshot, and two readers


def test_it_sees_the_snapshot_still(source: PostgreSQLSource, database: Database) -> None:
    (plan, _) = source.tables()
    assert rows(source, plan) == b"1\n"
    database.execute("INSERT INTO a VALUES (3)")
    assert rows(source, plan) == b"1\n"


def test_who_is_left_with_an_error_is_closed(source: PostgreSQLSource) -> None:
    first = used(source)
    with pytest.raises(ValueError, match="of ours"), source.reader():
        raise ValueError("of ours")
    second = used(source)
    assert first != second


def test_who_was_ended_by_another_thread_or_left_in_its_rows_is_closed(source: PostgreSQLSource) -> None:
    (plan, _) = source.tables()
    first = used(source)
    with source.reader() as reader:
        reader.cancel()
    second = used(source)
    assert first != second
    with source.reader() as reader:
        lines = reader.lines(plan.source)
        next(lines)
        lines.close()
    assert rows(source, plan) == b"1\n"


def test_a_connection_that_has_ended_meanwhile_is_replaced(source: PostgreSQLSource, database: Database) -> None:
    (plan, _) = source.tables()
    first = used(source)
    database.execute(f"SELECT pg_terminate_backend({first}, 5000)")
    assert rows(source, plan) == b"1\n"
    assert used(source) != first


def test_tables_that_are_known_later_are_locked_too(source: PostgreSQLSource, database: Database) -> None:
    first = used(source)
    source.tables()
    with source.reader() as reader:
        assert number(reader) != first
        query = (
            f"SELECT count(*) FROM pg_locks WHERE pid = {number(reader)} AND relation IN ('a'::regclass, 'b'::regclass)"
        )
        assert database.execute(query) == [(2,)]


def test_they_are_closed_with_the_source(database: Database) -> None:
    with open_source(target_of(database), 2) as source, source.reader() as one, source.reader() as other:
        assert one is not other
    wait_until(lambda: sessions(database) == 0)
