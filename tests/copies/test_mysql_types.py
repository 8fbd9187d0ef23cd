"""Values between two MariaDB or MySQL databases: the lines that they travel in, and both ways to load them."""

from __future__ import annotations

import random
import struct
from decimal import Decimal

import pytest
from support.copying import copy, made, open_place, open_source, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.databases.rows import BadRowError, CopySchema, Field, Kind, Name, Side
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions

pytestmark = pytest.mark.server

COLUMNS = {
    "tiny": ("tinyint", ["-128", "127"]),
    "flag": ("tinyint(1)", ["1", "0", "5"]),
    "filled": ("int(8) unsigned zerofill", ["7", "4294967295"]),
    "big": ("bigint unsigned", ["18446744073709551615", "0"]),
    "exact": ("decimal(65,30)", ["-12345678901234567890123456789012345.012345678901234567890123456789", "0"]),
    "single": ("float", ["16777216", "0.1", "-3.4e38", "1e-45", "1.17549435e-38", "3.4028234e38", "1.2345678"]),
    "double_": ("double", ["0.1e0 + 0.2e0", "1.7976931348623157e308", "5e-324", "-0e0"]),
    "text_": ("longtext", ["'a\\tb\\nc\\rd\\\\e\\\\N\\0\\Z\\'\"%s'", "''", "'\\\\N'", "'\U0001f600'", "'é\\n'"]),
    "latin": ("varchar(20) CHARACTER SET latin1", ["'é€\\t'", "''"]),
    "wide": ("char(5) CHARACTER SET ucs2", ["'é'", "'a'"]),
    "bytes_": ("blob", ["UNHEX('00ff0a095c0d27225c4e')", "''", "REPEAT('\\t\\n', 30000)"]),
    "fixed": ("binary(4)", ["'a'", "X'00'"]),
    "day": ("date", ["'0000-00-00'", "'2026-00-00'", "'9999-12-31'", "'1000-01-01'"]),
    "clock": ("time(6)", ["'-838:59:59'", "'838:59:59'", "'-00:00:00.000001'", "'23:59:59.999999'"]),
    "moment": ("datetime(6)", ["'0000-00-00'", "'1969-07-20 20:17:40.000001'", "'9999-12-31 23:59:59.999999'"]),
    "zoned": ("timestamp(3) NULL", ["'1970-01-01 00:00:01.001'", "'2026-10-25 00:30:00'", "'2026-10-25 01:30:00'"]),
    "year_": ("year", ["1901", "2155", "0"]),
    "bits": ("bit(64)", ["b'1'", "X'ffffffffffffffff'", "0"]),
    "bit_": ("bit(1)", ["b'1'", "b'0'"]),
    "mood": ("enum('so so','it''s','tab\\t')", ["'so so'", "'it''s'", "'tab\\t'"]),
    "chosen": ("set('a','b','c d')", ["'a,c d'", "''"]),
    "doc": ("json", ["'{\"a\": [1, \"\\\\n\"]}'", "'null'"]),
    "place": ("geometry", ["ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('LINESTRING(0 0,1 1)')"]),
}  # fmt: skip


@pytest.fixture
def pair(make_database: MakeDatabase) -> tuple[Database, Database]:
    return make_database("mysql"), make_database("mysql", "copy")


def carry(source: Database, target: Database, *, local: bool) -> CopySchema:
    """A copy, by its parts."""
    place = open_place(target_of(target), overwrite=False, data_only=False, force_disconnect=False)
    place.local = local  # type: ignore[attr-defined]  # of MySQL's alone
    place.check()
    with open_source(target_of(source)) as opened, place:
        schema = opened.schema()
        with opened.reader() as reader, place.loader() as loader:
            for statement in schema.before:
                loader.execute(statement)
            for plan in schema.tables:
                assert loader.load(plan.target, reader.lines(plan.source)) == reader.count(plan.source.name)
            for statement in (*sum(schema.after, ()), *schema.last):
                loader.execute(statement)
        assert place.put(schema.placed) == []
    return schema


def side(database: Database, table: str = "t") -> Side:
    with open_source(target_of(database)) as source:
        return next(plan.source for plan in source.schema().tables if plan.source.name == Name(table))


def lines(database: Database, table: Side, **options: object) -> list[bytes]:
    with open_source(target_of(database)) as source, source.reader() as reader:
        return b"".join(reader.lines(table, **options)).split(b"\n")[:-1]  # type: ignore[arg-type]


@pytest.mark.parametrize("local", [True, False], ids=["load data", "insert"])
def test_every_type_arrives_bit_by_bit(pair: tuple[Database, Database], local: bool) -> None:
    source, target = pair
    columns = ", ".join(f"`{name}` {type_}" for name, (type_, _) in COLUMNS.items())
    rows = [
        f"INSERT INTO t (`{name}`) VALUES ({value})"
        for name, (_, values) in COLUMNS.items()
        for value in [*values, "NULL"]
    ]
    setting = "SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'"
    made(source, setting, f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, {columns})", *rows)
    carry(source, target, local=local)
    shown = ", ".join(f"HEX(`{name}`), CONCAT(`{name}`)" for name in COLUMNS)
    query = f"SELECT id, {shown} FROM t ORDER BY id"
    assert target.execute(query) == source.execute(query)
    assert len(target.execute(query)) == len(rows)
    query = "SELECT CONCAT(CAST(single AS DOUBLE)), UNIX_TIMESTAMP(zoned) FROM t ORDER BY id"
    assert target.execute(query) == source.execute(query)
    assert lines(target, side(target)) == lines(source, side(source))


@pytest.mark.parametrize("local", [True, False], ids=["load data", "insert"])
def test_a_table_of_one_column_keeps_its_empty_texts(pair: tuple[Database, Database], local: bool) -> None:
    source, target = pair
    made(source, "CREATE TABLE t (a varchar(5))", "INSERT INTO t VALUES (''), (NULL), (''), ('x'), ('\\\\N')")
    carry(source, target, local=local)
    query = "SELECT a, COUNT(*) FROM t GROUP BY a ORDER BY a"
    assert set(target.execute(query)) == {(None, 1), ("", 2), ("\\N", 1), ("x", 1)}


def test_what_is_longer_than_a_packet_as_a_line_is_read_by_columns(pair: tuple[Database, Database]) -> None:
    source, target = pair
    made(
        source,
        "CREATE TABLE t (id int PRIMARY KEY, a longblob, b longtext, c double, d bit(3))",
        "INSERT INTO t VALUES (1, 'x', 'y\\t', 0.5, 5)",
        "INSERT INTO t SELECT 2, REPEAT('\\n\\0', 5000000), REPEAT('\\t', 9000000), 1.5, NULL",
        "INSERT INTO t VALUES (3, NULL, 'z', NULL, 1)",
    )
    carry(source, target, local=True)
    query = "SELECT id, MD5(a), MD5(b), LENGTH(a), LENGTH(b), c, d + 0 FROM t ORDER BY id"
    assert target.execute(query) == source.execute(query)
    assert lines(source, side(source))[2] == b"3\t\\N\tz\t\\N\t001"


@pytest.mark.mariadb
def test_the_lines_are_as_the_model_says(make_database: MakeDatabase) -> None:
    database = made(
        make_database("mysql"),
        "SET time_zone = '+00:00'",
        "CREATE TABLE t (id int PRIMARY KEY, n decimal(8,2) zerofill, f float, flag boolean, b varbinary(5), "
        "at time(3), z timestamp, u uuid, x bit(5), t text, y year)",
        "INSERT INTO t VALUES (1, 1.5, 16777216, true, X'0aff', '01:02:03.5', '2026-01-02 03:04:05', "
        "'6F1C9B2E-0000-4000-8000-00000000ABCD', b'101', 'a\\tb\\\\', 1999)",
    )
    expected = (
        b"1\t1.50\t1.6777216e7\t1\t\\\\x0aff\t01:02:03.500\t2026-01-02 03:04:05\t"
        b"6f1c9b2e-0000-4000-8000-00000000abcd\t00101\ta\\tb\\\\\t1999"
    )
    assert lines(database, side(database)) == [expected]


def test_singles_travel_in_few_digits(make_database: MakeDatabase) -> None:
    chance = random.Random(4)  # noqa: S311 - the same ones in each run
    wanted = [0.1, 0.3, 1 / 3, 16777217.0, 1e10, 123456.7, -9.99e-5]
    wanted += [struct.unpack("f", chance.randbytes(4))[0] for _ in range(300)]
    singles = [struct.unpack("f", struct.pack("f", one))[0] for one in wanted if one == one and abs(one) < 3.4e38]
    database = made(make_database("mysql"), "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, f float)")
    connection = database.connect()
    connection.cursor().executemany("INSERT INTO t (f) VALUES (%s)", [(one,) for one in singles])
    connection.commit()
    connection.close()
    texts = [line.split(b"\t")[1] for line in lines(database, side(database))]
    assert [struct.unpack("f", struct.pack("f", float(text)))[0] for text in texts] == singles
    assert [_digits(float(text)) for text in texts] == [_digits(float(_shortest(one))) for one in singles]


def _digits(value: float) -> int:
    return len(f"{Decimal(repr(value)).normalize():e}".partition("e")[0].strip("-").replace(".", ""))


def _shortest(single: float) -> str:
    tries = (f"{single:.{digits}g}" for digits in range(6, 10))
    return next(text for text in tries if struct.pack("f", float(text)) == struct.pack("f", single))


def test_times_travel_as_durations_too(pair: tuple[Database, Database]) -> None:
    source, target = pair
    values = ["838:59:59", "-00:00:01.5", "23:59:59.999999", "-838:00:00", "00:00:00"]
    table = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, at time(6))"
    made(source, table, *(f"INSERT INTO t (at) VALUES ('{value}')" for value in values))
    made(target, table)
    sent = Side(Name("t"), (Field("id", "int(11)", Kind.INTEGER, False), Field("at", "time(6)", Kind.INTERVAL)))
    found = lines(source, sent)
    assert found[0] == b"1\tPT838H59M59.000000S"
    assert found[1] == b"2\tPT-0H-0M-01.500000S"
    found += [b"6\tP1DT2H", b"7\t-PT1M", b"8\tP1DT-1H", b"9\tPT0S"]
    load(target, sent, found)
    assert [row[0] for row in target.execute("SELECT CONCAT(at) FROM t ORDER BY id")] == [
        "838:59:59.000000", "-00:00:01.500000", "23:59:59.999999", "-838:00:00.000000", "00:00:00.000000",
        "26:00:00.000000", "-00:01:00.000000", "23:00:00.000000", "00:00:00.000000",
    ]  # fmt: skip
    with pytest.raises(BadRowError):
        load(target, sent, [b"10\tP1M"])


def load(database: Database, table: Side, found: list[bytes], *, local: bool = True, as_is: bool = False) -> int:
    """Load lines into a table of a database that is there."""
    place = open_place(target_of(database), overwrite=True, data_only=True, force_disconnect=False)
    place.local = local  # type: ignore[attr-defined]  # of MySQL's alone
    with place, place.loader() as loader:
        if as_is:
            loader.take_as_is()
        taken = loader.load(table, [line + b"\n" for line in found])
        place.put()
    return taken


BAD = {
    "too long": ("varchar(3)", b"abcd"),
    "out of range": ("tinyint", b"128"),
    "no number": ("int", b"x"),
    "no date": ("date", b"2026-02-30"),
    "not in the enum": ("enum('a')", b"b"),
    "null": ("int NOT NULL", b"\\N"),
    "no latin": ("varchar(3) CHARACTER SET latin1", "\U0001f600".encode()),
    "not a number": ("double", b"NaN"),
    "too many digits": ("decimal(5,2)", b"1.005"),
    "a check": ("int CHECK (a < 5)", b"7"),
}


@pytest.fixture(params=[True, False], ids=["load data", "insert"])
def local(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("case", BAD)
def test_a_value_that_the_target_cannot_hold_is_an_error(make_database: MakeDatabase, case: str, local: bool) -> None:
    type_, value = BAD[case]
    database = made(make_database("mysql"), f"CREATE TABLE t (id int PRIMARY KEY, a {type_})")
    good = "'a'" if "char" in type_ or "enum" in type_ else "'2026-01-01'" if type_ == "date" else "1"
    good_line = good.strip("'").encode()
    with pytest.raises(BadRowError) as caught:
        load(database, side(database), [b"1\t" + good_line, b"2\t" + good_line, b"3\t" + value], local=local)
    assert caught.value.table == "t"
    assert caught.value.number == (None if local and case == "a check" else 3)
    assert database.execute("SELECT * FROM t") == []


def test_the_empty_text_of_an_enum_that_another_server_holds_is_taken(make_database: MakeDatabase, local: bool) -> None:
    columns = "id int PRIMARY KEY, a enum('x', 'y') NOT NULL, b enum('', 'z'), n tinyint"
    database = made(make_database("mysql"), f"CREATE TABLE t ({columns})")
    table = side(database)
    rows = [b"1\t\t\t5", b"2\tx\tz\t\\N", *(b"%d\t%s\t\t1" % (n, b"x" * (n % 2)) for n in range(3, 2000))]
    assert load(database, table, rows, local=local, as_is=True) == 1999
    found = database.execute("SELECT id, a + 0, b + 0, n FROM t WHERE id < 4 ORDER BY id")
    assert found == [(1, 0, 1, 5), (2, 1, 2, None), (3, 1, 1, 1)]
    for wrong in (b"5000\tz\t\t1", b"5000\t\t\t300", b"5000\t\tq\t1"):
        with pytest.raises(BadRowError):
            load(database, table, [b"4999\t\t\t1", wrong], local=local, as_is=True)
    with pytest.raises(BadRowError):
        load(database, table, [b"5000\t\t\t1"], local=local)
    assert database.execute("SELECT count(*) FROM t WHERE id > 4000") == [(0,)]


def test_a_number_with_very_many_zeros_behind_it_arrives(make_database: MakeDatabase, local: bool) -> None:
    columns = "id int PRIMARY KEY, a decimal(65,30), b decimal(65,0), c decimal(10,2)"
    database = made(make_database("mysql"), f"CREATE TABLE t ({columns})")
    table, zeros = side(database), b"0" * 500
    rows = [
        b"1\t-1.5%s\t1%s\t1.5%s" % (zeros, b"0" * 60, b"0" * 30),
        b"2\t0.%s\t\\N\t-12345678.00" % zeros,
        b"3\t12345678901234567890123456789012345.5%s\t-7.0\t\\N" % zeros,
    ]
    assert load(database, table, rows, local=local) == 3
    assert database.execute("SELECT CONCAT(a), CONCAT(b), c FROM t ORDER BY id") == [
        ("-1.500000000000000000000000000000", "1" + "0" * 60, Decimal("1.50")),
        ("0.000000000000000000000000000000", None, Decimal("-12345678.00")),
        ("12345678901234567890123456789012345.500000000000000000000000000000", "-7", None),
    ]


def test_the_same_key_twice_is_an_error(make_database: MakeDatabase, local: bool) -> None:
    database = made(make_database("mysql"), "CREATE TABLE t (id varchar(5) PRIMARY KEY)")
    with pytest.raises(BadRowError, match="Duplicate entry 'A' for key 'PRIMARY'"):
        load(database, side(database), [b"a", b"A"], local=local)
    assert database.execute("SELECT * FROM t") == []


def test_a_row_too_large_for_insert_is_an_error(make_database: MakeDatabase) -> None:
    database = made(make_database("mysql"), "CREATE TABLE t (id int PRIMARY KEY, a longtext)")
    most = database.execute("SELECT @@max_allowed_packet")[0][0]
    with pytest.raises(BadRowError, match="max_allowed_packet") as caught:
        load(database, side(database), [b"1\ta", b"2\t" + b"x" * most], local=False)
    assert caught.value.number == 2


def test_a_condition_that_is_no_sql_is_an_error(make_database: MakeDatabase) -> None:
    database = made(make_database("mysql"), "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)")
    table = side(database)
    assert lines(database, table, where="id > 1 -- all", order=["id"]) == [b"2", b"3"]
    with pytest.raises(CopyError, match="syntax"):
        lines(database, table, where="id >")


def test_what_other_databases_have_is_kept_in_types_of_this_one(make_database: MakeDatabase, local: bool) -> None:
    fields = {
        "u32": ("char(32)", Kind.UUID, 32, b"6f1c9b2e-0000-4000-8000-00000000abcd"),
        "u36": ("char(36)", Kind.UUID, 36, b"6f1c9b2e-0000-4000-8000-00000000abcd"),
        "u16": ("binary(16)", Kind.UUID, 16, b"6f1c9b2e-0000-4000-8000-00000000abcd"),
        "flag": ("bit(1)", Kind.BOOLEAN, None, b"1"),
        "bits": ("varchar(9)", Kind.BITS, 9, b"00101"),
        "lasts": ("varchar(40)", Kind.INTERVAL, 40, b"P1Y2M3DT4H"),
        "greatest": ("float", Kind.FLOAT, None, b"-3.4028235e+38"),
    }
    columns = ", ".join(f"{name} {type_} NULL" for name, (type_, *_) in fields.items())
    database = made(make_database("mysql"), f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    own = tuple(Field(name, type_, kind, length=length) for name, (type_, kind, length, _) in fields.items())
    table = Side(Name("t"), (Field("id", "int(11)", Kind.INTEGER, nullable=False), *own))
    full = b"\t".join(value for *_, value in fields.values())
    load(database, table, [b"1\t" + full, b"2" + b"\t\\N" * len(fields)], local=local)
    found = lines(database, table, order=["u32", "id"])
    assert found[0] == b"2" + b"\t\\N" * len(fields)
    assert found[1] == b"1\t" + full.replace(b"-3.4028235e+38", b"-3.4028234663852886e38")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
@pytest.mark.mariadb
def test_null_addresses_arrive(make_database: MakeDatabase, kind: str) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE t (id int PRIMARY KEY, a uuid, b inet6, c inet4, d int)",
        "INSERT INTO t VALUES (1, NULL, NULL, NULL, 2), (2, UUID(), '::1', '1.2.3.4', 3)",
    )
    target = make_database(kind, "copy")
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert target.execute("SELECT * FROM t WHERE id = 1") == [(1, None, None, None, 2)]
    assert target.execute("SELECT count(*) FROM t WHERE a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL") == [(1,)]


@pytest.mark.slow
def test_a_blob_of_more_than_half_of_what_the_server_sends_arrives(make_database: MakeDatabase) -> None:
    source = made(make_database("mysql"), "CREATE TABLE t (id int PRIMARY KEY, a longblob NOT NULL, b varchar(9))")
    (most,) = source.execute("SELECT @@max_allowed_packet")[0]
    size = most // 2 + 1000
    source.execute(f"INSERT INTO t VALUES (1, REPEAT('a', {size}), 'x'), (2, 'z', NULL)")
    target = make_database("sqlite", "copy")
    copy(target_of(source), target_of(target))
    assert target.execute("SELECT id, length(a), b FROM t") == [(1, size, "x"), (2, 1, None)]
