"""Raw connections that are used again: how many a run needs, and what may not be handed on with one."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import literal, select, text
from sqlalchemy.engine.interfaces import CacheStats
from support.databases import Database, MakeDatabase, connect_server
from support.histories import Written
from support.projects import MiniProject

from framefox_tasks import (
    DatabaseNotFoundError,
    LockTimeoutError,
    Project,
    ReplayError,
    Target,
    create,
    create_migration,
    drop,
    upgrade,
)
from framefox_tasks.databases import database_of
from framefox_tasks.databases.engines import migration_engine
from framefox_tasks.databases.lock import Patience
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.migrations.alembic.replay import guarded

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


def test_a_proof_takes_few_connections(
    database: Database, project: MiniProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two for each scratch database, one for each run of migrations, and some to ask."""
    made: list[str] = []
    connect = ServerVerbs._connected

    def counted(verbs: ServerVerbs, target: Target, *rest: Any) -> Any:
        made.append(target.name)
        return connect(verbs, target, *rest)

    monkeypatch.setattr(ServerVerbs, "_connected", counted)
    project.migration("aaaa", None, upgrade="pass")
    project.write(
        "reuse_models.py",
        "from sqlalchemy import *\nmetadata = MetaData()\n"
        "Table('shelf', metadata, Column('id', Integer, primary_key=True))\n",
    )
    target = Target(database.url, Project(root=project.path, entities=(), metadata="reuse_models:metadata"))
    upgrade(target)
    made.clear()
    assert create_migration(target).proven
    assert len(made) <= {"postgresql": 5, "mysql": 6}[database.dialect], made


def test_settings_of_a_session_are_not_handed_on(database: Database) -> None:
    target = Target(database.url)
    verbs = database_of(target)
    shown = {"postgresql": "SHOW check_function_bodies", "mysql": "SELECT @@foreign_key_checks, @@sql_mode"}
    before = verbs.rows(target, shown[database.dialect])
    with reusing(), verbs.scratch(target) as made:
        verbs.copy_schema(target, made)
        assert verbs.rows(made, shown[database.dialect])[1] == before[1]
        verbs.schema_statements(target)
        assert verbs.rows(target, shown[database.dialect])[1] == before[1]


def test_a_replay_uses_no_connection_to_another_database(database: Database) -> None:
    target = Target(database.url)
    with reusing(), database_of(target).scratch(target) as scratch:
        first = number(database)
        assert number(database) == first  # it is idle now
        with pytest.raises(ReplayError, match="connects to another database"), guarded(target, scratch):
            number(database)
        with guarded(target, scratch):
            (one,), (again,) = (database_of(scratch).rows(scratch, OWN[database.dialect])[1] for _ in range(2))
        assert one == again


def test_engines_that_share_what_is_known_connect_each_to_its_own(
    database: Database, make_database: MakeDatabase
) -> None:
    other = make_database(database.dialect)
    create(Target(other.url))
    query = text({"postgresql": "SELECT current_database()", "mysql": "SELECT DATABASE()"}[database.dialect])
    with reusing():
        engines = [migration_engine(target, database_of(target)) for target in map(Target, (database.url, other.url))]
        for engine, expected in zip(engines, (database.name, other.name), strict=True):
            with engine.connect() as connection:
                assert connection.execute(query).scalar() == expected


def compiled(target: Target) -> tuple[CacheStats, str]:
    """Whether what is asked of a database had been compiled before, and its text."""
    asked = select(literal(1).label("a label"))
    with migration_engine(target, database_of(target)).connect() as connection:
        context = connection.execute(asked).context
    return context.cache_hit, context.statement


def test_what_is_compiled_for_one_database_is_compiled_for_those_of_its_server(
    database: Database, make_database: MakeDatabase
) -> None:
    other = make_database(database.dialect)
    create(Target(other.url))
    with reusing():
        _, first = compiled(Target(database.url))
    with reusing(), database_of(Target(other.url)).scratch(Target(other.url)) as scratch:
        assert compiled(Target(other.url)) == (CacheStats.CACHE_HIT, first)
        assert compiled(scratch) == (CacheStats.CACHE_HIT, first)


def test_what_is_compiled_for_other_settings_of_a_server_is_not(make_database: MakeDatabase) -> None:
    plain = Target(make_database("mysql").url)
    create(plain)
    ansi = replace(plain, url=f"{plain.url}?init_command=SET%20sql_mode%3D'ANSI_QUOTES'")
    with reusing():
        found = [compiled(target)[1] for target in (plain, ansi, plain)]
    assert found == ["SELECT %(param_1)s AS `a label`", 'SELECT %(param_1)s AS "a label"', found[0]]
