"""The checksum of a table, in one form whatever computes it: a server, or this process from lines.

It is the sum of the first 60 bits of the MD5 of each row's canonical line, so it does not depend on the order of rows.
A canonical line is one of `rows`, without its end, in which each field has the form that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import md5

DIGITS = 15
"""How many hexadecimal digits of a digest are added: what a server holds in an integer."""
_SURPLUS = 64 - 4 * DIGITS  # bits


class Form(StrEnum):
    """How a field is written, so that two databases write one value alike.

    Attributes:
        LINE: As lines have it.
        NUMBER: Without zeros behind the last digit behind the point.
        DOUBLE: The fewest digits that give the same double again, as NUMBER, without an exponent.
        MOMENT: Without zeros behind the last digit of a second.
        HEX: Without hyphens.
        UNPADDED: Without spaces at its end.
    """

    LINE = "line"
    NUMBER = "number"
    DOUBLE = "double"
    MOMENT = "moment"
    HEX = "hex"
    UNPADDED = "unpadded"


@dataclass(frozen=True)
class RowTotals:
    """How many rows there are, and the sum of their digests; None for a sum that the server could not compute."""

    rows: int
    total: int | None

    @classmethod
    def of_lines(cls, lines: Iterable[bytes]) -> RowTotals:
        """That of canonical lines."""
        rows = total = 0
        for line in lines:
            total += int.from_bytes(md5(line, usedforsecurity=False).digest()[:8], "big") >> _SURPLUS
            rows += 1
        return cls(rows, total)
