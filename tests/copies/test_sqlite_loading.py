"""Lines are loaded into SQLite as exactly as its columns can hold them, and a row that they cannot hold is named."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.copying import open_place

from framefox_tasks.databases.rows import BadRowError, Field, Kind, Name, Side, Statement
from framefox_tasks.databases.sqlite.load import SQLiteLoader
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Project, Target


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        yield opened


def unexpected(exc: sqlite3.Error) -> CopyError:
    return CopyError(f"unexpected: {exc}")


def held(
    connection: sqlite3.Connection, declared: str, kind: Kind, *texts: str, length: int | None = None
) -> list[Any]:
    """What a column holds when lines of one field were loaded."""
    connection.execute(f"CREATE TABLE t (c {declared})")
    table = Side(Name("t"), (Field("c", declared.lower(), kind, length=length),))
    loader = SQLiteLoader(connection, unexpected, atomic=True)
    assert loader.load(table, ["".join(f"{text}\n" for text in texts).encode()]) == len(texts)
    return [row[0] for row in connection.execute("SELECT c FROM t")]


GOOD = [
    ("BIGINT", Kind.INTEGER, {"-9223372036854775808": -(2**63), "7": 7, r"\N": None}),
    ("DECIMAL_TEXT(20)", Kind.INTEGER, {"18446744073709551615": "18446744073709551615"}),
    ("NUMERIC(10, 2)", Kind.NUMERIC, {"19.90": 19.9, "100.00": 100, "-0.01": -0.01, r"\N": None}),
    ("NUMERIC", Kind.NUMERIC, {"9007199254740993": 2**53 + 1, "Infinity": math.inf, "0.1000000000000000000": 0.1}),
    ("DECIMAL_TEXT(30, 10)", Kind.NUMERIC, {"12345678901234567890.0123456789": "12345678901234567890.0123456789"}),
    ("", Kind.NUMERIC, {"1.5": 1.5, "0.12345678901234567890": "0.12345678901234567890"}),
    ("DOUBLE", Kind.FLOAT, {"0.30000000000000004": 0.1 + 0.2, "5e-324": 5e-324, "-Infinity": -math.inf, "1": 1.0}),
    ("BOOLEAN", Kind.BOOLEAN, {"1": 1, "0": 0, r"\N": None}),
    (
        "TEXT",
        Kind.TEXT,
        {r"a\tb\nc\rd\\e": "a\tb\nc\rd\\e", r"\\N": r"\N", "\0": "\0", "": "", "\U0001f600": "\U0001f600"},
    ),
    ("VARCHAR", Kind.TEXT, {"007": "007", "1e5": "1e5"}),
    ("JSON", Kind.JSON, {"[1]": "[1]", "1.50": 1.5, '"a"': '"a"', "7": 7}),
    ("BLOB", Kind.BYTES, {r"\\x00ff0a": b"\0\xff\n", r"\\x": b"", r"\N": None}),
    ("DATE", Kind.DATE, {"0001-01-01": "0001-01-01", r"\N": None}),
    ("TIME", Kind.TIME, {"23:59:59.999999": "23:59:59.999999", "01:02:03": "01:02:03.000000"}),
    ("DATETIME", Kind.TIMESTAMP, {"2024-02-29 01:02:03.5": "2024-02-29 01:02:03.500000"}),
    ("DATETIME", Kind.TIMESTAMPTZ, {"2024-02-29 01:02:03": "2024-02-29 01:02:03.000000"}),
    (
        "DATETIME",
        Kind.INTERVAL,
        {"P1DT3H4M5.5S": "1970-01-02 03:04:05.500000", "PT-0.5S": "1969-12-31 23:59:59.500000"},
    ),
    ("TEXT", Kind.INTERVAL, {"P1Y2M3DT4H": "P1Y2M3DT4H"}),
    ("CHAR(36)", Kind.UUID, {"6f1c9b2e-0000-4000-8000-00000000abcd": "6f1c9b2e-0000-4000-8000-00000000abcd"}),
    ("BLOB", Kind.UUID, {"6f1c9b2e-0000-4000-8000-00000000abcd": bytes.fromhex("6f1c9b2e00004000800000000000abcd")}),
    ("VARCHAR(5)", Kind.BITS, {"00101": "00101"}),
    ("STRING", Kind.TEXT, {"abc": "abc", "12": 12}),
]


@pytest.mark.parametrize(("declared", "kind", "values"), GOOD)
def test_each_text_becomes_what_its_column_keeps(
    connection: sqlite3.Connection, declared: str, kind: Kind, values: dict[str, Any]
) -> None:
    found = held(connection, declared, kind, *values)
    assert [(type(cell), cell) for cell in found] == [(type(cell), cell) for cell in values.values()]


def test_a_uuid_has_the_form_that_sqlalchemy_gives_it(connection: sqlite3.Connection) -> None:
    text = "6f1c9b2e-0000-4000-8000-00000000abcd"
    assert held(connection, "CHAR(32)", Kind.UUID, text, length=32) == [text.replace("-", "")]


BAD = [
    ("BIGINT", Kind.INTEGER, "9223372036854775808", "has more digits than SQLite keeps of a number"),
    ("NUMERIC(30, 10)", Kind.NUMERIC, "1234567890.0123456789", "has more digits than SQLite keeps of a number"),
    ("NUMERIC", Kind.NUMERIC, "NaN", "SQLite makes NULL of it"),
    ("DOUBLE", Kind.FLOAT, "NaN", "SQLite makes NULL of it"),
    ("JSON", Kind.JSON, "0.12345678901234567890", "has more digits"),
    ("STRING", Kind.TEXT, "007", "would become a number"),
    ("DATE", Kind.DATE, "infinity", "is nothing that SQLite can keep there"),
    ("DATE", Kind.DATE, "0044-03-15 BC", "is nothing that SQLite can keep there"),
    ("TIME", Kind.TIME, "838:59:59", "is nothing that SQLite can keep there"),
    ("DATETIME", Kind.TIMESTAMP, "0000-00-00 00:00:00", "is nothing that SQLite can keep there"),
    ("DATETIME", Kind.INTERVAL, "P1M", "is nothing that SQLite can keep there"),
    ("INTEGER PRIMARY KEY", Kind.TEXT, "abc", "datatype mismatch"),
    ("INTEGER PRIMARY KEY", Kind.TEXT, r"\N", "NULL in c would become a number of SQLite's own"),
    ("TEXT NOT NULL", Kind.TEXT, r"\N", "NOT NULL constraint failed"),
    ("TEXT CHECK (c <> 'x')", Kind.TEXT, "x", "CHECK constraint failed"),
]


@pytest.mark.parametrize(("declared", "kind", "text", "reason"), BAD)
def test_what_a_column_cannot_keep_is_told_with_its_number(
    connection: sqlite3.Connection, declared: str, kind: Kind, text: str, reason: str
) -> None:
    connection.execute(f"CREATE TABLE t (id INT, c {declared})")
    native = declared.partition(" PRIMARY")[0].partition(" NOT")[0].partition(" CHECK")[0].lower()
    table = Side(Name("t"), (Field("id", "int", Kind.INTEGER), Field("c", native, kind)))
    good = {Kind.JSON: "[]", Kind.TEXT: "3", Kind.DATE: "2024-01-01", Kind.TIME: "01:02:03"}.get(kind, "3")
    good = {Kind.TIMESTAMP: "2024-01-01 00:00:00", Kind.INTERVAL: "PT1S"}.get(kind, good)
    blocks = [
        f"1\t{good}\n2\t{good.replace('3', '4') if kind is Kind.TEXT else good}\n".encode(),
        f"3\t{text}\n".encode(),
    ]
    with pytest.raises(BadRowError) as caught:
        SQLiteLoader(connection, unexpected, atomic=True).load(table, blocks)
    assert (caught.value.number, caught.value.row) == (3, "")
    assert reason in caught.value.reason
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_statements_may_be_refused_where_they_are_optional(tmp_path: Path) -> None:
    place = open_place(
        Target("sqlite:///copy.db", Project(tmp_path)), overwrite=False, data_only=False, force_disconnect=False
    )
    table = Side(Name("t"), (Field("c", "int", Kind.INTEGER),))
    with place, place.loader() as loader:
        both = "CREATE TABLE t (c INT); CREATE TRIGGER x AFTER UPDATE ON t BEGIN SELECT 1; SELECT ';'; END;"
        assert loader.execute(Statement(both)) is None
        assert loader.load(table, [b"1\n" * 50_000]) == 50_000
        unique = Statement("CREATE UNIQUE INDEX u ON t (c)", "index u of t", optional=True)
        assert "UNIQUE constraint failed" in str(loader.execute(unique))
        with pytest.raises(CopyError, match=r"index u of t cannot be made: UNIQUE") as caught:
            loader.execute(Statement(unique.sql, unique.about))
        assert "CREATE UNIQUE INDEX" in str(caught.value.hint)
        assert loader.change("DELETE FROM t WHERE rowid > 10") == 49_990
        assert loader.count(table.name) == 10
