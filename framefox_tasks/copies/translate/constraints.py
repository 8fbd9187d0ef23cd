"""Whether the rows of a source keep its constraints where texts are compared by their characters, as the copy does.

A source may take texts for the same that differ by case, accent or a space at the end; and where constraints can be
switched off, its rows need not keep them at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framefox_tasks.copies.translate.target import TargetTable
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind, Name
from framefox_tasks.databases.schema import Reference
from framefox_tasks.databases.sql import Translator

Count = Callable[[Name, str], int]
"""How many rows of a table of the source meet a condition in its SQL."""

_TEXTS = (Kind.TEXT, Kind.ENUM)


class Constraints:
    """Asks a source for the rows that do not keep its constraints.

    Args:
        source: Its dialect.
        count: Counts its rows; None where nobody can be asked.
    """

    def __init__(self, source: Dialect, count: Count | None) -> None:
        self._source = source
        self._count = None if source.holds_constraints else count
        self._exact = Translator(source, source, exact=True)

    def break_check(self, target: TargetTable, sql: str) -> int:
        """How many rows break a check, in SQL of the source."""
        if not self._count:
            return 0
        names = {column.name: column.name for column in target.source.columns}
        exact = self._exact.expression(sql, names, target.kinds, condition=True)
        return self._count(target.source.name, f"NOT ({exact})") if exact else 0

    def break_reference(self, target: TargetTable, reference: Reference) -> int:
        """How many rows refer by a text to none that has the same characters."""
        texts = [target.kinds[column] in _TEXTS for column in reference.columns]
        if not self._count or not any(texts):
            return 0
        condition = orphans(reference.columns, reference.table, reference.referred, self._source, texts)
        return self._count(target.source.name, condition)


def orphans(
    columns: Sequence[str], table: Name, referred: Sequence[str], source: Dialect, texts: Sequence[bool] = ()
) -> str:
    """The condition of rows that refer to none.

    Args:
        columns: What refers.
        table: The table that is referred to.
        referred: Its columns.
        source: The dialect of both tables.
        texts: Which columns are compared by their characters; none if not given.
    """
    exact = texts or [False] * len(columns)

    def listed(names: Sequence[str]) -> list[str]:
        quoted = map(source.quoted, names)
        return [source.exact(name) if text else name for name, text in zip(quoted, exact, strict=True)]

    def together(parts: Sequence[str]) -> str:
        return f"({', '.join(parts)})" if len(parts) > 1 else parts[0]

    given = " AND ".join(f"{source.quoted(name)} IS NOT NULL" for name in columns)
    there = " AND ".join(f"{source.quoted(name)} IS NOT NULL" for name in referred)
    keys = f"SELECT {', '.join(listed(referred))} FROM {table.quoted(source.quote)} WHERE {there}"  # noqa: S608 - quoted
    return f"{given} AND {together(listed(columns))} NOT IN ({keys})"
