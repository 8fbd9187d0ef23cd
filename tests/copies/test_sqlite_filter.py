"""A part of a SQLite database, or a masked one, is made of a copy of its pages; nothing else is left in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from framefox_tasks.databases.sqlite.backup import snapshot
from framefox_tasks.databases.sqlite.filter import Filtering
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Project, Target

SCRIPT = """
CREATE TABLE customer (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE, upper TEXT AS (upper(email)) STORED);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INT REFERENCES customer, note TEXT);
CREATE TABLE line (a INT, b INT, text TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE log (rowid TEXT, what TEXT);
CREATE INDEX by_email ON customer (lower(email));
CREATE INDEX by_what ON log (what);
CREATE VIEW spent AS SELECT * FROM purchase;
CREATE VIEW logged AS SELECT what FROM log;
CREATE VIEW twice AS SELECT * FROM logged;
CREATE VIRTUAL TABLE words USING fts5(text);
INSERT INTO customer (id, email) VALUES (1, 'ann@secret.test'), (2, 'bob@secret.test'), (3, NULL);
INSERT INTO purchase VALUES (1, 1, 'kept'), (2, 2, 'UNWANTED'), (3, 3, 'kept'), (4, NULL, 'UNWANTED');
INSERT INTO line VALUES (1, 1, 'kept'), (1, 2, 'UNWANTED'), (2, 1, 'UNWANTED');
INSERT INTO log VALUES ('x', 'UNWANTED');
INSERT INTO words VALUES ('fox');
CREATE TRIGGER noted AFTER UPDATE ON customer BEGIN INSERT INTO log VALUES ('x', old.email); END;
CREATE TRIGGER gone AFTER DELETE ON purchase BEGIN INSERT INTO purchase VALUES (99, NULL, old.note); END;
ANALYZE;
"""


def filtered(folder: Path, change: Callable[[Filtering], object], mode: str = "DELETE") -> list[str]:
    """A copy at copy.db; gives what there was to tell."""
    (folder / "app.db").unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / "app.db")) as connection:
        connection.executescript(f"PRAGMA journal_mode = {mode}; {SCRIPT}")
    project = Project(folder)
    with (
        snapshot(Target("sqlite:///app.db", project)) as snap,
        Staging(Target("sqlite:///copy.db", project)) as staging,
    ):
        snap.backup(staging.connection)
        with Filtering(staging) as filtering:
            change(filtering)
        staging.put()
    return filtering.notes


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "copy.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(query).fetchall()


def names(folder: Path) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'words_%'"
    return {row[0] for row in rows(folder, query)}


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_rows_that_do_not_meet_a_condition_leave_no_trace(tmp_path: Path, mode: str) -> None:
    where = {
        "purchase": "EXISTS (SELECT 1 FROM line WHERE line.a = purchase.id AND b = 2) OR customer_id = 3 -- kept",
        "line": "a = 1 AND b = 1",
        "log": "1 = 0",
    }
    assert filtered(tmp_path, lambda filtering: filtering.delete(where), mode) == []
    assert rows(tmp_path, "SELECT * FROM purchase") == [(1, 1, "kept"), (3, 3, "kept")]
    assert rows(tmp_path, "SELECT * FROM line") == [(1, 1, "kept")]
    assert rows(tmp_path, "SELECT * FROM log") == []
    assert b"UNWANTED" not in (tmp_path / "copy.db").read_bytes()
    assert {"noted", "gone", "by_what", "twice"} <= names(tmp_path)
    assert rows(tmp_path, "PRAGMA journal_mode") == [(mode.lower(),)]
    assert {path.name for path in tmp_path.iterdir() if "copy" in path.name} <= {
        "copy.db",
        "copy.db-wal",
        "copy.db-shm",
    }


def test_tables_that_are_not_chosen_go_with_what_uses_them(tmp_path: Path) -> None:
    left_out = ("log", "words", "purchase")
    notes = filtered(tmp_path, lambda filtering: filtering.keep(lambda name: name.name not in left_out))
    assert names(tmp_path) == {"customer", "line", "by_email"}
    assert notes == [
        "view spent is left out: it uses a table that is not copied",
        "view logged is left out: it uses a table that is not copied",
        "view twice is left out: it uses a table that is not copied",
        "trigger noted of customer is left out: it uses a table that is not copied",
    ]
    assert b"UNWANTED" in (tmp_path / "copy.db").read_bytes()  # in line, which is kept
    assert b"kept'" not in (tmp_path / "copy.db").read_bytes()


def test_masked_values_leave_no_trace_and_meet_their_keys(tmp_path: Path) -> None:
    def mask(filtering: Filtering) -> None:
        filtering.mask("customer", {"email": lambda value: None if value is None else f"user{value[0]}", "id": _more})
        filtering.mask("purchase", {"customer_id": _more})

    notes = filtered(tmp_path, mask)
    assert rows(tmp_path, "SELECT * FROM customer") == [
        (1001, "usera", "USERA"),
        (1002, "userb", "USERB"),
        (1003, None, None),
    ]
    assert rows(tmp_path, "SELECT customer_id FROM purchase") == [(1001,), (1002,), (1003,), (None,)]
    assert rows(tmp_path, "SELECT what FROM log") == [("UNWANTED",)]
    assert b"secret.test" not in (tmp_path / "copy.db").read_bytes()
    assert notes == ["the virtual table words is not masked, and may hold what was"]


def _more(value: Any) -> Any:
    return None if value is None else value + 1000


def test_statements_are_repeated_until_nothing_changes(tmp_path: Path) -> None:
    chain = "DELETE FROM purchase WHERE id > 1 AND id = (SELECT max(id) FROM purchase)"
    filtered(tmp_path, lambda filtering: filtering.prune([chain, "DELETE FROM line WHERE a = 2"]))
    assert rows(tmp_path, "SELECT id FROM purchase") == [(1,)]
    assert rows(tmp_path, "SELECT count(*) FROM line") == [(2,)]


WRONG: list[tuple[Callable[[Filtering], object], type[Exception], str]] = [
    (lambda filtering: filtering.delete({"line": "nope = 1"}), CopyError, "condition of line cannot be used"),
    (lambda filtering: filtering.mask("customer", {"email": lambda _: "one"}), CopyError, "masks of customer"),
    (lambda filtering: filtering.mask("customer", {"email": abs}), TypeError, "bad operand"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG)
def test_what_cannot_be_done_is_told_and_the_target_is_not_made(
    tmp_path: Path, change: Callable[[Filtering], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        filtered(tmp_path, change)
    assert {path.name for path in tmp_path.iterdir()} == {"app.db"}
