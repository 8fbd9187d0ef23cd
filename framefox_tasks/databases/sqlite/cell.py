"""The text of one cell that does not hold what most do: another type, another form, an infinite number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite
from re import compile as pattern
from typing import Any
from uuid import UUID

from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.sqlite.types import scale_of

_TRUTHS = {"1": "1", "true": "1", "t": "1", "0": "0", "false": "0", "f": "0"}
_ENDLESS = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity", "-inf": "-Infinity", "-infinity": "-Infinity"}
_DIGITS = pattern(r"\s*[+-]?[0-9]+\s*")
_FINER = pattern(r"\.\d{6}\d*[1-9]")
_DURATION = pattern(r"P(?=[-\dT])(?:-?\d+[YMWD])*(?:T(?:-?[\d.]+[HMS])+)?")
_SHOWN = 40  # characters of a value
_NOISE = 1e-15
"""How much a double may differ from a short decimal, by its share, and mean it: some units of its last digit."""
EPOCH = datetime(1970, 1, 1)
"""What SQLAlchemy counts an interval from, where the database has no type for it."""


def odd_text(field: Field, cell: Any) -> str:
    """The text of a cell that is not NULL.

    Raises:
        ValueError: It has none as what its column holds; the message says so.
    """
    what, one = _ONES.get(field.kind, _TEXT)
    try:
        return one(cell, field)
    except (ValueError, OverflowError, InvalidOperation):
        raise ValueError(f"{shown(cell)} in {field.name} is no {what}") from None


def shown(cell: Any) -> str:
    """A value as SQL writes it, shortened."""
    if isinstance(cell, bytes):
        return f"x'{cell[: _SHOWN // 2].hex()}{'...' if len(cell) > _SHOWN // 2 else ''}'"
    if isinstance(cell, str):
        return repr(cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}...")
    return repr(cell)


def _integer(cell: Any, _: Field) -> str:
    if isinstance(cell, float) and abs(cell) < 2**63 and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, int) or (isinstance(cell, str) and _DIGITS.fullmatch(cell)):
        return str(int(cell))
    raise ValueError


def _float(cell: Any, _: Field) -> str:
    if isinstance(cell, bytes):
        raise ValueError
    return str(cell) if isinstance(cell, int) else _endless(repr(float(cell)).removesuffix(".0"))


def _numeric(cell: Any, field: Field) -> str:
    if isinstance(cell, bytes):
        raise ValueError
    if isinstance(cell, float):
        return _meant(cell, scale_of(field.native))
    number = Decimal(cell)
    return format(number, "f") if number.is_finite() else _endless(str(number))


def _meant(cell: float, scale: int | None) -> str:
    """A double where a decimal was meant: 0.30000000000000004 in a NUMERIC(10, 2) is 0.30."""
    if not isfinite(cell):
        return _endless(repr(cell))
    short = f"{cell:.{scale or 0}f}"
    if scale is not None and abs(float(short) - cell) <= _NOISE * abs(cell):
        return short
    return format(Decimal(repr(cell)), "f")


def _endless(text: str) -> str:
    return _ENDLESS.get(text.lower(), text)


def _boolean(cell: Any, _: Field) -> str:
    if isinstance(cell, int | float) and cell in (0, 1):
        return str(int(cell))
    if isinstance(cell, str) and cell.lower() in _TRUTHS:
        return _TRUTHS[cell.lower()]
    raise ValueError


def _text(cell: Any, _: Field) -> str:
    if isinstance(cell, bytes):
        raise ValueError
    return str(cell)


def _bytes(cell: Any, _: Field) -> str:
    if isinstance(cell, str):  # what CAST(... AS BLOB) gives
        cell = cell.encode()
    if isinstance(cell, bytes):
        return f"\\x{cell.hex()}"
    raise ValueError


def _date(cell: Any, _: Field) -> str:
    found = _moment(cell)
    if found.time() != time():
        raise ValueError
    return found.date().isoformat()


def _time(cell: Any, _: Field) -> str:
    if not isinstance(cell, str) or _FINER.search(cell):
        raise ValueError
    found = time.fromisoformat(cell)
    if found.tzinfo:
        raise ValueError
    return _fewest(found.isoformat())


def _timestamp(cell: Any, _: Field) -> str:
    return _fewest(_moment(cell).isoformat(" "))


def _fewest(moment: str) -> str:
    """With as many digits of a second as it takes."""
    return moment.rstrip("0") if "." in moment else moment


def _moment(cell: Any) -> datetime:
    if not isinstance(cell, str) or _FINER.search(cell):
        raise ValueError
    found = datetime.fromisoformat(cell)
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _interval(cell: Any, _: Field) -> str:
    if isinstance(cell, str) and _DURATION.fullmatch(cell):
        return cell
    return duration(_moment(cell) - EPOCH)


def duration(length: timedelta) -> str:
    """As ISO 8601 writes it; each part has the sign, as PostgreSQL has it."""
    sign = "-" if length < timedelta() else ""
    length = abs(length)
    minutes, seconds = divmod(length.seconds, 60)
    parts = [(f"{minutes // 60}", "H"), (f"{minutes % 60}", "M"), (f"{seconds}.{length.microseconds:06}", "S")]
    parts[2] = (parts[2][0].rstrip("0").rstrip("."), "S")
    clock = "".join(f"{sign}{number}{unit}" for number, unit in parts if number != "0")
    days = f"{sign}{length.days}D" if length.days else ""
    return f"P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


def _uuid(cell: Any, _: Field) -> str:
    if isinstance(cell, bytes):
        return str(UUID(bytes=cell))
    if isinstance(cell, str):
        return str(UUID(cell))
    raise ValueError


def _bits(cell: Any, field: Field) -> str:
    if isinstance(cell, int) and field.length and 0 <= cell < 1 << field.length:
        return f"{cell:0{field.length}b}"
    if isinstance(cell, str) and set(cell) <= {"0", "1"}:
        return cell
    raise ValueError


_One = Callable[[Any, Field], str]
_TEXT: tuple[str, _One] = ("text", _text)
_ONES: dict[Kind, tuple[str, _One]] = {
    Kind.INTEGER: ("integer", _integer),
    Kind.NUMERIC: ("number", _numeric),
    Kind.FLOAT: ("number", _float),
    Kind.BOOLEAN: ("boolean", _boolean),
    Kind.BYTES: ("bytes", _bytes),
    Kind.DATE: ("date", _date),
    Kind.TIME: ("time", _time),
    Kind.TIMESTAMP: ("date and time", _timestamp),
    Kind.TIMESTAMPTZ: ("date and time", _timestamp),
    Kind.INTERVAL: ("interval", _interval),
    Kind.UUID: ("UUID", _uuid),
    Kind.BITS: ("bits", _bits),
}
