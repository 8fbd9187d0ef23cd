"""Masks: values that are not to be recognised in a copy, on lines and on values of SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from framefox_tasks.copies.mask.contract import ColumnMask, Function, MaskKind
from framefox_tasks.copies.mask.masks import KEEP, MASKS, parse_mask, usages
from framefox_tasks.copies.mask.plan import masks_of
from framefox_tasks.copies.mask.secret import Secret
from framefox_tasks.databases.rows import NULL, Kind, TablePlan, escaped, unescaped

_KEPT = 8192
"""Values of a column that are remembered with what they became."""
_KEPT_LENGTH = 100

Cell = str | bytes | int | float | None
"""A value of SQLite."""


def mask_lines(
    plan: TablePlan, masks: Mapping[str, Sequence[ColumnMask]], secret: Secret
) -> Callable[[Iterable[bytes]], Iterator[bytes]]:
    """What masks blocks of lines of a table.

    Args:
        plan: The table.
        masks: What `masks_of` gave.
        secret: What the values depend on.
    """
    chosen = masks[plan.label]
    last = max(mask.index for mask in chosen)

    def masked(blocks: Iterable[bytes]) -> Iterator[bytes]:
        caches = [(mask.index, _Cache(_field_function(mask, secret))) for mask in chosen]
        for block in blocks:
            # What stands behind the last masked field stays in one piece.
            rows = [line.split(b"\t", last + 1) for line in block[:-1].split(b"\n")]
            for index, cache in caches:
                for row in rows:
                    row[index] = cache[row[index]]
            yield b"\n".join(map(b"\t".join, rows)) + b"\n"

    return masked


class _Cache(dict[bytes, bytes]):
    """Fields, and what became of them. Forgets all when there are many, and long ones at once."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, field: bytes) -> bytes:
        masked = self._function(field)
        if len(field) <= _KEPT_LENGTH:
            if len(self) >= _KEPT:
                self.clear()
            self[field] = masked
        return masked


def _field_function(mask: ColumnMask, secret: Secret) -> Function:
    """What masks a field as it stands in a line."""
    function = mask.function(secret)
    if function is None:
        return lambda _: NULL

    return lambda field: field if field == NULL else escaped(function(unescaped(field)))


def cell_function(mask: ColumnMask, secret: Secret) -> Callable[[object], Cell]:
    """What masks a value that SQLite gives, with the same result as in a line."""
    function = mask.function(secret)
    if function is None:
        return lambda _: None
    if mask.kind.distinct(mask.holds, None) == 1:
        same = _value(function(b"").decode(), mask.holds)
        return lambda value: None if value is None else same
    convert = {Kind.INTEGER: _integer, Kind.UUID: _uuid, Kind.BYTES: _bytes}.get(mask.holds, _text)
    return lambda value: None if value is None else convert(value, function, secret)


def _value(text: str, kind: Kind) -> Cell:
    if kind in (Kind.INTEGER, Kind.BOOLEAN):
        return int(text)
    if kind is Kind.FLOAT:
        return float(text)
    return bytes.fromhex(text[2:]) if kind is Kind.BYTES else text


def _encoded(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def _text(value: object, function: Function, _: Secret) -> Cell:
    return function(_encoded(value)).decode()


def _bytes(value: object, function: Function, _: Secret) -> Cell:
    return bytes.fromhex(function(b"\\x" + _encoded(value).hex().encode())[2:].decode())


def _integer(value: object, function: Function, secret: Secret) -> Cell:
    try:
        number = int(value) if isinstance(value, (int, str, bytes)) else None
    except ValueError:
        number = None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        number = int(value)
    # SQLite takes anything for an integer; what is none must not go unmasked.
    return secret.digest(_encoded(value)).hex() if number is None else int(function(b"%d" % number))


def _uuid(value: object, function: Function, secret: Secret) -> Cell:
    """In the form that the value has: 36 characters, 32 digits, or 16 bytes."""
    try:
        found = UUID(bytes=value) if isinstance(value, bytes) and len(value) == 16 else UUID(_encoded(value).decode())
    except ValueError:
        return secret.digest(_encoded(value)).hex()
    masked = UUID(function(str(found).encode()).decode())
    if isinstance(value, bytes) and len(value) == 16:
        return masked.bytes
    return masked.hex if b"-" not in _encoded(value) else str(masked)


__all__ = [
    "KEEP",
    "MASKS",
    "ColumnMask",
    "MaskKind",
    "Secret",
    "cell_function",
    "mask_lines",
    "masks_of",
    "parse_mask",
    "usages",
]
