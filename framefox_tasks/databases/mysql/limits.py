"""What fits into a row and into a key of MySQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from framefox_tasks.databases.written_types import MYSQL_KEY, Written

if TYPE_CHECKING:
    from framefox_tasks.copies.translate.tables import Made, MadeTable

_ROW = 65_000
"""How many bytes the columns of a row have at most, those of long texts apart, and with room for what MySQL adds."""
_CHARACTER = 4  # bytes
_ENDLESS = re.compile(r"(?:long|medium|tiny)?(?:text|blob)|json")
_SIZED = re.compile(r"(var)?(char|binary|bit)\((\d+)\)")
_OVERHEAD = 3  # of a part of a key: whether it is NULL, and its length


def fit(made: MadeTable) -> None:
    """Shorten the texts of keys, and take the longest of others out of a row that is too long."""
    for columns in made.keys:
        _shorten([made.columns[name] for name in columns])
    keys = {name for columns in made.keys for name in columns}
    ones = [one for name, one in made.columns.items() if name not in keys and _bytes(one.written) > 1000]
    for one in sorted(ones, key=lambda one: -_bytes(one.written)):
        if sum(_bytes(other.written) for other in made.columns.values()) <= _ROW:
            break
        kind = "longblob" if "binary" in one.written.native else "longtext"
        one.written = Written(kind, reason="a row of MySQL holds 65535 bytes")


def _shorten(ones: list[Made]) -> None:
    longest = _share([one.written for one in ones])
    for one in ones:
        if _length(one.written) <= longest:
            continue
        if "blob" in one.written.native or "binary" in one.written.native:
            one.written = Written(f"varbinary({longest})", longest, _reason(longest, "bytes"))
        else:
            characters = longest // _CHARACTER
            one.written = Written(f"varchar({characters})", characters, _reason(characters, "characters"))


def _reason(longest: int, what: str) -> str:
    return f"a key of MySQL takes {longest} {what}"


def prefixes(written: list[Written]) -> list[int | None]:
    """How much of each column an index takes, where it does not take all: in characters, or in bytes."""
    longest = _share(written)
    return [
        None
        if _length(one) <= longest
        else longest
        if "blob" in one.native or "binary" in one.native
        else longest // _CHARACTER
        for one in written
    ]


def _share(written: list[Written]) -> int:
    """How many bytes each part of a key may have, so that all fit and the short ones need not be cut."""
    left = MYSQL_KEY - (_OVERHEAD * len(written) if len(written) > 1 else 0)
    parts = sorted(map(_length, written))
    for place, length in enumerate(parts):
        share = left // (len(parts) - place)
        if length > share:
            return share - share % _CHARACTER
        left -= length
    return MYSQL_KEY


def _length(written: Written) -> int:
    """The bytes of a whole column."""
    return 2**32 if _ENDLESS.fullmatch(written.native) else _bytes(written)


def _bytes(written: Written) -> int:
    """The bytes that a column has in its row."""
    sized = _SIZED.fullmatch(written.native)
    if sized is None:
        return 30 if written.native.startswith("decimal") else 12
    return int(sized[3]) * (_CHARACTER if sized[2] == "char" else 1)
