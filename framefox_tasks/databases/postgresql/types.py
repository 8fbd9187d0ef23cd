"""The types of PostgreSQL: what each holds, and which one holds what a column does."""

from __future__ import annotations

import re
from dataclasses import replace

from framefox_tasks.databases.rows import Kind, quoted
from framefox_tasks.databases.schema import Type, Written, type_parts

_LONGEST = 10_485_760  # of varchar(n) and char(n)
_LABEL = 63  # bytes of an enum's label
_NATIVE = {
    Kind.FLOAT: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT: "text",
    Kind.JSON: "json",
    Kind.BYTES: "bytea",
    Kind.DATE: "date",
    Kind.TIME: "time without time zone",
    Kind.TIMESTAMP: "timestamp without time zone",
    Kind.TIMESTAMPTZ: "timestamp with time zone",
    Kind.INTERVAL: "interval",
    Kind.UUID: "uuid",
}
_TYPES = {native: Type(kind) for kind, native in _NATIVE.items()} | {
    "smallint": Type(Kind.INTEGER, 2),
    "integer": Type(Kind.INTEGER, 4),
    "bigint": Type(Kind.INTEGER, 8),
    "oid": Type(Kind.INTEGER, 8, hidden="oid"),
    "real": Type(Kind.FLOAT, 4),
    "double precision": Type(Kind.FLOAT, 8),
    "name": Type(Kind.TEXT, 63, hidden="name"),
    "jsonb": Type(Kind.JSON),
    "money": Type(Kind.NUMERIC, 19, 2, hidden="money"),
}


def read(native: str) -> Type:
    """What a type holds; enums, domains and arrays are the caller's."""
    name, numbers, _ = type_parts(native)
    size = numbers[0] if numbers else None
    if name.startswith("interval"):
        return Type(Kind.INTERVAL)
    if name in _TYPES:
        return _TYPES[name] if size is None else replace(_TYPES[name], size=size)
    if name == "numeric":
        return Type.numeric(numbers)
    if name in ("character varying", "character"):
        return Type(Kind.TEXT, size, fixed=name == "character" and size is not None)
    if name in ("bit", "bit varying"):
        return Type(Kind.BITS, size or (1 if name == "bit" else None), fixed=name == "bit")
    return Type(Kind.OTHER, hidden=native)


def write(type_: Type) -> Written:
    """The type that holds what a column of another database does."""
    match type_.kind:
        case Kind.INTEGER:
            return _integer(type_)
        case Kind.NUMERIC:
            return Written("numeric" if type_.size is None else f"numeric({type_.size},{type_.scale or 0})")
        case Kind.TEXT if type_.size and type_.size <= _LONGEST:
            return Written.sized("character" if type_.fixed else "character varying", type_.size)
        case Kind.BITS:
            return Written.sized("bit" if type_.fixed else "bit varying", type_.size)
        case Kind.ENUM if all(len(value.encode()) <= _LABEL for value in type_.values):
            plain = re.fullmatch(r"[a-z_][a-z0-9_]*", type_.name)
            return Written(type_.name if plain else quoted(type_.name, '"'), reason="", lists=True)
        case Kind.ENUM:
            return Written("text", reason=f"a label of an enum has up to {_LABEL} bytes")
        case Kind.TIMESTAMPTZ if type_.size is not None:
            return Written(_NATIVE[type_.kind], reason="")
        case kind:
            return Written(_NATIVE.get(kind, "text"))


def _integer(type_: Type) -> Written:
    size = type_.size or 8
    if not type_.unsigned:
        return Written("smallint" if size <= 2 else "integer" if size <= 4 else "bigint")
    if size == 1:
        return Written("smallint")
    if size <= 3:
        return Written("integer", reason="")
    return Written("bigint" if size == 4 else "numeric(20,0)", reason="")
