"""The last step of a copy on MariaDB or MySQL, where connections end, and sessions that are somebody else's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Thread

import pytest
from support.copying import made, open_source, target_of
from support.databases import Database, MakeDatabase, drop_database

from framefox_tasks.copies import copy
from framefox_tasks.databases.mysql.session import session
from framefox_tasks.databases.mysql.staging import StagingDatabases, disconnect
from framefox_tasks.errors import ConnectionLostError, CopyError
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import Copied

DIALECT = "mysql"


@pytest.fixture
def source(source: Database) -> Database:
    return made(
        source,
        "CREATE TABLE one (id int PRIMARY KEY)",
        "INSERT INTO one VALUES (1)",
        "CREATE VIEW seen AS SELECT * FROM one",
        "CREATE TRIGGER new_trigger BEFORE INSERT ON one FOR EACH ROW SET @a = 1",
    )


@pytest.fixture
def target(target: Database) -> Iterator[Database]:
    yield made(
        target,
        "CREATE TABLE old (id int)",
        "CREATE TRIGGER old_trigger BEFORE INSERT ON old FOR EACH ROW SET @a = 1",
        "CREATE VIEW old_view AS SELECT 1",
    )
    drop_database("mysql", target.name.upper())


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def kill_who(database: Database, begins: str) -> None:
    """End the session that runs a statement on the target."""
    query = (
        "SELECT id FROM information_schema.processlist "
        f"WHERE info LIKE '{begins}%{database.name}%' AND id <> CONNECTION_ID()"
    )
    deadline = time.monotonic() + 20
    while not (found := database.execute(query)):
        assert time.monotonic() < deadline, f"nobody runs {begins}"
        time.sleep(0.01)
    database.execute(f"KILL {found[0][0]}")


def triggers(database: Database) -> list[str]:
    query = "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    return [name for (name,) in database.execute(query)]


def copied(source: Database, target: Database, threads: ThreadPoolExecutor) -> Future[Copied]:
    return threads.submit(copy, target_of(source), target_of(target), options=CopyOptions(overwrite=True))


def test_a_connection_that_ends_before_the_tables_are_renamed_leaves_all_as_it_was(
    source: Database, target: Database, threads: ThreadPoolExecutor
) -> None:
    with closing(target.connect()) as other:
        other.cursor().execute("LOCK TABLES old READ")
        result = copied(source, target, threads)
        kill_who(target, "DROP TRIGGER")
        other.cursor().execute("UNLOCK TABLES")
    with pytest.raises(ConnectionLostError, match="The connection to the target") as caught:
        result.result(timeout=30)
    assert "The target is as it was" in str(caught.value)
    assert (target.tables(), triggers(target), target.beside()) == ({"old", "old_view"}, ["old_trigger"], set())


def test_a_connection_that_ends_after_the_tables_were_renamed_is_replaced(
    source: Database, target: Database, threads: ThreadPoolExecutor
) -> None:
    with closing(target.connect()) as other:
        other.begin()
        other.cursor().execute("SELECT * FROM old_view")
        result = copied(source, target, threads)
        kill_who(target, "DROP VIEW")  # it waits for the other
        other.rollback()
    assert result.result(timeout=30).notes == ()
    assert (target.tables(), triggers(target), target.beside()) == ({"one", "seen"}, ["new_trigger"], set())


def test_what_a_killed_copy_asked_of_the_server_is_ended(source: Database, target: Database) -> None:
    beside = StagingDatabases(target_of(target))
    with session(target_of(target), None, "target") as control:
        beside.make(control, beside.staging, target.name)
    other = Database("mysql", "", beside.staging)
    other.execute("INSERT INTO framefox_tasks_copying VALUES (1)")

    def work() -> None:
        with suppress(Exception):  # it is ended
            other.execute("SELECT SLEEP(20) FROM framefox_tasks_copying")

    worker = Thread(target=work)
    worker.start()
    time.sleep(0.1)
    started = time.monotonic()
    copy(target_of(source), target_of(target), options=CopyOptions(overwrite=True))
    worker.join()
    assert time.monotonic() - started < 10
    assert target.tables() == {"one", "seen"}


def test_a_database_of_somebody_who_has_made_no_table_yet_stays(source: Database, target: Database) -> None:
    target.execute(f"CREATE DATABASE {target.name}_copying")
    with closing(Database("mysql", "", f"{target.name}_copying").connect()) as other:
        with pytest.raises(CopyError, match="a database has it"):
            copy(target_of(source), target_of(target), options=CopyOptions(overwrite=True))
        other.cursor().execute("CREATE TABLE precious (id int)")


def test_only_sessions_on_the_database_itself_are_ended(target: Database) -> None:
    target.execute(f"CREATE DATABASE {target.name.upper()}")
    neighbour = Database("mysql", "", target.name.upper()).connect()
    with closing(target.connect()) as other, closing(neighbour):
        with session(target_of(target), None, "target") as control:
            disconnect(control, target.name)
        assert neighbour.cursor().execute("SELECT 1") == 1
        with pytest.raises(Exception, match=r"Lost connection|gone away|killed"):
            other.cursor().execute("SELECT 1")


@pytest.mark.parametrize("name", ["framefox_tasks_copying", "framefox_tasks_kept", "framefox_tasks_moved"])
def test_a_table_that_is_called_like_one_of_the_copys_own_is_not_lost_in_silence(
    target: Database, make_database: MakeDatabase, name: str
) -> None:
    statements = (f"CREATE TABLE {name} (id integer PRIMARY KEY)", f"INSERT INTO {name} VALUES (1)")
    options = CopyOptions(overwrite=True)
    with pytest.raises(CopyError, match=f"{name}.*(cannot be copied|already exists)"):
        copy(target_of(made(make_database("sqlite"), *statements)), target_of(target), options=options)
    assert (target.tables(), target.beside()) == ({"old", "old_view"}, set())
    result = copy(target_of(made(make_database("mysql"), *statements)), target_of(target), options=options)
    assert result.not_carried[0].startswith(f"{name}: ")


def test_no_more_connections_are_opened_than_are_wanted(source: Database) -> None:
    for wanted in (1, 3):
        with open_source(target_of(source), wanted) as opened:
            query = f"SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{source.name}'"
            assert opened.most_readers == wanted
            assert source.execute(query) == [(wanted + 2,)]  # one that reads the schema, and this one
