"""Lines go into a file beside the target or into its tables in one transaction: the target changes at once or not."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.copying import open_place
from support.killing import kill_in_the_middle

from framefox_tasks.databases.contract import Place
from framefox_tasks.databases.rows import Field, Kind, Name, Side, Statement
from framefox_tasks.errors import (
    CopyError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    NotADatabaseError,
    TargetNotEmptyError,
)
from framefox_tasks.model import Project, Target

TABLE = Side(Name("t"), (Field("id", "integer", Kind.INTEGER), Field("s", "text", Kind.TEXT)))
LOAD = """
import sys
from pathlib import Path
from framefox_tasks.model import Project, Target
from framefox_tasks.databases.rows import Field, Kind, Name, Side, Statement
from framefox_tasks.databases.sqlite.place import open_place

target = Target("sqlite:///copy.db", Project(Path(sys.argv[1])))
table = Side(Name("t"), (Field("id", "integer", Kind.INTEGER), Field("s", "text", Kind.TEXT)))
blocks = (b"".join(b"%d\\tnew\\n" % (n * 1000 + i) for i in range(1000)) for n in range(100))
data_only = sys.argv[2] == "rows"
print("ready", file=sys.stderr, flush=True)
with open_place(target, overwrite=True, data_only=data_only, force_disconnect=False) as place:
    with place.loader() as loader:
        if data_only:
            loader.change("DELETE FROM t")
        else:
            loader.execute(Statement("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)"))
        loader.load(table, blocks)
    place.put()
"""


def target(folder: Path, script: str = "") -> Target:
    if script:
        (folder / "copy.db").unlink(missing_ok=True)
        with closing(sqlite3.connect(folder / "copy.db")) as connection:
            connection.executescript(script)
    return Target("sqlite:///copy.db", Project(folder))


def place_of(database: Target, *, overwrite: bool = False, data_only: bool = False) -> Place:
    return open_place(database, overwrite=overwrite, data_only=data_only, force_disconnect=False)


def rows(folder: Path, query: str = "SELECT * FROM t") -> list[Any]:
    with closing(sqlite3.connect(folder / "copy.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(query).fetchall()


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def fill(place: Place, lines: bytes = b"1\ta\n2\tb\n") -> None:
    with place.loader() as loader:
        loader.execute(Statement("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)"))
        assert loader.load(TABLE, [lines]) == 2


def test_a_file_beside_the_target_takes_its_name(tmp_path: Path) -> None:
    old = target(tmp_path, "CREATE TABLE old (n); INSERT INTO old VALUES (1);")
    with pytest.raises(TargetNotEmptyError):
        place_of(old).check()
    place = place_of(old, overwrite=True)
    place.check()
    with place:
        fill(place)
        with place.reader() as reader:
            assert b"".join(reader.lines(TABLE, order=("s",))) == b"1\ta\n2\tb\n"
            assert reader.count(Name("t")) == 2
        assert place.staging.file == tmp_path / ".copy.db.copying"
        assert rows(tmp_path, "SELECT * FROM old") == [(1,)]
        assert place.put([Statement("CREATE VIEW v AS SELECT * FROM nowhere", "view v", optional=True)]) == []
    assert rows(tmp_path) == [(1, "a"), (2, "b")]
    assert left(tmp_path) == {"copy.db"}


def test_without_put_the_target_stays(tmp_path: Path) -> None:
    database = target(tmp_path, "CREATE TABLE old (n);")
    with place_of(database, overwrite=True) as place:
        fill(place)
    assert rows(tmp_path, "SELECT name FROM sqlite_master") == [("old",)]
    assert left(tmp_path) == {"copy.db"}


def test_what_a_killed_copy_left_is_not_in_the_next_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / ".copy.db.copying")) as connection:
        connection.executescript("CREATE TABLE t (x); CREATE TABLE other (x);")
    place = place_of(target(tmp_path))
    with place:
        fill(place)
        with pytest.raises(DatabaseInUseError, match="Another copy"), place_of(target(tmp_path)):
            pass
        place.put()
    assert rows(tmp_path, "SELECT name FROM sqlite_master") == [("t",)]
    assert left(tmp_path) == {"copy.db"}


def test_what_a_killed_copy_left_may_be_damaged(tmp_path: Path) -> None:
    leftover = tmp_path / ".copy.db.copying"
    for damage in (lambda data: data[:4096], lambda data: b"x" * len(data)):
        leftover.unlink(missing_ok=True)
        with closing(sqlite3.connect(leftover)) as connection:
            connection.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000));")
        leftover.write_bytes(damage(leftover.read_bytes()))
        with place_of(target(tmp_path), overwrite=True) as place:
            fill(place)
            place.put()
        assert rows(tmp_path) == [(1, "a"), (2, "b")]
        assert left(tmp_path) == {"copy.db"}


@pytest.mark.slow
def test_a_target_in_use_is_not_replaced(tmp_path: Path) -> None:
    database = target(tmp_path, "CREATE TABLE old (n); INSERT INTO old VALUES (1);")
    with closing(sqlite3.connect(database.file, isolation_level=None)) as user:
        user.execute("BEGIN IMMEDIATE")
        with place_of(database, overwrite=True) as place:
            fill(place)
            with pytest.raises(DatabaseInUseError):
                place.put()
        with pytest.raises(DatabaseInUseError):
            place_of(database, data_only=True).check()
    assert rows(tmp_path, "SELECT * FROM old") == [(1,)]
    assert left(tmp_path) == {"copy.db"}


RELATED = """
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT REFERENCES parent);
CREATE TABLE log (n);
CREATE TRIGGER noted AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END;
INSERT INTO parent VALUES (1), (2);
INSERT INTO t VALUES (7, 'lost already');
DELETE FROM log;
"""


def test_rows_go_into_the_targets_tables_and_no_trigger_fires(tmp_path: Path) -> None:
    place = place_of(target(tmp_path, RELATED), data_only=True)
    place.check()
    with place:
        with place.loader() as loader:
            assert loader.load(TABLE, [b"1\t1\n", b"2\t2\n"]) == 2
        with place.reader() as reader:
            assert reader.count(Name("t")) == 3
        assert place.put() == []
    assert rows(tmp_path) == [(1, "1"), (2, "2"), (7, "lost already")]
    assert rows(tmp_path, "SELECT * FROM log") == []
    assert rows(tmp_path, "SELECT name FROM sqlite_master WHERE type = 'trigger'") == [("noted",)]


def test_rows_that_refer_to_nothing_are_not_left_in_the_target(tmp_path: Path) -> None:
    database = target(tmp_path, RELATED)
    for lines, statement in ((b"1\t1\n3\t3\n", "DELETE FROM log"), (b"1\t1\n", "DELETE FROM parent")):
        with place_of(database, data_only=True) as place:
            with place.loader() as loader:
                loader.load(TABLE, [lines])
                loader.change(statement)
            with pytest.raises(CopyError, match="1 of t to parent") as caught:
                place.put()
        assert "tables that they refer to" in str(caught.value.hint)
        assert rows(tmp_path) == [(7, "lost already")]
    assert rows(tmp_path, "SELECT count(*) FROM parent") == [(2,)]


def test_a_target_for_rows_alone_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotFoundError):
        place_of(target(tmp_path), data_only=True).check()
    (tmp_path / "copy.db").write_text("my notes, and no database at all")
    with pytest.raises(NotADatabaseError):
        place_of(target(tmp_path), data_only=True).check()


OLD = "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'old');"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["all", "rows"])
def test_a_copy_that_is_killed_leaves_the_target_and_the_next_one_works(tmp_path: Path, what: str) -> None:
    def after() -> None:
        assert rows(tmp_path, "SELECT s, count(*) FROM t GROUP BY s") in ([("old", 1)], [("new", 100_000)])

    before = partial(target, tmp_path, OLD)
    kill_in_the_middle(LOAD, str(tmp_path), what, folder=tmp_path, before=before, after=after)
    subprocess.run([sys.executable, "-c", LOAD, str(tmp_path), what], check=True)
    assert rows(tmp_path, "SELECT s, count(*) FROM t GROUP BY s") == [("new", 100_000)]
    assert left(tmp_path) == {"copy.db"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of the size of a file")
@pytest.mark.parametrize("what", ["all", "rows"])
def test_without_room_the_target_stays(tmp_path: Path, what: str) -> None:
    target(tmp_path, OLD)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))\n"
    command = [sys.executable, "-c", limit + LOAD, str(tmp_path), what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert CopyError.__name__ in done.stderr
    assert "cannot be written" in done.stderr
    assert "The target is as it was" in done.stderr
    assert rows(tmp_path) == [(1, "old")]
    assert left(tmp_path) == {"copy.db"}
