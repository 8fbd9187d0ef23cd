"""From the text that rows travel in to what SQLite is to hold, a column of a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from re import compile as pattern
from typing import Any, TypeVar
from uuid import UUID

from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.sqlite.cell import EPOCH, shown
from framefox_tasks.databases.sqlite.encode import NULL, BadCellError, is_parsed, is_shaped
from framefox_tasks.databases.sqlite.types import affinity_of, declared_type

_DIGITS = 15
"""How many digits a double keeps of any decimal number."""
_ESCAPED = pattern(r"\\(.)")
_MEANT = {"t": "\t", "n": "\n", "r": "\r"}
_NUMBER = pattern(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_DURATION = pattern(r"P(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d+))?S)?)?")

Texts = Sequence[str]
Parse = Callable[[Texts], Iterable[Any]]
_One = Callable[[str], Any]
_T = TypeVar("_T")


def parse_of(field: Field) -> Parse:
    """What gives the cells of a column for the fields of some lines; raises BadCellError."""
    quick, one = _ways(field)

    def parse(texts: Texts) -> Iterable[Any]:
        if NULL not in texts:
            return _parsed(field, quick, one, texts)
        held = [index for index, text in enumerate(texts) if text != NULL]
        cells: list[Any] = [None] * len(texts)
        try:
            found = _parsed(field, quick, one, [texts[index] for index in held])
        except BadCellError as exc:
            raise BadCellError(held[exc.index], exc.value, str(exc)) from None
        for index, cell in zip(held, found, strict=True):
            cells[index] = cell
        return cells

    return parse


def _parsed(field: Field, quick: Callable[[Texts], Iterable[Any] | None], one: _One, texts: Texts) -> Iterable[Any]:
    if "\\" in "".join(texts):
        texts = [_unescaped(text) if "\\" in text else text for text in texts]
    found = quick(texts) if texts else ()
    if found is not None:
        return found
    cells = []
    for index, text in enumerate(texts):
        try:
            cells.append(one(text))
        except (ValueError, OverflowError, InvalidOperation) as exc:
            why = exc.args[0] if isinstance(exc, UnfitError) else "is nothing that SQLite can keep there"
            raise BadCellError(
                index, text, f"{shown(text)} in {field.name} ({field.native or 'no type'}) {why}"
            ) from None
    return cells


class UnfitError(ValueError):
    """A value that SQLite would keep as another; says why."""


_ROUNDED = "has more digits than SQLite keeps of a number"
_NUMERIC = "would become a number"
_NAN = "cannot be kept: SQLite makes NULL of it"


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text)


def _ways(field: Field) -> tuple[Callable[[Texts], Iterable[Any] | None], _One]:
    affinity = affinity_of(field.native)
    match field.kind:
        case Kind.INTEGER | Kind.NUMERIC | Kind.FLOAT | Kind.BOOLEAN if affinity == "TEXT":
            return _same, str
        case Kind.INTEGER | Kind.BOOLEAN:
            return _integers, _real_integer if affinity == "REAL" else _integer
        case Kind.NUMERIC if affinity == "BLOB":
            return _none, _number_or_text
        case Kind.NUMERIC:
            return _numbers, _number
        case Kind.FLOAT:
            return _floats, _float
        case Kind.BYTES:
            return _blobs, _blob
        case Kind.DATE:
            return _dates, _date
        case Kind.TIME:
            return _times, _time
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return _timestamps, _timestamp
        case Kind.INTERVAL if declared_type(field.native).kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
            return _none, _since_epoch
        case Kind.UUID:
            return _none, _uuid_of(field, affinity)
        case _ if affinity in ("TEXT", "BLOB"):
            return _same, str
        case _:
            return _none, _document if field.kind is Kind.JSON else _plain


def _none(_: Texts) -> None:
    return None


def _same(texts: Texts) -> Texts:
    return texts


def _integers(texts: Texts) -> Iterable[int] | None:
    return _all(int, texts) if max(map(len, texts)) <= _DIGITS else None


def _all(parse: Callable[[str], _T], texts: Texts) -> list[_T] | None:
    try:
        return list(map(parse, texts))
    except ValueError:  # it is found one by one
        return None


def _integer(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise UnfitError(_ROUNDED)
    return number


def _real_integer(text: str) -> float:
    if int(float(text)) != int(text):
        raise UnfitError(_ROUNDED)
    return float(text)


def _numbers(texts: Texts) -> Iterable[float] | None:
    joined = "".join(texts)
    if max(map(len, texts)) > _DIGITS or "N" in joined or "I" in joined:
        return None
    return _all(float, texts)


def _number(text: str) -> float:
    """The number, where the column makes it an integer or a double of the same value."""
    if text == "NaN":
        raise UnfitError(_NAN)
    if text.endswith("Infinity"):
        return float(text)
    number = Decimal(text)
    if number == number.to_integral_value() and -(2**63) <= number < 2**63:
        return int(number)
    if Decimal(repr(float(text))) != number:
        raise UnfitError(_ROUNDED)
    return float(text)


def _number_or_text(text: str) -> float | str:
    try:
        return _number(text)
    except ValueError:  # a column without a type keeps both
        return text


def _floats(texts: Texts) -> Iterable[float] | None:
    return None if "NaN" in texts else _all(float, texts)


def _float(text: str) -> float:
    if text == "NaN":
        raise UnfitError(_NAN)
    return float(text)


def _blobs(texts: Texts) -> Iterable[bytes] | None:
    return _all(_blob, texts)


def _blob(text: str) -> bytes:
    if not text.startswith("\\x"):
        raise ValueError
    return bytes.fromhex(text[2:])


def _dates(texts: Texts) -> Texts | None:
    return texts if is_shaped(texts, "0000-00-00") and is_parsed(texts, date.fromisoformat) else None


def _date(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _padded(texts: Texts, length: int) -> Texts:
    """With six digits of a second: SQLAlchemy 1 takes .5 for 5 millionths, and texts are to sort as times do."""
    if set(map(len, texts)) == {length + 7}:
        return texts
    return [f"{text}.000000" if len(text) == length else text.ljust(length + 7, "0") for text in texts]


def _times(texts: Texts) -> Texts | None:
    padded = _padded(texts, 8)
    return padded if is_shaped(padded, "00:00:00.000000") and is_parsed(texts, time.fromisoformat) else None


def _time(text: str) -> str:
    return time.fromisoformat(text).isoformat("microseconds")


def _timestamps(texts: Texts) -> Texts | None:
    padded = _padded(texts, 19)
    if is_shaped(padded, "0000-00-00 00:00:00.000000") and is_parsed(texts, datetime.fromisoformat):
        return padded
    return None


def _timestamp(text: str) -> str:
    found = datetime.fromisoformat(text)
    if found.tzinfo:
        raise ValueError
    return found.isoformat(" ", "microseconds")


def _since_epoch(text: str) -> str:
    """As SQLAlchemy keeps an interval: a time after its epoch."""
    found = _DURATION.fullmatch(text)
    if not found or len(text) < 3:
        raise ValueError
    weeks, days, hours, minutes, _, seconds, fraction = (part or 0 for part in found.groups())
    clock = timedelta(seconds=int(seconds), microseconds=int(str(fraction or 0).ljust(6, "0")[:6]))
    length = timedelta(weeks=int(weeks), days=int(days), hours=int(hours), minutes=int(minutes))
    return (EPOCH + length + (-clock if found[5] else clock)).isoformat(" ", "microseconds")


def _uuid_of(field: Field, affinity: str) -> _One:
    if declared_type(field.native).kind is Kind.BYTES:
        return lambda text: UUID(text).bytes
    if affinity == "TEXT" and field.length == 32:
        return lambda text: UUID(text).hex
    return lambda text: str(UUID(text))


def _plain(text: str) -> str:
    """A text in a column that makes numbers of what looks like one."""
    if _NUMBER.fullmatch(text) and not (text.isdigit() and str(int(text)) == text and int(text) < 2**63):
        raise UnfitError(_NUMERIC)
    return text


def _document(text: str) -> str:
    if _NUMBER.fullmatch(text):
        _number(text.strip())
    return text
