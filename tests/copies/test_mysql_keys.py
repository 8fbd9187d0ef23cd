"""Keys that a MariaDB or MySQL database could count by itself arrive as they are: 0, negative ones and all others."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.copying import copy, made, open_place, open_source, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks import copies
from framefox_tasks.databases.rows import BadRowError, Side
from framefox_tasks.errors import VerificationError
from framefox_tasks.model import CopyOptions, Mask

pytestmark = pytest.mark.server

OWNERS = [
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
    "CREATE TABLE owner (id int AUTO_INCREMENT PRIMARY KEY, photo blob, email varchar(40))",
    "CREATE TABLE child (id int AUTO_INCREMENT PRIMARY KEY, owner_id int, CONSTRAINT fk FOREIGN KEY (owner_id) "
    "REFERENCES owner (id))",
    "INSERT INTO owner VALUES (-3, 'a', 'a@x.org'), (0, NULL, 'b@x.org'), (7, X'00ff', 'c@x.org')",
    "INSERT INTO child VALUES (0, 0), (1, -3), (-1, 7)",
]
KEYS = [(-3,), (0,), (7,)]
ORPHANS = "SELECT child.id FROM child LEFT JOIN owner ON owner.id = child.owner_id WHERE owner.id IS NULL"


@pytest.fixture
def owners(make_database: MakeDatabase) -> Database:
    return made(make_database("mysql"), *OWNERS)


@pytest.mark.parametrize(
    "options",
    [
        CopyOptions(),
        CopyOptions(verify=True, jobs=1),
        CopyOptions(where=(("owner", "id < 9"),)),
        CopyOptions(masks=(Mask("owner.email", "email"),)),
    ],
    ids=["whole", "verified", "where", "masked"],
)
def test_a_key_of_zero_stays_zero(owners: Database, make_database: MakeDatabase, options: CopyOptions) -> None:
    target = make_database("mysql", "copy")
    copy(target_of(owners), target_of(target), options=options)
    assert target.execute("SELECT id FROM owner ORDER BY id") == KEYS
    assert target.execute("SELECT * FROM child ORDER BY id") == [(-1, 7), (0, 0), (1, -3)]
    assert target.execute(ORPHANS) == []
    target.execute("INSERT INTO owner (photo) VALUES (NULL)")
    assert target.execute("SELECT MAX(id) FROM owner") == [(8,)]


@pytest.mark.parametrize("source", DIALECTS)
def test_rows_alone_keep_their_keys_whatever_the_target_does_with_them(
    owners: Database, make_database: MakeDatabase, source: str
) -> None:
    there = make_database(source, "source")
    copy(target_of(owners), target_of(there))
    target = made(
        make_database("mysql", "copy"),
        "CREATE TABLE seen (id int AUTO_INCREMENT PRIMARY KEY, n int)",
        *OWNERS[1:3],
        "CREATE TRIGGER before_owner BEFORE INSERT ON owner FOR EACH ROW SET @seen = 1",
        "CREATE TRIGGER before_child BEFORE INSERT ON child FOR EACH ROW SET @seen = 1",
        "CREATE TRIGGER after_child AFTER INSERT ON child FOR EACH ROW INSERT INTO seen (n) VALUES (NEW.id)",
    )
    copy(target_of(there), target_of(target), options=CopyOptions(data_only=True, tables=("owner", "child")))
    assert target.execute("SELECT id FROM owner ORDER BY id") == KEYS
    assert target.execute("SELECT * FROM child ORDER BY id") == [(-1, 7), (0, 0), (1, -3)]
    assert target.execute("SELECT id, n FROM seen ORDER BY n") != []


def test_a_key_that_the_target_gives_itself_is_an_error(owners: Database, make_database: MakeDatabase) -> None:
    trigger = "CREATE TRIGGER counts BEFORE INSERT ON owner FOR EACH ROW SET NEW.id = NULL"
    target = made(make_database("mysql", "copy"), *OWNERS[1:3], trigger)
    with pytest.raises(VerificationError, match=r"copy_.* gave rows of owner other keys than they have in the source"):
        copies.copy(target_of(owners), target_of(target), options=CopyOptions(data_only=True))
    assert target.execute("SELECT * FROM owner") == []


@pytest.mark.parametrize("change", ["NEW.owner_id = 7", "NEW.id = NEW.id + 100"])
def test_keys_that_a_trigger_changes_are_an_error(owners: Database, make_database: MakeDatabase, change: str) -> None:
    trigger = f"CREATE TRIGGER changes BEFORE INSERT ON child FOR EACH ROW SET {change}"
    target = made(make_database("mysql", "copy"), *OWNERS[1:3], trigger)
    with pytest.raises(
        VerificationError, match=r"The keys of child are others in the copy than in shop_.*: (owner_)?id"
    ):
        copies.copy(target_of(owners), target_of(target), options=CopyOptions(data_only=True))
    assert target.execute("SELECT * FROM child") == []


@pytest.fixture(params=[True, False], ids=["load data", "insert"])
def local(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_row_without_a_key_gets_none(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"), "CREATE TABLE t (id int, name text)", "INSERT INTO t VALUES (1, 'a'), (NULL, 'b')"
    )
    target = made(make_database("mysql", "copy"), "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, name text)")
    with pytest.raises(BadRowError, match=r"t, row 2: Incorrect integer value: 'NULL' for column .*id") as caught:
        copy(target_of(source), target_of(target), options=CopyOptions(data_only=True))
    assert caught.value.number == 2
    assert target.execute("SELECT * FROM t") == []


@pytest.mark.parametrize("type_", ["int AUTO_INCREMENT UNIQUE", "timestamp", "timestamp(3) DEFAULT '2020-01-01'"])
def test_a_server_puts_no_value_of_its_own_where_there_is_none(
    make_database: MakeDatabase, type_: str, local: bool
) -> None:
    target = made(make_database("mysql"), f"CREATE TABLE t (id int PRIMARY KEY, a {type_} NOT NULL, b varchar(9))")
    with open_source(target_of(target)) as opened:
        table = opened.schema().tables[0].target
    good = b"5" if "int" in type_ else b"2026-01-02 03:04:05"
    with pytest.raises(BadRowError) as caught:
        load(target, table, b"1\t%s\t\\N\n2\t\\N\ta\\\\N\n" % good, local=local)
    assert caught.value.number == 2
    load(target, table, b"1\t%s\t\\N\n2\t%s\ta\\\\N\n" % (good, good.replace(b"5", b"6")), local=local)
    assert target.execute("SELECT id, b FROM t ORDER BY id") == [(1, None), (2, "a\\N")]


def test_rows_that_come_by_either_way_keep_their_keys(make_database: MakeDatabase, local: bool) -> None:
    target = made(
        make_database("mysql"),
        "CREATE TABLE t (id bigint AUTO_INCREMENT PRIMARY KEY, a blob, b bit(3))",
        "CREATE TRIGGER seen BEFORE INSERT ON t FOR EACH ROW SET @seen = 1",
    )
    with open_source(target_of(target)) as opened:
        table = opened.schema().tables[0].target
    load(target, table, b"1\t\\\\x00\t101\n0\t\\N\t\\N\n-1\t\\N\t001\n", local=local)
    assert target.execute("SELECT id, a, b + 0 FROM t ORDER BY id") == [(-1, None, 1), (0, None, None), (1, b"\0", 5)]


def load(database: Database, table: Side, lines: bytes, *, local: bool) -> None:
    place = open_place(target_of(database), overwrite=True, data_only=True, force_disconnect=False)
    place.local = local  # type: ignore[attr-defined]  # of MySQL's alone
    with place, place.loader() as loader:
        assert loader.load(table, [lines]) == lines.count(b"\n")
        place.put()


def test_a_reference_that_is_lost_changes_no_time_of_its_row(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE team (id int PRIMARY KEY)",
        "CREATE TABLE member (id int PRIMARY KEY, team_id int, changed timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP "
        "ON UPDATE CURRENT_TIMESTAMP, seen datetime(3) ON UPDATE CURRENT_TIMESTAMP(3), "
        "CONSTRAINT fk FOREIGN KEY (team_id) REFERENCES team (id) ON DELETE SET NULL)",
        "INSERT INTO team VALUES (1), (2)",
        "INSERT INTO member VALUES (1, 1, '2020-01-01', '2021-01-01'), (2, 2, '2020-01-02', NULL)",
    )
    target = make_database("mysql", "copy")
    copy(target_of(source), target_of(target), options=CopyOptions(where=(("team", "id = 1"),)))
    assert target.execute("SELECT id, team_id FROM member ORDER BY id") == [(1, 1), (2, None)]
    query = "SELECT id, changed, seen FROM member ORDER BY id"
    assert target.execute(query) == source.execute(query)


@dataclass(frozen=True)
class Column:
    """A type in each dialect, values of it, and how what a driver gives of it is compared."""

    mysql: str
    postgresql: str
    sqlite: str
    value: Callable[[random.Random], object]
    read: Callable[[Any], object] = lambda value: value


def _moment(chance: random.Random) -> str:
    return str(datetime(2001, 2, 3) + timedelta(seconds=chance.randrange(10**9)))


def _document(value: Any) -> object:
    return json.loads(value) if isinstance(value, str) else value


COLUMNS = [
    Column("blob", "bytea", "BLOB", lambda chance: chance.randbytes(chance.randrange(50)), bytes),
    Column("varbinary(40)", "bytea", "BLOB", lambda chance: chance.randbytes(chance.randrange(40)), bytes),
    Column("bit(8)", "bit(8)", "INTEGER", lambda chance: chance.randrange(256)),
    Column("json", "jsonb", "JSON", lambda chance: json.dumps({"a": chance.random()}), _document),
    Column("text", "text", "TEXT", lambda chance: "".join(chance.choices("aé\t\n\\'\"N\r0\U0001f600", k=9))),
    Column("datetime", "timestamp(0)", "DATETIME", _moment, str),
    Column("int", "integer", "INTEGER", lambda chance: chance.choice([0, -1, chance.randrange(-(2**31), 2**31)])),
    Column("varchar(9)", "varchar(9)", "VARCHAR(9)", lambda chance: chance.choice(["", "0", "NULL", "\\N", "x y"])),
]  # fmt: skip
SCALES = {"tinyint": 7, "int": 31, "bigint": 63}


@dataclass
class Case:
    """Two tables of random columns whose keys count up, one of which refers to the other."""

    columns: list[Column]
    size: str
    rows: list[tuple[object, ...]]

    @classmethod
    def of(cls, seed: int) -> Case:
        chance = random.Random(seed)  # noqa: S311 - the same case in each run
        columns = [chance.choice(COLUMNS) for _ in range(chance.randrange(5))]
        size = chance.choice(list(SCALES))
        most = 2 ** SCALES[size]
        keys = {0, -1, 1, *(chance.randrange(-most, most - 3) for _ in range(chance.randrange(60)))}
        order = chance.sample(sorted(keys), len(keys))
        return cls(columns, size, [(key, *(cls._value(chance, one) for one in columns)) for key in order])

    @staticmethod
    def _value(chance: random.Random, column: Column) -> object:
        return None if chance.random() < 0.2 else column.value(chance)

    def statements(self, dialect: str) -> list[str]:
        keys = {
            "mysql": f"{self.size} AUTO_INCREMENT PRIMARY KEY",
            "postgresql": f"{self.size.replace('tiny', 'small')} GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
        }
        columns = "".join(f", c{number} {getattr(one, dialect)}" for number, one in enumerate(self.columns))
        refers = f"owner_id {self.size.replace('tiny', 'small') if dialect == 'postgresql' else self.size}"
        return [
            f"CREATE TABLE owner (id {keys[dialect]}{columns})",
            f"CREATE TABLE child (id {keys[dialect]}, {refers}, FOREIGN KEY (owner_id) REFERENCES owner (id))",
        ]

    def fill(self, database: Database) -> None:
        connection = database.connect()
        cursor = connection.cursor()
        if database.dialect == "mysql":
            cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'")
        marks = ", ".join(["%s", *(_mark(one, database.dialect) for one in self.columns)])
        insert = f"INSERT INTO owner VALUES ({marks})"
        child = "INSERT INTO child VALUES (%s, %s)"
        if database.dialect == "sqlite":
            insert, child = insert.replace("%s", "?"), child.replace("%s", "?")
        for row in self.rows:
            cursor.execute(insert, row)
        for row in self.rows:
            cursor.execute(child, (row[0], row[0]))
        connection.commit()
        connection.close()

    def read(self, database: Database) -> list[tuple[object, ...]]:
        reads: list[Callable[[Any], object]] = [int, *(one.read for one in self.columns)]
        shown = [f"c{number}" for number in range(len(self.columns))]
        shown = [
            {"mysql": f"{name} + 0", "postgresql": f"{name}::integer"}.get(database.dialect, name)
            if "bit" in one.mysql
            else name
            for name, one in zip(shown, self.columns, strict=True)
        ]
        rows = database.execute(f"SELECT {', '.join(['id', *shown])} FROM owner ORDER BY id")
        return [
            tuple(None if value is None else read(value) for value, read in zip(row, reads, strict=True))
            for row in rows
        ]


def _mark(column: Column, dialect: str) -> str:
    return "%s::integer::bit(8)" if dialect == "postgresql" and "bit" in column.mysql else "%s"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("source", DIALECTS)
def test_rows_of_any_columns_keep_their_keys(make_database: MakeDatabase, source: str, seed: int) -> None:
    case = Case.of(seed)
    there = made(make_database(source), *case.statements(source))
    case.fill(there)
    target = make_database("mysql", "copy")
    copy(target_of(there), target_of(target))
    assert case.read(target) == case.read(there)
    assert len(case.rows) == len(case.read(target))
    assert target.execute("SELECT id FROM child WHERE owner_id <> id OR owner_id IS NULL") == []
    target.execute("INSERT INTO owner () VALUES ()")
    assert target.execute("SELECT MAX(id) FROM owner")[0][0] == following(there, case)
    # Rows alone, into tables whose triggers see them.
    target.execute("CREATE TRIGGER seen BEFORE INSERT ON owner FOR EACH ROW SET @seen = 1")
    copy(target_of(there), target_of(target), options=CopyOptions(data_only=True, overwrite=True))
    assert case.read(target) == case.read(there)


def following(source: Database, case: Case) -> int:
    """The number that comes next: that of the source, where it counts past its rows by itself."""
    if source.dialect == "mysql":
        query = "SELECT auto_increment FROM information_schema.tables WHERE table_schema = DATABASE()"
        return int(source.execute(f"{query} AND table_name = 'owner'")[0][0])
    return max(int(str(row[0])) for row in case.rows) + 1
