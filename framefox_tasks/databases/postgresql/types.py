"""The types of PostgreSQL: what each holds, and which one holds what a column does."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

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
_TYPES = {
    "int2": Type(Kind.INTEGER, 2),
    "int4": Type(Kind.INTEGER, 4),
    "int8": Type(Kind.INTEGER, 8),
    "oid": Type(Kind.INTEGER, 8, hidden="oid"),
    "numeric": Type(Kind.NUMERIC),
    "money": Type(Kind.NUMERIC, 19, 2, hidden="money", own=Kind.NATIVE),
    "float4": Type(Kind.FLOAT, 4),
    "float8": Type(Kind.FLOAT, 8),
    "bool": Type(Kind.BOOLEAN),
    "text": Type(Kind.TEXT),
    "varchar": Type(Kind.TEXT),
    "citext": Type(Kind.TEXT, hidden="citext"),  # of an extension
    "bpchar": Type(Kind.TEXT, fixed=True),
    "name": Type(Kind.TEXT, 63, hidden="name"),
    "json": Type(Kind.JSON),
    "jsonb": Type(Kind.JSON),
    "bytea": Type(Kind.BYTES),
    "date": Type(Kind.DATE),
    "time": Type(Kind.TIME),
    "timestamp": Type(Kind.TIMESTAMP),
    "timestamptz": Type(Kind.TIMESTAMPTZ),
    "interval": Type(Kind.INTERVAL),
    "uuid": Type(Kind.UUID),
    "bit": Type(Kind.BITS, fixed=True),
    "varbit": Type(Kind.BITS),
}
"""By the names that they have in pg_catalog and in one extension, without what stands in parentheses."""
_SPELLED = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "character varying": "varchar",
    "character": "bpchar",
    "time without time zone": "time",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "bit varying": "varbit",
}


def read(native: str) -> Type:
    """What a type holds as far as its name says; that of an enum or a domain says nothing."""
    name = type_parts(native)[0]
    name = "interval" if name.split()[:1] == ["interval"] else name  # of `interval day to second`
    return held("array" if name.endswith("[]") else "known", _SPELLED.get(name, name), native)


@cache
def held(sort: str, name: str, native: str, labels: tuple[str, ...] = ()) -> Type:
    """What a type holds that is no domain.

    Args:
        sort: Whether it is an array, an enum, or known from pg_catalog.
        name: In its schema.
        native: As it is written.
        labels: Of an enum.
    """
    numbers = type_parts(native)[1]
    if sort == "array":
        return Type(Kind.JSON, hidden=native if native.endswith("[]") else f"{native}[]", own=Kind.NATIVE)
    if sort == "enum":
        return Type(Kind.ENUM, values=labels, name=name)
    if sort != "known" or name not in _TYPES:
        return Type(Kind.OTHER, hidden=native, own=Kind.NATIVE)
    if name == "numeric":
        return Type.numeric(numbers)
    if not numbers:  # `bpchar` and `"bit"` are of any length
        return replace(_TYPES[name], fixed=False)
    return _TYPES[name] if name == "interval" else replace(_TYPES[name], size=numbers[0])


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
