"""The checksums that servers compute: the same for the same rows in every pair of databases, and for no others."""

from __future__ import annotations

import pytest
from support.copying import made, open_source, target_of
from support.databases import DIALECTS, Database, MakeDatabase
from support.translating import translated

from framefox_tasks.copies import copy
from framefox_tasks.copies.verify import Checksum, Sides, compare, read_back
from framefox_tasks.copies.verify.checksums import are_same, forms_to_load
from framefox_tasks.databases import database_named
from framefox_tasks.databases.contract import WritesForms
from framefox_tasks.databases.rows import CopySchema, TablePlan
from framefox_tasks.errors import VerificationError
from framefox_tasks.model import CopyOptions

DIRECTIONS = [(source, target) for source in DIALECTS for target in DIALECTS if (source, target) != ("sqlite",) * 2]
TYPES = {
    "sqlite": ("double", "text", "boolean", "datetime", "blob", "uuid"),
    "postgresql": ("double precision", "text", "boolean", "timestamp", "bytea", "uuid"),
    "mysql": ("double", "longtext", "tinyint(1)", "datetime(6)", "longblob", "char(36)"),
}
BYTES = {"sqlite": "x'{}'", "postgresql": "'\\x{}'", "mysql": "X'{}'"}
MOMENT = {
    "sqlite": "2024-02-29 10:11:12.123456",
    "postgresql": "2024-02-29 10:11:12.5",
    "mysql": "2024-02-29 10:11:12.123456",
}
"""A moment that a database writes without a zero at its end."""
ROWS = [
    (1, "-5", "1.5000", "0.1", "plain", "1", "2024-02-29", "2024-02-29 10:11:12.500000", "00ff", "a" * 8),
    (2, "0", "0.0000", "-0.0", "a\\tb\\nc\\\\d \\\\N ", "0", "1999-12-31", "1999-12-31 00:00:00", "5c0a", "0" * 8),
    (3, "9223372036854775807", "-0.0500", "1.5e20", "", "1", "2000-01-01", "2000-01-01 23:59:59.123456", "", "b" * 8),
    (4, None, None, None, None, None, None, None, None, None),
    (5, "12", "12345678.9", "1e-5", "\\u00e9\\U0001f600", "0", "2024-01-01", "2024-01-01 00:00:00", "ff", "c" * 8),
    (6, "7", "100.0000", "123456.789", "100.0", "1", "1970-01-01", "1970-01-01 00:00:01", "00", "d" * 8),
    (7, "7", "1.0000", "1.0", "\\\\N", "0", "1970-01-01", "1970-01-01 00:00:01", "5c4e", "d" * 8),
]  # fmt: skip
CHANGES = [
    *("n = 8", "p = 100.0001", "f = 123456.78900000002", "t = '100.00'", "d = '1970-01-02'"),
    *("s = '1970-01-01 00:00:01.000001'", "t = '100.0 '", "t = NULL", "n = NULL"),
]


def literal(dialect: str, place: int, cell: object) -> str:
    if cell is None or place < 2:
        return str(cell) if cell is not None else "NULL"
    text = str(cell)
    if place == 4:
        text = text.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")
    if place == 8:
        return BYTES[dialect].format(text)
    if place == 9:
        text = f"{text}-0000-4000-8000-000000000000"
    return database_named(dialect).dialect.literal(text)


def filled(database: Database) -> Database:
    double, text, boolean, moment, binary, uuid = TYPES[database.dialect]
    columns = f"n bigint, p numeric(12,4), f {double}, t {text}, b {boolean}, d date, s {moment}, y {binary}, u {uuid}"
    statements = [f"CREATE TABLE item (id integer PRIMARY KEY, {columns})", "CREATE TABLE log (n integer, m integer)"]
    for row in ROWS:
        cells = [literal(database.dialect, place, cell) for place, cell in enumerate(row)]
        if database.dialect != "postgresql" and row[5] is not None:
            cells[5] = str(row[5])
        if database.dialect == "sqlite" and row[1] is not None:
            cells[2:4] = [str(row[2]), str(row[3])]
        statements.append(f"INSERT INTO item VALUES ({', '.join(cells)})")
    statements.append("INSERT INTO log VALUES (1, 2), (1, 2), (3, 4), (5, 6), (5, 6)")
    return made(database, *statements)


def compared(schema: CopySchema, source: Database, target: Database, table: str) -> bool:
    """Whether the checksums are the same, however they are had; raises where the rows are not."""
    dialects = (database_named(source.dialect).dialect, database_named(target.dialect).dialect)
    plan = next(plan for plan in schema.tables if plan.label == table)
    with (
        open_source(target_of(source)) as here,
        open_source(target_of(target)) as there,
        here.reader() as ours,
        there.reader() as theirs,
    ):
        sides = Sides(plan, ours, theirs, dialects)
        same = are_same(sides)
        compare(plan, ours, theirs, dialects=dialects)
        compare(plan, ours, theirs, dialects=dialects, loaded=lines_that_were_loaded(sides))
        return same


def lines_that_were_loaded(sides: Sides) -> Checksum | None:
    forms = forms_to_load(sides.plan, sides.dialects)
    assert isinstance(sides.source, WritesForms)
    blocks = sides.source.formed_lines(sides.plan.source, forms) if forms else None
    if blocks is None:
        return None
    found = Checksum()
    for block in blocks:
        found.add(block)
    return found


CROSSED = [pair for pair in DIRECTIONS if pair[0] != pair[1]]


@pytest.mark.server
@pytest.mark.parametrize(("source", "target"), CROSSED, ids=["-to-".join(pair) for pair in CROSSED])
def test_the_lines_of_a_copy_are_those_that_were_loaded(source: str, target: str, make_database: MakeDatabase) -> None:
    """Where they are of any values but some that databases write in other notations, which have the last word."""
    here, there = filled(make_database(source)), make_database(target, "copy")
    here.execute("DELETE FROM item WHERE id = 2")  # minus zero, and in SQLite a number of many zeros
    here.execute(f"UPDATE item SET f = 1e-5, p = p + 0.0001, s = '{MOMENT[source]}' WHERE f IS NOT NULL")
    copy(target_of(here), target_of(there), options=CopyOptions(verify=True))
    schema = translated(here, target, onto=there)
    dialects = (database_named(source).dialect, database_named(target).dialect)
    for plan in schema.tables:
        with (
            open_source(target_of(here)) as ours,
            open_source(target_of(there)) as theirs,
            ours.reader() as reader,
            theirs.reader() as checker,
        ):
            sides = Sides(plan, reader, checker, dialects)
            assert lines_that_were_loaded(sides) == read_back(sides)


@pytest.mark.server
@pytest.mark.parametrize(("source", "target"), [("postgresql", "mysql"), ("mysql", "postgresql")])
def test_a_row_has_more_fields_than_a_function_arguments(source: str, target: str, make_database: MakeDatabase) -> None:
    columns = [f"c{number} integer NOT NULL" for number in range(110)] + ["t varchar(20)"]
    cells = ", ".join(map(str, range(110)))
    here, there = make_database(source), make_database(target, "copy")
    made(
        here,
        f"CREATE TABLE item (id integer PRIMARY KEY, {', '.join(columns)})",
        f"INSERT INTO item VALUES (1, {cells}, 'text'), (2, {cells}, NULL)",
    )
    copied = copy(target_of(here), target_of(there), options=CopyOptions(verify=True))
    assert [table.verified for table in copied.tables] == ["values"]
    schema = translated(here, target, onto=there)
    assert compared(schema, here, there, "item")
    there.execute("UPDATE item SET c100 = 7 WHERE id = 2")
    with pytest.raises(VerificationError, match="id=2 c100 is '100' in the source and '7' in the copy"):
        compared(schema, here, there, "item")


@pytest.mark.server
@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_the_servers_agree_on_the_same_rows_and_on_no_others(
    source: str, target: str, make_database: MakeDatabase
) -> None:
    here, there = filled(make_database(source)), make_database(target, "copy")
    copy(target_of(here), target_of(there), options=CopyOptions())
    if source == target:
        with open_source(target_of(here)) as opened:
            schema = opened.schema()
    else:
        schema = translated(here, target, onto=there)
    assert compared(schema, here, there, "item")
    assert compared(schema, here, there, "log")
    there.execute("CREATE TABLE kept AS SELECT * FROM item")
    more = [f"y = {BYTES[target].format('01')}", "b = NOT b", "u = (SELECT u FROM kept WHERE id = 5)"]
    for change in (*CHANGES, *more):
        there.execute(f"UPDATE item SET {change} WHERE id = 6")
        with pytest.raises(VerificationError, match="id=6"):
            compared(schema, here, there, "item")
        there.execute("DELETE FROM item WHERE id = 6")
        there.execute("INSERT INTO item SELECT * FROM kept WHERE id = 6")
    for column in ("n", "t"):
        for key, other in ((1, 6), (6, 1)):
            there.execute(f"UPDATE item SET {column} = (SELECT {column} FROM kept WHERE id = {other}) WHERE id = {key}")
        with pytest.raises(VerificationError, match="id=1"):
            compared(schema, here, there, "item")
        there.execute("DELETE FROM item WHERE id IN (1, 6)")
        there.execute("INSERT INTO item SELECT * FROM kept WHERE id IN (1, 6)")
    assert compared(schema, here, there, "item")
    there.execute("UPDATE log SET n = 5, m = 6 WHERE n = 3")  # as many rows, one of them three times
    with pytest.raises(VerificationError, match="log"):
        compared(schema, here, there, "log")


OWN_TYPES = {
    "postgresql": "i smallint, n bigint, m bigint, f real, d double precision, x numeric(20,2), y numeric, t text,"
    " v varchar(9), c character(4), b boolean, z bytea, at timestamp, tz timestamptz, clock time, days date, u uuid,"
    " j jsonb, a integer[]",
    "mysql": "i smallint, n bigint, m bigint, f float, d double, x decimal(20,2), y decimal(30,9), t text,"
    " v varchar(9), c char(4), b bit(3), z blob, at datetime(6), tz timestamp(6) null, clock time(6), days date,"
    " u char(36), j json, e enum('', 'a', 'b'), s set('a', 'b')",
}
OWN_CHANGES = {
    "i": ("-1", "0", "1"),
    "n": ("0", "4294967297", "-4294967297", "4294967296", "1", "-1", "9223372036854775807"),
    "m": ("0", "4294967297", "1"),
    "f": ("0", "1", "16777215", "16777216", "0.1"),
    "d": ("0", "1", "0.1", "0.10000000000000002", "1e300", "1e-300", "100000.5", "100000.50000000001"),
    "x": ("0", "0.01", "0.1", "-0.1", "100000000000000000.01"),
    "y": ("0", "0.01", "0.1", "-0.1"),
    "t": ("''", "' '", "'1'", "'a'", "'A'", "'\u00e4'", "'ab'", "'ba'"),
    "v": ("''", "' '", "'1'", "'a'", "'ab'"),
    "c": ("''", "'1'", "'a'"),
    "at": ("'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:01'"),
    "tz": ("'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000001'"),
    "clock": ("'00:00:00'", "'00:00:00.000001'", "'10:00:00'"),
    "days": ("'2024-01-01'", "'2024-01-02'"),
    "u": ("'00000000-0000-4000-8000-000000000000'", "'00000000-0000-4000-8000-000000000001'"),
    "j": ("'[]'", "'[1]'", "'[1.0]'", "'\"a\"'"),
}
OWN_MORE = {
    "postgresql": {
        "f": ("'-0'", "'NaN'", "'Infinity'"),
        "d": ("'-0'", "'NaN'", "'Infinity'", "'-Infinity'"),
        "y": ("0.0", "0.10", "'NaN'"),
        "b": ("true", "false"),
        "z": ("''", "'\\x00'", "'\\x0000'"),
        "at": ("'infinity'",),
        "a": ("'{}'", "'{1}'", "'{NULL}'", "'{1,2}'"),
    },
    "mysql": {
        "b": ("0", "1", "7"),
        "z": ("''", "X'00'", "X'0000'"),
        "e": ("'a'", "'b'"),
        "s": ("''", "'a'", "'a,b'"),
    },
}


@pytest.mark.server
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_checksum_of_one_kind_of_server_tells_values_and_their_places(
    dialect: str, make_database: MakeDatabase
) -> None:
    """Each value in one row, and in two rows whose values are swapped."""
    database = made(
        make_database(dialect),
        f"CREATE TABLE item (id integer PRIMARY KEY, {OWN_TYPES[dialect]})",
        "INSERT INTO item (id) VALUES (1), (2)",
    )
    with open_source(target_of(database)) as source:
        (plan,) = source.schema().tables

    def total(column: str, first: str, second: str = "NULL") -> int | None:
        database.execute(f"UPDATE item SET {column} = {first} WHERE id = 1")
        database.execute(f"UPDATE item SET {column} = {second} WHERE id = 2")
        return own_total(database, plan)

    seen: dict[int | None, tuple[str, str]] = {own_total(database, plan): ("", "NULL")}
    for column in OWN_CHANGES.keys() | OWN_MORE[dialect].keys():
        first, *others = (*OWN_CHANGES.get(column, ()), *OWN_MORE[dialect].get(column, ()))
        for value in (first, *others):
            assert seen.setdefault(total(column, value), (column, value)) == (column, value)
        for value in others:
            assert total(column, first, value) != total(column, value, first), (column, value)
        total(column, "NULL")


def own_total(database: Database, plan: TablePlan) -> int | None:
    """The checksum of a table for its own kind of server."""
    with open_source(target_of(database)) as source, source.reader() as reader:
        found = reader.checksum(plan.source, [], own=True)
        return found.total if found else None
