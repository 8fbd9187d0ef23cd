"""The rows of a table as INSERT statements, each value written by the server itself."""

from __future__ import annotations

import re
from typing import Any

from framefox_tasks.databases.mysql.session import name as quoted

_COLUMNS = (
    "SELECT COLUMN_NAME, DATA_TYPE, COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() "
    "AND TABLE_NAME = %s AND EXTRA NOT LIKE '%%GENERATED' AND EXTRA NOT LIKE '%%VIRTUAL%%' "
    "AND EXTRA NOT LIKE '%%PERSISTENT%%' ORDER BY ORDINAL_POSITION"
)
_BINARY = re.compile(r"(?:var)?binary|\w*blob|(?:multi)?(?:point|linestring|polygon)|geom\w*|vector").fullmatch
_ROWS = 100  # a statement


def inserts(cursor: Any, table: str) -> list[str] | None:
    """The statements that fill an empty table with the rows of one of the same columns; None for a row too long.

    Args:
        cursor: Of a connection with the time zone of the one that will run them; zero is no automatic number there.
        table: The name of the table, quoted.
    """
    cursor.execute(_COLUMNS, (table[1:-1].replace("``", "`"),))
    columns = list(cursor.fetchall())
    values = ", ',', ".join(_written(quoted(name), kind) for name, kind, _ in columns)
    cursor.execute(f"SELECT CONCAT('(', {values}, ')') FROM {table}")  # noqa: S608 - quoted
    rows = [row for (row,) in cursor.fetchall()]
    if None in rows:
        return None
    texts = [row.decode() if isinstance(row, bytes) else str(row) for row in rows]
    head = f"INSERT INTO {table} ({', '.join(quoted(name) for name, *_ in columns)}) VALUES "  # noqa: S608 - quoted
    return [head + ", ".join(texts[start : start + _ROWS]) for start in range(0, len(texts), _ROWS)]


def _written(column: str, kind: str) -> str:
    """An expression for a value as SQL."""
    if _BINARY(kind):
        return f"IF({column} IS NULL, 'NULL', CONCAT('x''', HEX({column}), ''''))"
    if kind == "bit":
        return f"IF({column} IS NULL, 'NULL', {column} + 0)"
    return f"QUOTE({column} + 0E0)" if kind in ("float", "double") else f"QUOTE({column})"
