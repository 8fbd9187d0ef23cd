"""The parts of an expression, and which of them two databases compare alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.sql.tree import UntranslatableError

if TYPE_CHECKING:
    from framefox_tasks.databases.dialect import Dialect

TEXTS = {Kind.TEXT, Kind.ENUM}
NUMBERS = {Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT}
_MOMENTS = {Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}
_SIGNED = re.compile(r"-?\d+(?:\.\d+)?")
_LITERALS = {
    Kind.DATE: re.compile(r"\d{4}-\d\d-\d\d"),
    Kind.TIME: re.compile(r"\d\d:\d\d:\d\d"),
    Kind.TIMESTAMP: re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
}


@dataclass(frozen=True)
class Part:
    """A part of an expression in the target's SQL.

    Attributes:
        sql: That.
        kind: Of its values; None of NULL.
        text: Of a literal in quotes.
        number: Of a number without them.
        column: Whether it is a column alone.
    """

    sql: str
    kind: Kind | None
    text: str | None = None
    number: str | None = None
    column: bool = False


class Comparability:
    """How two databases compare parts.

    Args:
        source: The dialect of the one.
        target: That of the other.

    Attributes:
        typed: Whether a boolean is a type of its own in one of them, and no number.
    """

    def __init__(self, source: Dialect, target: Dialect) -> None:
        self._source = source
        self._target = target
        self.typed = source.has_booleans or target.has_booleans

    def truth(self, truth: bool) -> Part:
        """True or false in the target's SQL."""
        word = str(truth).upper() if self._target.has_truth_words else str(int(truth))
        return Part(word, Kind.BOOLEAN)

    def matched(self, left: Part, right: Part, *, ordered: bool = False) -> tuple[Part, Part]:
        """Two parts, which the databases compare alike, by equality or also by their order.

        Raises:
            UntranslatableError: They do not.
        """
        if left.kind is None or right.kind is None:
            return left, right
        if Kind.BOOLEAN in (left.kind, right.kind) and self.typed:
            left, right = self._as_truth(left), self._as_truth(right)
            fits = left.kind is right.kind and not ordered
        elif (left.text is None) != (right.text is None):
            literal, other = (left, right) if left.text is not None else (right, left)
            fits = self._takes(other, literal.text or "", ordered=ordered)
        else:
            fits = self._alike(left, right, ordered=ordered)
        if not fits:
            raise UntranslatableError(f"{left.sql}, {right.sql}")
        return left, right

    def _as_truth(self, part: Part) -> Part:
        """The numbers that a boolean is compared with as what they mean."""
        return self.truth(part.number == "1") if part.number in ("0", "1") and self._target.has_booleans else part

    def _takes(self, part: Part, text: str, *, ordered: bool) -> bool:
        """Whether a part is compared with a literal in quotes as with what it says."""
        if part.kind in TEXTS:
            return not ordered or text == ""  # texts have another order in each collation
        if part.kind in NUMBERS:
            return part.column and _SIGNED.fullmatch(text) is not None
        if part.kind not in _LITERALS or not _LITERALS[part.kind].fullmatch(text):
            return False
        # Where moments are texts, 10:00:00 and 10:00:00.000 are not the same.
        return part.kind is Kind.DATE or (self._source.binds_values and self._target.binds_values)

    def _alike(self, left: Part, right: Part, *, ordered: bool) -> bool:
        numbers = NUMBERS if self.typed else NUMBERS | {Kind.BOOLEAN}
        if left.kind in numbers and right.kind in numbers:
            return True
        if left.kind is right.kind:
            return left.kind in _MOMENTS or (left.kind in (*TEXTS, Kind.UUID) and not ordered)
        return not ordered and {left.kind, right.kind} <= TEXTS and not self._target.has_enum_types
