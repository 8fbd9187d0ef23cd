"""A file of tests, made again as it was after each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from framefox_tasks.databases.rows import quoted
from framefox_tasks.databases.scratch import filled
from framefox_tasks.databases.verbs import Reset
from framefox_tasks.model import Target

_BUSY = 0.5  # seconds to wait for a transaction that a test has left open
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_NOT_PLAIN = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' OR sql LIKE 'CREATE VIRTUAL TABLE%' LIMIT 1"
_OFF = (
    *("foreign_keys", "recursive_triggers", "query_only", "ignore_check_constraints", "legacy_alter_table"),
    *("read_uncommitted", "reverse_unordered_selects"),
)
_HEADER = ("schema_version", "user_version", "application_id", "journal_mode")


@contextmanager
def resetting(target: Target) -> Iterator[Reset]:
    """What empties the tables, or copies the whole file where that does not make it as it was."""
    with (
        closing(sqlite3.connect(target.file, isolation_level=None, timeout=_BUSY)) as connection,
        closing(sqlite3.connect(":memory:")) as pristine,
    ):
        for setting in ("synchronous = OFF", "journal_mode = MEMORY"):  # no test outlives the machine
            connection.execute(f"PRAGMA {setting}")
        pristine.deserialize(connection.serialize())
        yield _Reset(target.file, connection, pristine).run


class _Reset:
    def __init__(self, file: Path, connection: sqlite3.Connection, pristine: sqlite3.Connection) -> None:
        self._file = file
        self._inode = file.stat().st_ino
        self._connection = connection
        self._pristine = pristine
        self._tables = [quoted(name, '"') for (name,) in pristine.execute(_TABLES)]
        self._plain = pristine.execute(_NOT_PLAIN).fetchone() is None
        queries = {name: f"SELECT * FROM {name}" for name in self._tables}  # noqa: S608 - quoted
        self._filled = {query: rows for query in queries.values() if (rows := pristine.execute(query).fetchall())}
        self._empty = [name for name, query in queries.items() if query not in self._filled]
        self._found = filled(self._empty)
        self._header = self._headers()
        self._version = self._data_version()

    def run(self) -> bool:
        """Make it as it was."""
        try:
            if self._file.stat().st_ino != self._inode:
                return False
            self._connection.execute("BEGIN IMMEDIATE")  # not while another connection has begun to write
            try:
                good = self._data_version() == self._version or (self._is_plain() and self._emptied())
            finally:
                self._connection.execute("COMMIT")
            if not good:
                self._copy()
        except (OSError, sqlite3.Error):  # a file that is gone, or a transaction that is still open
            return False
        self._version = self._data_version()
        return True

    def _headers(self) -> list[Any]:
        return [self._connection.execute(f"PRAGMA {name}").fetchone() for name in _HEADER]

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _is_plain(self) -> bool:
        return self._plain and self._headers() == self._header

    def _emptied(self) -> bool:
        """Delete the rows of tables that had none; whether all the others are as they were."""
        for (number,) in self._connection.execute(self._found).fetchall() if self._found else ():
            self._connection.execute(f"DELETE FROM {self._empty[number]}")  # noqa: S608 - quoted
        return all(self._connection.execute(query).fetchall() == rows for query, rows in self._filled.items())

    def _copy(self) -> None:
        """By SQLite itself, which lets other connections know of it; but for what is in the header of the file."""
        for name, (value,) in zip(_HEADER[1:], self._header[1:], strict=True):
            self._connection.execute(f"PRAGMA {name} = {value}")
        self._pristine.backup(self._connection)
        self._header = self._headers()


def as_new(connection: Any) -> bool:
    """Without its settings; False where it has temporary tables or another database beside its own."""
    try:
        connection.rollback()
        names = {row[1] for row in connection.execute("PRAGMA database_list").fetchall()}
        if names - {"main", "temp"}:
            return False
        if "temp" in names and connection.execute("SELECT 1 FROM temp.sqlite_master").fetchone():
            return False
        for setting in _OFF:
            connection.execute(f"PRAGMA {setting} = OFF")
    except sqlite3.Error:
        return False
    connection.row_factory, connection.text_factory, connection.isolation_level = None, str, ""
    connection.set_trace_callback(None)
    connection.set_authorizer(None)
    return True
