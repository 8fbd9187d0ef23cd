"""Sorting a SQLite table as every database can: numbers and times by value, other things by the bytes of their text."""

from __future__ import annotations

import sqlite3
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.sqlite.cell import odd_text
from framefox_tasks.databases.sqlite.types import affinity_of, named

_NUMBERS = (Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT, Kind.BOOLEAN)
_TEXTS = (Kind.TEXT, Kind.JSON, Kind.ENUM, Kind.OTHER)


def sorted_by(connection: sqlite3.Connection, owner: str, field: Field) -> str:
    """An expression for ORDER BY; functions that it needs are put into the connection."""
    column = f"{owner}.{named(field.name)}"
    if field.kind in _NUMBERS:
        if affinity_of(field.native) not in ("TEXT", "BLOB"):
            return column
        connection.create_collation("copied_number", _compared)
        return f"{column} COLLATE copied_number"
    collation = _by_bytes(connection)
    if field.kind is Kind.BYTES or (field.kind in _TEXTS and affinity_of(field.native) == "TEXT"):
        return f"{column} COLLATE {collation}"
    name = f"copied_{field.kind.value}"
    connection.create_function(name, 1, partial(_text, field), deterministic=True)
    return f"{name}({column}) COLLATE {collation}"


def _by_bytes(connection: sqlite3.Connection) -> str:
    # SQLite's own compares the bytes as the file has them, which may be those of UTF-16.
    if connection.execute("PRAGMA encoding").fetchone()[0] == "UTF-8":
        return "BINARY"
    connection.create_collation("copied_text", _compared_bytes)
    return "copied_text"


def _text(field: Field, cell: Any) -> Any:
    try:
        return None if cell is None else odd_text(field, cell)
    except ValueError:  # told when the row is read
        return cell


def _compared(one: str, other: str) -> int:
    left, right = _number(one), _number(other)
    return (left > right) - (left < right)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return number if not number.is_nan() else Decimal("Infinity")


def _compared_bytes(one: str, other: str) -> int:
    left, right = one.encode(), other.encode()
    return (left > right) - (left < right)
