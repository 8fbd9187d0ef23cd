"""Which integers a type of a database holds."""

from __future__ import annotations

_BITS = (
    ("tinyint", 8),
    ("smallint", 16),
    ("int2", 16),
    ("mediumint", 24),
    ("year", 16),
    ("bigint", 64),
    ("int8", 64),
    ("int", 32),  # after all that it is the beginning of
)
_SERIAL = {"smallserial": 16, "serial": 32, "bigserial": 64, "oid": 32}


def integer_bits(native: str) -> int:
    """How many bits a type has, the sign among them; 64 where it is not known, as on SQLite.

    A column that SQLite calls int or smallint counts as what another database means by it.
    """
    first = native.partition("(")[0].split(" ")[0]
    if first in _SERIAL:
        return _SERIAL[first]
    return next((bits for start, bits in _BITS if first.startswith(start) and first != "integer"), 64)


def integer_range(native: str) -> tuple[int, int]:
    """The least and the greatest integer of a type."""
    bits = integer_bits(native)
    if "unsigned" in native:
        return 0, (1 << bits) - 1
    return -(1 << bits - 1), (1 << bits - 1) - 1
