"""Ranges by primary keys of MySQL and MariaDB, whatever type, character set and collation they have."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from support.copying import made, open_source, target_of
from support.databases import MakeDatabase

from framefox_tasks.databases.ranges import Ranges, ReadsRanges

pytestmark = pytest.mark.server
LETTERS = "aAbBzZ éß'\"%\\siIÀàÿ"


def texts(letters: str, count: int = 150) -> list[str]:
    """Texts with blanks at their ends and letters that an order takes for the same, told apart by a number."""
    chance = random.Random(3)  # noqa: S311 - the same in each run
    return [f"{''.join(chance.choices(letters, k=chance.randrange(1, 5)))}{n}" for n in range(count)]


KEYS: dict[str, tuple[str, Sequence[object]]] = {
    "latin1": ("varchar(20) CHARACTER SET latin1 COLLATE latin1_german2_ci", texts(LETTERS)),
    "bytes of letters": ("varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", texts(LETTERS + "漢\U0001f600")),
    "of all languages": ("varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", texts(LETTERS + "漢")),
    "two bytes each": ("varchar(20) CHARACTER SET ucs2", texts(LETTERS + "漢")),
    "gbk": ("varchar(20) CHARACTER SET gbk", texts("ab漢字c")),
    "padded": ("char(9)", texts("ab ")),
    "blanks at the end": ("varchar(20)", [f"{n // 2:03}{' ' * (n % 2)}" for n in range(0, 150, 2)]),
    "large numbers": ("bigint unsigned", [*range(75), *(2**64 - 1 - n for n in range(75))]),
    "small numbers": ("tinyint", range(-128, 128)),
    "with zeros": ("int(8) zerofill", range(150)),
    "years": ("year", range(1901, 2051)),
    "padded bytes": ("binary(3)", [bytes([n % 256, n // 256, 0]) for n in range(300)]),
    "bytes": ("varbinary(3)", [bytes([0, n % 256, n // 256]) for n in range(300)]),
}


@pytest.mark.parametrize("keys", KEYS)
def test_each_row_is_in_exactly_one_range(make_database: MakeDatabase, keys: str) -> None:
    kind, values = KEYS[keys]
    source = made(
        make_database("mysql"), f"CREATE TABLE big (`the key` {kind} NOT NULL, n int, PRIMARY KEY (`the key`, n))"
    )
    connection = source.connect()
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO big VALUES (%s, %s)", [(value, n) for n, value in enumerate(values)])
    connection.commit()
    connection.close()
    with open_source(target_of(source), 2) as opened, opened.reader() as reader:
        assert isinstance(reader, ReadsRanges)
        (plan,) = opened.schema().tables
        for rows in (1, 7, 20):
            conditions = reader.ranges(plan, rows).conditions
            assert len(conditions) > 2
            assert sum(reader.count(plan.source.name, where=one) for one in conditions) == len(values)


@pytest.mark.parametrize("kind", ["decimal(20,0)", "bit(16)", "enum('b','a')", "double", "datetime(6)"])
def test_other_keys_have_no_ranges(make_database: MakeDatabase, kind: str) -> None:
    source = made(make_database("mysql"), f"CREATE TABLE big (k {kind} PRIMARY KEY)")
    with open_source(target_of(source), 2) as opened, opened.reader() as reader:
        assert isinstance(reader, ReadsRanges)
        (plan,) = opened.schema().tables
        reason = "its primary key begins with k, which is neither a number nor a text"
        assert reader.ranges(plan, 1) == Ranges(reason=reason)
