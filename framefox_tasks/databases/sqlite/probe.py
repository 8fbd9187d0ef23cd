"""What the cells of a SQLite column hold, where its declared type does not bind them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from framefox_tasks.databases.rows import Kind, Name, quoted
from framefox_tasks.databases.schema import LiveColumn, Type

_SAMPLE = 1000
_FEW = {2: 2**15, 4: 2**31}


def probed(connection: sqlite3.Connection, table: Name, columns: Iterable[LiveColumn]) -> list[LiveColumn]:
    """Columns with the types that their cells need: not less than is declared, and more where they hold more."""
    owner = table.quoted('"')
    return [replace(one, type=_widened(one, _Cells(connection, owner, quoted(one.name, '"')))) for one in columns]


def _widened(column: LiveColumn, cells: _Cells) -> Type:
    type_, rowid, hidden = column.type, column.numbered, column.native
    match type_.kind:
        case Kind.TEXT if type_.hidden:  # nothing is declared
            return replace(cells.held(), hidden=type_.hidden)
        case Kind.INTEGER if type_.size in _FEW and not cells.within(_FEW[type_.size], rowid=rowid):
            return replace(type_, size=4 if cells.within(_FEW[4], rowid=rowid) else 8, hidden=hidden)
        case Kind.TEXT if type_.fixed and type_.size == 32 and cells.are_uuids():
            return Type(Kind.UUID, hidden=hidden)
        case Kind.TEXT if type_.size and cells.longest() > type_.size:
            return Type(Kind.TEXT, hidden=hidden)
        case Kind.NUMERIC if type_.size and not cells.have(type_.size, type_.scale or 0):
            return Type(Kind.NUMERIC, hidden=hidden)
        case _:
            return type_


class _Cells:
    """The cells of one column."""

    def __init__(self, connection: sqlite3.Connection, table: str, column: str) -> None:
        self._connection = connection
        self._table = table
        self._column = column

    def _ask(self, expression: str) -> object:
        query = f"SELECT {expression.replace('@', self._column)} FROM {self._table}"  # noqa: S608 - quoted
        return self._connection.execute(query).fetchone()[0]

    def within(self, limit: int, *, rowid: bool) -> bool:
        """Whether all numbers are above minus the limit and below it; one above is found without reading the rest."""
        if rowid:
            found = (self._ask("min(@)"), self._ask("max(@)"))
            return all(not isinstance(value, int) or -limit <= value < limit for value in found)
        outside = f"typeof(@) = 'integer' AND (@ < {-limit} OR @ >= {limit})"
        return not self._any(outside)

    def _any(self, condition: str, table: str | None = None) -> bool:
        condition = condition.replace("@", self._column)
        query = f"SELECT EXISTS (SELECT 1 FROM {table or self._table} WHERE {condition})"  # noqa: S608 - quoted
        return bool(self._connection.execute(query).fetchone()[0])

    def longest(self) -> int:
        """How many characters the longest text has."""
        return int(str(self._ask("max(length(@))") or 0))

    def have(self, digits: int, scale: int) -> bool:
        """Whether all numbers have no more digits than these; half a unit of a double's last one does not count."""
        # round() takes longer than all the rest, and is hardly ever needed.
        finer = f"@ * 1e{scale} <> CAST(@ * 1e{scale} AS INTEGER) AND @ <> round(@, {scale})"
        return not self._any(f"(({finer}) OR abs(@) >= 1e{digits - scale}) AND typeof(@) IN ('integer', 'real')")

    def are_uuids(self) -> bool:
        """Whether all are UUIDs by their version and variant, as hardly any other 32 hexadecimal digits are.

        Those at the start are looked at more closely, which takes too long for all.
        """
        table = f"(SELECT {self._column} FROM {self._table} LIMIT {_SAMPLE})"  # noqa: S608 - quoted
        digits = "typeof(@) = 'text' AND length(@) = 32 AND @ NOT GLOB '*[^0-9a-fA-F]*'"
        if self._any(f"@ IS NOT NULL AND NOT ({digits})", table):
            return False
        form = f"@ GLOB '{'?' * 12}[1-8]???[89abAB]{'?' * 15}' OR @ = '{'0' * 32}'"
        return not self._any(f"@ IS NOT NULL AND NOT ({form})")

    def held(self) -> Type:
        """The type for a column that has none: what its cells are."""
        query = f"SELECT DISTINCT typeof({self._column}) FROM {self._table}"  # noqa: S608 - quoted
        found = {row[0] for row in self._connection.execute(query)} - {"null"}
        if found == {"integer"}:
            return Type(Kind.INTEGER, 8)
        if found and found <= {"integer", "real"}:
            return Type(Kind.FLOAT, 8)
        if found == {"blob"}:
            return Type(Kind.BYTES)
        return Type(Kind.TEXT)
