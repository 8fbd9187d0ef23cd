"""The types that a field of a new entity may have; a line each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Argument:
    """A number that a type takes in parentheses."""

    name: str
    least: int
    most: int
    default: int


@dataclass(frozen=True)
class FieldType:
    """A type of fields.

    Attributes:
        python: The type of its values.
        column: SQLAlchemy's type, with a place for each argument; empty where it follows from that of the values.
        model: The same as arguments of SQLModel's Field().
        arguments: What it takes.
        literal: Gives a default as Python, for the text and the arguments; None if the text is none.
        unique: Whether its values can be unique on every database.
    """

    python: str
    column: str = ""
    model: str = ""
    arguments: tuple[Argument, ...] = ()
    literal: Callable[[str, Sequence[int]], str | None] = lambda *_: None
    unique: bool = True


def _whole(bits: int) -> Callable[[str, Sequence[int]], str | None]:
    def literal(text: str, _: Sequence[int]) -> str | None:
        fits = re.fullmatch(r"-?\d{1,19}", text) and -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)
        return str(int(text)) if fits else None

    return literal


def _one_of(**values: str) -> Callable[[str, Sequence[int]], str | None]:
    return lambda text, _: values.get(text.lower())


def _float(text: str, _: Sequence[int]) -> str | None:
    return repr(float(text)) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text) else None


def _decimal(text: str, arguments: Sequence[int]) -> str | None:
    precision, scale = arguments
    found = re.fullmatch(r"-?0*(\d*)(?:\.(\d+))?", text)
    fits = found and text.strip("-.") and len(found[1]) <= precision - scale and len(found[2] or "") <= scale
    return f'Decimal("{text}")' if fits else None


def _text(text: str, arguments: Sequence[int]) -> str | None:
    return quoted(text) if text.isprintable() and (not arguments or len(text) <= arguments[0]) else None


def quoted(text: str) -> str:
    """A text as Python, in the quotes that formatters choose."""
    shown = repr(text)
    return '"' + shown[1:-1].replace("\\'", "'") + '"' if shown[0] == "'" and '"' not in text else shown


TYPES: dict[str, FieldType] = {
    "str": FieldType("str", "String({0})", "max_length={0}", (Argument("length", 1, 4000, 255),), _text),
    "text": FieldType("str", "Text", "sa_type=Text", literal=_text, unique=False),
    "int": FieldType("int", literal=_whole(32)),
    "smallint": FieldType("int", "SmallInteger", "sa_type=SmallInteger", literal=_whole(16)),
    "bigint": FieldType("int", "BigInteger", "sa_type=BigInteger", literal=_whole(64)),
    "bool": FieldType("bool", literal=_one_of(true="True", false="False")),
    "float": FieldType("float", "Double", "sa_type=Double", literal=_float),
    "decimal": FieldType(
        "Decimal",
        "Numeric({0}, {1})",
        "max_digits={0}, decimal_places={1}",
        (Argument("precision", 1, 38, 10), Argument("scale", 0, 30, 2)),
        _decimal,
    ),
    "date": FieldType("dt.date", literal=_one_of(now="dt.date.today")),
    "datetime": FieldType("dt.datetime", "", "sa_type=DateTime", literal=_one_of(now="dt.datetime.now")),
    "time": FieldType("dt.time"),
    "uuid": FieldType("UUID"),
    "json": FieldType("dict[str, Any]", "JSON", "sa_type=JSON", unique=False),
    "bytes": FieldType("bytes", unique=False),
}
