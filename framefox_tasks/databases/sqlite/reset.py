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
_HEADER = ("schema_version", "user_version", "application_id", "journal_mode")


@contextmanager
def resetting(target: Target) -> Iterator[Reset]:
    """What empties the tables, or copies the whole file where that does not make it as it was."""
    with (
        closing(sqlite3.connect(target.file, isolation_level=None, timeout=_BUSY)) as connection,
        closing(sqlite3.connect(":memory:")) as pristine,
    ):
        connection.execute("PRAGMA synchronous = OFF")  # no test outlives the machine
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
            self._connection.execute("ROLLBACK")
            if self._data_version() == self._version:  # no other connection has written
                return True
            if not (self._plain and self._headers() == self._header and self._emptied()):
                self._copy()
        except (OSError, sqlite3.Error):  # a file that is gone, or a transaction that is still open
            return False
        self._header, self._version = self._headers(), self._data_version()
        return True

    def _headers(self) -> list[Any]:
        return [self._connection.execute(f"PRAGMA {name}").fetchone() for name in _HEADER]

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _emptied(self) -> bool:
        """Delete the rows of tables that had none; whether all the others are as they were."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            found = self._connection.execute(self._found).fetchall() if self._found else []
            for (number,) in found:
                self._connection.execute(f"DELETE FROM {self._empty[number]}")  # noqa: S608 - quoted
        finally:
            self._connection.execute("COMMIT")
        return all(self._connection.execute(query).fetchall() == rows for query, rows in self._filled.items())

    def _copy(self) -> None:
        """By SQLite itself, which lets other connections know of it; it keeps a journal that was chosen, WAL."""
        self._connection.execute(f"PRAGMA journal_mode = {self._header[-1][0]}")
        self._pristine.backup(self._connection)
