"""What the types of the three databases hold."""

from __future__ import annotations

import re
from dataclasses import replace

from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import Type

_PARTS = re.compile(r"([^(]*?)\s*(?:\(\s*(.*?)\s*\)\s*(.*))?", re.DOTALL)
_LABEL = re.compile(r"'((?:[^']|'')*)'")


def parts(native: str) -> tuple[str, tuple[int, ...], str]:
    """A type's name without what is in parentheses, the numbers in them, and what they hold as it is written."""
    match = _PARTS.fullmatch(native.strip())
    if match is None:
        return native, (), ""
    inner = match[2] or ""
    numbers = tuple(int(number) for number in re.findall(r"-?\d+", inner)) if "'" not in inner else ()
    return " ".join(f"{match[1]} {match[3] or ''}".split()), numbers, inner


def _numeric(numbers: tuple[int, ...], hidden: str = "") -> Type:
    scale = numbers[1] if len(numbers) > 1 else 0
    return Type(Kind.NUMERIC, numbers[0], scale, hidden=hidden) if numbers else Type(Kind.NUMERIC, hidden=hidden)


_POSTGRESQL = {
    "smallint": Type(Kind.INTEGER, 2),
    "integer": Type(Kind.INTEGER, 4),
    "bigint": Type(Kind.INTEGER, 8),
    "oid": Type(Kind.INTEGER, 8, hidden="oid"),
    "real": Type(Kind.FLOAT, 4),
    "double precision": Type(Kind.FLOAT, 8),
    "boolean": Type(Kind.BOOLEAN),
    "text": Type(Kind.TEXT),
    "name": Type(Kind.TEXT, 63, hidden="name"),
    "bytea": Type(Kind.BYTES),
    "date": Type(Kind.DATE),
    "time without time zone": Type(Kind.TIME),
    "timestamp without time zone": Type(Kind.TIMESTAMP),
    "timestamp with time zone": Type(Kind.TIMESTAMPTZ),
    "uuid": Type(Kind.UUID),
    "json": Type(Kind.JSON),
    "jsonb": Type(Kind.JSON),
    "money": Type(Kind.NUMERIC, 19, 2, hidden="money"),
}


def postgresql_type(native: str) -> Type:
    """What a type of PostgreSQL holds; enums, domains and arrays are the caller's."""
    name, numbers, _ = parts(native)
    size = numbers[0] if numbers else None
    if name in _POSTGRESQL:
        known = _POSTGRESQL[name]
        return known if size is None else replace(known, size=size)
    if name == "numeric":
        return _numeric(numbers)
    if name in ("character varying", "character"):
        return Type(Kind.TEXT, size, fixed=name == "character" and size is not None)
    if name in ("bit", "bit varying"):
        return Type(Kind.BITS, size or (1 if name == "bit" else None), fixed=name == "bit")
    if name.startswith("interval"):
        return Type(Kind.INTERVAL)
    return Type(Kind.OTHER, hidden=native)


_MYSQL_INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "integer": 4, "bigint": 8}
_MYSQL_SHAPES = [
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
    "vector",
]
_MYSQL = {
    "double": Type(Kind.FLOAT, 8),
    "float": Type(Kind.FLOAT, 4),
    "tinytext": Type(Kind.TEXT),
    "text": Type(Kind.TEXT),
    "mediumtext": Type(Kind.TEXT),
    "longtext": Type(Kind.TEXT),
    "tinyblob": Type(Kind.BYTES),
    "blob": Type(Kind.BYTES),
    "mediumblob": Type(Kind.BYTES),
    "longblob": Type(Kind.BYTES),
    "date": Type(Kind.DATE),
    "time": Type(Kind.TIME, 0),
    "datetime": Type(Kind.TIMESTAMP, 0),
    "timestamp": Type(Kind.TIMESTAMPTZ, 0),
    "json": Type(Kind.JSON),
    "uuid": Type(Kind.UUID),
    "year": Type(Kind.INTEGER, 2, hidden="year"),
}


_ESCAPED = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a"}


def _label(written: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[1]), written.replace("''", "'"))


def mysql_type(native: str) -> Type:
    """What a type of MySQL or MariaDB holds."""
    name, numbers, inner = parts(native)
    words = name.split() or [""]
    base, size = words[0], numbers[0] if numbers else None
    if base == "tinyint" and size == 1:
        return Type(Kind.BOOLEAN)
    if base in _MYSQL_INTEGERS:
        return Type(Kind.INTEGER, _MYSQL_INTEGERS[base], unsigned="unsigned" in words)
    if base in ("time", "datetime", "timestamp"):
        return replace(_MYSQL[base], size=size or 0)
    if base in _MYSQL:
        return _MYSQL[base]
    if base in ("decimal", "numeric"):
        return _numeric(numbers or (10, 0))
    if base in ("varchar", "char"):
        return Type(Kind.TEXT, size, fixed=base == "char")
    if base in ("varbinary", "binary"):
        return Type(Kind.BYTES, size, fixed=base == "binary")
    if base == "bit":
        return Type(Kind.BITS, size or 1, fixed=True)
    if base == "enum":
        return Type(Kind.ENUM, values=tuple(map(_label, _LABEL.findall(inner))))
    if base in _MYSQL_SHAPES:
        return Type(Kind.BYTES, hidden=base)  # what MySQL keeps of a shape: a number and its well-known binary
    if base == "set":
        return Type(Kind.TEXT, hidden=native)
    return Type(Kind.OTHER, hidden=native)


_SQLITE = {
    **dict.fromkeys(("BOOLEAN", "BOOL"), Type(Kind.BOOLEAN)),
    **dict.fromkeys(("INTEGER", "INT", "MEDIUMINT", "INT4"), Type(Kind.INTEGER, 4)),
    **dict.fromkeys(("SMALLINT", "INT2", "TINYINT", "YEAR"), Type(Kind.INTEGER, 2)),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DOUBLE PRECISION", "FLOAT8"), Type(Kind.FLOAT, 8)),
    **dict.fromkeys(("REAL", "FLOAT4"), Type(Kind.FLOAT, 8)),
    **dict.fromkeys(("BLOB", "BINARY", "VARBINARY", "BYTEA", "LONGBLOB"), Type(Kind.BYTES)),
    "DATE": Type(Kind.DATE),
    "TIME": Type(Kind.TIME),
    **dict.fromkeys(("DATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"), Type(Kind.TIMESTAMP)),
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "DATETIMETZ"), Type(Kind.TIMESTAMPTZ)),
    **dict.fromkeys(("JSON", "JSONB"), Type(Kind.JSON)),
    **dict.fromkeys(("UUID", "GUID"), Type(Kind.UUID)),
}
_SQLITE_NUMERIC = ("NUMERIC", "DECIMAL", "DEC", "NUMBER", "DECIMAL_TEXT")
_SQLITE_FIXED = ("CHAR", "NCHAR", "CHARACTER", "NATIVE CHARACTER")


def sqlite_type(native: str) -> Type | None:
    """What a type of SQLite promises to hold, by the names that are in use, else by its affinity.

    None where it promises nothing: without a type, or with one that SQLite itself takes for a number only because it
    knows no better.
    """
    name, numbers, _ = parts(native.upper())
    size = numbers[0] if numbers else None
    if name in _SQLITE_NUMERIC:
        return _numeric(numbers)
    if name in _SQLITE:
        known = _SQLITE[name]
        return replace(known, size=size) if known.kind is Kind.BYTES and size else known
    if "INT" in name:
        return Type(Kind.INTEGER, 8)
    if any(word in name for word in ("CHAR", "CLOB", "TEXT")):
        # Only CHAR and VARCHAR promise a length: what stands behind other names has no such meaning.
        return Type(Kind.TEXT, size if size and "CHAR" in name else None, fixed=name in _SQLITE_FIXED and bool(size))
    if "BLOB" in name:
        return Type(Kind.BYTES)
    if any(word in name for word in ("REAL", "FLOA", "DOUB")):
        return Type(Kind.FLOAT, 8)
    return None
