"""Reading a SQLite database at one point of time, and telling its rows as lines."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from itertools import islice
from sys import getsizeof
from typing import Any

from framefox_tasks.databases.canonical import totals_of, totals_of_columns
from framefox_tasks.databases.checksum import Form, RowTotals
from framefox_tasks.databases.rows import BadRowError, CopySchema, KeyTotals, Name, Side, TablePlan, in_blocks
from framefox_tasks.databases.schema import Chosen, LiveSchema
from framefox_tasks.databases.sqlite.backup import snapshot, tolerant
from framefox_tasks.databases.sqlite.cell import shown
from framefox_tasks.databases.sqlite.encode import BadCellError, Column, columns_of, fields_of, lines_of
from framefox_tasks.databases.sqlite.errors import translated
from framefox_tasks.databases.sqlite.row_key import Keys
from framefox_tasks.databases.sqlite.sort import sorted_by
from framefox_tasks.databases.sqlite.totals import key_totals
from framefox_tasks.databases.sqlite.types import named
from framefox_tasks.databases.sqlite.verbs import VERBS
from framefox_tasks.databases.sqlite.worker import WorkerTable
from framefox_tasks.databases.sqlite.worker_pool import Watch, Workers, watching
from framefox_tasks.errors import CopyError, FramefoxTasksError
from framefox_tasks.model import Target

_ROWS = 512
"""How many rows are fetched at a time: so many that their cells stay in the processor's cache."""
_LONG = 100_000
"""Bytes of a row, or of a cell, that is so long that rows are fetched one at a time from there on."""

LARGE = 100_000
"""Rows of a table for which it pays to start processes."""
_PART = 2048
"""How many rows of such a table are asked for at a time: about a block of them."""
_LEAST = -(2**63)

_Rows = list[tuple[Any, ...]]


class SQLiteReader:
    """Reads by a connection. For one thread at a time."""

    def __init__(self, target: Target, connection: sqlite3.Connection, workers: Workers | None = None) -> None:
        self._target = target
        self._connection = connection
        self._workers = workers
        self._reject: Callable[[BadRowError], None] | None = None

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes]:
        """Blocks of lines; see the protocol. Those of a large table are made by processes of their own."""
        return self._written(table, where, order)

    def formed_lines(self, table: Side, forms: Sequence[Form], *, where: str = "") -> Generator[bytes]:
        """Blocks of lines with fields in forms; see WritesForms."""
        return self._written(table, where, forms=forms)

    def _written(
        self, table: Side, where: str = "", order: Sequence[str] = (), forms: Sequence[Form] = ()
    ) -> Generator[bytes]:
        query = self._query(table, where, order)
        rowid = "" if where or order else self._rowid(table)
        if not rowid or not self._is_large(table, rowid):
            return self._blocks(table, query, where, forms)
        workers = self._ready_workers(table)
        if not workers:
            return self._blocks(table, f"{query} ORDER BY {rowid}", forms=forms)
        asked = WorkerTable(str(table.name), query, f"ORDER BY {rowid}", table.fields, tuple(forms))
        rest = partial(self._blocks, table, forms=forms)
        return workers.blocks(asked, self._parts(table, rowid), rest)

    def _ready_workers(self, table: Side) -> Workers | None:
        """The processes that read a large table, where there are some."""
        if not self._workers or self._reject or self._computes(table):
            return None
        self._workers.start()
        return self._workers if self._workers.are_ready() else None

    def _rowid(self, table: Side) -> str:
        """What the number of a row goes by; empty where there is none."""
        with self._errors(table, ""):
            name = Keys(self._connection, table.name).rowid()
        return f"{_name(table.name)}.{name}" if name else ""

    def _is_large(self, table: Side, rowid: str) -> bool:
        """Whether a table has so many rows that they are read by their numbers, and if possible by workers."""
        return self._numbered(table, rowid, _LEAST, LARGE) is not None

    def _computes(self, table: Side) -> bool:
        """Whether a value is computed when it is read: another version of SQLite may come to another."""
        names = {field.name for field in table.fields}
        with self._errors(table, ""):
            query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 2"
            return any(name in names for (name,) in self._connection.execute(query, (table.name.name,)))

    def _numbered(self, table: Side, rowid: str, first: int, rows: int) -> int | None:
        """The number of the row that comes so many after the first with at least that number."""
        query = f"SELECT {rowid} FROM {_name(table.name)} WHERE {rowid} >= ? ORDER BY {rowid} LIMIT 1 OFFSET ?"  # noqa: S608
        with self._errors(table, ""):
            found = self._connection.execute(query, (first, rows)).fetchone()
        return int(found[0]) if found else None

    def _parts(self, table: Side, rowid: str) -> Iterator[str]:
        """Conditions for the parts of a table."""
        first = self._numbered(table, rowid, _LEAST, 0)
        while first is not None:
            following = self._numbered(table, rowid, first, _PART)
            yield f"{rowid} >= {first}" + (f" AND {rowid} < {following}" if following is not None else "")
            first = following

    def _blocks(self, table: Side, query: str, where: str = "", forms: Sequence[Form] = ()) -> Generator[bytes]:
        yield from in_blocks(self._lines(table, query, where, forms))

    def _lines(self, table: Side, query: str, where: str, forms: Sequence[Form]) -> Iterator[bytes]:
        columns = columns_of(table.fields, forms)
        done = 0
        with self._errors(table, where):
            for rows in self._fetched(query):
                try:
                    yield lines_of(columns, rows)
                except BadCellError as exc:
                    bad = self._bad(table, query, done + exc.index, str(exc))
                except UnicodeEncodeError:
                    bad = self._not_text(table, query, done, rows)
                else:
                    done += len(rows)
                    continue
                if self._reject is None:
                    raise bad
                yield from self._one_by_one(table, query, columns, rows, done)
                done += len(rows)

    def _one_by_one(self, table: Side, query: str, columns: list[Column], rows: _Rows, done: int) -> Iterator[bytes]:
        """The lines of rows some of which cannot be told; these are rejected."""
        for place, row in enumerate(rows):
            try:
                yield lines_of(columns, [row])
            except BadCellError as exc:
                self._rejected(self._bad(table, query, done + place, str(exc)))
            except UnicodeEncodeError:
                self._rejected(self._not_text(table, query, done + place, [row]))

    def _rejected(self, exc: BadRowError) -> None:
        if self._reject:
            self._reject(exc)

    def _totals(self, table: Side, query: str, where: str, forms: Sequence[Form]) -> RowTotals:
        columns = columns_of(table.fields)
        found = RowTotals(0, 0)
        with self._errors(table, where):
            try:
                for rows in self._fetched(query):
                    found += totals_of_columns(fields_of(columns, rows), forms)
            except BadCellError:
                return totals_of(self._blocks(table, query, where), forms)  # which tells the row
        return found

    def skip_bad_rows(self, reject: Callable[[BadRowError], None]) -> None:
        """See the protocol; no processes help then."""
        self._reject = reject

    def raw(self, table: Side, *, where: str = "") -> Generator[tuple[bytes, int]] | None:  # noqa: ARG002
        """Nothing is faster than lines."""
        return None

    def count(self, table: Name, *, where: str = "") -> int:
        """How many rows a table has."""
        condition = f" WHERE ({where}\n)" if where else ""
        with self._errors(table, where):
            found = self._connection.execute(f"SELECT count(*) FROM {_name(table)}{condition}").fetchone()  # noqa: S608
        return int(found[0])

    def key_totals(self, table: Side, columns: Sequence[str], *, where: str = "") -> KeyTotals:
        """The least, the greatest and the sum of columns; see the protocol."""
        with self._errors(table, where):
            return key_totals(self._connection, table, columns, where)

    def checksum(
        self,
        table: Side,
        forms: Sequence[Form],
        *,
        where: str = "",
        own: bool = False,  # noqa: ARG002 - no other is faster here
    ) -> RowTotals:
        """The checksum of all rows; that of a large table is computed by processes of their own."""
        rowid = "" if where else self._rowid(table)
        workers = self._ready_workers(table) if rowid and self._is_large(table, rowid) else None
        if not workers:
            return self._totals(table, self._query(table, where, ()), where, forms)
        query = self._query(table, "", ())
        asked = WorkerTable(str(table.name), query, f"ORDER BY {rowid}", table.fields, tuple(forms), lines=False)
        found: list[RowTotals] = []
        rest = partial(self._blocks, table)
        left = totals_of(workers.blocks(asked, self._parts(table, rowid), rest, found.append), forms)
        return sum(found, left)

    def cancel(self) -> None:
        """End what another thread waits for here."""
        self._connection.interrupt()
        if self._workers:
            self._workers.kill()

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
        with tolerant(self._connection):
            for row in cursor:
                rows.append(row)
                size += sum(map(getsizeof, row))
                if size >= _LONG or len(rows) == _ROWS:
                    break
        return rows

    def _bad(self, table: Side, query: str, place: int, reason: str) -> BadRowError:
        keys = Keys(self._connection, table.name)
        with tolerant(self._connection):
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
        return VERBS.translate(exc, self._target)


class SQLiteSource:
    """A SQLite database at one point of time.

    There is one connection, and so one reader at a time. Others would see the same only by luck in WAL mode, where each
    sees what was committed when it began; and outside of it a reader that comes while a writer waits for the first one
    waits for that writer. Where a watch is sure that neither happened, processes share the rows of a large table.
    """

    most_readers = 1

    def __init__(
        self, target: Target, connection: sqlite3.Connection, workers: Workers, watch: Watch | None = None
    ) -> None:
        self.target = target
        self._connection = connection
        self._workers = workers
        self._watch = watch

    @contextmanager
    def reader(self) -> Iterator[SQLiteReader]:
        """The connection, for whatever thread."""
        yield SQLiteReader(self.target, self._connection, self._workers)

    def expect(self, tables: Iterable[TablePlan]) -> None:
        """Start processes if a table is large; see the protocol."""
        if any(table.rows and table.rows > LARGE for table in tables):
            self._workers.start()

    def check(self) -> None:
        """What reads holds the snapshot."""

    def inspect(
        self,
        chosen: Chosen = None,
        *,
        digits: int | None = None,  # noqa: ARG002 - its cells tell
    ) -> AbstractContextManager[Callable[[], LiveSchema]]:
        """What is declared and what the cells hold, read meanwhile since nothing but all cells tells it."""
        from framefox_tasks.databases.sqlite.inspect import finding

        return finding(self.target, self._connection, self._watch, chosen)

    def schema(self, tables: Callable[[Name], bool] | None = None) -> CopySchema:
        """All that a copy in SQLite needs; see the protocol."""
        from framefox_tasks.databases.sqlite.ddl import read_schema

        with translated(lambda exc: VERBS.translate(exc, self.target)):
            return read_schema(self._connection, tables)


@contextmanager
def open_source(target: Target) -> Iterator[SQLiteSource]:
    """Read a SQLite database at one point of time.

    Raises:
        See snapshot().
    """
    with watching(target) as watch, snapshot(target) as found, Workers(target, watch) as workers:
        # What is mapped counts as the process's memory, and gains little where each row is turned into text.
        found.connection.execute("PRAGMA mmap_size = 0")
        yield SQLiteSource(target, found.connection, workers, watch)


def _needs_care(exc: sqlite3.Error) -> bool:
    # Python's own error for a text that is no UTF-8 has no code.
    return getattr(exc, "sqlite_errorcode", None) in (None, sqlite3.SQLITE_TOOBIG)


def _undecodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _name(table: Name) -> str:
    return table.quoted('"')
