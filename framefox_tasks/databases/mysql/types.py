"""The types of MySQL and MariaDB: what each holds, and which one holds what a column does."""

from __future__ import annotations

import re
from dataclasses import replace

from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import Type, Written, type_parts

_LONGEST = 16_383  # characters of four bytes: what a row can hold
_LABEL = 255  # characters of an enum's label
_LABELS = re.compile(r"'((?:[^']|'')*)'")
_ESCAPED = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a"}
_INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "integer": 4, "bigint": 8}
_SHAPES = (
    *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
    *("geometrycollection", "geomcollection", "vector"),
)
_TIMES = {Kind.TIME: "time", Kind.TIMESTAMP: "datetime", Kind.TIMESTAMPTZ: "datetime"}
_NATIVE = {Kind.JSON: "json", Kind.BYTES: "longblob", Kind.DATE: "date", Kind.UUID: "uuid", Kind.TEXT: "longtext"}
_TYPES = {native: Type(kind) for kind, native in _NATIVE.items()} | {
    "double": Type(Kind.FLOAT, 8),
    "float": Type(Kind.FLOAT, 4),
    **dict.fromkeys(("tinytext", "text", "mediumtext"), Type(Kind.TEXT)),
    **dict.fromkeys(("tinyblob", "blob", "mediumblob"), Type(Kind.BYTES)),
    # What MySQL keeps of a shape: a number and its well-known binary.
    **{shape: Type(Kind.BYTES, hidden=shape, own=Kind.NATIVE) for shape in _SHAPES},
    "time": Type(Kind.TIME, 0),
    "datetime": Type(Kind.TIMESTAMP, 0),
    "timestamp": Type(Kind.TIMESTAMPTZ, 0),
    "year": Type(Kind.INTEGER, 2, hidden="year"),
}


def read(native: str) -> Type:
    """What a type holds."""
    name, numbers, inner = type_parts(native)
    words = name.split() or [""]
    base, size = words[0], numbers[0] if numbers else None
    if base == "tinyint" and size == 1 and "unsigned" not in words:
        return Type(Kind.BOOLEAN)
    if base in _INTEGERS:
        return Type(Kind.INTEGER, _INTEGERS[base], unsigned="unsigned" in words)
    if base in _TYPES:
        return replace(_TYPES[base], size=size or 0) if _TYPES[base].kind in _TIMES else _TYPES[base]
    if base in ("decimal", "numeric"):
        return Type.numeric(numbers or (10, 0))
    if base in ("varchar", "char"):
        return Type(Kind.TEXT, size, fixed=base == "char")
    if base in ("varbinary", "binary"):
        return Type(Kind.BYTES, size, fixed=base == "binary")
    if base == "bit":
        return Type(Kind.BITS, size or 1, fixed=True)
    if base == "enum":
        return Type(Kind.ENUM, values=tuple(map(_label, _LABELS.findall(inner))))
    if base == "set":
        return Type(Kind.TEXT, hidden=native)
    return Type(Kind.OTHER, hidden=native, own=None if base in ("inet4", "inet6") else Kind.NATIVE)


def _label(written: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[1]), written.replace("''", "'"))


def literal(text: str) -> str:
    """A text as SQL, where a backslash escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def write(type_: Type, *, has_uuid: bool = False) -> Written:
    """The type that holds what a column of another database does.

    Args:
        type_: What that is.
        has_uuid: Whether the server has a type for a UUID, as MariaDB does.
    """
    match type_.kind:
        case Kind.BOOLEAN:
            return Written("tinyint(1)")
        case Kind.INTEGER:
            return _integer(type_)
        case Kind.NUMERIC:
            return _numeric(type_)
        case Kind.FLOAT:
            return Written("float" if type_.size == 4 else "double")
        case Kind.TEXT:
            return _text(type_)
        case Kind.ENUM if max(map(len, type_.values), default=0) <= _LABEL:
            return Written(f"enum({','.join(map(literal, type_.values))})", reason="", lists=True)
        case Kind.BYTES if type_.size and type_.size <= _LONGEST:
            return Written.sized("varbinary", type_.size)
        case Kind.BITS if type_.fixed and type_.size and type_.size <= 64:
            return Written.sized("bit", type_.size)
        case Kind.BITS if type_.size and type_.size <= _LONGEST:
            return Written.sized("varchar", type_.size, "")
        case Kind.INTERVAL:
            return Written.sized("varchar", 64, "")
        case Kind.UUID if not has_uuid:
            return Written.sized("char", 32)
        case Kind.TIME | Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            digits = 6 if type_.size is None else type_.size
            native = _TIMES[type_.kind] + (f"({digits})" if digits else "")
            return Written(native, reason="in UTC" if type_.kind is Kind.TIMESTAMPTZ else None)
        case kind:
            return Written(_NATIVE.get(kind, "longtext"))


def _integer(type_: Type) -> Written:
    size = type_.size or 8
    name = "smallint" if size <= 2 else "int" if size <= 4 else "bigint"
    return Written(f"{name} unsigned" if type_.unsigned else name)


def _numeric(type_: Type) -> Written:
    if type_.size is None:
        return Written("decimal(65,30)", reason="MySQL needs to know the digits")
    scale = max(type_.scale or 0, 0)
    if type_.size <= 65 and scale <= 30 and type_.size >= scale and (type_.scale or 0) >= 0:
        return Written(f"decimal({type_.size},{scale})")
    return Written(f"decimal(65,{min(scale, 30)})", reason="MySQL has 65 digits, 30 of them behind the point")


def _text(type_: Type) -> Written:
    if type_.size is None or type_.size > _LONGEST:
        return Written("longtext", reason=None if type_.size is None else "a row of MySQL holds 65535 bytes")
    if type_.fixed and type_.size <= 255:
        return Written.sized("char", type_.size)
    return Written.sized("varchar", type_.size, "" if type_.fixed else None)
