"""Scratch databases: made beside the target, always removed, after a crash by the next run."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase, connect_server, require_server, server_databases, server_url
from support.projects import MiniProject
from support.waiting import wait_until

from framefox_tasks import ConfigError, Project, ScratchError, Target, create, drop, load_settings
from framefox_tasks.databases import database_of
from framefox_tasks.databases.scratch import PREFIX
from framefox_tasks.databases.sqlite.facts import known_tables, learn_tables

HOLDER = """
import sys
from pathlib import Path
from framefox_tasks import Project, Target
from framefox_tasks.databases import database_of
target = Target(sys.argv[1], Project(root=Path(sys.argv[2])))
kind = database_of(target)
with kind.scratch(target) as scratch, kind.scratch(target):  # to make a second one must not give up the first
    print(scratch.file if scratch.address.is_file else scratch.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def target(project: MiniProject, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    project.env["TMPDIR"] = str(tmp_path)
    return Target(database.url, Project(root=project.path))


def is_there(scratch: Target) -> bool:
    return database_of(scratch).exists(scratch)


def test_it_is_empty_of_the_same_kind_and_removed(target: Target) -> None:
    database = database_of(target)
    with database.scratch(target) as scratch:
        assert scratch.address.dialect == target.address.dialect
        assert scratch.project is target.project
        assert scratch.identity != target.identity
        assert PREFIX in (str(scratch.file) if scratch.address.is_file else scratch.name)
        assert is_there(scratch)
        assert not database.holds_tables(scratch)
    assert not is_there(scratch)
    assert not scratch.address.is_file or not scratch.file.parent.exists()


def test_it_is_removed_when_the_work_fails_or_is_interrupted(target: Target) -> None:
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error), database_of(target).scratch(target) as scratch:
            raise error
        assert not is_there(scratch)


def test_two_at_once(target: Target) -> None:
    database = database_of(target)
    with database.scratch(target) as one, database.scratch(target) as other:
        assert one.identity != other.identity
        assert is_there(one)
        assert is_there(other)
    assert not is_there(one)
    assert not is_there(other)


@pytest.fixture
def holder(target: Target, project: MiniProject) -> Iterator[tuple[subprocess.Popen[str], Target]]:
    """Another process that has a scratch database."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, target.url, str(project.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **project.env},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    name = process.stdout.readline().strip()
    url = f"sqlite:///{name}" if target.address.is_file else f"{target.url.rpartition('/')[0]}/{name}"
    yield process, replace(target, url=url)
    process.stdin.close()
    process.stdout.close()
    process.wait(timeout=30)


def test_one_that_is_in_use_is_left(target: Target, holder: tuple[subprocess.Popen[str], Target]) -> None:
    _, theirs = holder
    with database_of(target).scratch(target):
        assert is_there(theirs)
    assert is_there(theirs)


def test_what_a_killed_run_left_is_removed_by_the_next(
    target: Target, holder: tuple[subprocess.Popen[str], Target]
) -> None:
    process, theirs = holder
    assert is_there(theirs)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    for _ in range(20):  # the server may need a moment to notice that the process is gone
        with database_of(target).scratch(target):
            pass
        if not is_there(theirs):
            break
    assert not is_there(theirs)
    assert not theirs.address.is_file or not theirs.file.parent.exists()


@pytest.mark.server
def test_postgresql_takes_the_encoding_the_collation_and_the_settings(
    make_database: MakeDatabase, shop: MiniProject
) -> None:
    database = make_database("postgresql")
    with connect_server("postgresql") as connection:
        connection.execute(f"CREATE DATABASE {database.name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        connection.execute(f"ALTER DATABASE {database.name} SET search_path = app, public")
    target = Target(database.url, Project(root=shop.path))
    query = "SELECT current_setting('server_encoding'), current_setting('search_path')"
    with database_of(target).scratch(target) as scratch, connect_server("postgresql", scratch.name) as connection:
        assert connection.execute(query).fetchone() == ("LATIN1", "app, public")


@pytest.mark.server
def test_mysql_takes_the_character_set_and_the_collation(make_database: MakeDatabase, shop: MiniProject) -> None:
    database = make_database("mysql")
    with connect_server("mysql") as connection:
        connection.cursor().execute(f"CREATE DATABASE {database.name} CHARACTER SET latin1 COLLATE latin1_bin")
    target = Target(database.url, Project(root=shop.path))
    with database_of(target).scratch(target) as scratch, connect_server("mysql", scratch.name) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT @@character_set_database, @@collation_database")
        assert cursor.fetchall() == (("latin1", "latin1_bin"),)


@pytest.mark.server
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_who_may_not_make_one_is_told(dialect: str, make_database: MakeDatabase, shop: MiniProject) -> None:
    database = make_database(dialect)
    create(Target(database.url, Project(root=shop.path)))
    user = f"{database.name[:20]}_user"
    with connect_server(dialect) as connection:
        cursor = connection.cursor()
        if dialect == "postgresql":
            cursor.execute(f"CREATE ROLE {user} LOGIN")
        else:
            cursor.execute(f"CREATE USER {user}@'%' IDENTIFIED BY ''")
            cursor.execute(f"GRANT ALL ON {database.name}.* TO {user}@'%'")
    try:
        target = Target(database.url.replace("postgres@", f"{user}@").replace("root@", f"{user}@"))
        told = pytest.raises(ScratchError, match="no scratch database can be made on")
        with told, database_of(target).scratch(target):
            pass
        allowed = replace(target, scratch_url=database.url)
        with database_of(target).scratch(allowed) as scratch:
            assert scratch.address.username in ("postgres", "root")
            assert is_there(scratch)
    finally:
        with connect_server(dialect) as connection:
            connection.cursor().execute(f"DROP USER {user}" + ("@'%'" if dialect == "mysql" else ""))


def test_no_temporary_folder(shop: MiniProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(shop.path / "missing"))
    target = Target("sqlite:///shop.db", Project(root=shop.path))
    with pytest.raises(ScratchError, match="temporary folder"), database_of(target).scratch(target):
        pass


@pytest.mark.parametrize("url", ["sqlite:///other.db", "mysql://root@127.0.0.1/x", "postgresql://127.0.0.1"])
def test_a_scratch_url_of_another_kind_is_refused(shop: MiniProject, url: str) -> None:
    shop.write("config/orm.yaml", f"database:\n  url: postgresql://127.0.0.1/shop\n  scratch_url: {url}\n")
    with pytest.raises(ConfigError, match="scratch_url"):
        load_settings(shop.path, {})


@pytest.mark.server
def test_the_settings_say_where_they_are_made(shop: MiniProject) -> None:
    require_server("postgresql")
    url = f"{server_url('postgresql')}/postgres"
    shop.write("config/orm.yaml", f"database:\n  url: postgresql://elsewhere/shop\n  scratch_url: {url}\n")
    target = load_settings(shop.path, {}).target
    with database_of(target).scratch(target) as scratch:
        assert scratch.name in server_databases("postgresql")
        assert scratch.server == Target(url).server


def test_the_target_need_not_exist(target: Target) -> None:
    drop(target, missing_ok=True)
    with database_of(target).scratch(target) as scratch:
        assert is_there(scratch)


def test_the_facts_of_tables_are_learnt_from_an_earlier_run(tmp_path: Path) -> None:
    target = Target("sqlite:///kept.db", Project(root=tmp_path))
    with closing(sqlite3.connect(tmp_path / "kept.db")) as connection:
        connection.execute("CREATE TABLE kept_facts (id INTEGER PRIMARY KEY, size INTEGER CHECK (size > 0))")
    database = database_of(target)
    found = database.facts(target)
    text = known_tables()
    assert "size > 0" in text
    learn_tables(text.replace('"CHECK (size > 0)"', '"CHECK (size > 7)"'))
    assert [fact.value for fact in database.facts(target) if fact.value.startswith("CHECK")] == ["CHECK (size > 7)"]
    learn_tables(text)
    learn_tables(text.replace('"CHECK (size > 0)"', '"CHECK (size > 8)"').replace('"format": ', '"format": 9'))
    learn_tables("torn")
    assert database.facts(target) == found


def scratch_databases(dialect: str) -> set[str]:
    return {name for name in server_databases(dialect) if name.startswith(PREFIX)}


def none_is_left(dialect: str, names: set[str]) -> None:
    """Other tests may have made these meanwhile, and drop them soon: what stays is not theirs."""
    wait_until(lambda: not names & scratch_databases(dialect))


@pytest.mark.server
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_none_is_made_on_the_server_of_a_protected_database(
    dialect: str, make_database: MakeDatabase, shop: MiniProject
) -> None:
    url = make_database(dialect).url
    shop.env |= {"DATABASE_URL": url, "APP_ENV": "prod"}
    before = scratch_databases(dialect)
    out = shop.ok("database_create", "database_create_migration", "-m", "first", "database_upgrade")
    assert "Not proven, because no scratch database is made on the server of" in out
    assert "is protected by the settings" in out
    assert "What was changed by hand is not known: no scratch database is made" in shop.ok("database_status", "--drift")
    assert "scratch_url" in shop.fails("database_check", "--drift")
    none_is_left(dialect, scratch_databases(dialect) - before)
    elsewhere = f"{url.rpartition('/')[0]}/elsewhere"
    shop.write("config/orm.yaml", f"database:\n  url: {url}\n  scratch_url: {elsewhere}\n")
    shop.replace("src/entity/review.py", "    text:", "    stars: Mapped[int | None]\n    text:")
    assert "Proven on a scratch database" in shop.ok("database_create_migration", "-m", "second")


@pytest.mark.server
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_none_is_made_beside_a_database_that_is_marked(
    dialect: str, make_database: MakeDatabase, shop: MiniProject
) -> None:
    """Its settings may be those of a laptop: the mark is there for that."""
    shop.env["DATABASE_URL"] = make_database(dialect).url
    shop.ok("database_create", "database_protect")
    before = scratch_databases(dialect)
    out = shop.ok("database_create_migration", "-m", "first")
    assert "Not proven, because no scratch database is made on the server of" in out
    assert "is protected by a mark in it" in out
    none_is_left(dialect, scratch_databases(dialect) - before)


def test_a_match_clause_is_a_fact(tmp_path: Path) -> None:
    target = Target(f"sqlite:///{tmp_path / 'match.db'}", Project(root=tmp_path))
    found = []
    for match in ("", " MATCH FULL", " MATCH SIMPLE"):
        target.file.unlink(missing_ok=True)
        with closing(sqlite3.connect(target.file)) as connection:
            connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
            connection.execute(f"CREATE TABLE b (a INTEGER REFERENCES a (id){match} ON DELETE CASCADE)")
        facts = database_of(target).facts(target)
        found.append([fact.value for fact in facts if fact.value.startswith("FOREIGN")])
    assert found[0] == found[2] == ["FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE"]
    assert found[1] == ["FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE MATCH FULL"]
