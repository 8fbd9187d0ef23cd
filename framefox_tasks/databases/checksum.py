r"""The checksum of a table, in one form whatever computes it: a server, or this process from lines.

It is the sum of the first 56 bits of the SHA-256 of each row's canonical line, so it does not depend on the order of
rows. Processors have instructions for SHA-256, and none for MD5: on PostgreSQL both take as long, on MariaDB and here
it takes half the time of MD5.

A canonical line is that of `rows` without escapes and without its end, in which each field has the form that is asked
for; behind the fields it has the lengths in bytes of those that may hold any text, so that no two rows have the same
line. NULL is `\N`, and so is its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from framefox_tasks.databases.rows import Kind

DIGITS = 14
"""How many hexadecimal digits of a digest are added: whole bytes, and no more than a server holds in an integer."""


class Form(StrEnum):
    """How a field is written, so that two databases write one value alike.

    Attributes:
        LINE: As lines have it, where that has no escapes.
        TEXT: As lines have it, without their escapes, and with its length.
        NUMBER: Without zeros behind the last digit behind the point.
        DOUBLE: The fewest digits that give the same double again, as NUMBER, without an exponent.
        MOMENT: Without zeros behind the last digit of a second.
        HEX: Without hyphens.
        UNPADDED: As TEXT, without spaces at its end.
    """

    LINE = "line"
    TEXT = "text"
    NUMBER = "number"
    DOUBLE = "double"
    MOMENT = "moment"
    HEX = "hex"
    UNPADDED = "unpadded"


SIZED = (Form.TEXT, Form.UNPADDED)
"""Those whose lengths stand behind the fields."""
VALUED = (Form.NUMBER, Form.DOUBLE, Form.MOMENT)
"""Those of values that databases may write in several ways, none of which needs an escape."""
PLAIN = frozenset(
    {
        *(Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT, Kind.BOOLEAN, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ),
        *(Kind.UUID, Kind.BITS, Kind.INTERVAL),
    }
)
"""The kinds whose texts need no escapes in lines."""


@dataclass(frozen=True)
class RowTotals:
    """How many rows there are, and the sum of their digests; None for a sum that the server could not compute."""

    rows: int
    total: int | None

    def __add__(self, other: RowTotals) -> RowTotals:
        """Those of both."""
        total = None if self.total is None or other.total is None else self.total + other.total
        return RowTotals(self.rows + other.rows, total)
