"""What tells that the keys of a table arrived."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from framefox_tasks.databases.rows import KeyTotals, Side
from framefox_tasks.databases.sqlite.types import named

_HALF = 2**32


def key_totals(connection: sqlite3.Connection, table: Side, columns: Sequence[str], where: str = "") -> KeyTotals:
    """The number of rows, and of each column of whole numbers the least, the greatest and the sum.

    A sum that is greater than SQLite's greatest number is an error there: it comes in two halves. Numbers that are kept
    as text, since each may be greater, are added up here.
    """
    texts = {field.name for field in table.fields if field.native.upper().startswith("DECIMAL_TEXT")}
    name = named(table.name.name)
    condition = f" WHERE ({where}\n)" if where else ""
    found = "count(*)"
    for column in columns:
        if column not in texts:
            number = f"CAST({name}.{named(column)} AS INTEGER)"
            found += f", min({number}), max({number}), sum({number} / {_HALF}), sum({number} % {_HALF})"
    row = iter(connection.execute(f"SELECT {found} FROM {name}{condition}").fetchone())  # noqa: S608 - quoted
    joined = [next(row)]
    for column in columns:
        if column in texts:
            rows = connection.execute(f"SELECT {name}.{named(column)} FROM {name}{condition}")  # noqa: S608 - quoted
            joined += _added(int(text) for (text,) in rows if text is not None)
        else:
            least, greatest, high, low = (next(row) for _ in range(4))
            joined += [least, greatest, None if high is None else high * _HALF + low]
    return KeyTotals.of(joined)


def _added(numbers: Iterable[int]) -> tuple[int | None, int | None, int | None]:
    least = greatest = total = None
    for number in numbers:
        least = number if least is None or number < least else least
        greatest = number if greatest is None or number > greatest else greatest
        total = (total or 0) + number
    return least, greatest, total
