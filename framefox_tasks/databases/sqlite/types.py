"""What a declared type means to SQLite, and what it promises to people."""

from __future__ import annotations

import re

from framefox_tasks.databases.native_types import sqlite_type
from framefox_tasks.databases.rows import Kind, quoted

_NUMBERS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_RULES = (
    ("INTEGER", ("INT",)),
    ("TEXT", ("CHAR", "CLOB", "TEXT")),
    ("BLOB", ("BLOB",)),
    ("REAL", ("REAL", "FLOA", "DOUB")),
)


def kind_of(declared: str) -> Kind:
    """What a column of a declared type is meant to hold; text where the type says nothing."""
    promised = sqlite_type(declared)
    return promised.kind if promised else Kind.TEXT


def length_of(declared: str, kind: Kind) -> int | None:
    """The greatest length of a text or of bytes that the type tells; SQLite itself holds nobody to it."""
    promised = sqlite_type(declared)
    return promised.size if promised and kind in (Kind.TEXT, Kind.BYTES) else None


def scale_of(declared: str) -> int | None:
    """How many digits a numeric type keeps behind the point; None where it does not say."""
    found = _NUMBERS.search(declared)
    return int(found[2] or 0) if found else None


def affinity_of(declared: str) -> str:
    """How SQLite stores what is put into a column: INTEGER, TEXT, BLOB, REAL or NUMERIC."""
    upper = declared.upper()
    if not upper:
        return "BLOB"
    return next((name for name, words in _RULES if any(word in upper for word in words)), "NUMERIC")


def named(name: str) -> str:
    """A name as SQL takes it."""
    return quoted(name, '"')
