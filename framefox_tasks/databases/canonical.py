"""The canonical lines of rows and their digests, computed in this process; see `checksum`.

A column at a time: what all of some hundred fields are is seen at once, and few are looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from struct import iter_unpack

from framefox_tasks.databases.checksum import DIGITS, SIZED, VALUED, Form, RowTotals

Column = Callable[[Sequence[str]], Sequence[str]]

NULL = r"\N"
_HEAD = ">Q24x"
"""The first 64 bits of a digest of 256."""
_SURPLUS = 64 - 4 * DIGITS  # bits
_PLAIN = str.maketrans("", "", "0123456789.,-")
_UNUSUAL = re.compile(r",(?:-0(?:\.0*)?,|-?0\d|-?\.)")
"""Of numbers with commas around: minus zero, a zero in front, none before the point."""
_NUMBER = re.compile(r"[\d.]+", re.ASCII)
_MOST_DIGITS = 10_000
_LENGTHS = [*map(str, range(1000))]
"""Most lengths, as they are written."""
_EVEN = ".000000"
"""The fraction of a second that there is none of."""
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"t": "\t", "n": "\n", "r": "\r"}


def totals_of(blocks: Iterable[bytes], forms: Sequence[Form]) -> RowTotals:
    """The checksum of lines."""
    found = RowTotals(0, 0)
    for block in blocks:
        if block:
            lines = block[:-1].decode("utf-8", "surrogateescape").split("\n")
            found += totals_of_columns(list(zip(*[line.split("\t") for line in lines], strict=True)), forms)
    return found


def totals_of_columns(columns: Sequence[Sequence[str]], forms: Sequence[Form]) -> RowTotals:
    """The checksum of rows, from the fields of their lines."""
    lines = _canonical(columns, forms)
    heads = iter_unpack(_HEAD, b"".join([sha256(line).digest() for line in lines]))
    return RowTotals(len(lines), sum(head >> _SURPLUS for (head,) in heads))


def are_canonical(block: bytes, forms: Sequence[Form]) -> bool:
    """Whether the numbers and moments in a block of lines are written in these forms already."""
    lines = block[:-1].decode("utf-8", "surrogateescape").split("\n")
    columns = zip(*[line.split("\t") for line in lines], strict=True)
    return all(
        form not in VALUED or list(in_form(column, form)) == list(column)
        for column, form in zip(columns, forms, strict=True)
    )


def in_form(column: Sequence[str], form: Form) -> Sequence[str]:
    """The fields of numbers or moments, written in a form."""
    return _FORMS[form](column)


def _canonical(columns: Sequence[Sequence[str]], forms: Sequence[Form]) -> list[bytes]:
    fields: list[Sequence[str]] = []
    sizes: list[Sequence[str]] = []
    for column, form in zip(columns, forms, strict=True):
        if form in SIZED:
            texts, lengths = _sized(column, trimmed=form is Form.UNPADDED)
            sizes.append(lengths)
            fields.append(texts)
        else:
            fields.append(_FORMS[form](column) if form in _FORMS else column)
    return [line.encode("utf-8", "surrogateescape") for line in map("\t".join, zip(*fields, *sizes, strict=True))]


def _sized(column: Sequence[str], *, trimmed: bool) -> tuple[Sequence[str], Sequence[str]]:
    """Texts without escapes, and their lengths in bytes."""
    joined = "".join(column)
    count = len if joined.isascii() else _bytes
    texts = column
    if "\\" in joined:
        texts = [field if "\\" not in field or field == NULL else _unescaped(field) for field in column]
    if trimmed:
        texts = [text.rstrip(" ") for text in texts]
    if texts is column:
        return texts, _shown([*map(count, texts)])
    pairs = zip(texts, column, strict=True)
    return texts, [NULL if field == NULL else str(count(text)) for text, field in pairs]


def _shown(lengths: Sequence[int]) -> list[str]:
    return [*map((_LENGTHS.__getitem__ if max(lengths, default=0) < len(_LENGTHS) else str), lengths)]


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _unescaped(field: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), field)


def fractions(column: Sequence[str]) -> list[str]:
    """Numbers or moments without the zeros at the end of their fractions."""
    return [field.rstrip("0").rstrip(".") if "." in field else field for field in column]


def moments(column: Sequence[str]) -> Sequence[str]:
    """Moments without the zeros at the end of their fractions."""
    joined = f"{','.join(column)},"
    if joined.count(f"{_EVEN},") == len(column):
        return joined.replace(_EVEN, "")[:-1].split(",")
    return fractions(column)


def hexadecimal(column: Sequence[str]) -> list[str]:
    """UUIDs without hyphens."""
    return [field if field == NULL else field.replace("-", "").lower() for field in column]


def numbers(column: Sequence[str]) -> Sequence[str]:
    """Numbers in the one way that each can be written; see `number`."""
    joined = f",{','.join(column)},".replace(NULL, "")
    if joined.translate(_PLAIN) or _UNUSUAL.search(joined):
        return [*map(number, column)]
    return fractions(column) if "0," in joined or ".," in joined else column


def number(field: str) -> str:
    """A number without zeros at its ends, without a plus and an exponent; what is none as it is."""
    sign, digits = ("-", field[1:]) if field[:1] == "-" else ("", field)
    if not _NUMBER.fullmatch(digits):
        return field if field == NULL else _parsed(field)
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    if digits[:1] in ("0", "", "."):
        digits = digits.lstrip("0")
        digits = f"0{digits}" if digits[:1] in ("", ".") else digits
    return digits if digits == "0" else sign + digits


def _parsed(field: str) -> str:
    """With a plus or an exponent, or no number at all."""
    try:
        found = Decimal(field)
    except InvalidOperation:
        return field
    if not found.is_finite():
        return str(found)
    return field if abs(found.adjusted()) > _MOST_DIGITS else number(format(found, "f"))


_FORMS: dict[Form, Column] = {
    Form.NUMBER: numbers,
    Form.DOUBLE: numbers,  # lines have the fewest digits already
    Form.MOMENT: moments,
    Form.HEX: hexadecimal,
}
"""What gives the fields of a column in a form; Form.LINE is as they are."""
