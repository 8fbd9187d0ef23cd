"""SQLite binds no cell to its column's type: the copy's types are as wide as the cells need."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from support.copying import copy, made, open_source, target_of
from support.databases import MakeDatabase
from support.translating import build, inspected, natives, plan_of, translated

from framefox_tasks.databases.sqlite.pool import Pool

UUIDS = ("6f1c9b2e00004000800000000000abcd", "0" * 32)
HASHES = ("0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f")


@pytest.mark.server
@pytest.mark.parametrize(
    ("declared", "cells", "expected"),
    [
        ("integer", "1, -2147483648", "integer"),
        ("integer", "1, 2147483648", "bigint"),
        ("smallint", "40000", "integer"),
        ("smallint", "4000000000", "bigint"),
        ("varchar(3)", "'abc', 'é\U0001f600x'", "character varying(3)"),
        ("varchar(3)", "'abcd'", "text"),
        ("numeric(5,2)", "123.45, 'x'", "numeric(5,2)"),
        ("numeric(5,2)", "123.456", "numeric"),
        ("numeric(5,2)", "1234.5", "numeric"),
        ("char(32)", ", ".join(map(repr, UUIDS)), "uuid"),
        ("char(32)", ", ".join(map(repr, HASHES)), "character(32)"),
        ("", "1, 2", "bigint"),
        ("", "1, 2.5", "double precision"),
        ("", "x'00'", "bytea"),
        ("", "1, 'a'", "text"),
        ("string", "'a'", "text"),
    ],
)
def test_cells_decide(declared: str, cells: str, expected: str, make_database: MakeDatabase) -> None:
    rows = ", ".join(f"({cell})" for cell in cells.split(", "))
    source = made(make_database("sqlite"), f"CREATE TABLE item (c {declared})", f"INSERT INTO item VALUES {rows}")
    schema = translated(source, "postgresql")
    assert build(schema, make_database("postgresql")) == []
    assert natives(schema, "item") == {"c": expected}
    as_declared = ("integer", "character varying(3)", "numeric(5,2)", "character(32)")
    assert bool(plan_of(schema, "item").changes) == (expected not in as_declared or declared == "smallint")


def test_the_last_cells_of_a_large_table_decide_as_well(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE item (id INTEGER PRIMARY KEY, a varchar(6), b varchar(6), c numeric(5,1), d smallint)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100001) "
        "INSERT INTO item SELECT i, i, i, i % 1000, i % 1000 FROM n",
        "UPDATE item SET b = '1234567', c = 0.25, d = 40000 WHERE id = 100001",
    )
    schema = translated(source, "postgresql")
    assert natives(schema, "item") == {
        "id": "integer",
        "a": "character varying(6)",
        "b": "text",
        "c": "numeric",
        "d": "integer",
    }
    assert plan_of(schema, "item").rows == 100_001


def test_what_fails_meanwhile_ends_the_look_at_a_large_table() -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    def look(connection: sqlite3.Connection) -> object:
        return connection.execute(endless).fetchone()

    connections = [sqlite3.connect(":memory:", check_same_thread=False) for _ in range(2)]
    with suppress(ZeroDivisionError), Pool(connections) as pool:
        looks = [pool.begin(look) for _ in range(5)]
        1 / 0  # noqa: B018 - what fails
    for connection in connections:
        connection.close()
    assert all(found.done() for found in looks)


@pytest.mark.parametrize("rows", [1, 100_001])
def test_the_cells_are_those_of_the_snapshot(rows: int, make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE item (a varchar(6), b integer)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
        f"{rows}) INSERT INTO item SELECT i, i FROM n",
    )
    with open_source(target_of(source)) as opened, closing(source.connect()) as writer:
        opened.schema()
        writer.execute("INSERT INTO item VALUES ('1234567', 3000000000)")
        writer.commit()
        with opened.inspect() as find:
            [table] = find().tables
    assert [(column.type.size, column.type.hidden) for column in table.columns] == [(6, ""), (4, "")]
    assert table.rows == rows


def test_a_writer_that_waits_for_the_snapshot_hinders_nobody(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE item (a integer)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100001) INSERT INTO item SELECT i FROM n",
    )

    def write() -> None:
        with closing(sqlite3.connect(source.path or "", timeout=30)) as connection, connection:
            connection.execute("INSERT INTO item VALUES (3000000000)")

    def is_waiting() -> bool:
        with closing(sqlite3.connect(source.path or "", timeout=0)) as connection:
            try:
                connection.execute("SELECT 1 FROM item").fetchone()
            except sqlite3.OperationalError:
                return True
        return False

    with ThreadPoolExecutor(1) as threads:
        with open_source(target_of(source)) as opened:
            writing = threads.submit(write)
            while not is_waiting():
                assert not writing.done()
            with opened.inspect() as find:
                [table] = find().tables
        writing.result()
    assert (table.rows, [column.type.size for column in table.columns]) == (100_001, [4])


@pytest.mark.server
def test_what_refers_to_a_wider_column_is_as_wide(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE parent (id integer PRIMARY KEY)",
        "CREATE TABLE child (id integer PRIMARY KEY, parent_id INTEGER REFERENCES parent)",
        "INSERT INTO parent VALUES (3000000000)",
    )
    for target, expected in (("postgresql", "bigint"), ("mysql", "bigint")):
        schema = translated(source, target)
        assert build(schema, make_database(target)) == []
        assert natives(schema, "child")["parent_id"] == expected
        assert "parent_id: INTEGER becomes bigint" in plan_of(schema, "child").changes


@pytest.mark.server
def test_constraints_are_read_from_their_words(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE parent (id integer PRIMARY KEY) -- CHECK (no)\n",
        'CREATE TABLE item (id int CONSTRAINT "it\'s" CHECK (id > 1), /* REFERENCES parent */ word text DEFAULT '
        "'CHECK (1)', up int CONSTRAINT fk_up REFERENCES Parent ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, "
        "[last] int, CONSTRAINT uq_word UNIQUE (word), CONSTRAINT pk_item PRIMARY KEY (id, word))",
    )
    copy = make_database("postgresql")
    schema = translated(source, "postgresql")
    assert build(schema, copy) == []
    found = inspected(copy)
    assert found.get_pk_constraint("item")["name"] == "pk_item"
    assert [check["name"] for check in found.get_check_constraints("item")] == ["it's"]
    assert [unique["name"] for unique in found.get_unique_constraints("item")] == ["uq_word"]
    [key] = found.get_foreign_keys("item")
    assert (key["name"], key["options"]) == (
        "fk_up",
        {"ondelete": "CASCADE", "deferrable": True, "initially": "DEFERRED"},
    )
    assert schema.not_carried == ()


@pytest.mark.server
def test_only_the_number_of_a_row_is_given_by_the_copy(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE rows_ (id INTEGER PRIMARY KEY)",
        "CREATE TABLE plain (id INT PRIMARY KEY)",
        "CREATE TABLE own (id INTEGER PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE falling (id INTEGER PRIMARY KEY DESC)",
        "CREATE TABLE heir (id INTEGER PRIMARY KEY REFERENCES rows_)",
    )
    copy = make_database("postgresql")
    assert build(translated(source, "postgresql"), copy) == []
    numbered = {
        table: "nextval" in (inspected(copy).get_columns(table)[0]["default"] or "")
        for table in ("rows_", "plain", "own", "falling", "heir")
    }
    assert numbered == {"rows_": True, "plain": False, "own": False, "falling": False, "heir": False}


def test_what_is_not_a_table_is_told(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE item (word text COLLATE NOCASE)",
        "CREATE VIEW some AS SELECT 1",
        "CREATE TRIGGER acting AFTER INSERT ON item BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE search USING fts5 (body)",
    )
    schema = translated(source, "mysql")
    assert [plan.label for plan in schema.tables] == ["item"]
    assert schema.not_carried == (
        "view some",
        "virtual table search",
        "trigger acting of item",
        "collation nocase in item",
    )


@pytest.mark.parametrize("library", [sqlite3.sqlite_version_info, (3, 36, 0)])
def test_a_table_that_is_named_like_those_of_a_virtual_one_is_copied(
    library: tuple[int, int, int], make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", library)
    source = made(
        make_database("sqlite"),
        "CREATE VIRTUAL TABLE docs USING fts5 (body)",
        "CREATE VIRTUAL TABLE boxes USING rtree (id, low, high)",
        "CREATE TABLE docs_extra (id INTEGER PRIMARY KEY, word TEXT)",
        "CREATE TABLE boxes_log (id INTEGER PRIMARY KEY, extra_id INTEGER REFERENCES docs_extra)",
        "INSERT INTO docs_extra VALUES (1, 'own')",
    )
    schema = translated(source, "postgresql")
    assert [(plan.label, plan.rows) for plan in schema.tables] == [("docs_extra", 1), ("boxes_log", 0)]
    assert schema.not_carried == ("virtual table docs", "virtual table boxes")
    with open_source(target_of(source)) as opened:
        assert [plan.label for plan in opened.schema().tables] == ["docs_extra", "boxes_log"]


@pytest.mark.server
def test_numbers_of_many_digits_stay_exact_in_sqlite(make_database: MakeDatabase) -> None:
    for source, extra in (("postgresql", ""), ("mysql", "")):
        database = made(
            make_database(source),
            "CREATE TABLE few (n numeric(20,4))",
            "CREATE TABLE many (n numeric(20,4))",
            "INSERT INTO few VALUES (12345678901.2345)",
            f"INSERT INTO many VALUES (1234567890123456.2345{extra})",
        )
        schema = translated(database, "sqlite")
        assert build(schema, make_database("sqlite")) == []
        assert natives(schema, "few") == {"n": "NUMERIC(20, 4)"}
        assert natives(schema, "many") == {"n": "DECIMAL_TEXT(20, 4)"}
        [change] = plan_of(schema, "many").changes
        assert change.endswith("becomes DECIMAL_TEXT(20, 4) (SQLite rounds numbers of more than 15 digits)")


@pytest.mark.server
@pytest.mark.parametrize("onto", ["postgresql", "mysql"])
def test_what_breaks_a_constraint_without_an_error_is_told(make_database: MakeDatabase, onto: str) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE t (id integer PRIMARY KEY, a int UNIQUE ON CONFLICT IGNORE, "
        "b int NOT NULL ON CONFLICT REPLACE DEFAULT 3, c int CONSTRAINT plain UNIQUE ON CONFLICT ABORT, "
        "CONSTRAINT both UNIQUE (a, c) ON CONFLICT ROLLBACK)",
    )
    assert copy(target_of(source), target_of(make_database(onto, "copy"))).not_carried == (
        "ON CONFLICT IGNORE of UNIQUE (a) of t",
        "ON CONFLICT REPLACE of NOT NULL (b) of t",
        "ON CONFLICT ROLLBACK of both of t",
    )
