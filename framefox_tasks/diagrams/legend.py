"""What the lines and the colours of a picture mean: the entries of its legend, and where they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from framefox_tasks.diagrams.change import SIGNS
from framefox_tasks.diagrams.crowfoot import Line, line
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.text import width
from framefox_tasks.schema.snapshot import ForeignKey

SIZE = 11  # of its texts
SWATCH = 16
_SAMPLE = 64  # how long the line of a sample is
_ROW = 24
# Optional, unique, identifying, and what the legend says of such a line.
_KINDS = {
    (False, False, False): "one, and any number of rows",
    (True, True, False): "none or one, and one row at most",
    (False, False, True): "solid: part of the primary key",
}


@dataclass(frozen=True)
class LegendEntry:
    """A line or the colour of a state, and what it means.

    Attributes:
        x: Where it begins.
        y: Where its middle is.
        line: Of the sample; None where a colour is told.
        state: That the colour stands for.
        words: What it means.
    """

    x: float
    y: float
    line: Line | None
    state: str
    words: str

    @property
    def text(self) -> tuple[float, float]:
        """Where the words begin, on their base line."""
        return self.x + self._sign + 8, self.y + 4

    @property
    def length(self) -> float:
        """From its begin to the end of the words."""
        return self._sign + 8 + width(self.words, SIZE)

    @property
    def _sign(self) -> float:
        return _SAMPLE if self.line else SWATCH


def legend(diagram: Diagram, room: float, left: float = 0, top: float = 0) -> tuple[float, list[LegendEntry]]:
    """The height of the legend, and its entries in rows of at most this width."""
    x, y = 0.0, _ROW / 2
    entries: list[LegendEntry] = []
    for kind, state, words in _entries(diagram):
        length = _entry(kind, state, words, 0, 0).length
        if x and x + length > room:
            x, y = 0, y + _ROW
        entries.append(_entry(kind, state, words, left + x, top + y))
        x += length + 20
    return y + _ROW / 2 if entries else 0, entries


def _entries(diagram: Diagram) -> Iterator[tuple[tuple[bool, bool, bool] | None, str, str]]:
    if diagram.relations:
        yield from ((kind, "", words) for kind, words in _KINDS.items())
    if diagram.change.since:
        yield from ((None, state, f"{sign} {state}") for state, sign in SIGNS.items())


def _entry(kind: tuple[bool, bool, bool] | None, state: str, words: str, x: float, y: float) -> LegendEntry:
    return LegendEntry(x, y, _sample(kind, x, y) if kind else None, state, words)


def _sample(kind: tuple[bool, bool, bool], x: float, y: float) -> Line:
    """A short line between two borders."""
    end = x + _SAMPLE
    shape = Relation("", "", ForeignKey((), "", ()), *kind)
    borders = (x - 1, y - 9, x, y + 9), (end, y - 9, end + 1, y + 9)
    return line(shape, [(x, y), (x + 20, y), (end - 20, y), (end, y)], *borders)
