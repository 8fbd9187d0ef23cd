"""What tells a row of a SQLite table from others: its primary key, else its rowid."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from itertools import islice

from framefox_tasks.databases.rows import Name
from framefox_tasks.databases.sqlite.cell import shown
from framefox_tasks.databases.sqlite.types import named

_ROWIDS = ("rowid", "_rowid_", "oid")


def rowid_of(connection: sqlite3.Connection, owner: str, columns: Collection[str]) -> str | None:
    """A name that the rowid of a table goes by; None where there is none.

    Args:
        connection: To its database.
        owner: The table, quoted.
        columns: The names of its columns, in small letters.
    """
    for name in _ROWIDS:
        if name not in columns:
            try:
                connection.execute(f"SELECT {name} FROM {owner} LIMIT 0")  # noqa: S608 - quoted
            except sqlite3.OperationalError:  # WITHOUT ROWID
                return None
            return name
    return None


class Keys:
    """The keys of one table."""

    def __init__(self, connection: sqlite3.Connection, table: Name) -> None:
        self._connection = connection
        self._owner = table.quoted('"')
        found = connection.execute("SELECT name, pk FROM pragma_table_xinfo(?)", (table.name,)).fetchall()
        self.columns = [name for name, place in sorted(found, key=lambda row: row[1]) if place]
        self._names = {name.lower() for name, _ in found}

    def rowid(self) -> str | None:
        """A name that the rowid goes by here; None where there is none."""
        return rowid_of(self._connection, self._owner, self._names)

    def told(self, query: str, place: int) -> str:
        """The key of one row that a query gives, as `id=5` or `rowid 17`."""
        rowid = None if self.columns else self.rowid()
        # The table's own index, or what else the query uses, holds these too: the rows come in the same order.
        keys = [f"{self._owner}.{rowid}"] if rowid else [f"{self._owner}.{named(name)}" for name in self.columns]
        extended = query.replace("SELECT ", f"SELECT {', '.join(keys)}, ", 1) if keys else query
        row = next(islice(self._connection.execute(extended), place, None))
        if rowid:
            return f"rowid {row[0]}"
        if not keys:
            return f"row {place + 1:,}"
        return ", ".join(f"{name}={_plain(value)}" for name, value in zip(self.columns, row, strict=False))


def _plain(value: object) -> str:
    return shown(value).strip("'") if isinstance(value, str) else shown(value)
