"""SQLite binds no cell to its column's type: the copy's types are as wide as the cells need."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest
from conftest import MakeDatabase
from copying import made
from translating import build, inspected, natives, plan_of, translated

from framefox_tasks.databases.sqlite.pool import Beside

UUIDS = ("6f1c9b2e00004000800000000000abcd", "0" * 32)
HASHES = ("0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f")


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

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(":memory:", check_same_thread=False)

    with suppress(ZeroDivisionError), Beside(connect, 2) as beside:
        looks = [beside.begin(look) for _ in range(5)]
        1 / 0  # noqa: B018 - what fails
    assert all(found.done() for found in looks)


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


def test_only_the_number_of_a_row_is_given_by_the_copy(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE rows_ (id INTEGER PRIMARY KEY)",
        "CREATE TABLE plain (id INT PRIMARY KEY)",
        "CREATE TABLE own (id INTEGER PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE heir (id INTEGER PRIMARY KEY REFERENCES rows_)",
    )
    copy = make_database("postgresql")
    assert build(translated(source, "postgresql"), copy) == []
    numbered = {
        table: "nextval" in (inspected(copy).get_columns(table)[0]["default"] or "")
        for table in ("rows_", "plain", "own", "heir")
    }
    assert numbered == {"rows_": True, "plain": False, "own": False, "heir": False}


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
