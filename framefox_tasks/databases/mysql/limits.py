"""What fits into a row and into a key of MySQL."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence

from framefox_tasks.databases.schema import Written

_KEY = 3072
"""How many bytes the key of an index has at most, with InnoDB's usual page."""
_ROW = 65_000
"""How many bytes the columns of a row have at most, those of long texts apart, and with room for what MySQL adds."""
_CHARACTER = 4  # bytes
_ENDLESS = re.compile(r"(?:long|medium|tiny)?(?:text|blob)|json")
_SIZED = re.compile(r"(var)?(char|binary|bit)\((\d+)\)")
_OVERHEAD = 3  # of a part of a key: whether it is NULL, and its length


def narrowed(parts: Sequence[Written], held: Sequence[int]) -> list[Written] | None:
    """The columns of a key, the long ones so short that the key is taken; none shorter than what it holds.

    Args:
        parts: The columns.
        held: How many characters or bytes the longest value of each has.

    Returns:
        None where they hold more than a key takes.
    """
    least = [length * _unit(written) for written, length in zip(parts, held, strict=True)]
    lengths = list(map(_length, parts))
    share = _level(lengths, least)
    if share is None:
        return None
    widths = [min(length, max(share, bytes_)) for length, bytes_ in zip(lengths, least, strict=True)]
    return [
        written if width == length else _shortened(written, width)
        for written, width, length in zip(parts, widths, lengths, strict=True)
    ]


def _level(lengths: Sequence[int], least: Sequence[int]) -> int | None:
    """How many bytes each part may have that has no more to hold; None where all are too long even so."""
    left = _KEY - (_OVERHEAD * len(lengths) if len(lengths) > 1 else 0)

    def needed(share: int) -> int:
        return sum(min(length, max(share, bytes_)) for length, bytes_ in zip(lengths, least, strict=True))

    shares = range(0, _KEY + _CHARACTER, _CHARACTER)
    place = bisect_right(shares, left, key=needed)
    return shares[place - 1] if place else None


def fit_row(columns: Mapping[str, Written], in_keys: Collection[str]) -> dict[str, Written]:
    """Take the longest texts that are in no key out of a row that is too long.

    Returns:
        The columns that are written in another way.
    """
    fitted = dict(columns)
    long = [name for name, written in fitted.items() if name not in in_keys and _bytes(written) > 1000]
    for name in sorted(long, key=lambda name: -_bytes(fitted[name])):
        if sum(map(_bytes, fitted.values())) <= _ROW:
            break
        kind = "longblob" if "binary" in fitted[name].native else "longtext"
        fitted[name] = Written(kind, reason="a row of MySQL holds 65535 bytes")
    return {name: written for name, written in fitted.items() if written is not columns[name]}


def _shortened(written: Written, longest: int) -> Written:
    name, what = ("varbinary", "bytes") if _is_binary(written) else ("varchar", "characters")
    size = longest // _unit(written)
    return Written(f"{name}({size})", size, f"a key of MySQL takes {size} {what}")


def _is_binary(written: Written) -> bool:
    return "blob" in written.native or "binary" in written.native


def _unit(written: Written) -> int:
    """How many bytes of a key its length counts as one."""
    return 1 if _is_binary(written) else _CHARACTER


def prefixes(columns: Sequence[Written]) -> list[int | None]:
    """How much of each column an index takes, where it does not take all: in characters, or in bytes."""
    longest = _share(columns)
    return [longest // _unit(written) if _length(written) > longest else None for written in columns]


def _share(columns: Sequence[Written]) -> int:
    """How many bytes each part of a key may have, so that all fit and the short ones need not be cut."""
    left = _KEY - (_OVERHEAD * len(columns) if len(columns) > 1 else 0)
    parts = sorted(map(_length, columns))
    for place, length in enumerate(parts):
        share = left // (len(parts) - place)
        if length > share:
            return share - share % _CHARACTER
        left -= length
    return _KEY


def _length(written: Written) -> int:
    """The bytes of a whole column."""
    return 2**32 if _ENDLESS.fullmatch(written.native) else _bytes(written)


def _bytes(written: Written) -> int:
    """The bytes that a column has in its row."""
    sized = _SIZED.fullmatch(written.native)
    if sized is None:
        return 30 if written.native.startswith("decimal") else 12
    return int(sized[3]) * (_CHARACTER if sized[2] == "char" else 1)
