"""How many sessions of a server an operation opens: each takes the server longer than what is asked in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from support.databases import Database, MakeDatabase, on_server, server_databases
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.databases.engines import migration_engine
from framefox_tasks.databases.lock import Patience
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.migrations.alembic.replay import guarded

MOST = {"create": 3, "upgrade": 3, "status": 2, "downgrade": 3, "drop": 4}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions that this process has asked a driver for."""
    found: list[str] = []
    for driver in (psycopg, pymysql):
        connect = driver.connect

        def counted(*arguments: object, connect: Callable[..., object] = connect, **keywords: object) -> object:
            found.append(str(keywords.get("database") or keywords.get("dbname")))
            return connect(*arguments, **keywords)

        monkeypatch.setattr(driver, "connect", counted)
    return found


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_an_operation_opens_few(
    dialect: str, shop: MiniProject, make_database: MakeDatabase, opened: list[str]
) -> None:
    shop.migration("aaa", None, upgrade="op.create_table('one', sa.Column('id', sa.Integer))")
    shop.migration("bbb", "aaa", upgrade="op.drop_table('one')", downgrade="op.execute('SELECT 1')")
    target = Target(make_database(dialect).url, Project(root=shop.path))
    database_of(target).exists(target)  # where it is asked from is found once in a process
    for name, most in MOST.items():
        opened.clear()
        getattr(framefox_tasks, name)(target)
        assert 0 < len(opened) <= most, f"{name}: {opened}"


@pytest.mark.parametrize(("dialect", "most"), [("postgresql", 6), ("mysql", 11)])
def test_a_migration_is_written_and_proven_with_few(
    dialect: str, most: int, shop: MiniProject, make_database: MakeDatabase, opened: list[str]
) -> None:
    target = Target(make_database(dialect).url, Project(root=shop.path, entities=(Path("src"),)))
    framefox_tasks.create(target)
    opened.clear()
    proof = framefox_tasks.create_migration(target).proof
    assert proof
    assert proof.proven
    assert 0 < len(opened) <= most, opened


SETTINGS = "SELECT name, setting, source FROM pg_settings WHERE name <> 'transaction_isolation' ORDER BY 1"
CHANGES = (
    "SET search_path TO pg_catalog",
    "SET ROLE pg_monitor",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SELECT pg_advisory_lock(1)",
    "LISTEN news",
    "PREPARE one AS SELECT 1",
    "CREATE TEMPORARY TABLE mine AS SELECT 1",
    "DECLARE rows CURSOR WITH HOLD FOR SELECT 1",
)
LEFT = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    "SELECT count(*) FROM pg_listening_channels()",
    "SELECT count(*) FROM pg_prepared_statements",
    "SELECT count(*) FROM pg_class WHERE relname = 'mine'",
    "SELECT count(*) FROM pg_cursors WHERE name = 'rows'",
)
LASTING = (
    "SET app.tenant = '7'",
    "SELECT set_config('app.tenant', '7', false)",
    "DO $$ BEGIN PERFORM set_config('app' || '.tenant', '7', false); END $$",
    'ALTER DATABASE "{name}" SET search_path TO pg_catalog',
)


@pytest.mark.server
def test_a_scratch_database_is_connected_to_once_and_each_time_as_by_a_new_session(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    target = Target(make_database("postgresql").url, Project(root=shop.path))
    framefox_tasks.create(target)
    database = database_of(target)
    with reusing(), database.scratch(target, state="") as made, guarded(target, made):
        engine = migration_engine(made, database)

        def run(*statements: str) -> tuple[int, list[Any], list[int]]:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                found = [tuple(row) for row in connection.exec_driver_sql(SETTINGS)]
                left = [connection.exec_driver_sql(query).scalar_one() for query in LEFT]
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                for statement in statements:
                    connection.exec_driver_sql(statement)
            return pid, found, left

        first, new, left = run()
        assert left == [0] * len(LEFT)
        for change in CHANGES:
            assert run(change)[1:] == (new, left)
        assert run() == (first, new, left)
        for change in LASTING:
            before = run(change.format(name=made.name))[0]
            assert run()[0] != before, change
    assert made.name not in server_databases("postgresql")


@contextmanager
def replacing(target: Target) -> Iterator[None]:
    with database_of(target).replacement_lock(target, Patience()):
        yield


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_drop_that_waits_is_not_connected_to_what_is_dropped(
    dialect: str, shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database(dialect)
    target = Target(database.url, Project(root=shop.path))
    framefox_tasks.create(target)
    waits = threading.Event()

    def drop() -> None:
        with reusing(keys=3):
            framefox_tasks.drop(target, missing_ok=True, on_wait=lambda _: waits.set())

    dropping = threading.Thread(target=drop)
    with replacing(target):
        dropping.start()
        assert waits.wait(60)
        assert sessions_of(database) == []
        on_server(dialect, f'DROP DATABASE "{database.name}"')
    dropping.join(60)
    assert not dropping.is_alive()


def sessions_of(database: Database) -> list[tuple[object, ...]]:
    return on_server("postgresql", f"SELECT pid, query FROM pg_stat_activity WHERE datname = '{database.name}'")
