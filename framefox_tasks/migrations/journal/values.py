"""The values of rows as JSON and back, each as the driver gave it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_KINDS: tuple[tuple[str, type, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    ("bytes", bytes, lambda value: b64encode(value).decode(), b64decode),
    ("decimal", Decimal, str, Decimal),
    ("datetime", datetime, datetime.isoformat, datetime.fromisoformat),
    ("date", date, date.isoformat, date.fromisoformat),
    ("time", time, time.isoformat, time.fromisoformat),
    (
        "timedelta",
        timedelta,
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda parts: timedelta(parts[0], parts[1], parts[2]),
    ),
    ("uuid", UUID, str, UUID),
    ("memoryview", memoryview, lambda value: b64encode(value).decode(), lambda text: memoryview(b64decode(text))),
)
_DECODERS = {name: decode for name, _, _, decode in _KINDS}


class UnrecordableError(Exception):
    """A value is of a type that cannot be given back as it was."""


def encoded(value: Any) -> Any:
    """A value as JSON data.

    Raises:
        UnrecordableError: It is of a type that cannot be given back.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return {"list": [encoded(one) for one in value]}
    if type(value) is tuple:
        return {"tuple": [encoded(one) for one in value]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key: encoded(one) for key, one in value.items()}}
    for name, kind, encode, _ in _KINDS:
        if type(value) is kind:
            return {name: encode(value)}
    raise UnrecordableError(type(value).__name__)


def decoded(data: Any) -> Any:
    """A value from JSON data."""
    if not isinstance(data, dict):
        return data
    ((name, content),) = data.items()
    if name == "list":
        return [decoded(one) for one in content]
    if name == "tuple":
        return tuple(decoded(one) for one in content)
    if name == "dict":
        return {key: decoded(one) for key, one in content.items()}
    return _DECODERS[name](content)
