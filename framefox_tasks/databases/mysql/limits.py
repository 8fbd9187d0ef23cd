"""What fits into a row and into a key of MySQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from framefox_tasks.databases.schema import Written

_KEY = 3072
"""How many bytes the key of an index has at most, with InnoDB's usual page."""
_ROW = 65_000
"""How many bytes the columns of a row have at most, those of long texts apart, and with room for what MySQL adds."""
_CHARACTER = 4  # bytes
_ENDLESS = re.compile(r"(?:long|medium|tiny)?(?:text|blob)|json")
_SIZED = re.compile(r"(var)?(char|binary|bit)\((\d+)\)")
_OVERHEAD = 3  # of a part of a key: whether it is NULL, and its length


def fit(columns: Mapping[str, Written], keys: Iterable[tuple[str, ...]]) -> dict[str, Written]:
    """Shorten the texts of keys, and take the longest of others out of a row that is too long.

    Returns:
        The columns that are written in another way.
    """
    fitted = dict(columns)
    in_keys: set[str] = set()
    for key in keys:
        in_keys.update(key)
        longest = _share([fitted[name] for name in key])
        fitted |= {name: _shortened(fitted[name], longest) for name in key if _length(fitted[name]) > longest}
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
