"""A migration that needs a table which others use: it gives way, and tries again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from support.databases import Database, MakeDatabase
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import LockWait, MigrationError, Project, Target, Upgraded

pytestmark = pytest.mark.slow
TABLE = (
    "op.execute('CREATE TABLE account (id INTEGER, balance INTEGER)'); op.execute('INSERT INTO account VALUES (1, 5)')"
)
COLUMN = "op.add_column('account', sa.Column('note', sa.String(20)))"
SERVERS = ("postgresql", "mysql")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    return make_database(request.param)


def prepared(project: MiniProject, database: Database, **options: Any) -> Target:
    project.migration("aaa", None, upgrade=TABLE)
    target = Target(database.url, Project(root=project.path), **options)
    framefox_tasks.create(target)
    framefox_tasks.upgrade(target)
    return target


@contextmanager
def reading(database: Database) -> Iterator[Callable[[], None]]:
    """Somebody reads the table in a transaction; gives a function that ends it."""
    connection = database.connect()
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute("SELECT * FROM account")
    cursor.fetchall()
    try:
        yield lambda: cursor.execute("ROLLBACK")
    finally:
        connection.close()


def upgrading(target: Target, told: list[str]) -> tuple[threading.Thread, list[Upgraded | BaseException]]:
    """An upgrade in a thread, and what comes of it."""
    results: list[Upgraded | BaseException] = []

    def note(wait: LockWait) -> None:
        told.append(wait.sentence)

    def work() -> None:
        try:
            results.append(framefox_tasks.upgrade(target, on_wait=note))
        except BaseException as exc:  # noqa: BLE001 - told by the assertion
            results.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, results


def slowest_read(database: Database, stop: threading.Event) -> float:
    """How long the slowest of many short queries takes, on a connection of their own."""
    cursor, slowest = database.connect().cursor(), 0.0
    while not stop.is_set():
        begun = time.monotonic()
        cursor.execute("SELECT balance FROM account")
        cursor.fetchall()
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.05)
    return slowest


@pytest.mark.promise("No query waits over lock_timeout for the upgrade of a busy table; it succeeds")
def test_a_migration_gives_way_to_readers(
    shop: MiniProject, server: Database, often: Callable[[int, int], int], measured: Callable[[str], None]
) -> None:
    limit, seconds = often(1, 5), often(5, 30)
    target = prepared(shop, server, lock_timeout=float(limit))
    shop.migration("bbb", "aaa", upgrade="op.execute('UPDATE account SET balance = balance * 100')")
    shop.migration("ccc", "bbb", upgrade=COLUMN)
    told: list[str] = []
    stop, slowest = threading.Event(), [0.0]
    reader = threading.Thread(target=lambda: slowest.append(slowest_read(server, stop)))
    with reading(server) as end:
        reader.start()
        thread, results = upgrading(target, told)
        time.sleep(seconds)
        assert thread.is_alive()
        end()
        thread.join(60)
    stop.set()
    reader.join()
    (result,) = results
    assert isinstance(result, Upgraded), result
    assert [step.revision.revision for step in result.steps] == ["bbb", "ccc"]
    assert server.execute("SELECT balance, note FROM account") == [(500, None)]
    assert any("A lock was not given in time: others go first." in text for text in told)
    assert max(slowest) < limit + 1
    measured(f"{seconds} s, {max(slowest):.1f} s at most")


def test_who_holds_the_lock_is_named(shop: MiniProject, server: Database) -> None:
    target = prepared(shop, server, lock_timeout=4.0)
    shop.migration("bbb", "aaa", upgrade=COLUMN)
    told: list[str] = []
    with reading(server) as end:
        thread, results = upgrading(target, told)
        deadline = time.monotonic() + 60
        while not told and time.monotonic() < deadline:
            time.sleep(0.05)
        end()
        thread.join(60)
    assert isinstance(results[0], Upgraded), results
    assert told[0].startswith(f"ALTER TABLE account waits for a lock in {target.label}, held by ")
    assert ("server process " if server.dialect == "postgresql" else "connection ") in told[0]
    assert "user " in told[0]


def test_it_gives_up_when_the_patience_is_at_its_end(shop: MiniProject, server: Database) -> None:
    target = prepared(shop, server, lock_timeout=1.0, patience=2.0)
    shop.migration("bbb", "aaa", upgrade=COLUMN)
    with reading(server):
        begun = time.monotonic()
        with pytest.raises(MigrationError) as caught:
            framefox_tasks.upgrade(target)
        assert 2 <= time.monotonic() - begun < 30
    assert server.revision() == ["aaa"]
    assert "Others hold a lock" in str(caught.value.hint)
    if server.dialect == "postgresql":
        assert str(caught.value.hint).endswith("Then run the command again.")
    assert framefox_tasks.upgrade(target).steps


CHOSEN = {
    "postgresql": ("SET LOCAL lock_timeout = '700ms'", "SHOW lock_timeout", "700ms"),
    "mysql": ("SET SESSION lock_wait_timeout = 7", "SELECT @@lock_wait_timeout", "7"),
}


def test_a_timeout_of_the_migrations_own_wins(
    shop: MiniProject, server: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = prepared(shop, server)
    statement, query, value = CHOSEN[server.dialect]
    looks = f"found = op.get_bind().execute(sa.text({query!r})).scalar(); op.execute('SELECT 1'); "
    writes = "open('found', 'a').write(f'{found} ')"
    shop.migration(
        "bbb", "aaa", upgrade=f"{looks}{writes}; op.execute({statement!r}); op.execute('SELECT 1'); {looks}{writes}"
    )
    monkeypatch.chdir(shop.path)
    framefox_tasks.upgrade(target)
    ours = {"postgresql": "5s", "mysql": "5"}[server.dialect]
    assert shop.read("found").split() == [ours, value]
    chosen = {"postgresql": "options=-clock_timeout%3D900", "mysql": "init_command=SET%20lock_wait_timeout%3D9"}
    shop.migration("ccc", "bbb", upgrade=f"{looks}{writes}")
    framefox_tasks.upgrade(replace(target, url=f"{target.url}?{chosen[server.dialect]}"))
    assert shop.read("found").split()[2:] == [{"postgresql": "900ms", "mysql": "9"}[server.dialect]]


@pytest.mark.server
def test_an_index_that_is_built_concurrently_waits_as_long_as_it_takes(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    database = make_database("postgresql")
    target = prepared(shop, database, lock_timeout=1.0)
    index = "op.execute('CREATE INDEX CONCURRENTLY by_balance ON account (balance)')"
    shop.migration("bbb", "aaa", upgrade=f"with op.get_context().autocommit_block(): {index}")
    told: list[str] = []
    writer = database.connect()
    writer.cursor().execute("BEGIN")
    writer.cursor().execute("UPDATE account SET balance = 6")
    thread, results = upgrading(target, told)
    time.sleep(3)
    assert thread.is_alive()
    writer.close()
    thread.join(60)
    assert isinstance(results[0], Upgraded), results
    assert not any("others go first" in text for text in told)
    assert database.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_balance'::regclass") == [(True,)]


@pytest.mark.server
@pytest.mark.parametrize("exists", ["", "IF NOT EXISTS "])
def test_an_index_that_was_left_invalid_is_made_again(
    shop: MiniProject, make_database: MakeDatabase, exists: str
) -> None:
    database = make_database("postgresql")
    target = prepared(shop, database)
    database.execute("INSERT INTO account VALUES (2, 5)")
    for name in ("by_balance", "by_others"):
        with pytest.raises(psycopg.errors.UniqueViolation):  # which leaves an invalid index
            database.connect().execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON account (balance)")
    database.execute("DELETE FROM account WHERE id = 2")
    index = f"op.execute('CREATE UNIQUE INDEX CONCURRENTLY {exists}by_balance ON account (balance)')"
    shop.migration("bbb", "aaa", upgrade=f"with op.get_context().autocommit_block(): {index}")
    framefox_tasks.upgrade(target)
    valid = (
        "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'account'::regclass ORDER BY 1"
    )
    assert database.execute(valid) == [("by_balance", True), ("by_others", False)]


@pytest.mark.server
@pytest.mark.parametrize(("dialect", "lock_timeout"), [("mysql", 5.0), ("mysql", 0.0), ("postgresql", 0.0)])
def test_a_deadlock_goes_on_from_the_journal_or_begins_again(
    shop: MiniProject, make_database: MakeDatabase, dialect: str, lock_timeout: float
) -> None:
    database = make_database(dialect)
    target = prepared(shop, database, lock_timeout=lock_timeout)
    database.execute("CREATE TABLE other (id INTEGER, n INTEGER)")
    database.execute(f"INSERT INTO other VALUES {', '.join(f'({number}, 0)' for number in range(200))}")
    begun = shop.path / "begun"
    steps = (
        "op.execute('CREATE TABLE made (id INTEGER)')",
        "op.execute('UPDATE account SET balance = balance + 1')",
        f"import time; open({str(begun)!r}, 'a').write('x'); time.sleep(1.5)",
        "op.execute('UPDATE other SET n = n + 1 WHERE id = 0')",
    )
    shop.migration("bbb", "aaa", upgrade="\n    ".join(steps))
    other = database.connect()
    cursor = other.cursor()
    cursor.execute("BEGIN")
    cursor.execute("UPDATE other SET n = n + 1")  # more than the migration has changed, so that this is not the victim
    told: list[str] = []
    thread, results = upgrading(target, told)
    deadline = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < deadline, results
        time.sleep(0.02)
    cursor.execute("UPDATE account SET balance = balance + 10")
    cursor.execute("COMMIT")
    other.close()
    thread.join(60)
    assert isinstance(results[0], Upgraded), results
    assert begun.read_text() == "xx"
    assert any(text.startswith("A deadlock was ended: others go first.") for text in told)
    assert database.execute("SELECT balance FROM account") == [(16,)]
    assert database.execute("SELECT n FROM other WHERE id < 2 ORDER BY id") == [(2,), (1,)]


@pytest.mark.server
def test_after_a_minute_of_work_it_waits_instead_of_beginning_again(
    shop: MiniProject, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = make_database("postgresql")
    target = prepared(shop, database, lock_timeout=1.0, patience=50.0)
    ahead, clock = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + ahead[0])
    monkeypatch.setattr(time, "work_hard", lambda: ahead.append(ahead.pop() + 61), raising=False)
    shop.migration(
        "bbb", "aaa", upgrade=f"import time; open({str(shop.path / 'ran')!r}, 'a').write('x'); "
        f"op.execute('SELECT 1'); time.work_hard(); {COLUMN}"
    )  # fmt: skip
    told: list[str] = []
    with reading(database) as end:
        thread, results = upgrading(target, told)
        threading.Event().wait(3)
        assert thread.is_alive()
        end()
        thread.join(60)
    assert isinstance(results[0], Upgraded), results
    assert shop.read("ran") == "x"
    assert any("it is not rolled back for a lock any more, but waits for one for up to 50 s" in text for text in told)


# Raised by the server itself, with the code that it gives for this.
HINTS = {
    "lock timeout": ("Others hold a lock on what it changes.", "55P03", 1205),
    "statement timeout": ("The server gives no statement so much time.", "57014", 1969),
    "read-only": ("The server is a replica, or read-only.", "25006", 1792),
    "deadlock": ("It and another session have waited for each other.", "40P01", 1213),
    "too many connections": ("The server has as many connections as it takes.", "53300", 1040),
    "disk full": ("There is no space left where the database is.", "53100", 1021),
}


@pytest.mark.parametrize("kind", HINTS)
def test_an_error_that_is_about_others_says_what_to_do(shop: MiniProject, server: Database, kind: str) -> None:
    hint, state, number = HINTS[kind]
    raised = {
        "postgresql": f"DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END $$",
        "mysql": f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'refused'",
    }[server.dialect]
    target = prepared(shop, server, patience=0.01)
    shop.migration("bbb", "aaa", upgrade=f"op.execute({raised!r})")
    with pytest.raises(MigrationError, match="refused") as caught:
        framefox_tasks.upgrade(target)
    assert hint in str(caught.value.hint)


def test_errors_of_sqlite_about_its_file_say_what_to_do(shop: MiniProject) -> None:
    target = Target("sqlite:///shop.db", Project(root=shop.path))
    framefox_tasks.create(target)
    cases = {
        "max_page_count = 3": HINTS["disk full"][0],
        "query_only = 1": "The file, or its folder, may not be written.",
    }
    for pragma, hint in cases.items():
        shop.migration("aaa", None, upgrade=f"op.execute('PRAGMA {pragma}'); op.execute('CREATE TABLE account (id)')")
        with pytest.raises(MigrationError) as caught:
            framefox_tasks.upgrade(target)
        assert hint in str(caught.value.hint)


def test_errors_of_the_server_itself_have_the_codes_of_the_hints(shop: MiniProject, server: Database) -> None:
    slow, readonly = {
        "postgresql": ("SET LOCAL statement_timeout = 100; SELECT pg_sleep(5)", "SET TRANSACTION READ ONLY"),
        "mysql": (
            "SET STATEMENT max_statement_time = 0.1 FOR SELECT COUNT(*) FROM information_schema.COLUMNS a, "
            "information_schema.COLUMNS b, information_schema.COLUMNS c",
            "SET SESSION TRANSACTION READ ONLY",
        ),
    }[server.dialect]
    target = prepared(shop, server)
    shop.migration("bbb", "aaa", upgrade=f"op.execute({slow!r})")
    with pytest.raises(MigrationError) as caught:
        framefox_tasks.upgrade(target)
    assert HINTS["statement timeout"][0] in str(caught.value.hint)
    changed = f"op.execute({readonly!r}); op.execute('UPDATE account SET balance = 6')"
    begin = "op.get_bind().commit(); " if server.dialect == "mysql" else ""
    shop.migration("bbb", "aaa", upgrade=begin + changed)
    with pytest.raises(MigrationError) as caught:
        framefox_tasks.upgrade(target)
    assert HINTS["read-only"][0] in str(caught.value.hint)
