"""How many sessions of a server an operation opens: each takes the server longer than what is asked in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pymysql
import pytest
from support.databases import Database, MakeDatabase, on_server
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target
from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.databases.reuse import reusing

MOST = {"create": 4, "upgrade": 3, "status": 2, "downgrade": 3, "drop": 4}


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
