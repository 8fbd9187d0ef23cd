"""A SQLite database is copied as a whole, at one point of time, and its target is replaced at once or not at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from support.killing import kill_in_the_middle
from support.projects import MiniProject

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.databases.sqlite.backup import snapshot
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.errors import (
    ConfigError,
    ConnectionFailedError,
    CopyError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    NotADatabaseError,
    TargetNotEmptyError,
    VerificationError,
)
from framefox_tasks.model import CopyOptions, Project, Target
from framefox_tasks.results import CopyProgress

SCHEMA = """
PRAGMA user_version = 7;
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY) WITHOUT ROWID;
INSERT INTO alembic_version VALUES ('1a2b3c4d5e6f');
CREATE TABLE "a ""b"" %s" (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER, twice INTEGER AS (n * 2) STORED, x BLOB);
INSERT INTO "a ""b"" %s" (n, x) VALUES
    (1, 1e999), (-9223372036854775808, x'00ff'), ('abc', 'a' || char(0) || 'b'),
    (NULL, 0.1), (2, '\U0001f600'), (3, CAST(x'ff' AS TEXT));
CREATE TABLE node (a INT, b INT, parent_a INT, parent_b INT, PRIMARY KEY (a, b),
    FOREIGN KEY (parent_a, parent_b) REFERENCES node);
INSERT INTO node VALUES (1, 1, 1, 2), (1, 2, 1, 1);
CREATE INDEX ix_node ON node (b DESC) WHERE b > 1;
CREATE VIEW seen AS SELECT count(*) FROM node;
CREATE TRIGGER kept AFTER DELETE ON node BEGIN INSERT INTO node VALUES (old.a, old.b, NULL, NULL); END;
CREATE VIRTUAL TABLE words USING fts5(text);
INSERT INTO words VALUES ('a quick fox');
"""
COPY = """
import sys
from pathlib import Path
from framefox_tasks.model import CopyOptions, Project, Target
from framefox_tasks.copies import copy
project = Project(Path(sys.argv[1]))
print("ready", file=sys.stderr, flush=True)
copy(Target("sqlite:///app.db", project), Target("sqlite:///copy.db", project), options=CopyOptions(overwrite=True))
"""


def target(folder: Path, name: str) -> Target:
    return Target(f"sqlite:///{name}", Project(folder))


def run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def dump(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        schema = connection.execute("SELECT * FROM sqlite_master").fetchall()
        odd = connection.execute('SELECT *, typeof(n), typeof(x) FROM "a ""b"" %s"').fetchall()
        return [
            *schema,
            *odd,
            *connection.execute("PRAGMA user_version"),
            *connection.execute("PRAGMA integrity_check"),
        ]


@pytest.fixture
def app(tmp_path: Path) -> Target:
    run(tmp_path / "app.db", SCHEMA)
    return target(tmp_path, "app.db")


def left(folder: Path) -> set[str]:
    """The names of the files, without those of locks, which stay."""
    return {path.name for path in folder.iterdir() if not path.name.endswith("-lock")}


@pytest.mark.parametrize("verify", [False, True])
def test_everything_is_in_the_copy_and_the_source_is_as_it_was(app: Target, tmp_path: Path, verify: bool) -> None:
    before = app.file.read_bytes()
    told: list[CopyProgress] = []
    copied = copy(
        app,
        target(tmp_path, "backups/copy.db"),
        options=CopyOptions(verify=verify),
        on_progress=told.append,
    )
    assert app.file.read_bytes() == before
    assert dump(tmp_path / "backups/copy.db") == dump(app.file)
    rows = {table.name: (table.rows, table.verified) for table in copied.tables}
    how = "values" if verify else "rows"
    assert [rows[name] for name in ("alembic_version", 'a "b" %s', "node")] == [(1, how), (6, how), (2, how)]
    assert told[-1].step == ("comparing values" if verify else "counting rows")
    assert told[-2].done
    assert told[-2].rows == told[-2].total
    assert told[-2].rows > 0
    assert left(tmp_path) == {"app.db", "backups"}
    assert left(tmp_path / "backups") == {"copy.db"}


@pytest.mark.parametrize("schema_only", [False, True])
def test_pages_of_another_size_and_a_file_that_a_killed_copy_left(tmp_path: Path, schema_only: bool) -> None:
    run(tmp_path / "app.db", "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; CREATE TABLE mine (id INT);")
    run(tmp_path / ".copy.db.copying", "CREATE TABLE mine (other TEXT); CREATE TABLE old (id);")
    copy(target(tmp_path, "app.db"), target(tmp_path, "copy.db"), options=CopyOptions(schema_only=schema_only))
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("SELECT sql FROM sqlite_master").fetchall() == [("CREATE TABLE mine (id INT)",)]
        if not schema_only:
            assert connection.execute("PRAGMA page_size").fetchone() == (1024,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert not [name for name in left(tmp_path) if "copying" in name]


def test_a_plan_changes_nothing(app: Target, tmp_path: Path) -> None:
    plan = plan_copy(app, target(tmp_path, "copy.db"))
    assert ("node", 2) in [(table.name, table.rows) for table in plan.tables]
    assert left(tmp_path) == {"app.db"}


def test_a_target_with_tables_is_replaced_only_if_told(app: Target, tmp_path: Path) -> None:
    run(tmp_path / "copy.db", "PRAGMA journal_mode = WAL; CREATE TABLE mine (id); INSERT INTO mine VALUES (1);")
    (tmp_path / "copy.db").chmod(0o600)
    for call in (copy, plan_copy):
        with pytest.raises(TargetNotEmptyError, match="holds a table") as caught:
            call(app, target(tmp_path, "copy.db"))
        assert "--overwrite" in str(caught.value)
    copy(app, target(tmp_path, "copy.db"), options=CopyOptions(overwrite=True))
    assert dump(tmp_path / "copy.db") == dump(app.file)
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert left(tmp_path) == {"app.db", "copy.db"}


def test_a_target_in_use_stays(app: Target, tmp_path: Path) -> None:
    run(tmp_path / "copy.db", "PRAGMA journal_mode = WAL; CREATE TABLE mine (id);")
    with closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as user:
        user.execute("BEGIN")
        user.execute("SELECT * FROM mine").fetchall()
        with pytest.raises(DatabaseInUseError):
            copy(app, target(tmp_path, "copy.db"), options=CopyOptions(overwrite=True))
        assert user.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    assert not (tmp_path / ".copy.db.copying").exists()


def test_what_cannot_be_a_source_or_a_target(app: Target, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("my notes, and no database at all")
    (tmp_path / "again.db").symlink_to("app.db")
    cases = [
        (app, target(tmp_path, "text.db"), NotADatabaseError),
        (target(tmp_path, "text.db"), target(tmp_path, "copy.db"), NotADatabaseError),
        (target(tmp_path, "none.db"), target(tmp_path, "copy.db"), DatabaseNotFoundError),
        (app, target(tmp_path, "../" + tmp_path.name + "/app.db"), ConfigError),
        (app, target(tmp_path, "again.db"), ConfigError),
        (app, Target("postgresql://me:s3cret@127.0.0.1:1/shop"), ConnectionFailedError),
        (Target("mysql://me:s3cret@127.0.0.1:1/shop"), target(tmp_path, "copy.db"), ConnectionFailedError),
    ]
    for source, to, error in cases:
        with pytest.raises(error) as caught:
            copy(source, to)
        assert "s3cret" not in str(caught.value)
    assert left(tmp_path) == {"app.db", "text.db", "again.db"}


def test_a_second_copy_to_the_same_target_waits_for_nobody(app: Target, tmp_path: Path) -> None:
    with Staging(target(tmp_path, "copy.db")), pytest.raises(DatabaseInUseError, match="Another copy"):
        copy(app, target(tmp_path, "copy.db"))
    copy(app, target(tmp_path, "copy.db"))
    assert left(tmp_path) == {"app.db", "copy.db"}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_the_copy_is_of_one_point_of_time(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "app.db"
    run(path, f"PRAGMA journal_mode = {mode}; CREATE TABLE a (n); CREATE TABLE pad (x); CREATE TABLE b (n);")
    run(path, "INSERT INTO pad SELECT zeroblob(1000000) FROM json_each('[1,2,3,4,5,6,7,8,9,10]');")
    stop, written = Event(), []

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            while not stop.is_set():
                connection.executescript("BEGIN; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); COMMIT;")
                written.append(1)
                stop.wait(0.002)  # outside WAL mode a writer without a pause lets nobody read

    writer = Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            copied = copy(
                target(tmp_path, "app.db"),
                target(tmp_path, "copy.db"),
                options=CopyOptions(overwrite=True, verify=True),
            )
            rows = {table.name: table.rows for table in copied.tables}
            assert rows["a"] == rows["b"]
    finally:
        stop.set()
        writer.join()
    assert written


@pytest.mark.slow
def test_a_copy_that_is_killed_leaves_the_target_and_the_next_one_works(tmp_path: Path) -> None:
    run(tmp_path / "app.db", "CREATE TABLE pad (x);")
    run(tmp_path / "app.db", "INSERT INTO pad SELECT randomblob(8000000) FROM json_each('[1,2,3,4,5,6,7,8]');")
    run(tmp_path / "copy.db", "CREATE TABLE old (n); INSERT INTO old VALUES (1);")

    def before() -> None:
        (tmp_path / "copy.db").unlink()
        run(tmp_path / "copy.db", "CREATE TABLE old (n); INSERT INTO old VALUES (1);")

    def after() -> None:
        with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            name = connection.execute("SELECT name FROM sqlite_master").fetchone()[0]
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() == ({"old": 1, "pad": 8}[name],)

    kill_in_the_middle(COPY, str(tmp_path), folder=tmp_path, before=before, after=after)
    subprocess.run([sys.executable, "-c", COPY, str(tmp_path)], check=True)
    assert left(tmp_path) == {"app.db", "copy.db"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of the size of a file")
def test_without_room_the_target_stays(tmp_path: Path) -> None:
    run(tmp_path / "app.db", "CREATE TABLE pad (x); INSERT INTO pad VALUES (zeroblob(3000000));")
    run(tmp_path / "copy.db", "CREATE TABLE old (n);")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, 1000000))\n"
    done = subprocess.run(
        [sys.executable, "-c", limit + COPY, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert CopyError.__name__ in done.stderr
    assert "cannot be written" in done.stderr
    assert "The target is as it was" in done.stderr
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("old",)]
    assert left(tmp_path) == {"app.db", "copy.db"}


def test_the_task_copies_and_shows_what(shop: MiniProject) -> None:
    shop.ok("database_upgrade")
    assert "--to" in str(shop.fails("database_copy"))
    out = shop.ok("database_copy", "--to=sqlite:///backups/shop.db", "--dry-run")
    assert "would be copied to backups/shop.db:" in out
    out = shop.ok("database_copy", "--to=sqlite:///backups/shop.db", "--verify")
    assert "alembic_version" in out
    assert "copied to backups/shop.db" in out
    assert "--overwrite" in str(shop.fails("database_copy", "--to=sqlite:///backups/shop.db"))
    shop.ok("database_copy", "--from=sqlite:///backups/shop.db", "--to=sqlite:///again.db")
    shop.ok("database_copy", "--to=sqlite:///backups/shop.db", "--overwrite")


def test_the_tables_of_the_entities_alone_without_rows(shop: MiniProject) -> None:
    shop.ok("database_upgrade")
    shop.ok("database_copy", "--tables-from-entities", "--to=sqlite:///fresh.db")
    with closing(sqlite3.connect(shop.path / "fresh.db")) as fresh:
        found = {row[0] for row in fresh.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL")}
    assert {"product", "review", "ix_product_name"} <= found
    assert "alembic_version" not in found
    assert "--overwrite" in str(shop.fails("database_copy", "--tables-from-entities", "--to=sqlite:///fresh.db"))


@pytest.mark.parametrize("masked", ["id", "name"])
def test_a_masked_copy_is_compared_with_what_the_masks_make(tmp_path: Path, masked: str) -> None:
    run(tmp_path / "app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 5), (2, 6);")
    run(tmp_path / "copy.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);")
    values = "(-1, 5), (-2, 6)" if masked == "id" else "(1, -5), (2, -6)"
    run(tmp_path / "copy.db", f"INSERT INTO t VALUES {values};")
    masks = {masked: lambda value: -int(value) if masked == "id" else str(-int(value))}
    with snapshot(target(tmp_path, "app.db")) as snap, closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
        snap.compare("t", copied, masks=masks)
        copied.execute("UPDATE t SET name = 7 WHERE abs(id) = 2")
        with pytest.raises(VerificationError, match="table t"):
            snap.compare("t", copied, masks=masks)
        copied.execute("DELETE FROM t WHERE abs(id) = 2")
        snap.compare("t", copied, where="id = 1", masks=masks)
