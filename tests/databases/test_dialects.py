"""The dialects' verbs, on real databases, through the plain functions."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.databases import Database, MakeDatabase, connect_server

from framefox_tasks import (
    DatabaseExistsError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    NotADatabaseError,
    Project,
    Target,
    create,
    drop,
    status,
)
from framefox_tasks.databases import database_of

ODD_NAMES = [
    "plain",
    "with space",
    "per%cent",
    "under_score",
    "UPPER",
    "qu\"o'te",
    "back`tick",
    "ünïcödé",
    "select",
    "a-b",
]


def target_of(database: Database, root: Path) -> Target:
    return Target(database.url, Project(root=root / "project"))


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
def test_odd_names(dialect: str, name: str, make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database(dialect, name)
    target = target_of(database, tmp_path)
    verbs = database_of(target)
    assert not verbs.exists(target)
    assert create(target).created
    assert database.exists()
    assert verbs.exists(target)
    assert verbs.revision(target) == ()
    assert not verbs.clear_revision(target)
    assert verbs.server_version(target)[0].isdigit()
    assert drop(target).dropped
    assert not database.exists()


@pytest.mark.server
def test_an_underscore_in_a_name_is_no_wildcard(make_database: MakeDatabase, tmp_path: Path) -> None:
    for dialect in ("postgresql", "mysql"):
        there = target_of(make_database(dialect, "one"), tmp_path)
        create(there)
        similar = Target(there.url.replace("one_", "on__"), there.project)
        assert not database_of(similar).exists(similar)


def test_creating_twice_and_dropping_twice(database: Database, tmp_path: Path) -> None:
    target = target_of(database, tmp_path)
    create(target)
    with pytest.raises(DatabaseExistsError):
        create(target)
    assert not create(target, exist_ok=True).created
    drop(target)
    with pytest.raises(DatabaseNotFoundError):
        drop(target)
    assert not drop(target, missing_ok=True).dropped


def test_revisions_are_read_and_cleared(database: Database, tmp_path: Path) -> None:
    target = target_of(database, tmp_path)
    verbs = database_of(target)
    with pytest.raises(DatabaseNotFoundError):
        verbs.revision(target)
    create(target)
    database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    database.execute("INSERT INTO alembic_version VALUES ('b'), ('a')")
    assert verbs.revision(target) == ("a", "b")
    assert verbs.clear_revision(target)
    assert verbs.revision(target) == ()
    assert database.tables() == {"alembic_version"}


def test_a_version_table_of_another_name(database: Database, tmp_path: Path) -> None:
    target = Target(database.url, Project(root=tmp_path / "project", version_table="my version"))
    create(target)
    quote = "`" if database.dialect == "mysql" else '"'
    database.execute(f"CREATE TABLE {quote}my version{quote} (version_num VARCHAR(32) NOT NULL)")
    database.execute(f"INSERT INTO {quote}my version{quote} VALUES ('a')")
    assert database_of(target).revision(target) == ("a",)


@pytest.mark.server
def test_postgresql_refuses_to_drop_while_others_are_connected(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("postgresql")
    target = target_of(database, tmp_path)
    create(target)
    other = connect_server("postgresql", database.name)
    with pytest.raises(DatabaseInUseError, match="force-disconnect"):
        drop(target)
    assert database.exists()
    drop(target, force_disconnect=True)
    assert not database.exists()
    other.close()


@pytest.mark.server
def test_postgresql_is_asked_once_in_which_database_to_ask(
    make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[object] = []
    connect = psycopg.connect

    def counted(**options: Any) -> Any:
        connected.append(options["dbname"])
        return connect(**options)

    target = target_of(make_database("postgresql"), tmp_path)
    verbs = database_of(target)
    assert not verbs.exists(target)
    monkeypatch.setattr(psycopg, "connect", counted)
    assert not verbs.exists(target)
    assert connected == [target.name, "postgres"]


@pytest.mark.server
def test_the_database_is_created_although_somebody_looks_at_the_template(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database("postgresql")
    looking = connect_server("postgresql", "template1")
    # PostgreSQL itself waits for 5 seconds; a little more, so that other tests that create a database hardly meet it.
    threading.Timer(5.3, looking.close).start()
    assert create(target_of(database, tmp_path)).created
    assert database.exists()


def test_sqlite_drop_takes_the_journals_along(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    target = target_of(database, tmp_path)
    create(target)
    assert database.path
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{database.path}{suffix}").write_bytes(b"")
    drop(target)
    assert list(database.path.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"this is a text", b"SQLite format 3\0" + b"x" * 4096])
def test_a_file_that_is_no_sqlite_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(content)
    target = Target("sqlite:///notes.db", Project(root=tmp_path))
    if content.startswith(b"this"):
        for operation in (create, drop):
            with pytest.raises(NotADatabaseError):
                operation(target)
    with pytest.raises(NotADatabaseError):
        database_of(target).revision(target)
    assert file.read_bytes() == content


def test_an_empty_file_is_an_empty_sqlite_database(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    target = Target("sqlite:///empty.db", Project(root=tmp_path))
    assert database_of(target).exists(target)
    assert database_of(target).revision(target) == ()


def test_sqlite_makes_the_folder_of_the_file(tmp_path: Path) -> None:
    target = Target("sqlite:///var/data/app.db", Project(root=tmp_path))
    create(target)
    with sqlite3.connect(tmp_path / "var/data/app.db") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.slow
def test_a_locked_sqlite_database_is_told(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    target = target_of(database, tmp_path)
    create(target)
    writer = database.connect()
    writer.execute("PRAGMA locking_mode=EXCLUSIVE")
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseInUseError, match="locked"):
        database_of(target).revision(target)
    writer.close()


def test_a_server_that_does_not_answer_is_part_of_the_status(tmp_path: Path) -> None:
    migrations = tmp_path / "migrations"
    (migrations / "versions").mkdir(parents=True)
    (migrations / "env.py").touch()
    for url in ("postgresql://nobody@127.0.0.1:1/shop", "mysql://nobody@127.0.0.1:1/shop"):
        found = status(Target(url, Project(root=tmp_path)))
        assert found.exists is None
        assert found.error
        assert "127.0.0.1:1" in found.error
        assert not found.up_to_date


def test_of_several_that_create_a_database_at_once_one_has_made_it(database: Database, tmp_path: Path) -> None:
    target = target_of(database, tmp_path)
    made: list[bool | BaseException] = []

    def make() -> None:
        try:
            made.append(create(target, exist_ok=True).created)
        except BaseException as exc:  # noqa: BLE001 - told by the assertion
            made.append(exc)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made, key=str) == [False] * 7 + [True]
    assert database_of(target).exists(target)
