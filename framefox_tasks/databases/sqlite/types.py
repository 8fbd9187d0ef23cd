"""The types of SQLite: what a declared one means to SQLite, what it promises to people, and which one to declare."""

from __future__ import annotations

import re
from dataclasses import replace

from framefox_tasks.databases.rows import Kind, quoted
from framefox_tasks.databases.schema import Type, Written, type_parts

EXACT_DIGITS = 15
"""How many digits SQLite keeps of a number that it does not take for text."""
_NUMBERS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_RULES = (
    ("INTEGER", ("INT",)),
    ("TEXT", ("CHAR", "CLOB", "TEXT")),
    ("BLOB", ("BLOB",)),
    ("REAL", ("REAL", "FLOA", "DOUB")),
)
_NATIVE = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.BYTES: "BLOB",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.TIMESTAMP: "DATETIME",
    Kind.JSON: "JSON",
}
_TYPES = {native: Type(kind) for kind, native in _NATIVE.items()} | {
    "BOOL": Type(Kind.BOOLEAN),
    **dict.fromkeys(("INTEGER", "INT", "MEDIUMINT", "INT4"), Type(Kind.INTEGER, 4)),
    **dict.fromkeys(("SMALLINT", "INT2", "TINYINT", "YEAR"), Type(Kind.INTEGER, 2)),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DOUBLE PRECISION", "FLOAT8", "REAL", "FLOAT4"), Type(Kind.FLOAT, 8)),
    **dict.fromkeys(("BINARY", "VARBINARY", "BYTEA", "LONGBLOB"), Type(Kind.BYTES)),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"), Type(Kind.TIMESTAMP)),
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "DATETIMETZ"), Type(Kind.TIMESTAMPTZ)),
    "JSONB": Type(Kind.JSON),
    **dict.fromkeys(("UUID", "GUID"), Type(Kind.UUID)),
}
_NUMERIC = ("NUMERIC", "DECIMAL", "DEC", "NUMBER", "DECIMAL_TEXT")
_FIXED = ("CHAR", "NCHAR", "CHARACTER", "NATIVE CHARACTER")
_BY_AFFINITY = {"BLOB": Type(Kind.BYTES), "REAL": Type(Kind.FLOAT, 8)}


def read(native: str) -> Type | None:
    """What a type promises to hold, by the names that are in use, else by its affinity.

    None where it promises nothing: without a type, or with one that SQLite itself takes for a number only because it
    knows no better.
    """
    name, numbers, _ = type_parts(native.upper())
    size = numbers[0] if numbers else None
    if name in _NUMERIC:
        return Type.numeric(numbers)
    if name in _TYPES:
        known = _TYPES[name]
        return replace(known, size=size) if known.kind is Kind.BYTES and size else known
    if "INT" in name:
        return Type(Kind.INTEGER, 8)
    if any(word in name for word in ("CHAR", "CLOB", "TEXT")):
        # Only CHAR and VARCHAR promise a length: what stands behind other names has no such meaning.
        return Type(Kind.TEXT, size if size and "CHAR" in name else None, fixed=name in _FIXED and bool(size))
    return _BY_AFFINITY.get(affinity_of(name)) if name else None


def declared_type(native: str) -> Type:
    """What a column of a declared type is meant to hold; text, and `hidden`, where the type says nothing."""
    return read(native) or Type(Kind.TEXT, hidden=native or "no type")


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


def write(type_: Type) -> Written:
    """The type to declare for what a column of another database holds."""
    match type_.kind:
        case Kind.INTEGER:
            return _integer(type_)
        case Kind.NUMERIC:
            return _numeric(type_)
        case Kind.FLOAT:
            return Written("FLOAT")
        case Kind.TEXT if type_.size:
            return Written.sized("CHAR" if type_.fixed else "VARCHAR", type_.size)
        case Kind.ENUM:
            return Written.sized("VARCHAR", max(map(len, type_.values), default=1) or 1, "")
        case Kind.BITS:
            # Not BIT: SQLite would make a number of the digits, and lose the zeros in front.
            return Written.sized("VARCHAR" if type_.size else "TEXT", type_.size, "")
        case Kind.INTERVAL:
            return Written("TEXT", reason="")
        case Kind.UUID:  # as SQLAlchemy's Uuid is, where the database has no type for it
            return Written.sized("CHAR", 32)
        case Kind.TIMESTAMPTZ:
            return Written("DATETIME", reason="in UTC")
        case kind:
            return Written(_NATIVE.get(kind, "TEXT"))


def _integer(type_: Type) -> Written:
    size = type_.size or 8
    if type_.unsigned and size == 8:
        return Written("DECIMAL_TEXT(20)", reason="SQLite's integers end at 9223372036854775807", digits=True)
    if size <= 2 and not type_.unsigned:
        return Written("SMALLINT")
    return Written("BIGINT" if size > 4 or (size == 4 and type_.unsigned) else "INTEGER")


def _numeric(type_: Type) -> Written:
    arguments = "" if type_.size is None else f"({type_.size}, {type_.scale or 0})"
    if type_.narrow or (type_.size is not None and type_.size <= EXACT_DIGITS):
        return Written(f"NUMERIC{arguments}")
    # An affinity of text: SQLite would round a number, but not a text of digits.
    reason = f"SQLite rounds numbers of more than {EXACT_DIGITS} digits"
    return Written(f"DECIMAL_TEXT{arguments}", reason=reason, digits=True)
