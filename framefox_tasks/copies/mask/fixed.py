"""The value that a column is fixed to: whether it is one, and its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from re import compile as pattern
from uuid import UUID

from framefox_tasks.copies.mask.integers import integer_range
from framefox_tasks.databases.rows import Field, Kind

_BOOLEANS = {"1": "1", "true": "1", "0": "0", "false": "0"}
_DURATION = pattern(r"P(?!$)(-?\d+Y)?(-?\d+M)?(-?\d+D)?(T(?!$)(-?\d+H)?(-?\d+M)?(-?\d+(\.\d+)?S)?)?")
_LABEL = pattern(r"'((?:[^']|'')*)'")


def fixed_text(field: Field, value: str) -> str:
    """The text that a value travels as in a column.

    Raises:
        ValueError: It is no value of that column; says what would be.
    """
    text = _TEXTS.get(field.kind, _as_it_is)(field, value)
    size = (len(text) - 2) // 2 if field.kind is Kind.BYTES else len(text)
    if field.length is not None and field.kind in (Kind.TEXT, Kind.BYTES) and size > field.length:
        raise ValueError(f"nothing longer than {field.length}")
    return text


def _as_it_is(_: Field, value: str) -> str:
    return value


def _integer(field: Field, value: str) -> str:
    low, high = integer_range(field.native)
    try:
        number = int(value)
    except ValueError:
        raise ValueError("an integer") from None
    if not low <= number <= high:
        raise ValueError(f"an integer from {low} to {high}")
    return str(number)


def _enum(field: Field, value: str) -> str:
    labels = [label.replace("''", "'") for label in _LABEL.findall(field.native)]
    if labels and value not in labels:
        raise ValueError(f"one of {', '.join(labels)}")
    return value


def _bytes(value: str) -> str:
    return "\\x" + (bytes.fromhex(value[2:]) if value.startswith("\\x") else value.encode()).hex()


def _valid(parse: Callable[[str], object], value: str) -> str:
    parse(value)
    return value


def _parsed(what: str, parse: Callable[[str], object]) -> Callable[[Field, str], str]:
    def text(_: Field, value: str) -> str:
        try:
            return str(parse(value))
        except (ValueError, LookupError, ArithmeticError):
            raise ValueError(what) from None

    return text


def _utc(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).replace(tzinfo=None)


def _matching(what: str, regex: str) -> Callable[[Field, str], str]:
    found = pattern(regex)

    def text(_: Field, value: str) -> str:
        if not found.fullmatch(value):
            raise ValueError(what)
        return value

    return text


_TEXTS: dict[Kind, Callable[[Field, str], str]] = {
    Kind.INTEGER: _integer,
    Kind.NUMERIC: _parsed("a number", lambda value: format(Decimal(value), "f")),
    Kind.FLOAT: _parsed("a number", lambda value: _valid(float, value.strip())),
    Kind.BOOLEAN: _parsed("true or false", lambda value: _BOOLEANS[value.casefold()]),
    Kind.JSON: _parsed("JSON", lambda value: _valid(json.loads, value)),
    Kind.ENUM: _enum,
    Kind.BYTES: _parsed("bytes, as \\x and hexadecimal digits", _bytes),
    Kind.DATE: _parsed("a date, as 2000-12-31", date.fromisoformat),
    Kind.TIME: _parsed("a time, as 23:59:00", time.fromisoformat),
    Kind.TIMESTAMP: _parsed("a date and time, as 2000-12-31 23:59:00", datetime.fromisoformat),
    Kind.TIMESTAMPTZ: _parsed("a date and time, as 2000-12-31 23:59:00+00:00", _utc),
    Kind.INTERVAL: _matching("a duration, as P1DT2H", _DURATION.pattern),
    Kind.UUID: _parsed("a UUID", UUID),
    Kind.BITS: _matching("digits 0 and 1", r"[01]+"),
}
