"""The databases of the pytest plugin: what a test does to one, the next test does not see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from support.databases import DIALECTS, require_server, server_url
from support.projects import MiniProject, copy_project

from framefox_tasks import Project, ProtectedError, Target
from framefox_tasks.databases import database_of
from framefox_tasks.testing import EMPTY, HEADS
from framefox_tasks.testing.databases import Databases, open_databases

TABLES = """op.create_table(
        'shelf', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.String(40)),
        sa.Column('width', sa.Float(53)), sa.Column('label', sa.LargeBinary),
        sa.Column('twice', sa.Float(53), sa.Computed('width * 2')), sqlite_autoincrement=True)
    op.create_table(
        'book', sa.Column('id', sa.Integer, primary_key=True), sa.Column('title', sa.String(40), nullable=False),
        sa.Column('shelf_id', sa.Integer, sa.ForeignKey('shelf.id')),
        sa.Column('sequel_id', sa.Integer, sa.ForeignKey('book.id')), sqlite_autoincrement=True)
    op.create_table('note', sa.Column('book_id', sa.Integer, sa.ForeignKey('book.id'), nullable=False))
    names = sa.column('name', sa.String), sa.column('width', sa.Float), sa.column('label', sa.LargeBinary)
    first = {'name': "Ada's \\\\ shelf", 'width': 0.1, 'label': b'\\x00\\xff'}
    op.bulk_insert(sa.table('shelf', *names), [first, {'name': None, 'width': 1e300, 'label': None}])"""
ROWS = "SELECT id, name, width, label, twice FROM shelf ORDER BY id"


@pytest.fixture(scope="module", params=DIALECTS)
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Those of a project with two migrations, the first of which fills a table."""
    dialect = request.param
    if dialect != "sqlite":
        require_server(dialect)
    project = written(tmp_path_factory.mktemp("testing"))
    url = "sqlite:///shop.db" if dialect == "sqlite" else f"{server_url(dialect).rstrip('/')}/no_such_shop"
    with open_databases(project.path, url) as opened:
        yield opened
        database_of(opened.target).forget_state(opened.target)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MiniProject:
    """Such a project that is SQLite's, with a temporary folder of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "sqlite:///shop.db")
    return written(tmp_path)


def written(folder: Path) -> MiniProject:
    project = copy_project("shop", folder)
    drops = "\n    ".join(f"op.drop_table({table!r})" for table in ("note", "book", "shelf"))
    project.migration("aaaa", None, upgrade=TABLES, downgrade=drops)
    added, dropped = "op.add_column('book', sa.Column('pages', sa.Integer))", "op.drop_column('book', 'pages')"
    project.migration("bbbb", "aaaa", upgrade=added, downgrade=dropped)
    return project


def add_book(session: Session, title: str) -> int:
    """A book on a new shelf with a note, by automatic numbers; the number of the book."""
    session.execute(text("INSERT INTO shelf (name) VALUES ('new')"))
    shelf = session.execute(text("SELECT max(id) FROM shelf")).scalar_one()
    session.execute(
        text("INSERT INTO book (title, shelf_id) VALUES (:title, :shelf)"), {"title": title, "shelf": shelf}
    )
    book = int(session.execute(text("SELECT max(id) FROM book")).scalar_one())
    session.execute(text("UPDATE book SET sequel_id = id"))
    session.execute(text("INSERT INTO note (book_id) VALUES (:book)"), {"book": book})
    session.commit()
    return book


def test_each_finds_it_as_the_migrations_have_left_it(databases: Databases) -> None:
    urls, numbers = set(), []
    with databases.lend(HEADS) as lent, lent.engine() as engine, engine.connect() as connection:
        before = connection.execute(text(ROWS)).all()
    assert list(map(tuple, before)) == [(1, "Ada's \\ shelf", 0.1, b"\x00\xff", 0.2), (2, None, 1e300, None, 2e300)]
    for title in ("one", "two", "three"):
        with databases.lend(HEADS) as lent:
            urls.add(lent.url)
            with lent.session(rolled_back=False) as session:
                assert session.execute(text(ROWS)).all() == before
                assert not session.execute(text("SELECT * FROM book")).all()
                numbers.append(add_book(session, title))
                session.execute(text("UPDATE shelf SET name = 'another', label = NULL WHERE id = 1"))
                session.commit()
    assert numbers == [1, 1, 1]
    assert len(urls) == 1


CHANGES = {
    "sqlite": ["CREATE TABLE extra (id INTEGER)", "CREATE VIEW extra AS SELECT id FROM book"],
    "postgresql": ["ALTER TABLE book ADD COLUMN extra INTEGER", "CREATE TYPE extra AS ENUM ('a')"],
    "mysql": ["ALTER TABLE book ALTER COLUMN pages SET DEFAULT 3"],
}


def test_a_changed_schema_is_made_anew(databases: Databases) -> None:
    with databases.lend(HEADS) as lent:
        before = database_of(lent.target).facts(lent.target)
    for change in CHANGES[databases.target.address.dialect]:
        with databases.lend(HEADS) as lent, create_engine(lent.url).begin() as connection:
            connection.execute(text(change))
        assert database_of(lent.target).facts(lent.target) != before
        with databases.lend(HEADS) as lent, lent.session(rolled_back=False) as session:
            assert database_of(lent.target).facts(lent.target) == before, change
            assert add_book(session, "after it") == 1


def test_one_in_use_is_another_than_the_next(databases: Databases) -> None:
    with databases.lend(HEADS) as outer, databases.lend(HEADS) as inner, databases.lend(EMPTY) as empty:
        assert len({outer.url, inner.url, empty.url}) == 3
        assert not inspect(create_engine(empty.url, poolclass=NullPool)).get_table_names()
        with inner.session(rolled_back=False) as session:
            add_book(session, "inner")
        with outer.session(rolled_back=False) as session:
            assert not session.execute(text("SELECT * FROM book")).all()
    with databases.lending() as url_at:
        first, head = url_at("aaaa"), url_at("bbbb")
        engines = [create_engine(url, poolclass=NullPool) for url in (first, head)]
        columns = [{column["name"] for column in inspect(engine).get_columns("book")} for engine in engines]
        assert columns[1] - columns[0] == {"pages"}


def test_what_is_truncated_or_left_in_a_session_is_none_of_the_next(databases: Databases) -> None:
    heard: list[str] = []
    for _ in range(2):
        with databases.lend(HEADS) as lent, lent.engine() as engine:
            event.listen(engine, "before_cursor_execute", lambda *given: heard.append(given[2]))
            with engine.begin() as connection:
                assert connection.execute(text("SELECT count(*) FROM shelf")).scalar_one() == 2
                connection.execute(text("CREATE TEMPORARY TABLE mine (id INTEGER)"))
                if not databases.target.address.is_file:
                    connection.execute(text("TRUNCATE TABLE note"))
    assert len(heard) == (4 if databases.target.address.is_file else 6)  # each by one listener alone


def test_a_transaction_that_is_left_open_does_not_stop_the_next(databases: Databases) -> None:
    with databases.lend(HEADS) as lent:
        left = create_engine(lent.url).connect()
        left.execute(text("INSERT INTO book (title) VALUES ('open')"))
    with databases.lend(HEADS) as lent, lent.session(rolled_back=False) as session:
        assert add_book(session, "next") == 1
    left.close()


def test_by_savepoint_what_is_committed_is_rolled_back(databases: Databases) -> None:
    urls = set()
    for _ in range(2):
        with databases.lend(HEADS) as lent, lent.session(rolled_back=True) as session:
            add_book(session, "one")
            session.execute(text("INSERT INTO book (title) VALUES ('undone')"))
            session.rollback()
            assert session.execute(text("SELECT title FROM book")).scalars().all() == ["one"]
            with suppress(DBAPIError), session.begin_nested():
                session.execute(text("INSERT INTO book (title) VALUES (NULL)"))
            assert session.execute(text("SELECT title FROM book")).scalars().all() == ["one"]
            urls.add(session.connection().engine.url)
    assert len(urls) == 1


def test_the_state_is_kept_for_the_next_session_until_the_history_changes(settings: MiniProject) -> None:
    with open_databases(settings.path, None) as databases, databases.lend(HEADS):
        assert "history" in vars(databases)  # the migrations were read and run
    with open_databases(settings.path, None) as databases:
        with databases.lend(HEADS) as lent, lent.session(rolled_back=False) as session:
            assert len(session.execute(text(ROWS)).all()) == 2
        assert "history" not in vars(databases)
    settings.migration(
        "cccc", "bbbb", upgrade="op.create_table('later', sa.Column('id', sa.Integer, primary_key=True))"
    )
    with open_databases(settings.path, None) as databases, databases.lend(HEADS) as lent:
        assert "later" in inspect(create_engine(lent.url)).get_table_names()


def test_a_protected_database_needs_another_server(settings: MiniProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "prod")
    with pytest.raises(ProtectedError, match="--framefox-database-url"), open_databases(settings.path, None):
        pass
    with open_databases(settings.path, os.environ["DATABASE_URL"]) as databases, databases.lend(EMPTY):
        pass


HOLDER = """
import sys
from pathlib import Path
from framefox_tasks.testing.databases import open_databases
with open_databases(Path(sys.argv[1]), sys.argv[2]) as databases, databases.lend("heads") as lent:
    print(lent.target.url, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    "dialect", [name if name == "sqlite" else pytest.param(name, marks=pytest.mark.server) for name in DIALECTS]
)
def test_what_a_killed_session_left_is_removed_by_the_next(settings: MiniProject, dialect: str) -> None:
    if dialect != "sqlite":
        require_server(dialect)
    url = "sqlite:///shop.db" if dialect == "sqlite" else f"{server_url(dialect).rstrip('/')}/no_such_shop"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(settings.path), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": tempfile.gettempdir()},
    )
    assert process.stdout is not None
    left = Target(process.stdout.readline().strip(), Project(root=settings.path))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)

    assert database_of(left).exists(left)
    with open_databases(settings.path, url) as databases, databases.lend(HEADS):
        assert not database_of(left).exists(left)
        database_of(left).forget_state(databases.target)
    assert not (settings.path / "shop.db").exists()  # that of the settings is not made
