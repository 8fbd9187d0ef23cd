"""A large table that is copied in ranges is the one that one stream makes, whatever its keys and its holes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from support.copying import made, open_source, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.copies.mask import parse_mask
from framefox_tasks.databases.ranges import ReadsRanges
from framefox_tasks.databases.rows import BadRowError
from framefox_tasks.errors import ConfigError, VerificationError
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import CopyProgress

SERVERS = ("postgresql", "mysql")
DIRECTIONS = [(source, target) for source in SERVERS for target in SERVERS]
ROWS = 900
LETTERS = "aAbBzZ \t\\'\"%_é漢\U0001f600"

pytestmark = pytest.mark.server


def gaps(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Numbers, negative ones too: some close together, some far apart."""
    dense = range(-200, ROWS - 300)
    yield from ((number,) for number in chance.sample([*dense, *(chance.randrange(10**12) for _ in range(100))], ROWS))


def codes(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    yield from ((f"{''.join(chance.choices(LETTERS, k=chance.randrange(6)))}.{n}",) for n in range(ROWS))


def pairs(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Of a few owners, most rows of one of them."""
    owners = [-3, 7, 7, 7, 7, 7, 8, 2**40]
    yield from ((chance.choice(owners), number) for number in range(ROWS))


def letters(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Of texts that are alike in an order that knows no capitals."""
    yield from ((chance.choice(["a", "A", "b", "B", "é", ""]), number) for number in range(ROWS))


def binary(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    yield from ((one,) for one in {chance.randbytes(chance.randrange(1, 9)) for _ in range(ROWS)})


KEYS: dict[str, tuple[str, str, Callable[[random.Random], Iterator[tuple[Any, ...]]]]] = {
    "numbers": ("k bigint", "k", gaps),
    "texts": ("k varchar(40)", "k", codes),
    "pairs": ("k bigint, n integer", "k, n", pairs),
    "letters": ("k varchar(9), n integer", "k, n", letters),
    "bytes": ("k varbinary(9)", "k", binary),
}


def filled(database: Database, keys: str, chance: random.Random, *, partitions: bool = False) -> Counter[Any]:
    """Make a table whose rows were changed and deleted in between; gives what it holds."""
    columns, key, values = KEYS[keys]
    mysql = database.dialect == "mysql"
    columns = columns if mysql else columns.replace("varbinary(9)", "bytea")
    more = " PARTITION BY HASH (k)" + (" PARTITIONS 3" if mysql else "") if partitions else ""
    made(
        database,
        f"CREATE TABLE big ({columns}, note varchar(400), num numeric(9, 2), PRIMARY KEY ({key})){more}",
        *(
            [f"CREATE TABLE big_{n} PARTITION OF big FOR VALUES WITH (MODULUS 3, REMAINDER {n})" for n in range(3)]
            if partitions and not mysql
            else []
        ),
        "CREATE TABLE small (id integer PRIMARY KEY)",
        "INSERT INTO small VALUES (1)",
    )
    rows = [
        (*one, "".join(chance.choices(LETTERS, k=chance.randrange(300))), chance.randrange(9**6) / 4)
        for one in values(chance)
    ]
    with closing(database.connect()) as connection:
        cursor = connection.cursor()
        cursor.executemany(f"INSERT INTO big VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
        connection.commit()
        cursor.execute("DELETE FROM big WHERE num > 60000 AND num < 100000")
        cursor.execute("UPDATE big SET num = num + 1 WHERE num < 20000")
        connection.commit()
        cursor.execute("ANALYZE TABLE big" if mysql else "ANALYZE")
        cursor.fetchall() if mysql else connection.commit()
    return read(database)


def read(database: Database) -> Counter[Any]:
    """All rows, each as often as it is there."""
    return Counter(map(plain, database.execute("SELECT * FROM big")))


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(bytes(one) if isinstance(one, memoryview) else one for one in row)


def ranged(**more: Any) -> CopyOptions:
    return CopyOptions(range_rows=100, **more)


@pytest.mark.slow
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize(("kind", "onto"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_ranges_make_the_table_that_one_stream_makes(
    make_database: MakeDatabase, kind: str, onto: str, keys: str
) -> None:
    source, target, other = make_database(kind), make_database(onto, "copy"), make_database(onto, "other")
    held = filled(source, keys, random.Random(f"{kind} {onto} {keys}"))  # noqa: S311 - the same in each run
    plan = plan_copy(target_of(source), target_of(target), options=ranged())
    assert plan.jobs > 2
    (how,) = plan.streams
    assert how.startswith("big: in ")
    assert how.endswith(" ranges")
    done = copy(target_of(source), target_of(target), options=ranged(verify=True))
    copy(target_of(source), target_of(other), options=CopyOptions(range_rows=0))
    assert read(target) == read(other) == held
    assert {table.name: table.rows for table in done.tables} == {"big": held.total(), "small": 1}
    assert not target.beside() - {other.name}


@pytest.mark.parametrize("kind", SERVERS)
def test_the_rows_of_partitions_are_in_one_range_each(make_database: MakeDatabase, kind: str) -> None:
    source, target = make_database(kind), make_database("postgresql", "copy")
    held = filled(source, "numbers", random.Random(5), partitions=True)  # noqa: S311
    plan = plan_copy(target_of(source), target_of(target), options=ranged())
    assert plan.streams[0].endswith("ranges")
    copy(target_of(source), target_of(target), options=ranged())
    assert read(target) == held


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("kind", SERVERS)
def test_each_row_is_in_exactly_one_range(make_database: MakeDatabase, kind: str, keys: str) -> None:
    source = make_database(kind)
    held = filled(source, keys, random.Random(f"{kind} {keys}"))  # noqa: S311
    with open_source(target_of(source), 2) as opened, opened.reader() as reader:
        assert isinstance(reader, ReadsRanges)
        (plan,) = (one for one in opened.schema().tables if one.label == "big")
        for rows in (1, 7, 100, 400):
            conditions = reader.ranges(plan, rows).conditions
            counts = [reader.count(plan.source.name, where=one) for one in conditions]
            assert sum(counts) == held.total()
            if kind == "mysql" and keys in ("numbers", "texts", "bytes"):  # the last has the rest
                assert set(counts[:-1]) == {rows}


def test_rows_that_come_and_go_meanwhile_are_in_no_range(make_database: MakeDatabase) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    held = filled(source, "numbers", random.Random(1))  # noqa: S311

    def change(_: object) -> None:
        source.execute("INSERT INTO big SELECT n, 'new', 1 FROM generate_series(2000000000000, 2000000000999) n")
        source.execute("UPDATE big SET note = 'changed'")
        source.execute("DELETE FROM big WHERE num < 1000")

    copy(target_of(source), target_of(target), options=ranged(), on_plan=change)
    assert read(target) == held


@pytest.mark.parametrize(("kind", "onto"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_conditions_and_masks_hold_in_ranges(make_database: MakeDatabase, kind: str, onto: str) -> None:
    source, target = make_database(kind), make_database(onto, "copy")
    held = filled(source, "numbers", random.Random(2))  # noqa: S311
    options = ranged(
        where=(("big", "num > 20000 OR k < 0 -- the last word"),), masks=(parse_mask("big.note", "fixed:x", "--mask"),)
    )
    copy(target_of(source), target_of(target), options=options)
    assert read(target) == Counter((key, "x", num) for key, _, num in held if num > 20000 or key < 0)


def test_the_progress_shows_the_table_once(make_database: MakeDatabase) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    held = filled(source, "numbers", random.Random(3))  # noqa: S311
    told: list[CopyProgress] = []
    copy(target_of(source), target_of(target), options=ranged(), on_progress=told.append)
    assert [one.rows for one in told if one.table == "big" and one.done] == [held.total()]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_row_that_does_not_fit_is_told_by_its_key(make_database: MakeDatabase, kind: str) -> None:
    source, target = make_database(kind), make_database("postgresql" if kind == "mysql" else "mysql", "copy")
    filled(source, "numbers", random.Random(4))  # noqa: S311
    source.execute("UPDATE big SET note = 'too long for it' WHERE k = 17")
    source.execute("INSERT INTO big VALUES (10000000000001, 'too long for it', 1)")
    source.execute("DELETE FROM big WHERE k = 17")
    source.execute("UPDATE big SET note = '' WHERE k <> 10000000000001")
    made(target)
    options = ranged(types=(("big.note", "varchar(3)"),), scan=False)
    with pytest.raises(BadRowError, match="k=10000000000001") as caught:
        copy(target_of(source), target_of(target), options=options)
    assert "note" in caught.value.message
    assert not target.tables()
    assert not target.beside()


def test_ranges_that_miss_a_row_are_found(make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = make_database("mysql"), make_database("postgresql", "copy")
    filled(source, "numbers", random.Random(6))  # noqa: S311
    monkeypatch.setattr(
        "framefox_tasks.databases.mysql.ranges.between",
        lambda column, at: (f"{column} < {at[0]}", f"{column} > {at[0]}"),
    )
    with pytest.raises(VerificationError, match="were not read at one point of time"):
        copy(target_of(source), target_of(target), options=ranged())
    assert not target.exists()
    assert not target.beside()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"jobs": 1}, "one job is asked for"),
        ({"on_bad_row": "skip"}, "rows that the copy cannot hold are left out"),
        ({"sample": "5%"}, "its rows are chosen by those of other tables"),
    ],
)
def test_what_is_not_copied_in_ranges_says_why(
    make_database: MakeDatabase, options: dict[str, Any], reason: str
) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    filled(source, "numbers", random.Random(7))  # noqa: S311
    plan = plan_copy(target_of(source), target_of(target), options=ranged(**options))
    assert plan.streams == (f"big: in one stream, since {reason}",)


def test_a_file_and_rows_alone_are_filled_in_one_stream(make_database: MakeDatabase) -> None:
    source, there, file = make_database("postgresql"), make_database("postgresql", "copy"), make_database("sqlite")
    held = filled(source, "numbers", random.Random(8))  # noqa: S311
    copy(target_of(source), target_of(there), options=CopyOptions(schema_only=True))
    reason = ("big: in one stream, since one connection fills the copy",)
    rows = ranged(data_only=True)
    assert plan_copy(target_of(source), target_of(there), options=rows).streams == reason
    assert plan_copy(target_of(source), target_of(file), options=ranged()).streams == reason
    copy(target_of(source), target_of(there), options=rows)
    assert read(there) == held


def test_a_file_is_read_in_one_stream(make_database: MakeDatabase) -> None:
    source, target = make_database("sqlite"), make_database("postgresql", "copy")
    made(
        source,
        "CREATE TABLE big (id integer PRIMARY KEY)",
        "INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n",
        "ANALYZE",
    )
    (how,) = plan_copy(target_of(source), target_of(target), options=ranged()).streams
    assert how == "big: in one stream, since one connection alone sees the source at this point of time"


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("k bigint PRIMARY KEY) ENGINE = MyISAM", "it is of an engine without transactions"),
        ("k bigint)", "it has no primary key"),
        ("k date PRIMARY KEY)", "its primary key begins with k, which is neither a number nor a text"),
    ],
)
def test_tables_of_mysql_that_have_no_ranges_say_why(make_database: MakeDatabase, table: str, reason: str) -> None:
    source, target = make_database("mysql"), make_database("postgresql", "copy")
    day = "date '2000-01-01' + interval seq day" if "date" in table else "seq"
    made(source, f"CREATE TABLE big ({table}", f"INSERT INTO big SELECT {day} FROM seq_1_to_400", "ANALYZE TABLE big")
    (how,) = plan_copy(target_of(source), target_of(target), options=ranged()).streams
    assert how.startswith(f"big: in one stream, since {reason}")


def test_a_table_of_mysql_that_counts_up_is_filled_in_one_stream(make_database: MakeDatabase) -> None:
    source, target = make_database("mysql"), make_database("mysql", "copy")
    made(
        source,
        "CREATE TABLE big (id bigint AUTO_INCREMENT PRIMARY KEY)",
        "INSERT INTO big SELECT seq FROM seq_1_to_400",
        "ANALYZE TABLE big",
    )
    (how,) = plan_copy(target_of(source), target_of(target), options=ranged()).streams
    interleaves = source.execute("SELECT @@innodb_autoinc_lock_mode") == [(2,)]
    assert how.startswith("big: in 4" if interleaves else "big: in one stream, since the server lets one connection")


def test_a_number_of_rows_that_is_none_is_refused(make_database: MakeDatabase) -> None:
    with pytest.raises(ConfigError, match="--range-rows must be a number"):
        plan_copy(
            target_of(make_database("postgresql")),
            target_of(make_database("mysql")),
            options=CopyOptions(range_rows=-1),
        )
