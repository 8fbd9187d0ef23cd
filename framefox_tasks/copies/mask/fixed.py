"""The value that a column is fixed to: whether it is one, and its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
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


def _numeric(_: Field, value: str) -> str:
    try:
        return format(Decimal(value), "f")
    except InvalidOperation:
        raise ValueError("a number") from None


def _float(_: Field, value: str) -> str:
    try:
        float(value)
    except ValueError:
        raise ValueError("a number") from None
    return value.strip()


def _boolean(_: Field, value: str) -> str:
    try:
        return _BOOLEANS[value.casefold()]
    except KeyError:
        raise ValueError("true or false") from None


def _json(_: Field, value: str) -> str:
    try:
        json.loads(value)
    except ValueError:
        raise ValueError("JSON") from None
    return value


def _enum(field: Field, value: str) -> str:
    labels = [label.replace("''", "'") for label in _LABEL.findall(field.native)]
    if labels and value not in labels:
        raise ValueError(f"one of {', '.join(labels)}")
    return value


def _bytes(_: Field, value: str) -> str:
    if value.startswith("\\x"):
        try:
            return "\\x" + bytes.fromhex(value[2:]).hex()
        except ValueError:
            raise ValueError("bytes, as \\x and hexadecimal digits") from None
    return "\\x" + value.encode().hex()


def _parsed(what: str, parse: Callable[[str], object]) -> Callable[[Field, str], str]:
    def text(_: Field, value: str) -> str:
        try:
            return str(parse(value))
        except ValueError:
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
    Kind.NUMERIC: _numeric,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.JSON: _json,
    Kind.ENUM: _enum,
    Kind.BYTES: _bytes,
    Kind.DATE: _parsed("a date, as 2000-12-31", date.fromisoformat),
    Kind.TIME: _parsed("a time, as 23:59:00", time.fromisoformat),
    Kind.TIMESTAMP: _parsed("a date and time, as 2000-12-31 23:59:00", datetime.fromisoformat),
    Kind.TIMESTAMPTZ: _parsed("a date and time, as 2000-12-31 23:59:00+00:00", _utc),
    Kind.INTERVAL: _matching("a duration, as P1DT2H", _DURATION.pattern),
    Kind.UUID: _parsed("a UUID", UUID),
    Kind.BITS: _matching("digits 0 and 1", r"[01]+"),
}
