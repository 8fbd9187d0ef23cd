"""Reading a SQLite database at one point of time, and telling its rows as lines."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from sys import getsizeof
from typing import Any

from framefox_tasks.dialects import dialect_of
from framefox_tasks.errors import CopyError, FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.operations.copy._model import BadRowError, Name, Schema, Side
from framefox_tasks.operations.copy._sqlite._cells import BadCellError, column_of
from framefox_tasks.operations.copy._sqlite._keys import Keys
from framefox_tasks.operations.copy._sqlite._odd import shown
from framefox_tasks.operations.copy._sqlite._sorting import sorted_by
from framefox_tasks.operations.copy._sqlite._types import named
from framefox_tasks.operations.copy._sqlite._whole import snapshot
from framefox_tasks.operations.copy._sqlite._workers import Watch, Workers, start, watching

_BLOCK = 256 * 1024
_ROWS = 512
"""How many rows are fetched at a time: so many that their cells stay in the processor's cache."""
_LONG = 100_000
"""Bytes of a row, or of a cell, that is so long that rows are fetched one at a time from there on."""

_LARGE = 100_000
"""Rows of a table for which it pays to start processes."""

_Rows = list[tuple[Any, ...]]


class SQLiteReader:
    """Reads by a connection. For one thread at a time."""

    def __init__(self, target: Target, connection: sqlite3.Connection, watch: Watch | None = None) -> None:
        self._target = target
        self._connection = connection
        self._watch = watch
        self._workers: Workers | None = None

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes]:
        """Blocks of lines; see the protocol. Those of a large table are made by processes of their own."""
        if where or order or not self._is_large(table):
            yield from self._blocks(table, self._query(table, where, order), where)
            return
        workers = self._shared(table)
        if workers is None:
            yield from self.part(table)
            return
        with workers:
            yield from workers.blocks()

    def part(self, table: Side, condition: str = "") -> Generator[bytes]:
        """Blocks of lines in the order of the table's numbers."""
        query = f"{self._query(table, condition, ())} ORDER BY {self.rowid(table)}"
        yield from self._blocks(table, query, "")

    def rowid(self, table: Side) -> str:
        """What the number of a row goes by; empty where there is none."""
        with self._errors(table, ""):
            name = Keys(self._connection, table.name).rowid()
        return f"{_name(table.name)}.{name}" if name else ""

    def _is_large(self, table: Side) -> bool:
        """Whether a table has so many rows that they are read by their numbers, and if possible by workers."""
        rowid = self.rowid(table)
        if not rowid or not table.fields:
            return False
        with self._errors(table, ""):
            query = f"SELECT 1 FROM {_name(table.name)} ORDER BY {rowid} LIMIT 1 OFFSET {_LARGE}"  # noqa: S608 - quoted
            return self._connection.execute(query).fetchone() is not None

    def _shared(self, table: Side) -> Workers | None:
        """Workers that see what this connection does; None where that is not certain."""
        if self._watch is None:
            return None
        workers = self._workers = start(self._target, table)
        if workers and not (workers.are_ready() and self._watch.is_quiet()):
            workers.close()
            return None
        return workers

    def _blocks(self, table: Side, query: str, where: str) -> Generator[bytes]:
        columns = [column_of(field) for field in table.fields]
        done = 0
        block: list[bytes] = []
        size = 0
        with self._errors(table, where):
            for rows in self._fetched(query):
                try:
                    texts = [column(cells) for column, cells in zip(columns, zip(*rows, strict=True), strict=True)]
                    lines = "\n".join(map("\t".join, zip(*texts, strict=True))).encode()
                except BadCellError as exc:
                    raise self._bad(table, query, done + exc.index, str(exc)) from exc
                except UnicodeEncodeError as exc:
                    raise self._not_text(table, query, done, rows) from exc
                done += len(rows)
                block += (lines, b"\n")
                size += len(lines)
                if size >= _BLOCK:
                    yield b"".join(block)
                    block, size = [], 0
        if block:
            yield b"".join(block)

    def raw(self, table: Side, *, where: str = "") -> Generator[tuple[bytes, int]] | None:  # noqa: ARG002
        """Nothing is faster than lines."""
        return None

    def count(self, table: Name, *, where: str = "") -> int:
        """How many rows a table has."""
        condition = f" WHERE ({where}\n)" if where else ""
        with self._errors(table, where):
            found = self._connection.execute(f"SELECT count(*) FROM {_name(table)}{condition}").fetchone()  # noqa: S608
        return int(found[0])

    def cancel(self) -> None:
        """End what another thread waits for here."""
        self._connection.interrupt()
        if workers := self._workers:
            workers.kill()

    def _query(self, table: Side, where: str, order: Sequence[str]) -> str:
        if not table.fields:
            raise CopyError(f"{table.name} has no columns to copy.")
        # With the table's name: SQLite takes an unknown name in double quotes for a text.
        owner = _name(table.name)
        columns = ", ".join(f"{owner}.{named(field.name)}" for field in table.fields)
        fields = {field.name: field for field in table.fields}
        keys = ", ".join(sorted_by(self._connection, owner, fields[name]) for name in order)
        condition = f" WHERE ({where}\n)" if where else ""
        return f"SELECT {columns} FROM {owner}{condition}{f' ORDER BY {keys}' if keys else ''}"  # noqa: S608

    def _fetched(self, query: str) -> Iterator[_Rows]:
        """Some rows at a time: many, until one is long or holds what is no text."""
        done = 0
        try:
            with closing(self._connection.execute(query)) as cursor:
                while rows := self._many(cursor):
                    yield rows
                    done += len(rows)
                return
        except (sqlite3.DataError, sqlite3.OperationalError) as exc:
            if not _needs_care(exc):
                raise
        with closing(self._connection.execute(query)) as cursor:
            remaining = islice(cursor, done, None)
            while rows := self._few(remaining):
                yield rows

    def _many(self, cursor: sqlite3.Cursor) -> _Rows:
        before = self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONG)
        try:
            return cursor.fetchmany(_ROWS)
        finally:
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)

    def _few(self, cursor: Iterator[tuple[Any, ...]]) -> _Rows:
        """Rows of no more than about _LONG bytes together, or one; what is no UTF-8 becomes lone surrogates."""
        rows: _Rows = []
        size = 0
        with _tolerant(self._connection):
            for row in cursor:
                rows.append(row)
                size += sum(map(getsizeof, row))
                if size >= _LONG or len(rows) == _ROWS:
                    break
        return rows

    def _bad(self, table: Side, query: str, place: int, reason: str) -> BadRowError:
        keys = Keys(self._connection, table.name)
        with _tolerant(self._connection):
            return BadRowError(str(table.name), reason, row=keys.told(query, place))

    def _not_text(self, table: Side, query: str, done: int, rows: _Rows) -> BadRowError:
        for place, row in enumerate(rows):
            for field, cell in zip(table.fields, row, strict=True):
                if isinstance(cell, str) and _undecodable(cell):
                    bad = shown(cell.encode("utf-8", "surrogateescape"))
                    return self._bad(table, query, done + place, f"{bad} in {field.name} is no valid UTF-8")
        raise AssertionError("no cell of these rows is undecodable")

    @contextmanager
    def _errors(self, table: object, where: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning) as exc:
            raise self._meant(exc, table, where) from exc

    def _meant(self, exc: Exception, table: object, where: str) -> FramefoxTasksError:
        code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            return CopyError(f"Reading {self._target.label} was ended.")
        if where and code == sqlite3.SQLITE_ERROR:
            name = table.name if isinstance(table, Side) else table
            return CopyError(
                f"The condition of {name} cannot be used on {self._target.label}: {exc}.",
                hint="Correct it; behind WHERE stands: " + where.replace("\n)", ")"),
            )
        return dialect_of(self._target).translate(exc, self._target)


class SQLiteSource:
    """A SQLite database at one point of time.

    There is one connection, and so one reader at a time. Others would see the same only by luck in WAL mode, where each
    sees what was committed when it began; and outside of it a reader that comes while a writer waits for the first one
    waits for that writer. Where a watch is sure that neither happened, processes share the rows of a large table.
    """

    most_readers = 1

    def __init__(self, target: Target, connection: sqlite3.Connection, watch: Watch | None) -> None:
        self.target = target
        self._connection = connection
        self._watch = watch

    @contextmanager
    def reader(self) -> Iterator[SQLiteReader]:
        """The connection, for whatever thread."""
        yield SQLiteReader(self.target, self._connection, self._watch)

    def check(self) -> None:
        """What reads holds the snapshot."""

    def schema(self, tables: Callable[[Name], bool] | None = None) -> Schema:
        """All that a copy in SQLite needs; see the protocol."""
        from framefox_tasks.operations.copy._sqlite._schema import read_schema

        try:
            return read_schema(self._connection, tables)
        except sqlite3.Error as exc:
            raise dialect_of(self.target).translate(exc, self.target) from exc


@contextmanager
def open_source(target: Target) -> Iterator[SQLiteSource]:
    """Read a SQLite database at one point of time.

    Raises:
        See snapshot().
    """
    with watching(target) as watch, snapshot(target) as found:
        # What is mapped counts as the process's memory, and gains little where each row is turned into text.
        found.connection.execute("PRAGMA mmap_size = 0")
        yield SQLiteSource(target, found.connection, watch)


def _needs_care(exc: sqlite3.Error) -> bool:
    # Python's own error for a text that is no UTF-8 has no code.
    return getattr(exc, "sqlite_errorcode", None) in (None, sqlite3.SQLITE_TOOBIG)


@contextmanager
def _tolerant(connection: sqlite3.Connection) -> Iterator[None]:
    factory = connection.text_factory
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = factory


def _undecodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _name(table: Name) -> str:
    return table.quoted('"')
