"""The rehearsal of a copy of rows alone, in a file of its own beside which the target is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby

from framefox_tasks.databases.rehearsal import refers_to_none
from framefox_tasks.databases.rows import Side
from framefox_tasks.databases.sqlite.errors import translated
from framefox_tasks.databases.sqlite.load import SQLiteLoader
from framefox_tasks.databases.sqlite.types import named
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Target

_MADE = """SELECT sql FROM held.sqlite_master WHERE sql IS NOT NULL AND tbl_name = ? COLLATE NOCASE
    AND (type = 'table' OR (type = 'index' AND sql LIKE 'CREATE UNIQUE%')) ORDER BY type DESC"""
_KEYS = """SELECT t.name, k.id, k."table", k."from", k."to" FROM held.sqlite_master AS t,
    pragma_foreign_key_list(t.name, 'held') AS k WHERE t.type = 'table' AND t.rootpage ORDER BY t.rowid, k.id, k.seq"""


@contextmanager
def rehearsal(
    target: Target, tables: Sequence[Side], meant: Callable[[sqlite3.Error], FramefoxTasksError]
) -> Iterator[SQLiteRehearsal]:
    """Stand-ins of tables; see RehearsesRows."""
    with translated(meant), closing(sqlite3.connect("file:?mode=rwc", uri=True, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS held", (f"{target.file.as_uri()}?mode=ro",))
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN")
        yield SQLiteRehearsal(connection, tables, meant)


class SQLiteRehearsal:
    """Tables in a file that goes with its connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        tables: Sequence[Side],
        meant: Callable[[sqlite3.Error], FramefoxTasksError],
    ) -> None:
        self._connection = connection
        self._loader = SQLiteLoader(connection, meant, atomic=True)
        self._tables = {table.name.name.casefold() for table in tables}
        for table in tables:
            for (sql,) in connection.execute(_MADE, (table.name.name,)).fetchall():
                connection.execute(sql)

    def loader(self) -> SQLiteLoader:
        """One for the stand-ins."""
        return self._loader

    def stand_in(self, table: Side) -> Side:
        """The table has its own name there."""
        return table

    def refused(self) -> Iterator[str]:
        """The rows that refer to none, where there are more of them than in the target; see the protocol."""
        rows = self._connection.execute(_KEYS).fetchall()
        for (child, _, parent), parts in groupby(rows, key=lambda row: row[:3]):
            pairs = [(here, there) for *_, here, there in parts]
            if not {child.casefold(), parent.casefold()} & self._tables:
                continue
            count = self._orphans(child, parent, pairs, self._schema_of)
            if count and count > self._orphans(child, parent, pairs, lambda _: "held"):
                yield refers_to_none(child, count, parent, ", ".join(here for here, _ in pairs))

    def _schema_of(self, table: str) -> str:
        return "main" if table.casefold() in self._tables else "held"

    def _orphans(
        self, child: str, parent: str, pairs: Sequence[tuple[str, str | None]], schema_of: Callable[[str], str]
    ) -> int:
        key = [there for _, there in pairs] if all(there for _, there in pairs) else self._primary_key(parent)
        if len(key) != len(pairs):
            return 0  # it refers to what is no key: SQLite cannot check it either
        same = " AND ".join(
            f"p.{named(there or '')} = c.{named(here)}" for (here, _), there in zip(pairs, key, strict=True)
        )
        given = " AND ".join(f"c.{named(here)} IS NOT NULL" for here, _ in pairs)
        parents = f"SELECT 1 FROM {schema_of(parent)}.{named(parent)} AS p WHERE {same}"  # noqa: S608 - quoted
        query = f"SELECT count(*) FROM {schema_of(child)}.{named(child)} AS c WHERE {given} AND NOT EXISTS ({parents})"  # noqa: S608
        try:
            return int(self._connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError as exc:
            if "no such" not in str(exc):
                raise
            return 0  # nor one to a table or a column that is not there

    def _primary_key(self, table: str) -> list[str]:
        query = "SELECT name FROM pragma_table_info(?, 'held') WHERE pk ORDER BY pk"
        return [name for (name,) in self._connection.execute(query, (table,))]
