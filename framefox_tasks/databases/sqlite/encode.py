r"""From what SQLite holds to the text that rows travel in, a column of some hundred rows at a time.

SQLite could write a row as one text by itself, with || and replace(). That was measured, and is slower: each step of
its SQL costs more than a call of a C function here, and since its own text of a float is not exact, each float would
have to come here all the same. What a column holds is seen from the set of its types; only where that is not what it
should be is each cell looked at. Numbers are written as JSON, all of a column by one call: that takes a fifth of the
time of repr(), and is as exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from re import compile as pattern
from types import NoneType
from typing import Any

import orjson

from framefox_tasks.databases.canonical import in_form, moments
from framefox_tasks.databases.checksum import VALUED, Form
from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.sqlite.cell import odd_text

NULL = r"\N"
_PLAIN = pattern(r"-?\d+(?:\.\d+)?")
_TRUTHS = bytes.maketrans(b"\0\1", b"01")
_LONGEST = 17  # characters of a float that has 15 digits at most

Cells = Sequence[Any]
Column = Callable[[Cells], Iterable[str]]
_Types = set[type]
_Quick = Callable[[Cells, _Types], Iterable[str] | None]


class BadCellError(ValueError):
    """A cell that cannot be told as what its column holds; `index` is its place in the column."""

    def __init__(self, index: int, value: object, reason: str) -> None:
        super().__init__(reason)
        self.index = index
        self.value = value


def column_of(field: Field) -> Column:
    """What gives the fields of the lines for the cells of a column; raises BadCellError."""
    quick = _QUICK.get(field.kind, _texts)

    def column(cells: Cells) -> Iterable[str]:
        types = set(map(type, cells))
        if NoneType not in types:
            return _converted(field, quick, cells, types)
        types.remove(NoneType)
        held = [cell for cell in cells if cell is not None]
        try:
            texts = iter(_converted(field, quick, held, types))
        except BadCellError as exc:
            places = [place for place, cell in enumerate(cells) if cell is not None]
            raise BadCellError(places[exc.index], exc.value, str(exc)) from None
        return [NULL if cell is None else next(texts) for cell in cells]

    return column


def columns_of(fields: Sequence[Field], forms: Sequence[Form] = ()) -> list[Column]:
    """What gives the fields of the lines of rows, numbers and moments in these forms."""
    return [
        _in_form(column_of(field), form) if form in VALUED else column_of(field)
        for field, form in zip(fields, forms or [Form.LINE] * len(fields), strict=True)
    ]


def _in_form(column: Column, form: Form) -> Column:
    return lambda cells: in_form(tuple(column(cells)), form)


def fields_of(columns: Iterable[Column], rows: Sequence[Cells]) -> list[Sequence[str]]:
    """The fields of the lines of some rows, a column at a time.

    Raises:
        BadCellError: See column_of.
    """
    return [tuple(column(cells)) for column, cells in zip(columns, zip(*rows, strict=True), strict=True)]


def lines_of(columns: Iterable[Column], rows: Sequence[Cells]) -> bytes:
    """The lines of some rows.

    Raises:
        BadCellError: See column_of.
        UnicodeEncodeError: A text has lone surrogates.
    """
    return joined([column(cells) for column, cells in zip(columns, zip(*rows, strict=True), strict=True)])


def joined(columns: Iterable[Iterable[str]]) -> bytes:
    """The lines of fields, a column at a time.

    Raises:
        UnicodeEncodeError: A text has lone surrogates.
    """
    return "\n".join(map("\t".join, zip(*columns, strict=True))).encode() + b"\n"


def _converted(field: Field, quick: _Quick, cells: Cells, types: _Types) -> Iterable[str]:
    texts = quick(cells, types) if cells else ()
    return _one_by_one(field, cells) if texts is None else texts


def _one_by_one(field: Field, cells: Cells) -> list[str]:
    found = []
    for index, cell in enumerate(cells):
        try:
            found.append(escaped(odd_text(field, cell)))
        except ValueError as exc:
            raise BadCellError(index, cell, str(exc)) from None
    return found


def escaped(text: str) -> str:
    """A text as it stands in a line."""
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def _texts(cells: Cells, types: _Types) -> Iterable[str] | None:
    if types != {str}:
        return None
    joined = "".join(cells)
    if "\\" in joined or "\t" in joined or "\n" in joined or "\r" in joined:
        return map(escaped, cells)
    return cells


def _digits(cells: Cells) -> str:
    """The numbers with commas between them; where one is infinite, with a null."""
    return orjson.dumps(cells)[1:-1].decode()


def _fewest(digits: str) -> list[str]:
    """The numbers, without the digit that JSON gives a whole one to be told from an integer."""
    return f"{digits},".replace(".0,", ",")[:-1].split(",")


def _integers(cells: Cells, types: _Types) -> Iterable[str] | None:
    return _digits(cells).split(",") if types == {int} else None


def _floats(cells: Cells, types: _Types) -> Iterable[str] | None:
    if not types <= {float, int}:
        return None
    digits = _digits(cells)
    return None if "n" in digits else _fewest(digits)


def _numbers(cells: Cells, types: _Types) -> Iterable[str] | None:
    if types <= {float, int}:
        digits = _digits(cells)
        exact = "e" not in digits and "n" not in digits and max(map(len, digits.split(","))) <= _LONGEST
        return _fewest(digits) if exact else None
    return cells if types == {str} and all(map(_PLAIN.fullmatch, cells)) else None


def _booleans(cells: Cells, types: _Types) -> Iterable[str] | None:
    return bytes(cells).translate(_TRUTHS).decode() if types == {int} and set(cells) <= {0, 1} else None


def _bytes(cells: Cells, types: _Types) -> Iterable[str] | None:
    return ["\\\\x" + cell.hex() for cell in cells] if types == {bytes} else None


def is_shaped(cells: Cells, shape: str) -> bool:
    """Whether all cells have the length and the marks of a shape, whatever stands in the place of its zeros."""
    width, count = len(shape), len(cells)
    if not (isinstance(cells[0], str) and len(cells[0]) == width and set(map(type, cells)) == {str}):
        return False
    joined = "".join(cells)
    if len(joined) != width * count or not joined.isascii() or set(map(len, cells)) != {width}:
        return False
    return all(joined[place::width] == mark * count for place, mark in enumerate(shape) if mark != "0")


def is_parsed(cells: Cells, parse: Callable[[str], object]) -> bool:
    """Whether a function takes all cells."""
    try:
        for _ in map(parse, cells):
            pass
    except ValueError:
        return False
    return True


def _dates(cells: Cells, _: _Types) -> Iterable[str] | None:
    return cells if is_shaped(cells, "0000-00-00") and is_parsed(cells, date.fromisoformat) else None


def _times(cells: Cells, _: _Types) -> Iterable[str] | None:
    return moments(cells) if is_shaped(cells, "00:00:00.000000") and is_parsed(cells, time.fromisoformat) else None


def _timestamps(cells: Cells, _: _Types) -> Iterable[str] | None:
    if is_shaped(cells, "0000-00-00 00:00:00.000000"):
        texts: Iterable[str] = moments(cells)
    elif is_shaped(cells, "0000-00-00 00:00:00"):
        texts = cells
    else:
        return None
    return texts if is_parsed(cells, datetime.fromisoformat) else None


def _uuids(cells: Cells, _: _Types) -> Iterable[str] | None:
    if is_shaped(cells, "0" * 32):
        texts = [f"{cell[:8]}-{cell[8:12]}-{cell[12:16]}-{cell[16:20]}-{cell[20:]}".lower() for cell in cells]
    elif is_shaped(cells, "00000000-0000-0000-0000-000000000000"):
        texts = list(map(str.lower, cells))
    else:
        return None
    digits = "".join(texts).replace("-", "")
    return (
        texts if len(digits) == 32 * len(texts) and is_parsed([digits], bytes.fromhex) and " " not in digits else None
    )


_QUICK: dict[Kind, _Quick] = {
    Kind.INTEGER: _integers,
    Kind.NUMERIC: _numbers,
    Kind.FLOAT: _floats,
    Kind.BOOLEAN: _booleans,
    Kind.BYTES: _bytes,
    Kind.DATE: _dates,
    Kind.TIME: _times,
    Kind.TIMESTAMP: _timestamps,
    Kind.TIMESTAMPTZ: _timestamps,
    Kind.INTERVAL: lambda *_: None,
    Kind.UUID: _uuids,
    Kind.BITS: lambda *_: None,
}
