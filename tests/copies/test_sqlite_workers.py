"""A large SQLite table is read by processes that share its rows: what comes of it is what one connection sees."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
from support.copying import open_place, open_source
from support.waiting import children

from framefox_tasks.databases.canonical import totals_of
from framefox_tasks.databases.checksum import Form
from framefox_tasks.databases.contract import WritesForms
from framefox_tasks.databases.rows import BadRowError, Field, Kind, Name, Side, Statement, TablePlan
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Project, Target

ROWS = 130_000
TABLE = Side(Name("t"), (Field("id", "integer", Kind.INTEGER), Field("note", "text", Kind.TEXT)))
FORMS = (Form.LINE, Form.TEXT)
COUNT = min(os.cpu_count() or 1, 4)

pytestmark = pytest.mark.skipif(COUNT < 2 or sys.platform != "linux", reason="takes two processors, and /proc")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """A table whose numbers have gaps and begin below zero; no process is left at the end."""
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT ?) "
            "INSERT INTO t SELECT (i - 1000) * (1 + i % 3), 'note ' || i FROM n WHERE true ON CONFLICT DO NOTHING",
            (ROWS,),
        )
        connection.commit()
    yield Target("sqlite:///app.db", Project(tmp_path))
    assert not children()


def execute(target: Target, *statements: str) -> None:
    with closing(sqlite3.connect(target.file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def expected(target: Target) -> bytes:
    with closing(sqlite3.connect(target.file)) as connection:
        rows = connection.execute("SELECT id, note FROM t ORDER BY id").fetchall()
    assert len(rows) > 100_000
    return "".join(f"{number}\t{note}\n" for number, note in rows).encode()


def test_all_rows_come_in_order_and_twice_the_same(target: Target) -> None:
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(TABLE)
        blocks = [next(lines)]
        assert len(children()) == COUNT
        workers = children()
        blocks += lines
        assert b"".join(blocks) == b"".join(reader.lines(TABLE)) == expected(target)
        assert children() == workers  # they have read it twice


def test_a_bad_cell_of_a_later_part_is_told_with_its_row(target: Target) -> None:
    execute(target, "UPDATE t SET note = x'ff' WHERE id = 50000")
    with open_source(target) as source, source.reader() as reader:
        with pytest.raises(BadRowError, match=r"^t, id=50000: x'ff' in note is no text$") as caught:
            list(reader.lines(TABLE))
        assert caught.value.row == "id=50000"


def test_text_that_is_no_utf_8_is_told_as_well(target: Target) -> None:
    execute(target, "UPDATE t SET note = CAST(x'61ff' AS TEXT) WHERE id = 50000")
    with (
        open_source(target) as source,
        source.reader() as reader,
        pytest.raises(BadRowError, match=r"id=50000: .* in note is no valid UTF-8"),
    ):
        list(reader.lines(TABLE))


def test_rows_that_a_process_leaves_come_in_their_place(target: Target) -> None:
    """What is long, and what follows it in its part, where some of the part has come already."""
    execute(target, "UPDATE t SET note = hex(zeroblob(60000)) WHERE id % 30011 = 0", "UPDATE t SET note = note || id")
    execute(target, "UPDATE t SET note = note || hex(zeroblob(400)) WHERE id BETWEEN 40000 AND 50000")
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(TABLE)
        blocks = [next(lines)]
        assert len(children()) == COUNT
        assert b"".join([*blocks, *lines]) == expected(target)


def test_processes_write_lines_in_forms(target: Target) -> None:
    """Also those of rows that they leave, which come from the connection itself."""
    fields = (Field("id", "integer", Kind.INTEGER), Field("price", "text", Kind.NUMERIC))
    execute(target, "ALTER TABLE t ADD price TEXT", "UPDATE t SET price = id || '.50'")
    execute(target, "UPDATE t SET price = printf('%.60000d', id) || '.50' WHERE id % 30011 = 0")
    with open_source(target) as source, source.reader() as reader:
        assert isinstance(reader, WritesForms)
        blocks = reader.formed_lines(Side(Name("t"), fields), (Form.LINE, Form.NUMBER))
        assert blocks
        lines = b"".join(blocks).split(b"\n")[:-1]
        assert len(children()) == COUNT
        assert len(lines) == sum(1 for _ in expected(target).splitlines())
        assert all(line.endswith(b".5") for line in lines)
        plain = b"".join(reader.lines(Side(Name("t"), fields))).split(b"\n")[:-1]
        assert {line.endswith(b".50") for line in plain} == {True}


def test_the_checksum_of_processes_is_that_of_lines(target: Target) -> None:
    """Also of rows that they leave."""
    found = []
    for statement in ("SELECT 1", "UPDATE t SET note = hex(zeroblob(60000)) WHERE id = 50000"):
        execute(target, statement)
        with open_source(target) as source, source.reader() as reader:
            found.append(reader.checksum(TABLE, FORMS))
            assert len(children()) == COUNT
            assert found[-1] == totals_of([expected(target)], FORMS)
    assert found[0] != found[1]


def test_processes_read_what_was_written_into_the_file_of_a_copy(target: Target) -> None:
    other = Target("sqlite:///copy.db", target.project)
    with open_place(other) as place:
        with place.loader() as loader:
            loader.execute(Statement("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)"))
            loader.load(TABLE, [expected(target)])
            loader.execute(Statement("CREATE INDEX by_note ON t (note)"))
            loader.change("UPDATE t SET note = 'note' WHERE id = 50000")
        with place.reader() as reader:
            found = reader.checksum(TABLE, FORMS)
            assert len(children()) == COUNT
            reader_alone = totals_of(reader.lines(TABLE, order=["id"]), FORMS)
        assert not children()
        assert found == reader_alone != totals_of([expected(target)], FORMS)
        with place.loader() as loader:
            loader.change("UPDATE t SET note = 'note 51000' WHERE id = 50000")  # it can still be written to
        place.put()
    assert not children()


def test_processes_start_when_it_is_known_what_will_be_read(target: Target) -> None:
    with open_source(target) as source, source.reader() as reader:
        source.expect([TablePlan(TABLE, TABLE, rows=99)])
        assert not children()
        source.expect([TablePlan(TABLE, TABLE, rows=ROWS)])
        workers = children()
        assert len(workers) == COUNT
        assert b"".join(reader.lines(TABLE)) == expected(target)
        assert children() == workers


def test_while_the_processes_read_one_connection_reads_what_else_is_wanted(target: Target) -> None:
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(TABLE)
        blocks = [next(lines)]
        assert b"".join(reader.lines(TABLE)) == b"".join([*blocks, *lines]) == expected(target)


def test_a_killed_process_is_an_error(target: Target) -> None:
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(TABLE)
        next(lines)
        os.kill(children()[-1], signal.SIGKILL)
        with pytest.raises(CopyError, match=r"^A process that read t of app.db ended too early, with exit code -9\."):
            list(lines)


def test_a_reader_that_is_closed_early_leaves_no_process(target: Target) -> None:
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(TABLE)
        next(lines)
        assert children()
        lines.close()
        assert not children()
        assert next(reader.lines(TABLE)).count(b"\n") > 1000


def test_a_reader_may_be_ended_by_another_thread(target: Target) -> None:
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(TABLE)
        next(lines)
        for pid in children():
            os.kill(pid, signal.SIGSTOP)  # so that the next lines would be waited for
        Timer(0.2, reader.cancel).start()
        with pytest.raises(CopyError, match=r"^Reading app\.db was ended\.$"):
            list(lines)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_writers_do_not_change_what_is_read(target: Target, mode: str) -> None:
    execute(target, f"PRAGMA journal_mode = {mode}")
    before = expected(target)
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(TABLE)
        blocks = [next(lines)]
        assert len(children()) == COUNT
        change(target, mode)
        assert b"".join([*blocks, *lines]) == before


def change(target: Target, mode: str) -> None:
    """Change every row; with a journal that is undone, since it cannot be committed while others read."""
    with closing(sqlite3.connect(target.file, isolation_level=None, timeout=0)) as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET note = 'other'")
        if mode == "wal":
            connection.execute("COMMIT")
            return
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            connection.execute("COMMIT")
        connection.execute("ROLLBACK")


def test_where_others_have_written_since_the_start_one_connection_reads_all(target: Target) -> None:
    execute(target, "PRAGMA journal_mode = wal")
    before = expected(target)
    with open_source(target) as source, source.reader() as reader:
        execute(target, "UPDATE t SET note = 'other' WHERE id > 100")
        lines = reader.lines(TABLE)
        blocks = [next(lines)]
        assert not children()
        assert b"".join([*blocks, *lines]) == before
        assert b"".join(reader.lines(TABLE)) == before


def test_where_a_writer_waits_one_connection_reads_all(target: Target) -> None:
    before = expected(target)
    with (
        open_source(target) as source,
        source.reader() as reader,
        closing(sqlite3.connect(target.file, isolation_level=None, timeout=0)) as writer,
    ):
        writer.execute("BEGIN")
        writer.execute("DELETE FROM t")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.execute("COMMIT")  # no other reader may begin from here on
        lines = reader.lines(TABLE)
        blocks = [next(lines)]
        assert not children()
        assert b"".join([*blocks, *lines]) == before


def test_conditions_orders_and_tables_without_numbers_are_read_by_one(target: Target) -> None:
    execute(
        target,
        "CREATE TABLE w (id INTEGER PRIMARY KEY, note TEXT) WITHOUT ROWID",
        "INSERT INTO w SELECT * FROM t",
        "CREATE TABLE r (rowid, _rowid_, oid)",
        "INSERT INTO r SELECT id, note, 1 FROM t",
    )
    without = Side(Name("w"), TABLE.fields)
    named = Side(Name("r"), (Field("rowid", "", Kind.INTEGER), Field("_rowid_", "", Kind.TEXT)))
    with open_source(target) as source, source.reader() as reader:
        for lines in (
            reader.lines(TABLE, where="id <> 5"),
            reader.lines(TABLE, order=["id"]),
            reader.lines(without),
            reader.lines(named),
        ):
            assert next(lines)
            assert not children()
            assert sum(block.count(b"\n") for block in lines) > 90_000


def test_a_table_with_a_column_named_true_is_read_as_a_whole_by_one_connection(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    execute(target, 'ALTER TABLE t ADD COLUMN "true" INTEGER DEFAULT 0')
    with open_source(target) as source, source.reader() as reader:
        assert b"".join(reader.lines(TABLE)) == expected(target)
        assert not children()


@pytest.mark.parametrize(("kind", "count"), [("VIRTUAL", 0), ("STORED", COUNT)])
def test_what_is_computed_when_it_is_read_is_computed_by_one_version_of_sqlite(
    target: Target, kind: str, count: int
) -> None:
    sums = Side(Name("sums"), (Field("id", "integer", Kind.INTEGER), Field("a", "text", Kind.TEXT)))
    execute(
        target,
        f"CREATE TABLE sums (id INTEGER PRIMARY KEY, r REAL, a TEXT AS (r || '') {kind})",
        "INSERT INTO sums (r) SELECT id / 10.0 + 0.2 FROM t",
    )
    with closing(sqlite3.connect(target.file)) as connection:
        rows = connection.execute("SELECT id, a FROM sums ORDER BY id").fetchall()
    with open_source(target) as source, source.reader() as reader:
        lines = reader.lines(sums)
        blocks = [next(lines)]
        assert len(children()) == count
        assert b"".join([*blocks, *lines]).decode() == "".join(f"{number}\t{text}\n" for number, text in rows)


LONG = """
import resource, sys
from framefox_tasks.model import Target
from framefox_tasks.databases.rows import Field, Kind, Name, Side
from framefox_tasks.databases.sqlite.read import open_source

table = Side(Name("t"), (Field("id", "integer", Kind.INTEGER), Field("note", "text", Kind.TEXT)))
with open_source(Target(sys.argv[1])) as source, source.reader() as reader:
    for block in reader.lines(table):
        assert len(block) < 1_000_000
# Not ru_maxrss of this process: that has what the one which started it took.
(own,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(int(own) // 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def test_all_processes_together_take_little_memory(target: Target) -> None:
    execute(target, "UPDATE t SET note = hex(zeroblob(500)) WHERE id % 2")
    command = [sys.executable, "-c", LONG, f"sqlite:///{target.file}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    own, child = map(int, said.split())
    assert child > 0
    assert own + COUNT * child < 250
