"""Putting lines into the tables of a SQLite database."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from typing import NoReturn

from framefox_tasks.databases.rows import BadRowError, Field, KeyTotals, Name, Side, Statement
from framefox_tasks.databases.sqlite.decode import Parse, Texts, parse_of
from framefox_tasks.databases.sqlite.encode import NULL, BadCellError
from framefox_tasks.databases.sqlite.errors import Meant, translated
from framefox_tasks.databases.sqlite.totals import key_totals
from framefox_tasks.databases.sqlite.types import named
from framefox_tasks.errors import CopyError

_ROW_CODES = (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG)
_POINT = ("SAVEPOINT rows_of_copy", "ROLLBACK TO rows_of_copy", "RELEASE rows_of_copy")
_OWN_KEY = (
    "SELECT name FROM pragma_table_info(:table) WHERE pk AND lower(type) = 'integer' "
    "AND (SELECT count(*) FROM pragma_table_info(:table) WHERE pk) = 1"
)


class SQLiteLoader:
    """Writes by a connection. For one thread at a time.

    Args:
        connection: In autocommit mode, or in the transaction that holds everything.
        meant: What an error in writing means.
        atomic: Whether a statement that fails leaves nothing behind; else one that may fail is run so that it does not.
    """

    def __init__(self, connection: sqlite3.Connection, meant: Meant, *, atomic: bool) -> None:
        self._connection = connection
        self._meant = meant
        self._atomic = atomic
        self._undoes = False

    def execute(self, statement: Statement) -> str | None:
        """Run a statement; see the protocol."""
        guarded = statement.optional and not self._atomic
        if guarded:
            self._connection.execute("PRAGMA journal_mode = MEMORY")
        try:
            for part in _parts(statement.sql):
                self._connection.execute(part)
        except sqlite3.Error as exc:
            if _code(exc) not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT):
                raise self._meant(exc) from exc
            if statement.optional:
                return str(exc)
            message = f"{statement.about or 'A statement'} cannot be made: {exc}."
            raise CopyError(message, hint=f"The statement was: {statement.sql}") from exc
        finally:
            if guarded:
                self._connection.execute("PRAGMA journal_mode = OFF")
        return None

    def change(self, sql: str) -> int:
        """Run an UPDATE or DELETE; how many rows it changed."""
        with translated(self._meant):
            return self._connection.execute(sql).rowcount

    def clear(self, table: Name) -> None:
        """Delete all rows of a table."""
        self.change(f"DELETE FROM {named(table.name)}")  # noqa: S608 - quoted

    def take_as_is(self) -> None:
        """Whatever a database of this kind holds is taken."""

    def undo_failures(self) -> None:
        """Keep a journal, which a database that is thrown away if anything fails has none of."""
        if not self._atomic:
            self._connection.execute("PRAGMA journal_mode = MEMORY")
        self._undoes = True

    def load(self, table: Side, blocks: Iterable[bytes]) -> int:
        """Put lines into a table; see the protocol."""
        begun = not self._connection.in_transaction
        before = self._connection.total_changes
        start, undo, end = ("BEGIN", "ROLLBACK", "COMMIT") if begun else _POINT if self._undoes else ("", "", "")
        try:
            self._connection.execute(start)
            self._insert(table, blocks)
            self._connection.execute(end)
        except BaseException as exc:
            with suppress(sqlite3.Error):  # the first error is the one to tell
                self._connection.execute(undo)
            if isinstance(exc, sqlite3.Error):
                raise self._meant(exc) from exc
            raise
        return self._connection.total_changes - before

    def _insert(self, table: Side, blocks: Iterable[bytes]) -> None:
        own = {name for (name,) in self._connection.execute(_OWN_KEY, {"table": table.name.name})}
        parses = [_never_null(field) if field.name in own else parse_of(field) for field in table.fields]
        names = ", ".join(named(field.name) for field in table.fields)
        marks = ", ".join("?" * len(table.fields))
        insert = f"INSERT INTO {named(table.name.name)} ({names}) VALUES ({marks})"  # noqa: S608 - quoted
        done = 0
        for block in blocks:
            before = self._connection.total_changes
            try:
                self._connection.executemany(insert, zip(*_columns(block, parses), strict=True))
            except BadCellError as exc:
                raise BadRowError(str(table.name), str(exc), number=done + exc.index + 1) from exc
            except sqlite3.Error as exc:
                if _code(exc) not in _ROW_CODES:
                    raise
                number = done + self._connection.total_changes - before + 1
                raise BadRowError(str(table.name), str(exc), number=number) from exc
            done += block.count(b"\n")

    def load_raw(self, table: Side, blocks: Iterable[bytes]) -> NoReturn:
        """Not called: Reader.raw gives None."""
        raise NotImplementedError(f"SQLite has no other form of the rows of {table.name}.")

    def count(self, table: Name) -> int:
        """How many rows a table has."""
        with translated(self._meant):
            found = self._connection.execute(f"SELECT count(*) FROM {named(table.name)}").fetchone()  # noqa: S608
        return int(found[0])

    def key_totals(self, table: Side, columns: Sequence[str]) -> KeyTotals:
        """The least, the greatest and the sum of columns; see the protocol."""
        with translated(self._meant):
            return key_totals(self._connection, table, columns)

    def cancel(self) -> None:
        """End what another thread waits for here."""
        self._connection.interrupt()


def _never_null(field: Field) -> Parse:
    """Parses a column that is the table's rowid: SQLite gives a row without one a number of its own."""
    parse = parse_of(field)

    def parsed(texts: Texts) -> Iterable[object]:
        if NULL in texts:
            raise BadCellError(texts.index(NULL), None, f"NULL in {field.name} would become a number of SQLite's own")
        return parse(texts)

    return parsed


def _columns(block: bytes, parses: list[Parse]) -> list[Iterable[object]]:
    # One split for all lines takes half the time of one for each.
    fields = block[:-1].decode().replace("\n", "\t").split("\t")
    return [parse(fields[place :: len(parses)]) for place, parse in enumerate(parses)]


def _parts(sql: str) -> Generator[str]:
    """The statements of a text: a semicolon ends one where SQLite says that it is complete."""
    part = ""
    for piece in sql.split(";"):
        part = f"{part};{piece}" if part else piece
        if sqlite3.complete_statement(f"{part};"):
            if part.strip():
                yield part
            part = ""
    if part.strip():
        yield part


def _code(exc: sqlite3.Error) -> int:
    return getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
