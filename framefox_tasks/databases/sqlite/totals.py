"""What tells that the keys of a table arrived."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from framefox_tasks.databases.rows import KeyTotals, Side
from framefox_tasks.databases.sqlite.types import named

_HALF = 2**32


def key_totals(connection: sqlite3.Connection, table: Side, columns: Sequence[str], where: str = "") -> KeyTotals:
    """The number of rows, and of each column of whole numbers the least, the greatest and the sum.

    A sum that is greater than SQLite's greatest number is an error there: it comes in two halves.
    """
    found = "count(*)"
    for column in columns:
        number = f"CAST({named(table.name.name)}.{named(column)} AS INTEGER)"
        found += f", min({number}), max({number}), sum({number} / {_HALF}), sum({number} % {_HALF})"
    condition = f" WHERE ({where}\n)" if where else ""
    row = list(connection.execute(f"SELECT {found} FROM {named(table.name.name)}{condition}").fetchone())  # noqa: S608
    joined = [row[0]]
    for least, greatest, high, low in zip(*(row[place::4] for place in range(1, 5)), strict=True):
        joined += [least, greatest, None if high is None else high * _HALF + low]
    return KeyTotals.of(joined)
