"""A large table in small: with the keys, the holes and the partitions that ranges have to get right."""

from __future__ import annotations

import pickle
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

from framefox_tasks.copies.range_order import RangeOrder, RangeOutcome, carry_out
from support.copying import made, target_of
from support.databases import Database

ROWS = 900
LETTERS = "aAbBzZ \t\\'\"%_é漢\U0001f600"


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


class Workers:
    """Threads that do what is ordered, each order through a pickle, as it would be sent."""

    copy = ""
    stamp = ""
    name = "two threads"

    def __init__(self, source: Database, target: Database, salt: str | None = None) -> None:
        self.sides = (target_of(source), target_of(target))
        self.salt = salt
        self.orders: list[RangeOrder] = []
        self._threads = ThreadPoolExecutor(2)

    def submit(self, order: RangeOrder) -> Future[RangeOutcome]:
        self.orders.append(pickle.loads(pickle.dumps(order)))  # noqa: S301 - our own
        return self._threads.submit(self.carry_out, self.orders[-1])

    def is_gone(self) -> bool:
        return False

    def carry_out(self, order: RangeOrder) -> RangeOutcome:
        return carry_out(order, *self.sides, self.salt)
