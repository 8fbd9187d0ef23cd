"""What a mask is: all that settings, plan, copies and help texts ask of one. No member may be left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass

from framefox_tasks.copies.mask.secret import Secret
from framefox_tasks.databases.rows import Field, Kind

Function = Callable[[bytes], bytes]
"""Makes another text of a text that is not NULL; neither is escaped."""


class MaskKind(ABC):
    """A kind of mask, such as email."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What it makes of a value, in one line."""

    @property
    @abstractmethod
    def kinds(self) -> Collection[Kind]:
        """The kinds of columns that it fits."""

    @property
    @abstractmethod
    def shortest(self) -> int:
        """The length that a column needs at least."""

    @property
    @abstractmethod
    def value_text(self) -> Callable[[Field, str], str] | None:
        """Makes the text that the VALUE of `fixed:VALUE` travels as; None for a mask that takes no value.

        It raises a ValueError that says what the column takes, where that is no value of it.
        """

    @abstractmethod
    def distinct(self, holds: Kind, length: int | None, /) -> float:
        """How many distinct values it makes in a key's column of that length, None for one without a limit.

        0 where it makes NULL of every value, 1 where it makes one value of all, infinity where no two become the same.
        """

    @abstractmethod
    def function(self, column: ColumnMask, secret: Secret, /) -> Function | None:
        """What makes the values of a column; None where it makes NULL of every value."""


@dataclass(frozen=True)
class ColumnMask:
    """How a column is masked.

    Attributes:
        index: Where it stands among the fields.
        column: Its name in the source.
        kind: What makes its values.
        holds: The kind of its values.
        length: The characters or bytes that there is room for, in it and in the columns that share its values.
        unique: Whether it, or one that shares its values, is part of a key.
        bits: The number of bits that the integers of these columns have at least; one of LEVELS.
        padded: Whether a database fills its values to their full length.
        value: The text of the value that the mask takes.
    """

    index: int
    column: str
    kind: MaskKind
    holds: Kind
    length: int | None = None
    unique: bool = False
    bits: int = 30
    padded: bool = False
    value: str = ""

    def function(self, secret: Secret) -> Function | None:
        """What makes its values, of values without the blanks that fill them; None where it makes NULL of all."""
        function = self.kind.function(self, secret)
        return (lambda text: function(text.rstrip(b" "))) if function and self.padded else function
