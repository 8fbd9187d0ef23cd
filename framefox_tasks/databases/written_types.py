"""The type that each database gives to what a column holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from framefox_tasks.databases.rows import Kind, quoted
from framefox_tasks.databases.schema import Type

_POSTGRESQL_TEXT = 10_485_760  # the longest varchar(n) and char(n)
SQLITE_DIGITS = 15
"""How many digits SQLite keeps of a number that it does not take for text."""
MYSQL_KEY = 3072
"""How many bytes the key of an index has at most, with InnoDB's usual page."""
_MYSQL_TEXT = 16_383  # characters of four bytes: what a row can hold
_MYSQL_ENUM = 255  # characters of one label


@dataclass(frozen=True)
class Written:
    """A type as a database writes it.

    Attributes:
        native: In small letters.
        length: The greatest number of characters, or of bytes; None where there is no limit.
        reason: Why it is another type than the source's; None where it is what one expects of it.
    """

    native: str
    length: int | None = None
    reason: str | None = None


def write(type_: Type, dialect: str, *, has_uuid: bool = False) -> Written:
    """The type of a dialect that holds what a column of the source does.

    Args:
        type_: What that is.
        dialect: Whose type to write.
        has_uuid: Of a server that speaks MySQL: whether it has a type for a UUID, as MariaDB does.
    """
    written = Written("uuid") if has_uuid and type_.kind is Kind.UUID else _WRITERS[dialect](type_)
    if type_.hidden and written.reason is None:
        return replace(written, reason="")
    return written


def _sized(name: str, size: int | None) -> Written:
    return Written(f"{name}({size})" if size else name, size)


def _postgresql(type_: Type) -> Written:
    match type_.kind:
        case Kind.INTEGER:
            return _postgresql_integer(type_)
        case Kind.NUMERIC:
            return Written("numeric" if type_.size is None else f"numeric({type_.size},{type_.scale or 0})")
        case Kind.TEXT if type_.size and type_.size <= _POSTGRESQL_TEXT:
            return _sized("character" if type_.fixed else "character varying", type_.size)
        case Kind.BITS:
            return _sized("bit" if type_.fixed else "bit varying", type_.size)
        case Kind.ENUM if all(len(value.encode()) < 64 for value in type_.values):
            plain = re.fullmatch(r"[a-z_][a-z0-9_]*", type_.name)
            return Written(type_.name if plain else quoted(type_.name, '"'), reason="")
        case Kind.ENUM:
            return Written("text", reason="a label of an enum has up to 63 bytes")
        case Kind.TIMESTAMPTZ if type_.size is not None:
            return Written("timestamp with time zone", reason="")
        case kind:
            return Written(_POSTGRESQL[kind])


_POSTGRESQL = {
    Kind.FLOAT: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT: "text",
    Kind.JSON: "json",
    Kind.OTHER: "text",
    Kind.BYTES: "bytea",
    Kind.DATE: "date",
    Kind.TIME: "time without time zone",
    Kind.TIMESTAMP: "timestamp without time zone",
    Kind.TIMESTAMPTZ: "timestamp with time zone",
    Kind.INTERVAL: "interval",
    Kind.UUID: "uuid",
}


def _postgresql_integer(type_: Type) -> Written:
    size = type_.size or 8
    if not type_.unsigned:
        return Written("smallint" if size <= 2 else "integer" if size <= 4 else "bigint")
    if size == 1:
        return Written("smallint")
    if size <= 3:
        return Written("integer", reason="")
    return Written("bigint" if size == 4 else "numeric(20,0)", reason="")


def _sqlite(type_: Type) -> Written:
    match type_.kind:
        case Kind.INTEGER:
            return _sqlite_integer(type_)
        case Kind.NUMERIC:
            return _sqlite_numeric(type_)
        case Kind.FLOAT:
            return Written("FLOAT")
        case Kind.TEXT if type_.size:
            return _sized("CHAR" if type_.fixed else "VARCHAR", type_.size)
        case Kind.ENUM:
            return replace(_sized("VARCHAR", max(map(len, type_.values), default=1) or 1), reason="")
        case Kind.BITS:
            # Not BIT: SQLite would make a number of the digits, and lose the zeros in front.
            return replace(_sized("VARCHAR" if type_.size else "TEXT", type_.size), reason="")
        case Kind.INTERVAL:
            return Written("TEXT", reason="")
        case Kind.UUID:  # as SQLAlchemy's Uuid is, where the database has no type for it
            return Written("CHAR(32)", 32)
        case Kind.TIMESTAMPTZ:
            return Written("DATETIME", reason="in UTC")
        case kind:
            return Written(_SQLITE[kind])


_SQLITE = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TEXT: "TEXT",
    Kind.JSON: "JSON",
    Kind.OTHER: "TEXT",
    Kind.BYTES: "BLOB",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.TIMESTAMP: "DATETIME",
}


def _sqlite_integer(type_: Type) -> Written:
    size = type_.size or 8
    if type_.unsigned and size == 8:
        return Written("DECIMAL_TEXT(20)", reason="SQLite's integers end at 9223372036854775807")
    if size <= 2 and not type_.unsigned:
        return Written("SMALLINT")
    return Written("BIGINT" if size > 4 or (size == 4 and type_.unsigned) else "INTEGER")


def _sqlite_numeric(type_: Type) -> Written:
    arguments = "" if type_.size is None else f"({type_.size}, {type_.scale or 0})"
    if type_.narrow or (type_.size is not None and type_.size <= SQLITE_DIGITS):
        return Written(f"NUMERIC{arguments}")
    # An affinity of text: SQLite would round a number, but not a text of digits.
    return Written(f"DECIMAL_TEXT{arguments}", reason="SQLite rounds numbers of more than 15 digits")


def _mysql(type_: Type) -> Written:
    match type_.kind:
        case Kind.INTEGER:
            return _mysql_integer(type_)
        case Kind.NUMERIC:
            return _mysql_numeric(type_)
        case Kind.FLOAT:
            return Written("float" if type_.size == 4 else "double")
        case Kind.TEXT:
            return _mysql_text(type_)
        case Kind.ENUM if max(map(len, type_.values), default=0) <= _MYSQL_ENUM:
            return Written(f"enum({','.join(map(mysql_literal, type_.values))})", reason="")
        case Kind.BYTES if type_.size and type_.size <= _MYSQL_TEXT:
            return Written(f"varbinary({type_.size})", type_.size)
        case Kind.BITS if type_.fixed and type_.size and type_.size <= 64:
            return Written(f"bit({type_.size})", type_.size)
        case Kind.BITS if type_.size and type_.size <= _MYSQL_TEXT:
            return Written(f"varchar({type_.size})", type_.size, reason="")
        case Kind.INTERVAL:
            return Written("varchar(64)", 64, reason="")
        case Kind.UUID:
            return Written("char(32)", 32)
        case Kind.TIMESTAMPTZ:
            return Written(_MYSQL_TIMES[type_.kind] + _fraction(type_), reason="in UTC")
        case Kind.TIME | Kind.TIMESTAMP:
            return Written(_MYSQL_TIMES[type_.kind] + _fraction(type_))
        case kind:
            return Written(_MYSQL[kind])


_MYSQL_TIMES = {Kind.TIME: "time", Kind.TIMESTAMP: "datetime", Kind.TIMESTAMPTZ: "datetime"}
_MYSQL = {
    Kind.BOOLEAN: "tinyint(1)",
    Kind.JSON: "json",
    Kind.OTHER: "longtext",
    Kind.ENUM: "longtext",
    Kind.BITS: "longtext",
    Kind.BYTES: "longblob",
    Kind.DATE: "date",
}


def _fraction(type_: Type) -> str:
    digits = 6 if type_.size is None else type_.size
    return f"({digits})" if digits else ""


def _mysql_integer(type_: Type) -> Written:
    size = type_.size or 8
    name = "smallint" if size <= 2 else "int" if size <= 4 else "bigint"
    return Written(f"{name} unsigned" if type_.unsigned else name)


def _mysql_numeric(type_: Type) -> Written:
    if type_.size is None:
        return Written("decimal(65,30)", reason="MySQL needs to know the digits")
    scale = max(type_.scale or 0, 0)
    if type_.size <= 65 and scale <= 30 and type_.size >= scale and (type_.scale or 0) >= 0:
        return Written(f"decimal({type_.size},{scale})")
    return Written(f"decimal(65,{min(scale, 30)})", reason="MySQL has 65 digits, 30 of them behind the point")


def _mysql_text(type_: Type) -> Written:
    if type_.size is None or type_.size > _MYSQL_TEXT:
        return Written("longtext", reason=None if type_.size is None else "a row of MySQL holds 65535 bytes")
    if type_.fixed and type_.size <= 255:
        return Written(f"char({type_.size})", type_.size)
    return Written(f"varchar({type_.size})", type_.size, reason="" if type_.fixed else None)


def mysql_literal(text: str) -> str:
    """A text as MySQL takes it, where a backslash escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


_WRITERS = {"postgresql": _postgresql, "sqlite": _sqlite, "mysql": _mysql}
