"""A source to which nobody may write until its rows are read: then workers elsewhere can read its ranges."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.copying import target_of
from support.databases import Database, MakeDatabase, on_server
from support.ranges import Workers, filled, read
from support.waiting import wait_until

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.copies.range_order import RangeOrder, RangeOutcome
from framefox_tasks.errors import ConfigError, ConnectionLostError, DatabaseInUseError
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import CopyProgress

pytestmark = pytest.mark.server

LOCKED = CopyOptions(range_rows=100, lock_writes=True)
LOCK_WAIT_TIMEOUT = 1205
SLOWLY = (("big", "SLEEP(0.002) = 0"),)


def may_write(source: Database, key: int) -> bool:
    """Whether another connection may write to the source at once."""
    connection = source.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION lock_wait_timeout = 1")
            cursor.execute(f"INSERT INTO big VALUES ({key}, 'new', 1)")
            connection.commit()
    except connection.OperationalError as exc:
        if exc.args[0] != LOCK_WAIT_TIMEOUT:
            raise
        return False
    finally:
        connection.close()
    return True


def guard(source: Database) -> int:
    """The connection that holds the lock: the second that a copy opens to its source."""
    found = on_server("mysql", f"SELECT id FROM information_schema.processlist WHERE db = '{source.name}' ORDER BY id")
    return int(found[1][0])


@pytest.fixture
def sides(make_database: MakeDatabase) -> tuple[Database, Database]:
    source = make_database("mysql")
    filled(source, "numbers", random.Random(1))  # noqa: S311 - the same in each run
    return source, make_database("postgresql", "copy")


def test_others_write_again_when_the_rows_are_read(sides: tuple[Database, Database]) -> None:
    source, target = sides
    held = read(source)
    found: dict[str, bool] = {}

    class Watching(Workers):
        def carry_out(self, order: RangeOrder) -> RangeOutcome:
            if order.number == 1:
                found["while ranges are read"] = may_write(source, -1001)
            return super().carry_out(order)

    def note(progress: CopyProgress) -> None:
        if progress.step:
            found["while indexes are made"] = may_write(source, -1002)

    copy(target_of(source), target_of(target), options=LOCKED, workers=Watching(*sides), on_progress=note)
    assert found == {"while ranges are read": False, "while indexes are made": True}
    assert read(target) == held


def test_a_lock_that_is_lost_ends_the_copy(sides: tuple[Database, Database]) -> None:
    source, target = sides

    class Losing(Workers):
        def carry_out(self, order: RangeOrder) -> RangeOutcome:
            if order.number == 1:
                on_server("mysql", f"KILL {guard(source)}")
                source.execute("UPDATE big SET note = 'which no number of rows and no sum of keys tells'")
            return super().carry_out(order)

    with pytest.raises(ConnectionLostError, match="that kept others from writing to"):
        copy(target_of(source), target_of(target), options=LOCKED, workers=Losing(*sides))
    assert not target.exists()
    assert not target.beside()


def test_a_plan_locks_nothing(sides: tuple[Database, Database]) -> None:
    source, target = sides
    options = CopyOptions(range_rows=100, lock_writes=True, where=SLOWLY)
    sleeping = f"SELECT 1 FROM information_schema.processlist WHERE db = '{source.name}' AND info LIKE '%SLEEP%'"
    with ThreadPoolExecutor(1) as beside:
        planned = beside.submit(plan_copy, target_of(source), target_of(target), options=options, workers="others")
        wait_until(lambda: bool(on_server("mysql", sleeping)) or planned.done())
        assert may_write(source, -1001)
        assert not planned.done()
        assert planned.result().streams[0].endswith("ranges on others")


def test_a_table_that_others_hold_is_told(sides: tuple[Database, Database]) -> None:
    source, target = sides
    other = source.connect()
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLES small WRITE")
        with pytest.raises(DatabaseInUseError, match="Others use what the copy needs"):
            copy(target_of(source), target_of(target), options=LOCKED, workers=Workers(*sides))
    other.close()
    assert not target.exists()


def test_it_is_refused_where_it_is_of_no_use(make_database: MakeDatabase) -> None:
    mysql, server, file = (target_of(make_database(kind)) for kind in ("mysql", "postgresql", "sqlite"))
    for source in (server, file):
        with pytest.raises(ConfigError, match="--lock-writes is of no use for"):
            plan_copy(source, mysql, options=LOCKED)
    with pytest.raises(ConfigError, match="--schema-only and --lock-writes cannot be used together"):
        plan_copy(mysql, server, options=CopyOptions(lock_writes=True, schema_only=True))
