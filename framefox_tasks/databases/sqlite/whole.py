"""A SQLite database copied page by page to another file, and made smaller there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from framefox_tasks.databases.rows import CopySchema, Name, Subset, TablePlan, quoted
from framefox_tasks.databases.sqlite.backup import FileSnapshot, Function, snapshot, tolerant
from framefox_tasks.databases.sqlite.errors import translated
from framefox_tasks.databases.sqlite.pages import are_same
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.databases.sqlite.verbs import PROTECTED
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

_NUMBERS = ("user_version", "application_id")


_MADE = """SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name = ? COLLATE NOCASE
    AND (type = 'table' OR (type = 'index' AND sql LIKE 'CREATE UNIQUE%')) ORDER BY type DESC"""


class FileCopy:
    """See the protocol WholeCopy."""

    how = "page by page into a file beside it, and renamed"

    def __init__(self, snap: FileSnapshot, target: Target) -> None:
        self._snap = snap
        self._staging = Staging(target, snap.target)

    def check(self, *, overwrite: bool) -> None:
        """See that the target may be replaced."""
        self._staging.check(overwrite=overwrite)

    def tables(self) -> list[str]:
        """The names of the source's tables."""
        return self._snap.tables()

    def count(self, table: str, *, where: str = "") -> int:
        """How many rows a table of the source has."""
        try:
            return self._snap.count(table, where=where)
        except sqlite3.OperationalError as exc:
            if not where or getattr(exc, "sqlite_errorcode", 0) != sqlite3.SQLITE_ERROR:
                raise
            raise CopyError(
                f"The condition of {table} cannot be used on {self._snap.target.label}: {exc}.",
                hint="Correct it; behind WHERE stands: " + where.replace("\n)", ")"),
            ) from exc

    def refuses(self, plan: TablePlan, where: str, masks: Mapping[str, Function]) -> str:
        """Why a table does not take its rows with masks; in a file that goes with its connection."""
        table, names = plan.source.name.name, [field.name for field in plan.source.fields]
        functions: list[Callable[[Any], Any]] = [masks.get(name, _same) for name in names]
        columns, marks = ", ".join(quoted(name, '"') for name in names), ", ".join("?" for _ in names)
        query = f"SELECT {columns} FROM {quoted(table, chr(34))}{f' WHERE {where}' if where else ''}"  # noqa: S608 - quoted
        with closing(sqlite3.connect("", isolation_level=None)) as empty, tolerant(self._snap.connection):
            empty.execute("PRAGMA foreign_keys = OFF")
            try:
                for (sql,) in self._snap.connection.execute(_MADE, (table,)).fetchall():
                    empty.execute(sql)
                rows = (
                    [_stored(function(value)) for function, value in zip(functions, row, strict=True)]
                    for row in self._snap.connection.execute(query)
                )
                empty.execute("BEGIN")
                empty.executemany(f"INSERT INTO {quoted(table, chr(34))} ({columns}) VALUES ({marks})", rows)  # noqa: S608
            except sqlite3.IntegrityError as exc:
                return str(exc)
        return ""

    def schema(self, tables: Callable[[Name], bool] | None = None) -> CopySchema:
        """The source's schema."""
        from framefox_tasks.databases.sqlite.ddl import read_schema

        return read_schema(self._snap.connection, tables)

    def staging(self) -> AbstractContextManager[object]:
        """The file that the copy is made in, until it is put in place."""
        return self._staging

    def copy(self, progress: Callable[[int, int], None]) -> None:
        """Copy all pages."""

        def noted(done: int, total: int) -> None:
            write()
            progress(done, total)

        try:
            with self._staging.early() as write:
                self._snap.backup(self._staging.connection, noted)
                if self._staging.connection.execute("PRAGMA application_id").fetchone()[0] == PROTECTED:
                    self._staging.connection.execute("PRAGMA application_id = 0")
        except sqlite3.Error as exc:
            # Reading the source fails with the codes of a damaged file; all others come from writing.
            if getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            raise self._staging.translate(exc) from exc

    def create(self, schema: CopySchema) -> None:
        """Make the tables without their pages, and fill those whose rows are wanted: the version table."""
        connection = self._staging.connection
        with translated(self._staging.translate):
            for statement in (*schema.before, *(one for some in schema.after for one in some), *schema.last):
                connection.execute(statement.sql)
            for plan in schema.tables:
                if not plan.empty:
                    self._fill(connection, plan)
            for number in _NUMBERS:
                value = self._snap.connection.execute(f"PRAGMA {number}").fetchone()[0]
                if (number, value) == ("application_id", PROTECTED):
                    continue
                connection.execute(f"PRAGMA {number} = {value}")

    def _fill(self, connection: sqlite3.Connection, plan: TablePlan) -> None:
        table = plan.source.name.quoted('"')
        columns = ", ".join(quoted(one.name, '"') for one in plan.source.fields)
        marks = ", ".join("?" for _ in plan.source.fields)
        rows = self._snap.connection.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - quoted
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608

    def reduce(self, subset: Subset) -> list[str]:
        """Take out what is not wanted; gives what there is to tell."""
        from framefox_tasks.databases.sqlite.filter import Filtering

        if not (subset.tables or subset.where or subset.orphan_statements or subset.masks):
            return []
        with Filtering(self._staging) as filtering:
            if subset.tables:
                filtering.keep(subset.tables)
            filtering.delete(subset.where)
            filtering.prune(subset.orphan_statements)
            for table, functions in subset.masks.items():
                filtering.mask(table, functions, moved=subset.unique(table))
        return filtering.notes

    def copied(self, table: str) -> int:
        """How many rows a table of the copy has."""
        return self._snap.count(table, self._staging.connection)

    def compare(self, table: str, where: str, masks: Mapping[str, Function] | None) -> None:
        """See that the copy holds the rows of a table, value by value."""
        self._snap.compare(table, self._staging.connection, where, masks)

    def is_same(self) -> bool:
        """Whether it has the pages of the source."""
        return are_same(self._snap.target.file, self._staging.path)

    def put(self) -> list[str]:
        """Give the copy its name."""
        return self._staging.put()


@contextmanager
def whole_copy(source: Target, target: Target) -> Iterator[FileCopy]:
    """A copy of a database as it is now; see snapshot()."""
    with snapshot(source) as snap:
        yield FileCopy(snap, target)


def _same(value: object) -> Any:
    return value


def _stored(value: object) -> Any:
    """A value as it can be stored: what is no UTF-8 as bytes."""
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:
        return str(value).encode("utf-8", "surrogateescape")
    return value
