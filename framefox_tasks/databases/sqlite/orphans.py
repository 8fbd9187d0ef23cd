"""Rows whose foreign key refers to nothing."""

from __future__ import annotations

import sqlite3
from collections import Counter

from framefox_tasks.databases.sqlite.types import named


class Orphans:
    """How many there are, to see later whether there are more."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._before = self._counted()

    def added(self) -> list[str]:
        """Of which tables there are more now, and how many."""
        more = self._counted() - self._before
        return [f"{count:,} of {table} to {parent}" for (table, parent), count in sorted(more.items())]

    def _counted(self) -> Counter[tuple[str, str]]:
        tables = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found: Counter[tuple[str, str]] = Counter()
        for (table,) in tables:
            try:
                found.update(
                    (row[0], row[2]) for row in self._connection.execute(f"PRAGMA foreign_key_check({named(table)})")
                )
            except sqlite3.OperationalError as exc:
                # A key that refers to what is not unique: SQLite can neither check nor enforce it.
                if "mismatch" not in str(exc):
                    raise
        return found
