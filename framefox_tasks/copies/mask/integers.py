"""Integers: which of them a type of a database holds, and a permutation that stays within it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import shake_256

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
LEVELS = (6, 7, 8, 14, 15, 16, 22, 23, 24, 30, 31, 32, 62, 63, 64)
"""Each type of integer ends at one of these numbers of bits. Half a type is a level too, so that what is masked does
not use up the numbers that the next rows need."""
_ROUNDS = 6
_HALF = 16  # bits


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


class Permutation:
    """Another integer of the same size for each integer, by a secret digest."""

    def __init__(self, digest: Callable[[bytes], bytes]) -> None:
        self._digest = digest
        size = 2 << _HALF
        stream = memoryview(shake_256(digest(b"integers")).digest(size * _ROUNDS))
        self._tables = tuple(stream[start : start + size].cast("H") for start in range(0, len(stream), size))

    def number(self, value: int, bits: int) -> int:
        """Another integer of the same size: different ones stay different, and the sign stays.

        Args:
            value: An integer of up to 64 bits.
            bits: One of LEVELS: all numbers below are mixed with each other, and those above level by level.
        """
        if value < 0:
            return -1 - self.number(-1 - value, bits)
        low, high = 0, bits
        for level in LEVELS:
            if level >= bits:
                high = level
                if value >> level == 0:
                    break
                low = 1 << level
        value = self._mixed(value, high)
        while value < low:  # where a mixing of this range ends outside of it, it is gone on with until it is inside
            value = self._mixed(value, high)
        return value

    def _mixed(self, value: int, bits: int) -> int:
        """A Feistel network, which no two numbers leave as the same."""
        small = bits // 2
        large = bits - small
        left, right = value >> large, value & (1 << large) - 1
        left_mask, right_mask = (1 << small) - 1, (1 << large) - 1
        if large > _HALF:
            for turn in range(0, _ROUNDS, 2):
                left ^= self._wide(right, turn) & left_mask
                right ^= self._wide(left, turn + 1) & right_mask
            return left << large | right
        one, two, three, four, five, six = self._tables
        left ^= one[right] & left_mask
        right ^= two[left] & right_mask
        left ^= three[right] & left_mask
        right ^= four[left] & right_mask
        left ^= five[right] & left_mask
        right ^= six[left] & right_mask
        return left << large | right

    def _wide(self, half: int, turn: int) -> int:
        return int.from_bytes(self._digest(b"%d:%d" % (turn, half))[:8], "big")
