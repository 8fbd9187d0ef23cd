"""Raw connections that are used again: how many a run needs, and what may not be handed on with one."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase, connect_server
from support.histories import Written

from framefox_tasks import DatabaseNotFoundError, LockTimeoutError, Project, Target, create, drop, upgrade
from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.databases.server import ServerVerbs

pytestmark = pytest.mark.server
SERVERS = ("postgresql", "mysql")
OWN = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}
KILL = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {}",
    "mysql": "KILL {}",
}


@pytest.fixture(params=SERVERS)
def database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    found = make_database(request.param)
    create(Target(found.url))
    return found


def number(database: Database) -> int:
    """That of the connection which is used."""
    target = Target(database.url)
    return int(database_of(target).rows(target, OWN[database.dialect])[1][0][0])


def test_one_connection_after_the_other_is_one(database: Database) -> None:
    assert number(database) != number(database)
    with reusing():
        first = number(database)
        with reusing():
            assert number(database) == first
        assert number(database) == first
    assert number(database) != first


def test_an_idle_one_that_has_ended_is_replaced(database: Database) -> None:
    with reusing():
        first = number(database)
        database.execute(KILL[database.dialect].format(first))
        time.sleep(1.1)  # until then it is taken for sure that it answers
        assert number(database) != first


def test_one_that_was_left_with_an_error_is_not_used_again(database: Database) -> None:
    target = Target(database.url)
    with reusing():
        first = number(database)
        verbs = database_of(target)
        assert isinstance(verbs, ServerVerbs)
        with pytest.raises(ZeroDivisionError), verbs.connection(target, target.name):
            raise ZeroDivisionError
        assert number(database) != first


def test_no_lock_goes_on_with_a_connection(database: Database) -> None:
    target = Target(database.url)
    lock = database_of(target).migration_lock
    with reusing():
        for _ in range(3):
            with lock(target, Patience(0)):
                pass
        with pytest.raises(ZeroDivisionError), lock(target, Patience(0)):
            raise ZeroDivisionError
        with lock(target, Patience(0)), ExitStack() as other:
            with pytest.raises(LockTimeoutError):
                other.enter_context(lock(target, Patience(0)))
            assert number(database)
    with lock(target, Patience(0)):
        pass


def test_a_database_that_was_dropped_meanwhile(database: Database) -> None:
    target = Target(database.url)
    with reusing():
        assert number(database)
        drop(target)
        with pytest.raises(DatabaseNotFoundError):
            database_of(target).revision(target)


def test_what_a_migration_leaves_on_its_connection_is_not_handed_on(database: Database, tmp_path: Path) -> None:
    history = Written(tmp_path)
    history.add("aaaa", upgrade="op.execute('CREATE TABLE seen (number BIGINT)')")
    history.add("bbbb", "aaaa", upgrade=f"op.execute('INSERT INTO seen {OWN[database.dialect]}')")
    with reusing():
        upgrade(Target(database.url, Project(root=tmp_path)))
        ((migration,),) = database.execute("SELECT number FROM seen")
        assert number(database) != migration


def test_an_upgrade_takes_three_connections(make_database: MakeDatabase, tmp_path: Path) -> None:
    """That of the lock, that of the migration, and one to ask."""
    history = Written(tmp_path)
    history.add("aaaa")
    database = make_database("postgresql")
    target = Target(database.url, Project(root=tmp_path))
    create(target)
    before = sessions(database)
    upgrade(target)
    time.sleep(1)  # what is counted is written a little later
    assert sessions(database) - before == 3


def sessions(database: Database) -> int:
    query = f"SELECT sessions FROM pg_stat_database WHERE datname = '{database.name}'"
    with closing(connect_server("postgresql", "postgres")) as connection:
        return int(connection.execute(query).fetchone()[0])
