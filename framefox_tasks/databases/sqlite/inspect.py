"""The tables of a SQLite database as they are declared, and for other databases with what their cells hold."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from typing import Any

from framefox_tasks.databases.rows import Name
from framefox_tasks.databases.schema import Chosen, IndexPart, LiveColumn, LiveIndex, LiveSchema, LiveTable, Reference
from framefox_tasks.databases.sqlite.clauses import parts_of
from framefox_tasks.databases.sqlite.create_table import CreateTable
from framefox_tasks.databases.sqlite.objects import Object, Objects
from framefox_tasks.databases.sqlite.pool import joined
from framefox_tasks.databases.sqlite.probe import probed
from framefox_tasks.databases.sqlite.row_key import rowid_of
from framefox_tasks.databases.sqlite.types import declared_type, named
from framefox_tasks.databases.sqlite.worker_pool import Watch
from framefox_tasks.model import Target

_COUNTED = 1_000_000
"""From how many rows on what ANALYZE found is good enough."""
_LARGE = 100_000
"""Rows of a table whose columns are looked at beside each other."""

_COLUMNS = """SELECT held.name, found.name, found.type, "notnull", dflt_value, pk, hidden
    FROM sqlite_master AS held, pragma_table_xinfo(held.name) AS found
    WHERE held.type = 'table' AND held.rootpage ORDER BY held.rowid, cid"""
# SQLite tells the last that is written first.
_KEYS = """SELECT held.name, id, "from", "table", "to", on_update, on_delete
    FROM sqlite_master AS held, pragma_foreign_key_list(held.name)
    WHERE held.type = 'table' AND held.rootpage ORDER BY held.rowid, id DESC, seq"""
_INDEXES = """SELECT held.name, listed.name, listed."unique", origin, partial, cid, part.name, "desc", coll
    FROM sqlite_master AS held, pragma_index_list(held.name) AS listed, pragma_index_xinfo(listed.name) AS part
    WHERE held.type = 'table' AND held.rootpage AND part.key ORDER BY held.rowid, listed.seq DESC, seqno"""


@contextmanager
def finding(
    target: Target, connection: sqlite3.Connection, watch: Watch | None, chosen: Chosen
) -> Iterator[Callable[[], LiveSchema]]:
    """Begin to find the tables for another kind of database: their cells are read meanwhile, and no more if that fails.

    Args:
        target: The database.
        connection: To it, for nobody else meanwhile.
        watch: Says whether other connections see the same.
        chosen: Says which tables.
    """
    objects = Objects(connection, chosen)
    found_tables = tables_of(objects)
    with joined(target, connection, watch if any(map(_is_large, found_tables)) else None) as pool:
        looks = [(table, [pool.begin(look) for look in _looks(table)]) for table in found_tables]

        def found() -> LiveSchema:
            tables = (
                replace(table, columns=tuple(chain.from_iterable(one.result() for one in begun)))
                for table, begun in looks
            )
            return LiveSchema("sqlite", tuple(tables), tuple(_not_carried(objects)))

        yield found


def _is_large(table: LiveTable) -> bool:
    return (table.rows or 0) > _LARGE


def _looks(table: LiveTable) -> Iterator[Callable[[sqlite3.Connection], list[LiveColumn]]]:
    parts = [(column,) for column in table.columns] if _is_large(table) else [table.columns]
    return (partial(probed, table=table.name, columns=part) for part in parts)


def _not_carried(objects: Objects) -> Iterator[str]:
    left_out = {one.name for one in objects.left_out.values() if one.type == "table"}
    yield from (f"view {one.name}" for one in objects.of("view"))
    yield from (f"virtual table {one.name}" for one in objects.virtual if one.name not in left_out)
    yield from (f"trigger {one.name} of {one.table}" for one in objects.of("trigger") if one.table not in left_out)


def tables_of(objects: Objects) -> list[LiveTable]:
    """The chosen tables as they are declared."""
    inspector = _Inspector(objects)
    return [inspector.table(one) for one in objects.tables]


def last_numbers(connection: sqlite3.Connection) -> dict[str, int]:
    """The numbers that AUTOINCREMENT gave last, by the names of the tables."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        return {}
    found = connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    return {name: number for name, number in found if isinstance(number, int)}


class _Inspector:
    """The reading of tables: what the pragmas tell of all of them, and the text of each."""

    def __init__(self, objects: Objects) -> None:
        self._connection = objects.connection
        self._tables = {one.name for one in objects.of("table")}
        self._sql = {one.name: one.sql for one in objects.of("index")}
        self._infos = self._told(_COLUMNS)
        self._keys = self._told(_KEYS)
        self._indexes = self._told(_INDEXES)
        self._numbers = last_numbers(self._connection)

    def _told(self, query: str) -> dict[str, list[tuple[Any, ...]]]:
        told: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for table, *row in self._connection.execute(query):
            told[table].append(tuple(row))
        return told

    def table(self, one: Object) -> LiveTable:
        """One of them."""
        text = CreateTable(one.sql)
        return LiveTable(
            Name(one.name),
            tuple(self._columns(one.name, text)),
            self._primary_key(one.name),
            text.primary_name(),
            tuple(self._parted(one.name, text.unique_names())),
            tuple(self._references(one.name, text.references())),
            tuple(text.checks()),
            rows=self._rows(one.name),
            lost=(
                *(f"collation {name} in {one.name}" for name in text.collations() if name != "binary"),
                *(f"{conflict} of {one.name}" for conflict in text.conflicts()),
            ),
        )

    def _primary_key(self, table: str) -> tuple[str, ...]:
        infos = sorted(self._infos[table], key=lambda info: int(info[4]))
        return tuple(name for name, _, _, _, place, _ in infos if place)

    def _columns(self, table: str, text: CreateTable) -> Iterator[LiveColumn]:
        key = self._primary_key(table)
        # Any other key than the number of the row has an index.
        numbered = len(key) == 1 and not any(origin == "pk" for _, _, origin, *_ in self._indexes[table])
        following = self._numbers[table] + 1 if table in self._numbers else None
        generated = text.generated() if any(info[5] for info in self._infos[table]) else {}
        for name, declared, notnull, default, _, hidden in self._infos[table]:
            yield LiveColumn(
                name,
                declared,
                declared_type(declared),
                not notnull and name not in key,
                None if default and default.upper() == "NULL" else default,
                generated.get(name, "computed") if hidden else None,
                numbered and name in key,
                following if numbered and name in key else None,
            )

    def _rows(self, table: str) -> int:
        """About how many rows; counting would read all pages of a large table."""
        rowid = rowid_of(self._connection, named(table), {info[0].lower() for info in self._infos[table]})
        highest = self._one(f"SELECT max({rowid}) FROM {named(table)}") or 0 if rowid else None  # noqa: S608 - quoted
        if highest is None or highest > _COUNTED:
            about = self._analyzed(table) or highest
            if about is not None:
                return about
        return self._one(f"SELECT count(*) FROM {named(table)}") or 0  # noqa: S608 - quoted

    def _one(self, query: str, *values: str) -> int | None:
        found = self._connection.execute(query, values).fetchone()[0]
        return None if found is None else int(found)

    def _analyzed(self, table: str) -> int | None:
        """What ANALYZE found."""
        if not self._one("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'"):
            return None
        return self._one("SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?", table)

    def _parted(self, table: str, names: dict[tuple[str, ...], str]) -> Iterator[LiveIndex]:
        for (index, unique, origin, conditional), rows in groupby(self._indexes[table], key=lambda row: row[:4]):
            if origin == "pk":
                continue
            sql = self._sql.get(index)
            texts, where = parts_of(sql) if sql else ([], None)
            parts, lost = _parts(rows, texts)
            own = names.get(tuple(str(part.column).casefold() for part in parts))
            yield LiveIndex(
                index if origin == "c" else own,
                parts,
                bool(unique),
                origin == "u",
                where if conditional else None,
                lost=lost,
            )

    def _references(self, table: str, told: list[tuple[str | None, bool]]) -> Iterator[Reference]:
        keys = [list(rows) for _, rows in groupby(self._keys[table], key=lambda row: row[0])]
        if len(told) != len(keys):
            told = [(None, False)] * len(keys)
        for (name, deferred), rows in zip(told, keys, strict=True):
            _, _, written, _, onupdate, ondelete = rows[0]
            parent = _spelled(written, self._tables)
            known = [info[0] for info in self._infos[parent]]
            yield Reference(
                name,
                tuple(row[1] for row in rows),
                Name(parent),
                tuple(_spelled(row[3], known) for row in rows if row[3]) or self._primary_key(parent),
                "" if ondelete == "NO ACTION" else ondelete,
                "" if onupdate == "NO ACTION" else onupdate,
                deferred,
                deferred,
            )


def _parts(rows: Iterable[tuple[Any, ...]], texts: Sequence[str]) -> tuple[tuple[IndexPart, ...], tuple[str, ...]]:
    """The parts of an index, and which of their collations get lost."""
    parts: list[IndexPart] = []
    lost: list[str] = []
    for place, (*_, cid, name, descending, collation) in enumerate(rows):
        text = texts[place] if cid == -2 and place < len(texts) else None
        parts.append(IndexPart(name, text, bool(descending)))
        if collation and collation.upper() != "BINARY":
            lost.append(f"collation {collation.lower()} of {name or text}")
    return tuple(parts), tuple(lost)


def _spelled(name: str, known: Collection[str]) -> str:
    """A name as it was made: SQLite takes it in any letters."""
    return name if name in known else next((one for one in known if one.lower() == name.lower()), name)
