"""Values that one server has and others do not: zero dates, days that a month has not, times of no day, year 0."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.copying import copy, made, target_of
from support.databases import Database, MakeDatabase, connect_server

from framefox_tasks.copies import plan_copy
from framefox_tasks.databases.rows import BadRowError
from framefox_tasks.errors import ConfigError, CopyError
from framefox_tasks.model import CopyOptions

DIALECT = "mysql"
pytestmark = pytest.mark.server
ODD = (
    "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
    "CREATE TABLE t (id int PRIMARY KEY, y year, t time(1), d date NOT NULL, n datetime)",
    "INSERT INTO t VALUES (1, 0, '-00:00:00.5', '2024-02-31', '2024-02-31 01:02:03'), (2, 2024, '-838:59:59', "
    "'0000-00-00', '2024-00-00')",
)


def test_all_odd_values_arrive_in_another_server_of_the_kind(source: Database, target: Database) -> None:
    made(source, *ODD)
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    query = "SELECT id, CONCAT(y), CONCAT(t), CONCAT(d), CONCAT(n) FROM t ORDER BY id"
    assert target.execute(query) == source.execute(query)
    assert target.execute(query)[0][1:3] == ("0000", "-00:00:00.5")


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_times_of_no_day_become_intervals(source: Database, make_database: MakeDatabase, kind: str) -> None:
    made(source, *ODD[:2], "ALTER TABLE t DROP COLUMN d")
    source.execute(
        "INSERT INTO t VALUES (1, 0, '-00:00:00.5', NULL), (2, 2024, '-838:59:59', NULL), (3, 1, NULL, NULL)"
    )
    target = make_database(kind, "copy")
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert target.execute("SELECT y FROM t ORDER BY id") == [(0,), (2024,), (2001,)]
    found = [row[0] for row in target.execute("SELECT t FROM t ORDER BY id")]
    hours = timedelta(hours=838, minutes=59, seconds=59)
    wanted = {
        "postgresql": [-timedelta(seconds=0.5), -hours, None],
        "sqlite": ["PT-0H-0M-00.5S", "PT-838H-59M-59.0S", None],
    }
    assert found == wanted[kind]


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_zero_dates_become_what_is_asked_for(source: Database, make_database: MakeDatabase, kind: str) -> None:
    made(source, *ODD[:2], "INSERT INTO t VALUES (1, 1, '01:00:00', '0000-00-00', '2024-00-00'), "
         "(2, 1, '01:00:00', '2024-01-02', '2024-01-02 03:04:05')")  # fmt: skip
    target = make_database(kind, "copy")
    with pytest.raises(BadRowError, match="0000-00-00"):
        copy(target_of(source), target_of(target))
    options = CopyOptions(zero_dates="null", verify=True)
    copy(target_of(source), target_of(target), options=options)
    assert target.execute("SELECT id, d, n FROM t WHERE d IS NULL OR n IS NULL") == [(1, None, None)]
    assert len(target.execute("SELECT id FROM t WHERE d = '2024-01-02' AND n = '2024-01-02 03:04:05'")) == (
        1 if kind == "postgresql" else 0  # SQLite has the text with microseconds
    )
    options = CopyOptions(zero_dates="text", verify=True, overwrite=True)
    plan = plan_copy(target_of(source), target_of(target), options=options)
    assert any("d: date becomes" in change for change in plan.tables[0].changes)
    copy(target_of(source), target_of(target), options=options)
    assert target.execute("SELECT d, n FROM t ORDER BY id") == [
        ("0000-00-00", "2024-00-00 00:00:00"),
        ("2024-01-02", "2024-01-02 03:04:05"),
    ]


def test_a_source_without_zero_dates_says_so(make_database: MakeDatabase, target: Database) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE t (d date)")
    with pytest.raises(ConfigError, match="no database of its kind has them"):
        plan_copy(target_of(source), target_of(target), options=CopyOptions(zero_dates="null"))
    with pytest.raises(ConfigError, match="--zero-dates must be error, null or text, not zero"):
        plan_copy(target_of(source), target_of(target), options=CopyOptions(zero_dates="zero"))


@pytest.fixture
def ascii_source(make_database: MakeDatabase) -> Database:
    """A database of PostgreSQL that does not know the encoding of its texts."""
    database = make_database("postgresql", "plain")
    with connect_server("postgresql") as connection:
        options = "TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
        connection.execute(f'CREATE DATABASE "{database.name}" {options}')
    database.execute("CREATE TABLE t (id integer PRIMARY KEY, a text)")
    database.execute(r"INSERT INTO t VALUES (1, E'\351t\351\\n\t'), (2, NULL), (3, 'z')")
    return database


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
def test_texts_of_no_known_encoding_arrive_when_it_is_said(
    ascii_source: Database, make_database: MakeDatabase, kind: str
) -> None:
    target = make_database(kind, "copy")
    with pytest.raises(CopyError) as caught:
        copy(target_of(ascii_source), target_of(target))
    assert caught.value.hint is not None
    assert "Say it in the URL of the source: ?client_encoding=LATIN1" in caught.value.hint
    source = Database(ascii_source.dialect, f"{ascii_source.url}?client_encoding=LATIN1", ascii_source.name)
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert target.execute("SELECT a FROM t ORDER BY id") == [("été\\n\t",), (None,), ("z",)]


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_defaults_of_columns_with_zero_dates_are_carried_as_texts_or_told(
    source: Database, make_database: MakeDatabase, kind: str
) -> None:
    made(
        source,
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (id int PRIMARY KEY, a datetime NOT NULL DEFAULT '0000-00-00 00:00:00', "
        "b datetime NOT NULL DEFAULT current_timestamp(), c datetime DEFAULT '2024-01-01 00:00:00')",
        "INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '2024-01-01')",
    )
    target = make_database(kind, "copy")
    options = CopyOptions(zero_dates="text", verify=True)
    [table] = plan_copy(target_of(source), target_of(target), options=options).tables
    told = [change for change in table.changes if "default" in change]
    assert told == ["b: has no default any more: current_timestamp()"]
    copy(target_of(source), target_of(target), options=options)
    target.execute("INSERT INTO t (id, b) VALUES (2, 'x')")
    assert target.execute("SELECT a FROM t WHERE id = 2") == [("0000-00-00 00:00:00",)]


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_what_a_column_has_beside_its_type_is_told(source: Database, make_database: MakeDatabase, kind: str) -> None:
    made(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, a varchar(9) COLLATE utf8mb4_bin, b varbinary(9), n int INVISIBLE, "
        "c enum('x') CHARACTER SET binary, d varchar(9) COLLATE utf8mb4_general_ci) CHARACTER SET binary",
        "INSERT INTO t VALUES (1, 'x', 'y', 'x', 'z')",
    )
    lost = copy(target_of(source), target_of(make_database(kind, "copy"))).not_carried
    assert sorted(lost) == [
        "INVISIBLE of t.n",
        "collation utf8mb4_general_ci: the copy tells apart what differs only by case or accent",
    ]


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_the_type_of_times_of_no_day_is_told(source: Database, make_database: MakeDatabase, kind: str) -> None:
    made(source, "CREATE TABLE t (a time, b time)", "INSERT INTO t VALUES ('24:00:00', '10:00:00')")
    [table] = plan_copy(target_of(source), target_of(make_database(kind, "copy"))).tables
    assert table.changes == (f"a: time becomes {'interval' if kind == 'postgresql' else 'TEXT'}",)
