"""Random tables, keys and values through each direction: what the plain drivers read is equal, next numbers too."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.model import CopyOptions

DIRECTIONS = [(source, target) for source in DIALECTS for target in DIALECTS]
EPOCH = datetime(1970, 1, 1)
LETTERS = "aZé0 \t\n\r\\'\"%_N,;漢\U0001f600\b\x0b\u2028"


@dataclass(frozen=True)
class Sort:
    """A sort of column: its type in SQLite, PostgreSQL and MySQL, a random value, and the one form of what is read."""

    types: tuple[str, str, str]
    value: Callable[[random.Random], Any]
    read: Callable[[Any], object]

    def type_in(self, database: Database) -> str:
        return self.types[DIALECTS.index(database.dialect)]


def whole(bits: int) -> Callable[[random.Random], int]:
    edges = [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    return lambda chance: chance.choice([*edges, chance.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1))])


def moment(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value.replace(tzinfo=None)


def clock(value: Any) -> time:
    if isinstance(value, timedelta):
        return (EPOCH + value).time()
    return time.fromisoformat(value) if isinstance(value, str) else value


def double(chance: random.Random) -> float:
    found: float = struct.unpack("d", chance.randbytes(8))[0]
    return found if abs(found) < 1e300 and (not found or abs(found) > 1e-300) else 0.5


def text(length: int) -> Callable[[random.Random], str]:
    return lambda chance: "".join(chance.choices(LETTERS, k=chance.randrange(length)))


SORTS = [
    Sort(("SMALLINT", "smallint", "smallint"), whole(16), int),
    Sort(("BIGINT", "bigint", "bigint"), whole(64), int),
    Sort(("NUMERIC(12, 4)", "numeric(12,4)", "decimal(12,4)"),
         lambda c: Decimal(c.randrange(-(10**12), 10**12)) / 10000,
         lambda value: Decimal(str(value)).quantize(Decimal("0.0001"))),
    Sort(("DOUBLE", "double precision", "double"), double, float),
    Sort(("BOOLEAN", "boolean", "tinyint(1)"), lambda c: c.random() < 0.5, bool),
    Sort(("TEXT", "text", "longtext"), text(60), str),
    Sort(("VARCHAR(20)", "varchar(20)", "varchar(20)"), text(20), str),
    Sort(("BLOB", "bytea", "longblob"), lambda c: c.randbytes(c.randrange(40)), bytes),
    Sort(("DATE", "date", "date"), lambda c: date(1000, 1, 1) + timedelta(c.randrange(3_000_000)),
         lambda value: date.fromisoformat(value) if isinstance(value, str) else value),
    Sort(("DATETIME", "timestamp", "datetime(6)"), lambda c: EPOCH + timedelta(0, 0, c.randrange(10**15)), moment),
    Sort(("TIME", "time", "time(6)"), lambda c: (EPOCH + timedelta(0, 0, c.randrange(864 * 10**8))).time(), clock),
    Sort(("CHAR(32)", "uuid", "char(32)"), lambda c: UUID(int=c.getrandbits(128), version=4),
         lambda value: UUID(str(value))),
    Sort(("JSON", "jsonb", "json"), lambda c: {"a": [c.random(), None, text(9)(c)]},
         lambda value: json.loads(value) if isinstance(value, str) else value),
]  # fmt: skip
NUMBERED = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "serial PRIMARY KEY",
    "mysql": "int AUTO_INCREMENT PRIMARY KEY",
}


@dataclass
class Tables:
    """A table whose key counts up, one whose key is of a text and a number, and one that refers to both."""

    sorts: list[Sort]
    one: list[tuple[Any, ...]]
    two: list[tuple[Any, ...]]
    three: list[tuple[Any, ...]]

    @classmethod
    def of(cls, chance: random.Random) -> Tables:
        sorts = chance.sample(SORTS, 6)
        keys = chance.sample([0, -1, 1, 7, *(chance.randrange(-(2**31), 2**31 - 9) for _ in range(20))], 15)
        codes = [(f"{number}{text(9)(chance)}".rstrip(), number) for number in chance.sample(range(-99, 99), 15)]

        def row() -> tuple[Any, ...]:
            return tuple(None if chance.random() < 0.15 else sort.value(chance) for sort in sorts)

        one, two = [(key, *row()) for key in dict.fromkeys(keys)], [(*code, *row()) for code in codes]
        three = [(n, chance.choice([None, *keys]), *chance.choice(codes)) for n in range(1, 30)]
        return cls(sorts, one, two, three)

    def make(self, database: Database) -> None:
        columns = "".join(f", c{number} {sort.type_in(database)}" for number, sort in enumerate(self.sorts))
        # Several blocks, so that there are ranges of them.
        sparse = " WITH (fillfactor = 10)" if database.dialect == "postgresql" else ""
        made(
            database,
            f"CREATE TABLE one (id {NUMBERED[database.dialect]}{columns}){sparse}",
            f"CREATE TABLE two (code varchar(30) NOT NULL, n integer NOT NULL{columns}, PRIMARY KEY (code, n)){sparse}",
            "CREATE TABLE three (id integer PRIMARY KEY, one_id integer, code varchar(30), n integer, "
            "FOREIGN KEY (one_id) REFERENCES one (id), FOREIGN KEY (code, n) REFERENCES two (code, n))",
        )
        connection = database.connect()
        cursor = connection.cursor()
        if database.dialect == "mysql":
            cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'")
        for table, rows in (("one", self.one), ("two", self.two), ("three", self.three)):
            marks = ", ".join(["?" if database.dialect == "sqlite" else "%s"] * len(rows[0]))
            for values in rows:
                cursor.execute(f"INSERT INTO {table} VALUES ({marks})", [self._given(one, database) for one in values])
        if database.dialect == "postgresql":
            cursor.execute("SELECT setval('one_id_seq', greatest(max(id), 1)) FROM one")
        connection.commit()
        connection.close()

    def _given(self, value: Any, database: Database) -> Any:
        """A value as the driver takes it."""
        if isinstance(value, dict):
            return json.dumps(value)
        if isinstance(value, UUID) and database.dialect != "postgresql":
            return value.hex
        if database.dialect == "sqlite" and isinstance(value, (Decimal, date, time)):
            return value.isoformat(" ") if isinstance(value, datetime) else str(value)
        return value

    def read(self, database: Database) -> dict[str, list[tuple[Any, ...]]]:
        """All rows in the one form, by the plain driver."""
        shown = ", ".join(f"c{number}" for number in range(len(self.sorts)))
        found: dict[str, list[tuple[Any, ...]]] = {"three": sorted(database.execute("SELECT * FROM three"))}
        for table, key in (("one", "id"), ("two", "code, n")):
            rows = database.execute(f"SELECT {key}, {shown} FROM {table}")
            width = key.count(",") + 1
            found[table] = sorted(
                (*row[:width], *(self._plain(one, sort) for one, sort in zip(row[width:], self.sorts, strict=True)))
                for row in rows
            )
        return found

    @staticmethod
    def _plain(value: Any, sort: Sort) -> str:
        return "NULL" if value is None else repr(sort.read(value))


def check_ranges(tables: Tables, source: Database, target: Database) -> None:
    """The same in ranges of three rows, with the values of all types in them."""
    for table in ("one", "two"):
        source.execute(f"ANALYZE {'TABLE ' if source.dialect == 'mysql' else ''}{table}")
    options = CopyOptions(range_rows=3, verify=True)
    streams = dict(
        one.split(": ", 1) for one in plan_copy(target_of(source), target_of(target), options=options).streams
    )
    assert streams["two"].endswith(" ranges")
    copy(target_of(source), target_of(target), options=options)
    assert tables.read(target) == tables.read(source)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize(("kind", "onto"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_what_the_drivers_read_is_the_same_on_both_sides(make_database: MakeDatabase, kind: str, onto: str) -> None:
    chance = random.Random(f"{kind} {onto} 1")  # noqa: S311 - the same tables in each run
    tables = Tables.of(chance)
    source, target = make_database(kind), make_database(onto, "copy")
    tables.make(source)
    assert plan_copy(target_of(source), target_of(target)).refused == ()
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert tables.read(target) == tables.read(source)
    if "sqlite" not in (kind, onto):
        check_ranges(tables, source, make_database(onto, "ranges"))
    highest = max(key for key, *_ in tables.one)
    for database in (source, target):
        database.execute("INSERT INTO one (c0) VALUES (NULL)")
    following = [database.execute("SELECT max(id) FROM one")[0][0] for database in (source, target)]
    assert following == [max(highest + 1, 2)] * 2
