"""Second connections inside a migration on SQLite: they see what the run has made, and wait for nothing."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool, SingletonThreadPool, StaticPool
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target
from framefox_tasks.databases.sqlite.shared_connection import SharedConnection, SharedConnections, harmless
from framefox_tasks.errors import MigrationError

MADE = "op.execute('CREATE TABLE made (id INTEGER PRIMARY KEY)'); op.execute('INSERT INTO made VALUES (1)')"
COUNT = "sa.text('SELECT count(*) FROM made')"
LOOKS = {
    "inspector": "assert 'made' in sa.inspect(op.get_bind().engine).get_table_names()",
    "own engine": f"with op.get_bind().engine.connect() as c: assert c.execute({COUNT}).scalar() == 1",
    "own engine, begun": f"with op.get_bind().engine.begin() as c: assert c.execute({COUNT}).scalar() == 1",
    "of the config": (
        "from alembic import context; e = sa.create_engine(context.config.get_main_option('sqlalchemy.url')); "
        "assert sa.inspect(e).get_columns('made')"
    ),
    "of DATABASE_URL": (
        f"import os; e = sa.create_engine(os.environ['DATABASE_URL'])\n    "
        f"with e.connect() as c: assert c.execute({COUNT}).scalar() == 1"
    ),
    "file: URI": (
        "import os; e = sa.create_engine('sqlite:///file:app.db?uri=true&mode=ro')\n    "
        f"with e.connect() as c: assert c.execute({COUNT}).scalar() == 1"
    ),
    "of a function": (
        "import sqlite3; e = sa.create_engine('sqlite://', creator=lambda: sqlite3.connect('app.db'))\n    "
        "assert sa.inspect(e).get_table_names() is not None"
    ),
    "session": (
        "from sqlalchemy.orm import Session\n    "
        f"with Session(op.get_bind().engine) as s: assert s.execute({COUNT}).scalar() == 1; s.rollback(); s.close()"
    ),
    "raw": (
        "r = op.get_bind().engine.raw_connection(); c = r.cursor(); c.execute('SELECT id FROM made'); "
        "assert [*c] == [(1,)]; c.execute('ROLLBACK'); r.rollback(); r.commit(); r.close()"
    ),
    "several": (
        "e = sa.create_engine(op.get_bind().engine.url); a = e.connect(); b = e.connect(); "
        f"assert a.execute({COUNT}).scalar() == b.execute({COUNT}).scalar() == 1; a.rollback(); a.close(); b.close()"
    ),
    "after a commit": (
        f"op.get_bind().commit(); op.execute('INSERT INTO made VALUES (2)')\n    "
        f"with op.get_bind().engine.connect() as c: assert c.execute({COUNT}).scalar() == 2"
    ),
    "savepoint": (
        "e = sa.create_engine(op.get_bind().engine.url)\n    with e.connect() as c:\n        "
        "s = c.begin_nested(); c.execute(sa.text('INSERT INTO made VALUES (9)')); s.rollback(); "
        f"assert c.execute({COUNT}).scalar() == 1"
    ),
}
MORE = "op.execute('INSERT INTO made VALUES (5)')"


@pytest.fixture
def app(shop: MiniProject, monkeypatch: pytest.MonkeyPatch) -> MiniProject:
    """A project in whose folder the process is, with its database named as an application does."""
    monkeypatch.chdir(shop.path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///app.db")
    return shop


def target_of(project: MiniProject) -> Target:
    target = Target("sqlite:///app.db", Project(root=project.path))
    if not target.file.exists():
        framefox_tasks.create(target)
    return target


def rows(project: MiniProject) -> list[int]:
    connection = sqlite3.connect(project.path / "app.db")
    try:
        return [row[0] for row in connection.execute("SELECT id FROM made ORDER BY id")]
    finally:
        connection.close()


@pytest.mark.parametrize("look", LOOKS)
def test_it_sees_what_the_run_has_made(look: str, app: MiniProject) -> None:
    app.migration("one", None, upgrade=f"{MADE}\n    {LOOKS[look]}\n    {MORE}")
    assert framefox_tasks.upgrade(target_of(app)).current == ("one",)
    assert rows(app)[-1] == 5


@pytest.mark.parametrize("look", ["inspector", "session", "raw", "of DATABASE_URL"])
def test_what_it_sees_is_rolled_back_with_the_run(look: str, app: MiniProject) -> None:
    app.migration("one", None, upgrade=f"{MADE}\n    {LOOKS[look]}\n    raise ValueError('no')")
    target = target_of(app)
    with pytest.raises(MigrationError, match="is as it was before, at no revision"):
        framefox_tasks.upgrade(target)
    assert "made" not in sa.inspect(sa.create_engine(f"sqlite:///{target.file}")).get_table_names()


def test_a_downgrade_looks_as_well(app: MiniProject) -> None:
    app.migration("one", None, upgrade=MADE, downgrade=f"op.execute('UPDATE made SET id = 1')\n    {LOOKS['session']}")
    target = target_of(app)
    framefox_tasks.upgrade(target)
    assert framefox_tasks.downgrade(target).current == ()
    assert rows(app) == [1]


POOLS = (NullPool, QueuePool, StaticPool, SingletonThreadPool)


@pytest.mark.parametrize("pool", [pool.__name__ for pool in POOLS])
def test_whatever_pool_it_comes_from(pool: str, app: MiniProject) -> None:
    app.write(
        "migrations/env.py",
        f"from alembic import context\nfrom sqlalchemy import create_engine\nfrom sqlalchemy.pool import {pool}\n\n"
        f"engine = create_engine('sqlite:///app.db', poolclass={pool})\n"
        "with engine.connect() as connection:\n    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
        "with engine.connect() as connection:\n"
        "    assert connection.connection.driver_connection.isolation_level is not None\n",
    )
    second = (
        f"from sqlalchemy.pool import {pool}; f = sa.create_engine('sqlite:///app.db', poolclass={pool})\n    "
        f"for _ in range(2):\n        with f.begin() as c: assert c.execute({COUNT}).scalar() == 1"
    )
    driver = "op.get_bind().connection.driver_connection.create_function('one', 0, lambda: 1)"
    names = ("inspector", "own engine", "raw", "session")
    looks = "\n    ".join((driver, *(LOOKS[name] for name in names), second))
    app.migration("one", None, upgrade=f"{MADE}\n    {looks}\n    {MORE}")
    assert framefox_tasks.upgrade(target_of(app)).current == ("one",)
    assert rows(app) == [1, 5]


@pytest.fixture
def application(app: MiniProject) -> Iterator[ModuleType]:
    """An application's module with an engine that sets its connections up, and has one in its pool."""
    module = ModuleType("second_connection_app")
    engine = module.engine = sa.create_engine("sqlite:///app.db")  # type: ignore[attr-defined]

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: object) -> None:
        cursor = connection.cursor()
        for pragma in ("foreign_keys = ON", "journal_mode=WAL", "synchronous=NORMAL", "busy_timeout(100)"):
            cursor.execute(f"PRAGMA {pragma}")
        connection.row_factory = None
        cursor.close()

    target_of(app)
    sa.inspect(engine).get_table_names()
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]
    engine.dispose()


@pytest.mark.usefixtures("application")
def test_an_applications_engine_that_has_connected_before(app: MiniProject) -> None:
    app.migration(
        "one",
        None,
        upgrade=f"{MADE}; from second_connection_app import engine; assert sa.inspect(engine).get_columns('made')\n    "
        "with engine.begin() as c: c.execute(sa.text('INSERT INTO made VALUES (2)'))",
    )
    assert framefox_tasks.upgrade(target_of(app)).current == ("one",)
    assert rows(app) == [1, 2]


def test_afterwards_the_applications_engine_connects_as_before(app: MiniProject, application: ModuleType) -> None:
    app.migration(
        "one",
        None,
        upgrade=f"{MADE}; import second_connection_app as a; a.held = a.engine.connect(); a.held.execute({COUNT})",
    )
    framefox_tasks.upgrade(target_of(app))
    with pytest.raises(sa.exc.DBAPIError, match="closed database") as refused:
        application.held.execute(sa.text("SELECT 1"))
    assert refused.value.connection_invalidated
    application.held.rollback()
    assert application.held.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1
    assert isinstance(application.held.connection.driver_connection, sqlite3.Connection)
    application.held.close()
    with application.engine.connect() as connection:
        connection.execute(sa.text("INSERT INTO made VALUES (3)"))
        connection.rollback()
        assert isinstance(connection.connection.driver_connection, sqlite3.Connection)
    assert rows(app) == [1]


def test_a_second_connection_that_writes_is_part_of_the_transaction(app: MiniProject) -> None:
    write = "with op.get_bind().engine.begin() as c: c.execute(sa.text('INSERT INTO made VALUES (2)'))"
    app.migration("one", None, upgrade=f"{MADE}\n    {write}")
    app.migration("two", "one", upgrade=f"{write.replace('(2)', '(3)')}\n    raise ValueError('no')")
    target = target_of(app)
    with pytest.raises(MigrationError, match="at no revision"):
        framefox_tasks.upgrade(target)
    framefox_tasks.upgrade(target, revision="one")
    assert rows(app) == [1, 2]


def test_a_connection_of_the_driver_itself_that_would_wait_is_told(app: MiniProject) -> None:
    raw = "c = sqlite3.connect('app.db', timeout=0.1); c.execute('CREATE TABLE other (id)')"
    app.migration("one", None, upgrade=f"{MADE}; import sqlite3; {raw}")
    with pytest.raises(MigrationError, match="line 13: OperationalError: database is locked") as refused:
        framefox_tasks.upgrade(target_of(app))
    assert "op.get_bind()" in str(refused.value.hint)


def test_an_env_py_that_has_begun_on_another_connection(app: MiniProject) -> None:
    app.write(
        "migrations/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine, text\n\n"
        "first = create_engine('sqlite:///app.db').connect()\nfirst.execute(text('SELECT 1'))\n"
        "with create_engine('sqlite:///app.db').connect() as connection:\n"
        "    connection.execute(text('SELECT 1'))\n    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n    connection.commit()\n",
    )
    app.migration("one", None, upgrade=f"{MADE}\n    {LOOKS['session']}")
    assert framefox_tasks.upgrade(target_of(app), lock_wait=2).current == ("one",)
    assert rows(app) == [1]


def test_an_async_env_py_and_its_engine(app: MiniProject) -> None:
    app.write(
        "migrations/env.py",
        "import asyncio\nfrom alembic import context\nfrom sqlalchemy.ext.asyncio import create_async_engine\n\n"
        "def run(connection):\n    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n\n"
        "async def main():\n    engine = create_async_engine('sqlite+aiosqlite:///app.db')\n"
        "    async with engine.connect() as connection:\n        await connection.run_sync(run)\n"
        "    await engine.dispose()\n\nasyncio.run(main())\n",
    )
    looks = "\n    ".join(LOOKS[name] for name in ("inspector", "own engine", "session"))
    app.migration("one", None, upgrade=f"{MADE}\n    {looks}\n    {MORE}")
    assert framefox_tasks.upgrade(target_of(app)).current == ("one",)
    assert rows(app) == [1, 5]


def test_the_plain_command_with_our_env_py_looks_as_well(app: MiniProject) -> None:
    app.env["DATABASE_URL"] = "sqlite:///app.db"
    app.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    app.migration("one", None, upgrade=f"{MADE}\n    {LOOKS['session']}\n    op.get_bind().commit()\n    {MORE}")
    target_of(app)
    result = app.run("alembic", "upgrade", "head")
    assert result.code == 0, result.all
    assert "The migration one committed by itself" in result.err
    assert rows(app) == [1, 5]


@pytest.mark.parametrize(
    ("statement", "becomes"),
    [
        ("COMMIT", "SELECT 1"),
        ("begin immediate", "SELECT 1"),
        ("ROLLBACK TRANSACTION", "SELECT 1"),
        ("ROLLBACK TO SAVEPOINT a", None),
        ("ROLLBACK TRANSACTION TO a", None),
        ("SAVEPOINT a", None),
        ("PRAGMA journal_mode = WAL", "PRAGMA journal_mode"),
        ("PRAGMA main.synchronous=1", "PRAGMA main.synchronous"),
        ("PRAGMA busy_timeout(5)", "PRAGMA busy_timeout"),
        ("PRAGMA table_info(made)", None),
        ("PRAGMA foreign_keys", None),
        ("SELECT 'COMMIT'", None),
        ("ENDING", None),
    ],
)
def test_only_what_would_end_or_set_up_the_transaction_is_kept_from_it(statement: str, becomes: str | None) -> None:
    assert harmless(statement) == (becomes or statement)


def test_a_shared_connection_is_one_of_the_driver(tmp_path: Path) -> None:
    real = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    real.execute("BEGIN")
    shared = SharedConnection(real)
    with shared as same:
        same.executescript("CREATE TABLE a (id); CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END; COMMIT;")
    shared.executemany("INSERT INTO a VALUES (?)", [(1,), (2,)])
    shared.row_factory = sqlite3.Row
    shared.isolation_level = "DEFERRED"
    assert [row["id"] for row in shared.execute("SELECT id FROM a")] == [1, 2]
    assert (real.row_factory, real.isolation_level, real.in_transaction) == (None, None, True)
    cursor = shared.cursor()
    cursor.arraysize = 2
    assert len(cursor.execute("SELECT 1 UNION SELECT 2").fetchmany()) == 2
    shared.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        shared.execute("SELECT 1")
    assert real.in_transaction
    real.close()


def test_another_database_is_not_shared(tmp_path: Path) -> None:
    sharing = SharedConnections(Target("sqlite:///app.db", Project(root=tmp_path)))
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'app.db'}")
    with engine.connect() as connection:
        sharing.start(connection)
        for file in ("other.db", ":memory:", "", f"file:{tmp_path}/other.db?mode=ro"):
            assert sharing.connect(engine.dialect, None, [file], {}) is None
        for file in (str(tmp_path / "app.db"), f"file:{tmp_path}/app.db", f"file://{tmp_path}/app.db?mode=ro"):
            assert sharing.connect(engine.dialect, None, [file], {}) is not None
    assert not sharing.active
