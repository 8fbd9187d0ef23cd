"""A copy of MariaDB or MySQL beside writers, and when connections or processes end."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread, Timer

import pytest
from support.copying import made, open_place, open_source, target_of
from support.databases import Database, MakeDatabase
from support.killing import kill_in_the_middle

from framefox_tasks.copies import copy
from framefox_tasks.databases.mysql.read import MySQLReader
from framefox_tasks.databases.rows import Name
from framefox_tasks.errors import ConnectionLostError, CopyError, DatabaseInUseError
from framefox_tasks.model import CopyOptions

DIALECT = "mysql"

WIDE = [
    "CREATE TABLE wide (id int AUTO_INCREMENT PRIMARY KEY, a varchar(500))",
    "INSERT INTO wide (a) SELECT REPEAT(MD5(seq), 15) FROM seq_1_to_40000",
]


@pytest.fixture
def source(source: Database) -> Database:
    return made(source, *WIDE)


@contextmanager
def transfers(database: Database) -> Iterator[None]:
    """Money moves between accounts of several tables, in transactions, as long as this is open."""
    stop = Event()

    def move() -> None:
        chance = random.Random(1)  # noqa: S311 - any
        with closing(database.connect()) as connection:
            connection.autocommit(False)
            cursor = connection.cursor()
            while not stop.is_set():
                one, other = sorted(chance.sample(range(4), 2))  # in one order, so that no two wait for each other
                amount, number = chance.randrange(100), chance.randrange(2000)
                cursor.execute(f"UPDATE account_{one} SET amount = amount - {amount} WHERE id = {number + 1}")
                cursor.execute(f"UPDATE account_{other} SET amount = amount + {amount} WHERE id = {number + 1}")
                cursor.execute(f"INSERT INTO moved VALUES ({one}, {other}, {amount})")
                connection.commit()

    threads = [Thread(target=move) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_readers_share_one_point_of_time_while_others_write(target: Database, make_database: MakeDatabase) -> None:
    accounts = [
        statement
        for number in range(4)
        for statement in (
            f"CREATE TABLE account_{number} (id int PRIMARY KEY, amount int NOT NULL)",
            f"INSERT INTO account_{number} SELECT seq, 1000 FROM seq_1_to_2000",
        )
    ]
    source = made(make_database("mysql"), *accounts, "CREATE TABLE moved (here int, there int, amount int)")
    totals = " UNION ALL ".join(f"SELECT amount FROM account_{number}" for number in range(4))
    with transfers(source):
        time.sleep(0.3)
        for _ in range(5):
            with open_source(target_of(source), 8) as opened:
                assert opened.most_readers == 8
            copy(target_of(source), target_of(target), options=CopyOptions(overwrite=True, jobs=4))
            assert target.execute(f"SELECT SUM(amount) FROM ({totals}) a") == [(8_000_000,)]
            for number in range(4):
                out, into = (
                    target.execute(f"SELECT COALESCE(SUM(amount), 0) FROM moved WHERE {side} = {number}")[0][0]
                    for side in ("here", "there")
                )
                assert target.execute(f"SELECT SUM(amount) FROM account_{number}") == [(2_000_000 - out + into,)]
    assert target.execute("SELECT COUNT(*) > 0 FROM moved") == [(1,)]


def test_a_reader_goes_on_after_lines_that_nobody_wanted(source: Database) -> None:
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        table = opened.schema().tables[0].source
        source.execute("DELETE FROM wide WHERE id > 100")
        for _ in range(3):
            lines = reader.lines(table)
            next(lines)
            lines.close()
        assert reader.count(Name("wide")) == 40_000
        assert b"".join(reader.lines(table)).count(b"\n") == 40_000


def threads_of(database: Database, name: str) -> list[int]:
    query = f"SELECT id FROM information_schema.processlist WHERE db = '{name}' AND id <> CONNECTION_ID()"
    return [row[0] for row in database.execute(query)]


def test_a_connection_that_ends_is_told_with_its_side(source: Database, target: Database) -> None:
    place = open_place(target_of(target), overwrite=True, data_only=False, force_disconnect=False)
    with open_source(target_of(source)) as opened, opened.reader() as reader, place:
        schema = opened.schema()
        table = schema.tables[0].source

        def ended(name: str) -> Iterator[bytes]:
            for number, block in enumerate(reader.lines(table)):
                if number == 3:
                    for thread in threads_of(source, name):
                        source.execute(f"KILL {thread}")
                yield block

        with place.loader() as loader:
            for statement in schema.before:
                loader.execute(statement)
            with pytest.raises(ConnectionLostError, match=f"The connection to the target {target.name} on .* ended"):
                loader.load(table, ended(f"{target.name}_copying"))
        with (
            place.loader() as loader,
            pytest.raises(ConnectionLostError, match=f"The connection to the source {source.name} on .* ended"),
        ):
            loader.load(table, ended(source.name))
    assert not target.exists()
    assert not any(name.startswith(target.name) for (name,) in source.execute("SHOW DATABASES"))


def test_what_others_wait_for_can_be_ended(source: Database) -> None:
    with open_source(target_of(source)) as opened, opened.reader() as reader:
        assert isinstance(reader, MySQLReader)
        thread = Timer(0.3, reader.cancel)
        thread.start()
        with pytest.raises(CopyError, match="ended from outside"):
            reader.count(Name("wide"), where="SLEEP(1) = 0")
        thread.join()
        assert reader.count(Name("wide")) == 40_000
    reader.cancel()


COPY = """
import sys
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.copies import copy
print("ready", file=sys.stderr, flush=True)
copy(Target(sys.argv[1]), Target(sys.argv[2]), options=CopyOptions(overwrite=True, jobs=2))
"""


def test_a_copy_that_is_killed_at_any_point_leaves_the_old_or_the_new(
    make_database: MakeDatabase, target: Database, tmp_path: Path
) -> None:
    source = made(make_database("mysql"), *(statement.replace("40000", "10000") for statement in WIDE))
    made(target, "CREATE TABLE wide (id int PRIMARY KEY)", "CREATE TABLE more (id int)")
    target.execute("CREATE TRIGGER tr BEFORE INSERT ON wide FOR EACH ROW SET @a = 1")
    for number in range(3):
        source.execute(f"CREATE TABLE more_{number} (id int PRIMARY KEY, w int, KEY (w)) AS SELECT id, 1 w FROM wide")
    tables = {"wide", *(f"more_{number}" for number in range(3))}

    def before() -> None:
        target.execute("CREATE TABLE IF NOT EXISTS more (id int)")

    def after() -> None:
        _await_end(target)
        found = target.tables()
        assert found in (tables, tables | {"more"})
        for table in tables:
            assert target.execute(f"SELECT COUNT(*) FROM {table}") == [(10_000,)]

    kill_in_the_middle(COPY, source.url, target.url, folder=tmp_path, before=before, after=after)
    _again(source, target)
    assert target.tables() == tables
    assert [name for (name,) in source.execute("SHOW DATABASES") if name.startswith(target.name)] == [target.name]


def _await_end(target: Database) -> None:
    """Wait until the server has ended what the killed copy told it: a list of tables is not of one point of time."""
    query = f"SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'RENAME TABLE%{target.name}%'"
    for _ in range(300):
        if target.execute(query) == [(0,)]:
            return
        time.sleep(0.1)
    raise AssertionError("the killed copy's tables are still being moved")


def _again(source: Database, target: Database) -> None:
    """Copy; the server may need a moment to see that the killed one is gone."""
    for _ in range(300):
        try:
            copy(target_of(source), target_of(target), options=CopyOptions(overwrite=True, verify=True))
        except DatabaseInUseError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the killed copy holds its lock")
