"""Rows that the copy cannot hold: left out, each written with what is wrong, and what refers to them goes too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, MakeDatabase
from support.projects import MiniProject

from framefox_tasks.databases.rows import BadRowError
from framefox_tasks.model import CopyOptions

SKIP = CopyOptions(on_bad_row="skip", verify=True)
SOURCE = (
    "CREATE TABLE t (id integer PRIMARY KEY, d date, note text)",
    "CREATE TABLE child (id integer PRIMARY KEY, t_id integer, FOREIGN KEY (t_id) REFERENCES t (id))",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
    "INSERT INTO t SELECT i, '2026-01-02', 'a line that is long enough to make more than one block ' || i FROM n",
    "UPDATE t SET d = 'soon' WHERE id IN (2, 1999, 3000)",
    "INSERT INTO child SELECT id, id FROM t",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the rows that are left out are written."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.server
@pytest.mark.parametrize("onto", ["postgresql", "mysql"])
def test_rows_that_the_source_cannot_tell_are_left_out(make_database: MakeDatabase, onto: str) -> None:
    source, target = made(make_database("sqlite"), *SOURCE), make_database(onto, "copy")
    with pytest.raises(BadRowError):
        copy(target_of(source), target_of(target))
    result = copy(target_of(source), target_of(target), options=SKIP)
    assert result.rejected == (("t", 3),)
    assert target.execute("SELECT count(*) FROM t") == [(2997,)]
    assert target.execute("SELECT count(*) FROM child") == [(2997,)]
    assert result.rejects is not None
    found = [json.loads(line) for line in result.rejects.read_text().splitlines()]
    assert [one["key"] for one in found] == ["id=2", "id=1999", "id=3000"]
    assert {(one["table"], one["column"], one["reason"]) for one in found} == {("t", "d", "'soon' in d is no date")}
    assert result.rejects.stat().st_mode & 0o777 == 0o600


BAD = {
    "postgresql": ("CREATE TABLE t (id integer PRIMARY KEY, d date, s text)", "'infinity'", "'2026-01-01'"),
    "mysql": ("CREATE TABLE t (id int PRIMARY KEY, d date, s text)", "'0000-00-00'", "'2026-01-01'"),
}


@pytest.mark.server
@pytest.mark.parametrize(("kind", "onto"), [(kind, onto) for kind in BAD for onto in DIALECTS if kind != onto])
def test_rows_that_the_target_refuses_are_left_out(make_database: MakeDatabase, kind: str, onto: str) -> None:
    table, bad, good = BAD[kind]
    rows = ", ".join(f"({n}, {bad if n in (1, 40, 41, 99) else good}, 'x')" for n in range(1, 100))
    source, target = made(make_database(kind), table, f"INSERT INTO t VALUES {rows}"), make_database(onto, "copy")
    result = copy(target_of(source), target_of(target), options=SKIP)
    assert (result.rejected, result.rows) == ((("t", 4),), 95)
    assert sorted(row[0] for row in target.execute("SELECT id FROM t")) == [
        n for n in range(1, 100) if n not in (1, 40, 41, 99)
    ]
    assert result.rejects is not None
    found = [json.loads(line) for line in result.rejects.read_text().splitlines()]
    assert [one["row"]["id"] for one in found] == ["1", "40", "41", "99"]
    assert {one["column"] for one in found} == {"d"}
    # Into tables that are there, in their one transaction.
    again = CopyOptions(on_bad_row="skip", data_only=True, overwrite=True)
    assert copy(target_of(source), target_of(target), options=again).rows == 95


def test_a_copy_with_rejected_rows_has_an_exit_code_of_its_own(shop: MiniProject) -> None:
    import sqlite3

    with sqlite3.connect(shop.path / "from.db") as source:
        source.executescript(
            "CREATE TABLE t (id integer PRIMARY KEY, n integer); INSERT INTO t VALUES (1, 'x'), (2, 3);"
        )
    with sqlite3.connect(shop.path / "to.db") as target:
        target.execute("CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n > 0))")
    options = ["--from=sqlite:///from.db", "--to=sqlite:///to.db", "--data-only", "--on-bad-row=skip"]
    done = shop.doit("database_copy", *options, "--rejects=bad.jsonl")
    assert done.code == 4
    assert "Left out: 1 row (1 of t), written to bad.jsonl" in done.all
    assert json.loads(Path(shop.path / "bad.jsonl").read_text())["key"] == "id=1"
