"""A SQLite database at one point of time: copied by SQLite's backup API, counted and compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from framefox_tasks.dialects import dialect_of
from framefox_tasks.dialects.sqlite import missing
from framefox_tasks.errors import VerificationError
from framefox_tasks.model import Target

_PAGES = 8192
"""How many pages are copied between two calls that tell how far it is."""
_MAPPED = 64 << 20
"""Bytes of each file that are mapped: to count, a look at the first bytes of a page is enough. They count as memory."""
_TABLES = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND sql NOT LIKE 'CREATE VIRTUAL TABLE%' ORDER BY rowid"
)


@dataclass(frozen=True)
class Snapshot:
    """A connection that sees the source as it was when it was opened."""

    target: Target
    connection: sqlite3.Connection

    def tables(self) -> list[str]:
        """The names of the tables that hold rows; the tables of a virtual table are among them."""
        return [name for name, _ in self.connection.execute(_TABLES)]

    def count(self, table: str, connection: sqlite3.Connection | None = None) -> int:
        """How many rows a table has; in another database if one is given."""
        chosen = connection or self.connection
        count: int = chosen.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0]  # noqa: S608 - quoted
        return count

    def backup(self, copy: sqlite3.Connection, note: Callable[[int, int], None] | None = None) -> None:
        """Copy every page; `note` gets how many of how many are done."""

        def told(_: int, remaining: int, total: int) -> None:
            if note:
                note(total - remaining, total)

        self.connection.backup(copy, pages=_PAGES, progress=told)
        copy.execute(f"PRAGMA mmap_size = {_MAPPED}")

    def compare(self, table: str, copy: sqlite3.Connection) -> None:
        """See that two databases hold the same rows, value by value.

        Raises:
            VerificationError: They do not; names the first row that differs.
        """
        key = self._key(table)
        order = ", ".join(key)
        statement = f"SELECT {order}, * FROM {_quoted(table)} ORDER BY {order}"  # noqa: S608 - quoted
        for ours, theirs in zip_longest(self._rows(self.connection, statement), self._rows(copy, statement)):
            if ours != theirs or list(map(type, ours)) != list(map(type, theirs)):
                row = ", ".join(f"{name}={value!r}" for name, value in zip(key, ours or theirs, strict=False))
                raise VerificationError(
                    f"The copy differs from {self.target.label}: table {table}, {row}.",
                    hint="Check the disk that the copy is on, and copy again.",
                )

    def _rows(self, connection: sqlite3.Connection, statement: str) -> Iterator[tuple[Any, ...]]:
        factory = connection.text_factory
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        try:
            yield from connection.execute(statement)
        finally:
            connection.text_factory = factory

    def _key(self, table: str) -> list[str]:
        """The columns of the primary key, quoted; rowid where there is none."""
        rows = self.connection.execute("SELECT name, pk FROM pragma_table_info(?) WHERE pk > 0", (table,))
        names = [_quoted(name) for name, _ in sorted(rows, key=lambda row: row[1])]
        return names or ["rowid"]


@contextmanager
def snapshot(target: Target) -> Iterator[Snapshot]:
    """Read a database at one point of time. Others go on reading; in WAL mode they go on writing, else they wait.

    Raises:
        DatabaseNotFoundError: It is not there.
        NotADatabaseError: The file is no SQLite database, or is damaged.
        DatabaseInUseError: Somebody has locked it for longer than 5 seconds.
    """
    if not dialect_of(target).exists(target):
        raise missing(target)
    try:
        # Not "ro": a journal that a crash has left must be rolled back before anything can be read.
        with closing(_connect(target)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the transaction begins with the first read
            yield Snapshot(target, connection)
    except sqlite3.Error as exc:
        raise dialect_of(target).translate(exc, target) from exc


def _connect(target: Target) -> sqlite3.Connection:
    return sqlite3.connect(f"{target.file.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
