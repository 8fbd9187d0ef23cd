"""What a SQLite database holds: declared types are promises only, so the cells are asked as well."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from framefox_tasks.databases.rows import Name, quoted
from framefox_tasks.databases.schema import (
    Chosen,
    Column,
    Found,
    Index,
    Part,
    Reference,
    Table,
)
from framefox_tasks.databases.sql import pieces
from framefox_tasks.databases.sqlite.create_table import CreateTable
from framefox_tasks.databases.sqlite.pool import Beside
from framefox_tasks.databases.sqlite.probe import probed
from framefox_tasks.model import Target

_WHERE = re.compile(r"\)\s*WHERE\s+(.*)$", re.IGNORECASE | re.DOTALL)
_LIST = re.compile(r"\bON\s+(?:\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^]]*\]|\w+)\s*\((.*)\)", re.IGNORECASE | re.DOTALL)
_ORDER = re.compile(r"\s+(?:ASC|DESC)$", re.IGNORECASE)
_LARGE = 100_000
"""Rows of a table for which threads are worth it."""


@contextmanager
def finding(target: Target, chosen: Chosen) -> Iterator[Callable[[], Found]]:
    """Begin to find the tables of a SQLite database, beside what is done meanwhile; ends with it if that fails."""
    connect = partial(_connected, target)
    with Beside(connect, 1) as beside, Beside(connect) as columns:
        yield beside.begin(partial(_find, columns=columns, chosen=chosen)).result


def _find(connection: sqlite3.Connection, columns: Beside, chosen: Chosen) -> Found:
    objects = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid").fetchall()
    virtual = [name for kind, name, _, sql in objects if kind == "table" and _is_virtual(sql)]
    tables, unchosen = [], set()
    for kind, name, _, sql in objects:
        if kind != "table" or _is_internal(name, virtual):
            continue
        if chosen is None or chosen(Name(name)):
            tables.append(_Reading(connection, columns, name, sql or "").table())
        else:
            unchosen.add(name)
    return Found("sqlite", tuple(tables), tuple(_not_carried(objects, virtual, unchosen)))


def _connected(target: Target) -> sqlite3.Connection:
    # Not mode=ro: a journal that a crash has left must be rolled back before anything can be read.
    uri = f"{target.file.as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = 1")
    return connection


def _is_virtual(sql: str | None) -> bool:
    return bool(sql and re.match(r"\s*CREATE\s+VIRTUAL\b", sql, re.IGNORECASE))


def _is_internal(name: str, virtual: list[str]) -> bool:
    """Whether a table is SQLite's own, virtual, or where a virtual one keeps what it needs."""
    return name.startswith("sqlite_") or name in virtual or any(name.startswith(f"{owner}_") for owner in virtual)


def _not_carried(objects: list[Any], virtual: list[str], unchosen: set[str]) -> Iterator[str]:
    yield from (f"view {name}" for kind, name, _, _ in objects if kind == "view")
    yield from (f"virtual table {name}" for name in virtual)
    for kind, name, table, _ in objects:
        if kind == "trigger" and table not in unchosen:
            yield f"trigger {name} of {table}"


class _Reading:
    """The reading of one table; that of the columns of a large one in threads."""

    def __init__(self, connection: sqlite3.Connection, beside: Beside, name: str, sql: str) -> None:
        self._connection = connection
        self._beside = beside
        self._name = name
        self._text = CreateTable(sql)

    def _rows(self, query: str) -> list[Any]:
        return self._connection.execute(query).fetchall()

    def _pragma(self, name: str, argument: str) -> list[Any]:
        return self._rows(f"PRAGMA {name}({quoted(argument, chr(34))})")

    def table(self) -> Table:
        """The table, its columns as wide as their cells need."""
        infos = [info for info in self._pragma("table_xinfo", self._name) if info[6] != 1]
        key = tuple(info[1] for info in sorted((i for i in infos if i[5]), key=lambda info: info[5]))
        references = tuple(self._references())
        rows = self._count()
        referring = {name for reference in references for name in reference.columns}
        columns = self._columns(infos, key, referring, is_large=(rows or 0) > _LARGE)
        indexes = tuple(self._indexes())
        return Table(
            Name(self._name),
            columns,
            key,
            self._text.primary_name(),
            indexes,
            references,
            tuple(self._text.checks()),
            rows=rows,
            lost=tuple(self._lost()),
        )

    def _columns(
        self, infos: list[Any], key: tuple[str, ...], referring: set[str], *, is_large: bool
    ) -> tuple[Column, ...]:
        numbered = key[0] if len(key) == 1 and self._is_rowid(infos, key[0]) and key[0] not in referring else None
        generated = self._text.generated()
        looks = [
            partial(probed, table=self._name, name=info[1], declared=info[2] or "", rowid=info[1] == numbered)
            for info in infos
        ]
        columns = self._beside.run(looks) if is_large else [look(self._connection) for look in looks]
        return tuple(
            replace(
                column,
                nullable=not notnull and name not in key,
                default=default,
                generated=generated.get(name, "computed") if hidden else None,
                numbered=name == numbered,
                following=self._following() if name == numbered else None,
            )
            for column, (_, name, _, notnull, default, _, hidden) in zip(columns, infos, strict=True)
        )

    def _is_rowid(self, infos: list[Any], name: str) -> bool:
        declared = next(info[2] for info in infos if info[1] == name)
        return str(declared).upper() == "INTEGER" and not self._text.has("WITHOUT ROWID")

    def _following(self) -> int | None:
        if not self._text.has("AUTOINCREMENT"):
            return None
        found = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (self._name,)).fetchone()
        return int(found[0]) + 1 if found and isinstance(found[0], int) else None

    def _count(self) -> int | None:
        """About how many rows; counting them would read all pages."""
        name = quoted(self._name, '"')
        try:  # each by itself is looked up at once
            found = self._rows(f"SELECT (SELECT max(rowid) FROM {name}) - (SELECT min(rowid) FROM {name}) + 1")  # noqa: S608
        except sqlite3.OperationalError:  # WITHOUT ROWID
            return None
        return int(found[0][0] or 0)

    def _indexes(self) -> Iterator[Index]:
        named = self._text.unique_names()
        for _, name, unique, origin, conditional in reversed(self._pragma("index_list", self._name)):
            if origin == "pk":
                continue
            sql = self._connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0] or ""
            parts, lost = self._parts(name, sql)
            where = _WHERE.search(sql) if conditional else None
            own = None if origin == "c" else named.get(tuple(str(part.column).casefold() for part in parts))
            yield Index(
                name if origin == "c" else own,
                tuple(parts),
                bool(unique),
                origin == "u",
                where[1] if where else None,
                lost=tuple(lost),
            )

    def _parts(self, index: str, sql: str) -> tuple[list[Part], list[str]]:
        listed = _LIST.search(_WHERE.sub(")", sql))
        texts = [_ORDER.sub("", text) for text in pieces(listed[1])] if listed else []
        parts, lost = [], []
        for place, cid, name, descending, collation, is_key in self._pragma("index_xinfo", index):
            if not is_key:
                continue
            text = texts[place] if cid == -2 and place < len(texts) else None
            parts.append(Part(name if cid >= 0 else None, text, bool(descending)))
            if collation and collation.upper() != "BINARY":
                lost.append(f"collation {collation.lower()} of {name or text}")
        return parts, lost

    def _references(self) -> Iterator[Reference]:
        keys: dict[int, list[Any]] = {}
        for row in self._pragma("foreign_key_list", self._name):
            keys.setdefault(row[0], []).append(row)
        # SQLite tells the last that is written first.
        told = self._text.references()[::-1]
        for number, rows in sorted(keys.items(), reverse=True):
            name, deferred = told[number] if len(told) == len(keys) else (None, False)
            _, _, table, _, _, onupdate, ondelete, _ = rows[0]
            yield Reference(
                name,
                tuple(row[3] for row in rows),
                Name(self._known(table)),
                tuple(row[4] for row in rows if row[4]),
                "" if ondelete == "NO ACTION" else ondelete,
                "" if onupdate == "NO ACTION" else onupdate,
                deferred,
                deferred,
            )

    def _known(self, table: str) -> str:
        """A table's name as it was made: SQLite takes it in any letters."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        found = self._connection.execute(query, (table,)).fetchone()
        return str(found[0]) if found else table

    def _lost(self) -> Iterator[str]:
        for name in self._text.collations():
            if name != "binary":
                yield f"collation {name} in {self._name}"
