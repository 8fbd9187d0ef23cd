"""A SQLite database at one point of time: copied by SQLite's backup API, counted and compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from framefox_tasks.databases.rows import Name, quoted
from framefox_tasks.databases.sqlite.errors import translated
from framefox_tasks.databases.sqlite.verbs import VERBS
from framefox_tasks.errors import VerificationError
from framefox_tasks.model import Target

_AT_ONCE = 500
"""Masked rows that are compared together."""
_PAGES = 2048
"""How many pages are copied between two calls that tell how far it is."""
_MAPPED = 64 << 20
"""Bytes of each file that are mapped: to count, a look at the first bytes of a page is enough. They count as memory."""
_TABLES = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "AND sql NOT LIKE 'CREATE VIRTUAL TABLE%' ORDER BY rowid"
)


Function = Callable[[Any], str | bytes | int | float | None]


@dataclass(frozen=True)
class FileSnapshot:
    """A connection that sees the source as it was when it was opened."""

    target: Target
    connection: sqlite3.Connection

    def tables(self) -> list[str]:
        """The names of the tables that hold rows; the tables of a virtual table are among them."""
        return [name for name, _ in self.connection.execute(_TABLES)]

    def count(self, table: str, connection: sqlite3.Connection | None = None, *, where: str = "") -> int:
        """How many rows a table has; in another database if one is given."""
        chosen = connection or self.connection
        condition = f" WHERE ({where}\n)" if where else ""
        count: int = chosen.execute(f"SELECT count(*) FROM {_named(table)}{condition}").fetchone()[0]  # noqa: S608
        return count

    def backup(self, copy: sqlite3.Connection, note: Callable[[int, int], None] | None = None) -> None:
        """Copy every page; `note` gets how many of how many are done."""

        def told(_: int, remaining: int, total: int) -> None:
            if note:
                note(total - remaining, total)

        self.connection.backup(copy, pages=_PAGES, progress=told)
        copy.execute(f"PRAGMA mmap_size = {_MAPPED}")

    def compare(
        self, table: str, copy: sqlite3.Connection, where: str = "", masks: Mapping[str, Function] | None = None
    ) -> None:
        """See that a copy holds the rows of a table, value by value.

        Args:
            table: Its name.
            copy: The other database.
            where: The condition of the rows that were copied.
            masks: What was made of the values of some columns.

        Raises:
            VerificationError: They are not the same; names the first row that differs, unless its key is masked.
        """
        from framefox_tasks.databases.sqlite.row_key import Keys  # with all that reads cells, which no other copy needs

        key = [*map(_named, Keys(self.connection, Name(table)).columns)] or ["rowid"]
        masked = {_named(name): function for name, function in (masks or {}).items()}
        order = ", ".join(key)
        rows = f"SELECT {order}, * FROM {_named(table)}"  # noqa: S608 - quoted
        chosen = f"{rows} WHERE ({where}\n)" if where else rows
        if masked.keys() & set(key):
            ours, theirs = self._rows(self.connection, chosen, masked, table), self._rows(copy, rows)
            if sum(map(_hashed, ours)) != sum(map(_hashed, theirs)):
                raise self._differs(table)
            return
        ours = self._rows(self.connection, f"{chosen} ORDER BY {order}", masked, table)
        theirs = self._rows(copy, f"{rows} ORDER BY {order}")
        with closing(ours), closing(theirs):  # while their databases are open
            for one, other in zip_longest(ours, theirs):
                if one != other or list(map(type, one)) != list(map(type, other)):
                    pairs = zip(key, one or other or (), strict=False)
                    raise self._differs(table, "".join(f", {name}={value!r}" for name, value in pairs))

    def _differs(self, table: str, row: str = "") -> VerificationError:
        return VerificationError(
            f"The copy differs from {self.target.label}: table {table}{row}.",
            hint="Check the disk that the copy is on, and copy again.",
        )

    def _rows(
        self,
        connection: sqlite3.Connection,
        statement: str,
        masks: Mapping[str, Function] | None = None,
        table: str = "",
    ) -> Generator[tuple[Any, ...]]:
        with tolerant(connection):
            rows = connection.execute(statement)
            if not masks:
                yield from rows
                return
            functions = [masks.get(_named(column[0])) for column in rows.description]
            places = [place for place, function in enumerate(functions) if function]
            with closing(self._stand_in(table, [rows.description[place][0] for place in places])) as stand_in:
                while some := [list(row) for row in rows.fetchmany(_AT_ONCE)]:
                    made = [[(functions[place] or _same)(row[place]) for place in places] for row in some]
                    for row, values in zip(some, _stored(stand_in, made), strict=True):
                        for place, value in zip(places, values, strict=True):
                            row[place] = value
                        yield tuple(row)

    def _is_strict(self, table: str) -> bool:
        if sqlite3.sqlite_version_info < (3, 37):
            return False
        query = "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?"
        return bool((self.connection.execute(query, (table,)).fetchone() or (0,))[0])

    def _stand_in(self, table: str, columns: Sequence[str]) -> sqlite3.Connection:
        """A table of some columns, whose types say as what SQLite stores a value."""
        found = self.connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
        types = {_named(name): type_ for name, type_ in found}
        declared = [types.get(_named(name), "") for name in columns]
        if self._is_strict(table):
            declared = ["" if type_.upper() == "ANY" else type_ for type_ in declared]
        parts = [f"c{place} {_named(type_) if type_ else ''}" for place, type_ in enumerate(declared)]
        stand_in = sqlite3.connect(":memory:", isolation_level=None)
        stand_in.execute(f"CREATE TABLE stored ({', '.join(parts)})")
        return stand_in


@contextmanager
def snapshot(target: Target) -> Iterator[FileSnapshot]:
    """Read a database at one point of time. Others go on reading; in WAL mode they go on writing, else they wait.

    Raises:
        DatabaseNotFoundError: It is not there.
        NotADatabaseError: The file is no SQLite database, or is damaged.
        DatabaseInUseError: Somebody has locked it for longer than 5 seconds.
    """
    if not VERBS.exists(target):
        raise VERBS.missing(target)
    # Not "ro": a journal that a crash has left must be rolled back before anything can be read.
    with translated(lambda exc: VERBS.translate(exc, target)), closing(connect(target)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the transaction begins with the first read
        yield FileSnapshot(target, connection)


def connect(target: Target, timeout: float = 5.0) -> sqlite3.Connection:
    """A connection for any thread that waits some seconds where the database is locked."""
    uri = f"{target.file.as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout, check_same_thread=False)


@contextmanager
def tolerant(connection: sqlite3.Connection) -> Iterator[None]:
    """A context in which what is no UTF-8 becomes lone surrogates."""
    factory = connection.text_factory
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = factory


def _stored(stand_in: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Values as a table gives them again."""
    stand_in.execute("DELETE FROM stored")
    stand_in.executemany(f"INSERT INTO stored VALUES ({', '.join('?' for _ in rows[0])})", rows)  # noqa: S608
    return stand_in.execute("SELECT * FROM stored ORDER BY rowid").fetchall()


def _hashed(row: tuple[Any, ...]) -> int:
    return hash((row, *map(type, row)))


def _same(value: Any) -> Any:
    return value


def _named(name: str) -> str:
    return quoted(name, '"')
