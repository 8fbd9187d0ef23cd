"""The canonical form of a row, which is the same in every database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from re import compile as pattern
from struct import pack, unpack

from framefox_tasks.databases.canonical import Column as TextColumn, fractions, hexadecimal, number, numbers
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import NULL, Field, Kind, TablePlan, unescaped

Row = bytes | tuple[bytes, ...]
"""A row to be compared: its fields, or the whole line where its fields need nothing."""
Canonical = Callable[[bytes], Iterable[tuple[bytes, ...]]]
"""Gives the rows of a block of lines."""
Column = Callable[[Sequence[bytes]], list[bytes]]

_SINGLE = 4  # bytes
_PADDED = ("character(", "char(", "bpchar")
_DURATION = pattern(
    rb"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?)?"
)


def canonical(plan: TablePlan, dialects: tuple[Dialect, Dialect], *, masked: bool = False) -> Canonical | None:
    """Gives the canonical rows of a block of lines; None where the lines are canonical.

    Args:
        plan: The table.
        dialects: The source's and the copy's.
        masked: Whether lines of the source have masks: their values are in a form that no database gave them.
    """
    pairs = zip(plan.source.fields, plan.target.fields, strict=True)
    found = [(index, _column(here, there, dialects, masked=masked)) for index, (here, there) in enumerate(pairs)]
    columns = [(index, column) for index, column in found if column]
    if not columns:
        return None

    def rows(block: bytes) -> Iterable[tuple[bytes, ...]]:
        if not block:
            return ()
        fields: list[Sequence[bytes]] = list(zip(*[line.split(b"\t") for line in block[:-1].split(b"\n")], strict=True))
        for index, column in columns:
            fields[index] = column(fields[index])
        return zip(*fields, strict=True)

    return rows


def _column(here: Field, there: Field, dialects: tuple[Dialect, Dialect], *, masked: bool) -> Column | None:
    if dialects[0].name == dialects[1].name and here.native == there.native and not masked:
        return None  # one database writes one value in one way
    if here.kind is Kind.FLOAT:
        return _each(_single if any(map(is_single, (here, there), dialects)) else _double)
    if here.kind is Kind.TEXT:
        return _unpadded if any(map(is_padded, (here, there))) else None
    return _COLUMNS.get(here.kind)


def is_single(field: Field, dialect: Dialect) -> bool:
    """Whether a FLOAT is a single."""
    type_ = dialect.read(field.native)
    return type_ is not None and type_.kind is Kind.FLOAT and type_.size == _SINGLE


def is_padded(field: Field) -> bool:
    """Whether a text has spaces up to its length."""
    return field.native.startswith(_PADDED)


def _each(function: Callable[[bytes], bytes]) -> Column:
    return lambda column: [*map(function, column)]


def _unpadded(column: Sequence[bytes]) -> list[bytes]:
    return [field.rstrip(b" ") for field in column]


def _texts(column: TextColumn) -> Column:
    """The same of bytes."""
    errors = "surrogateescape"
    return lambda fields: [
        text.encode("utf-8", errors) for text in column([field.decode("utf-8", errors) for field in fields])
    ]


def _bits(column: Sequence[bytes]) -> list[bytes]:
    return [field.lstrip(b"0") for field in column]


def _double(field: bytes) -> bytes:
    try:
        return repr(float(field) + 0.0).encode()  # minus zero becomes zero
    except ValueError:
        return field


def _single(field: bytes) -> bytes:
    try:
        single: float = unpack("f", pack("f", float(field)))[0]
    except (ValueError, OverflowError):
        return _double(field)
    return repr(single + 0.0).encode()


def _document(field: bytes) -> bytes:
    if field == NULL:
        return field
    try:
        value = json.loads(unescaped(field), parse_int=_exact, parse_float=_exact)
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return field


def _exact(text: str) -> str:
    """A number as a text that no other number has, and that no text of a document is likely to be."""
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return f"\0{text}"
    shown = "".join(map(str, digits)).lstrip("0")
    short = shown.rstrip("0")
    return f"\0{'-' * sign}{short}e{int(exponent) + len(shown) - len(short)}" if short else "\0000"


def _duration(field: bytes) -> bytes:
    found = _DURATION.fullmatch(field)
    if not found:
        return field
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:6])
    seconds = Decimal((found[7] or b"0").decode())
    micros = (hours * 3600 + minutes * 60) * 1_000_000 + seconds.scaleb(6)
    return b"%d months %d days %s" % (years * 12 + months, weeks * 7 + days, number(format(micros, "f")).encode())


_COLUMNS: dict[Kind, Column] = {
    Kind.NUMERIC: _texts(numbers),
    Kind.JSON: _each(_document),
    Kind.TIME: _texts(fractions),
    Kind.TIMESTAMP: _texts(fractions),
    Kind.TIMESTAMPTZ: _texts(fractions),
    Kind.INTERVAL: _each(_duration),
    Kind.UUID: _texts(hexadecimal),
    Kind.BITS: _bits,
}
