"""A SQLite table is told as lines: each value as the text of its kind, and each row that has none is named."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from support.copying import open_source

from framefox_tasks.databases.rows import BadRowError, Field, Kind, Name, Side
from framefox_tasks.errors import CopyError, DatabaseNotFoundError
from framefox_tasks.model import Project, Target


def source(folder: Path, script: str, *, encoding: str = "UTF-8") -> Target:
    path = folder / "app.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.executescript(script)
    return Target("sqlite:///app.db", Project(folder))


def side(*fields: tuple[str, str, Kind], table: str = "t") -> Side:
    return Side(Name(table), tuple(Field(name, native, kind) for name, native, kind in fields))


def lines(target: Target, table: Side, *, where: str = "", order: tuple[str, ...] = ()) -> list[str]:
    with open_source(target) as opened, opened.reader() as reader:
        return b"".join(reader.lines(table, where=where, order=order)).decode().split("\n")[:-1]


def cells(folder: Path, declared: str, kind: Kind, *values: str) -> list[str]:
    """What becomes of values of one column, written as SQL."""
    target = source(folder, f"CREATE TABLE t (c {declared}); INSERT INTO t VALUES ({'), ('.join(values)});")
    return lines(target, side(("c", declared.lower(), kind)))


GOOD = [
    ("INTEGER", Kind.INTEGER, {"-9223372036854775808": "-9223372036854775808", "0": "0", "2.0": "2", "' 7 '": "7"}),
    ("DECIMAL_TEXT(20)", Kind.INTEGER, {"'18446744073709551615'": "18446744073709551615"}),
    ("FLOAT", Kind.FLOAT, {"0.1 + 0.2": "0.30000000000000004", "-1e999": "-Infinity", "'nan'": "NaN", "5": "5"}),
    ("FLOAT", Kind.FLOAT, {"1.7976931348623157e308": "1.7976931348623157e+308", "5e-324": "5e-324"}),
    ("NUMERIC(10, 2)", Kind.NUMERIC, {"19.99": "19.99", "5": "5", "0.1 + 0.2": "0.30", "0.125": "0.125"}),
    (
        "NUMERIC",
        Kind.NUMERIC,
        {"1e22": "10000000000000000000000", "1e-7": "0.0000001", "0.1+0.2": "0.30000000000000004"},
    ),
    ("DECIMAL_TEXT", Kind.NUMERIC, {"'12345678901234567890.0123456789'": "12345678901234567890.0123456789"}),
    ("DECIMAL_TEXT", Kind.NUMERIC, {"'NaN'": "NaN", "'1E+3'": "1000", "'-inf'": "-Infinity"}),
    ("BOOLEAN", Kind.BOOLEAN, {"1": "1", "0": "0", "'true'": "1", "'FALSE'": "0", "NULL": r"\N"}),
    ("TEXT", Kind.BOOLEAN, {"'t'": "1", "'f'": "0", "'T'": "1", "'F'": "0", "'0'": "0"}),
    ("TEXT", Kind.TEXT, {"'\U0001f600 \u2028'": "\U0001f600 \u2028", "''": "", "'\\N'": r"\\N", "NULL": r"\N"}),
    ("TEXT", Kind.TEXT, {"'a' || char(9,10,13,92,0) || 'b'": "a\\t\\n\\r\\\\\0b"}),
    ("", Kind.TEXT, {"1": "1", "0.1 + 0.2": "0.30000000000000004", "'x'": "x"}),
    ("JSON", Kind.JSON, {"'[1]'": "[1]", "'5'": "5"}),
    ("BLOB", Kind.BYTES, {"x'00ff0a'": r"\\x00ff0a", "x''": r"\\x", "'é'": r"\\xc3a9", "NULL": r"\N"}),
    ("DATE", Kind.DATE, {"'0001-01-01'": "0001-01-01", "'2024-02-29 00:00:00'": "2024-02-29"}),
    (
        "TIME",
        Kind.TIME,
        {"'23:59:59.999999'": "23:59:59.999999", "'01:02'": "01:02:00", "'01:02:03.100000'": "01:02:03.1"},
    ),
    ("DATETIME", Kind.TIMESTAMP, {"'2024-02-29 01:02:03'": "2024-02-29 01:02:03"}),
    (
        "DATETIME",
        Kind.TIMESTAMP,
        {
            "'2024-02-29 00:00:00.000000'": "2024-02-29 00:00:00",
            "'2024-02-29 00:00:00.100000'": "2024-02-29 00:00:00.1",
        },
    ),
    ("FLOAT", Kind.FLOAT, {"10.0": "10", "0.0": "0", "-100.0": "-100", "10.05": "10.05"}),
    ("NUMERIC(10, 2)", Kind.NUMERIC, {"10.0": "10", "1000.5": "1000.5", "-0.0": "0"}),
    ("DATETIME", Kind.TIMESTAMP, {"'2024-02-29T01:02:03.5Z'": "2024-02-29 01:02:03.5"}),
    ("TIMESTAMPTZ", Kind.TIMESTAMPTZ, {"'2024-03-01 01:30:00+02:00'": "2024-02-29 23:30:00"}),
    ("DATETIME", Kind.INTERVAL, {"'1970-01-02 03:04:05.500000'": "P1DT3H4M5.5S", "'1969-12-31 23:59:59.5'": "PT-0.5S"}),
    ("TEXT", Kind.INTERVAL, {"'P1Y2M3DT4H'": "P1Y2M3DT4H", "'1970-01-01 00:00:00'": "PT0S"}),
    ("CHAR(32)", Kind.UUID, {"'6F1C9B2E00004000800000000000ABCD'": "6f1c9b2e-0000-4000-8000-00000000abcd"}),
    ("BLOB", Kind.UUID, {"x'6f1c9b2e00004000800000000000abcd'": "6f1c9b2e-0000-4000-8000-00000000abcd"}),
    ("VARCHAR(5)", Kind.BITS, {"'00101'": "00101"}),
]


@pytest.mark.parametrize(
    ("declared", "kind", "values"), GOOD, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_value_has_the_text_of_its_kind(tmp_path: Path, declared: str, kind: Kind, values: dict[str, str]) -> None:
    assert cells(tmp_path, declared, kind, *values) == list(values.values())
    for sql, text in values.items():  # where nothing else is in the column, the quick way is taken
        assert cells(tmp_path, declared, kind, sql) == [text]


@pytest.mark.parametrize(("number", "bits"), [("0", "0000"), ("5", "0101"), ("15", "1111")])
def test_a_number_in_a_bit_column_has_all_its_bits(tmp_path: Path, number: str, bits: str) -> None:
    target = source(tmp_path, f"CREATE TABLE t (c BIT(4)); INSERT INTO t VALUES ({number});")
    assert lines(target, Side(Name("t"), (Field("c", "bit(4)", Kind.BITS, length=4),))) == [bits]


BAD = [
    ("INTEGER", Kind.INTEGER, "'abc'", "'abc' in c is no integer"),
    ("INTEGER", Kind.INTEGER, "1.5", "1.5 in c is no integer"),
    ("INTEGER", Kind.INTEGER, "9223372036854775808", "9.223372036854776e+18 in c is no integer"),
    ("NUMERIC", Kind.NUMERIC, "'ten'", "'ten' in c is no number"),
    ("FLOAT", Kind.FLOAT, "x'00'", "x'00' in c is no number"),
    ("BOOLEAN", Kind.BOOLEAN, "2", "2 in c is no boolean"),
    ("TEXT", Kind.TEXT, "x'" + "ab" * 30 + "'", "x'" + "ab" * 20 + "...' in c is no text"),
    ("TEXT", Kind.TEXT, "CAST(x'61ff' AS TEXT)", "x'61ff' in c is no valid UTF-8"),
    ("BLOB", Kind.BYTES, "7", "7 in c is no bytes"),
    ("DATE", Kind.DATE, "'2023-02-30'", "'2023-02-30' in c is no date"),
    ("DATE", Kind.DATE, "'2023-02-03 04:00:00'", "is no date"),
    ("DATE", Kind.DATE, "20230203", "20230203 in c is no date"),
    ("TIME", Kind.TIME, "'25:00:00.000000'", "is no time"),
    ("DATETIME", Kind.TIMESTAMP, "'yesterday'", "is no date and time"),
    ("DATETIME", Kind.TIMESTAMP, "'2024-01-01 00:00:00.1234567'", "is no date and time"),
    ("DATETIME", Kind.INTERVAL, "'P'", "is no interval"),
    ("CHAR(32)", Kind.UUID, "'" + "g" * 32 + "'", "is no UUID"),
    ("CHAR(32)", Kind.UUID, "'" + " " * 32 + "'", "is no UUID"),
    ("VARCHAR(5)", Kind.BITS, "'012'", "is no bits"),
]


@pytest.mark.parametrize(("declared", "kind", "value", "reason"), BAD)
def test_what_has_no_such_text_is_told_with_its_row(
    tmp_path: Path, declared: str, kind: Kind, value: str, reason: str
) -> None:
    script = (
        f"CREATE TABLE t (c {declared}); INSERT INTO t VALUES (NULL); INSERT INTO t (rowid, c) VALUES (17, {value});"
    )
    with pytest.raises(BadRowError) as caught:
        lines(source(tmp_path, script), side(("c", declared.lower(), kind)))
    assert (caught.value.table, caught.value.row) == ("t", "rowid 17")
    assert reason in caught.value.reason


def test_a_row_is_told_by_its_primary_key_wherever_it_stands(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t (a TEXT, b INT, n INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
    INSERT INTO t SELECT 'k', i, i FROM
        (WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 5000) SELECT i FROM c);
    UPDATE t SET n = 'abc' WHERE b = 3000;
    CREATE INDEX other ON t (n DESC);
    """
    target = source(tmp_path, script)
    for order in ((), ("n",), ("b",)):
        with pytest.raises(BadRowError) as caught:
            lines(target, side(("n", "integer", Kind.INTEGER), ("b", "int", Kind.INTEGER)), order=order)
        assert caught.value.row == "a=k, b=3000"


def test_text_of_utf_16_is_told_and_sorted_as_utf_8(tmp_path: Path) -> None:
    script = "CREATE TABLE t (c TEXT); INSERT INTO t VALUES ('\U0001f600'), ('\uff5e'), ('a' || char(0));"
    target = source(tmp_path, script, encoding="UTF-16le")
    table = side(("c", "text", Kind.TEXT))
    assert lines(target, table) == ["\U0001f600", "\uff5e", "a\0"]
    assert lines(target, table, order=("c",)) == ["a\0", "\uff5e", "\U0001f600"]


def test_rows_are_sorted_alike_in_every_database(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t (s TEXT COLLATE NOCASE, d DECIMAL_TEXT, m DATETIME, u CHAR(32));
    INSERT INTO t VALUES ('b', '10', '2024-01-01T00:00:01', 'FF1c9b2e00004000800000000000abcd'),
        ('B', '9.5', '2024-01-01 00:00:00.5', '0f1c9b2e00004000800000000000abcd'),
        ('é', '-1', '2024-01-01', 'ef1c9b2e00004000800000000000abcd');
    """
    target = source(tmp_path, script)
    numbered = [("s", "text", Kind.TEXT), ("d", "decimal_text", Kind.NUMERIC)]
    table = side(*numbered, ("m", "datetime", Kind.TIMESTAMP), ("u", "char(32)", Kind.UUID))
    firsts = {
        name: [line.split("\t")[0] for line in lines(target, table, order=(name,))] for name in ("s", "d", "m", "u")
    }
    assert firsts == {"s": ["B", "b", "é"], "d": ["é", "B", "b"], "m": ["é", "B", "b"], "u": ["B", "é", "b"]}


def test_every_float_is_told_exactly(tmp_path: Path) -> None:
    patterns = [(i * 0x9E3779B97F4A7C15) % 2**64 for i in range(1, 5001)]
    floats = [value for value in (struct.unpack("d", struct.pack("Q", p))[0] for p in patterns) if value == value]
    target = source(tmp_path, "CREATE TABLE t (c DOUBLE, d NUMERIC);")
    with closing(sqlite3.connect(target.file)) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(value, value) for value in floats])
        connection.commit()
    table = side(("c", "double", Kind.FLOAT), ("d", "numeric", Kind.NUMERIC))
    found = [tuple(map(float, line.split("\t"))) for line in lines(target, table)]
    assert found == [(value, value) for value in floats]


def test_long_values_take_little_memory_and_blocks_are_of_whole_lines(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB, s TEXT);
    INSERT INTO t SELECT i, x'01', 'é' FROM
        (WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 3000) SELECT i FROM c);
    UPDATE t SET x = zeroblob(1000000) WHERE id BETWEEN 1000 AND 1020;
    UPDATE t SET s = 'a' || char(10) || 'b' WHERE id = 2999;
    """
    table = side(("id", "integer", Kind.INTEGER), ("x", "blob", Kind.BYTES), ("s", "text", Kind.TEXT))
    with open_source(source(tmp_path, script)) as opened, opened.reader() as reader:
        blocks = list(reader.lines(table))
        assert list(reader.lines(table)) == blocks
    assert all(block.endswith(b"\n") for block in blocks)
    assert max(map(len, blocks)) < 3_000_000
    rows = [line.split(b"\t") for line in b"".join(blocks).split(b"\n")[:-1]]
    assert [int(row[0]) for row in rows] == list(range(1, 3001))
    assert {len(row[1]) for row in rows} == {5, 2_000_003}
    assert rows[2998][2] == b"a\\nb"


def test_conditions_counts_and_what_is_no_condition(tmp_path: Path) -> None:
    target = source(
        tmp_path, 'CREATE TABLE "select" (id INTEGER PRIMARY KEY); INSERT INTO "select" VALUES (1), (2), (3);'
    )
    table = side(("id", "integer", Kind.INTEGER), table="select")
    assert lines(target, table, where="id > 1 -- the rest") == ["2", "3"]
    with open_source(target) as opened, opened.reader() as reader:
        assert (reader.count(table.name), reader.count(table.name, where="id = 1 OR id = 2")) == (3, 2)
        assert reader.raw(table) is None
        for wrong in ("nope = 1", "id = ", "1); DELETE FROM x; --"):
            with pytest.raises(CopyError, match=r"condition of select") as caught:
                list(reader.lines(table, where=wrong))
            assert wrong in str(caught.value.hint)


def test_a_reader_may_be_closed_early_ended_and_used_from_another_thread(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t (x TEXT);
    INSERT INTO t SELECT hex(zeroblob(50)) FROM
        (WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 20000) SELECT i FROM c);
    """
    table = side(("x", "text", Kind.TEXT))
    with open_source(source(tmp_path, script)) as opened, opened.reader() as reader:
        blocks = reader.lines(table)
        first = next(blocks)
        blocks.close()
        found: list[bytes] = []
        thread = Thread(target=lambda: found.extend(reader.lines(table)))
        thread.start()
        thread.join()
        assert found[0] == first
        running = reader.lines(table)
        next(running)
        reader.cancel()
        with pytest.raises(CopyError, match="was ended"):
            list(running)
        assert list(reader.lines(table)) == found


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_source_is_of_one_point_of_time_and_is_not_changed(tmp_path: Path, mode: str) -> None:
    target = source(tmp_path, f"PRAGMA journal_mode = {mode}; CREATE TABLE t (c INT); INSERT INTO t VALUES (1);")
    table = side(("c", "int", Kind.INTEGER))
    with closing(sqlite3.connect(target.file, timeout=0, isolation_level=None)) as writer:
        with open_source(target) as opened, opened.reader() as reader:
            assert list(reader.lines(table)) == [b"1\n"]
            if mode == "WAL":
                writer.execute("INSERT INTO t VALUES (2)")
            else:
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    writer.execute("INSERT INTO t VALUES (2)")
            assert list(reader.lines(table)) == [b"1\n"]
        assert lines(target, table) == (["1", "2"] if mode == "WAL" else ["1"])


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotFoundError), open_source(Target("sqlite:///none.db", Project(tmp_path))):
        pass
    assert list(tmp_path.iterdir()) == []
