"""The lines of a picture, with crow's feet that stand upright on the borders of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framefox_tasks.diagrams.diagram import Relation
from framefox_tasks.diagrams.placement import Bounds, Point

_HALF = 5  # of the width of a bar or a foot
RADIUS = 3.5


@dataclass(frozen=True)
class _Sign:
    """How many rows there are at the end of a line; distances are from the table's border.

    Attributes:
        bars: Where the bars are.
        foot: How far the foot reaches.
        ring: Where the middle of the ring is, which stands for "or none".
    """

    bars: tuple[float, ...] = ()
    foot: float = 0
    ring: float = 0

    @property
    def length(self) -> float:
        return self.ring + RADIUS if self.ring else max(self.bars) + 3

    def strokes(self) -> Iterator[tuple[Point, Point]]:
        yield (0, 0), (self.ring - RADIUS if self.ring else self.length, 0)
        for bar in self.bars:
            yield (bar, -_HALF), (bar, _HALF)
        if self.foot:
            yield (0, -_HALF), (self.foot, 0)
            yield (0, _HALF), (self.foot, 0)


_ONE = _Sign(bars=(5, 9))
_NONE_OR_ONE = _Sign(bars=(6,), ring=12)
_NONE_OR_MANY = _Sign(foot=10, ring=10 + RADIUS)


@dataclass(frozen=True)
class Line:
    """A line from the border of one table to that of another, with a sign at each end.

    Attributes:
        curve: The points of Bézier curves, from sign to sign.
        strokes: The straight pieces of the signs.
        rings: The middles of their rings, of the radius RADIUS.
        dashed: The line is, its signs are not.
    """

    curve: Sequence[Point]
    strokes: Sequence[tuple[Point, Point]]
    rings: Sequence[Point]
    dashed: bool


def line(relation: Relation, points: Sequence[Point], referred: Bounds, referring: Bounds) -> Line:
    """The line of a relation, from the referred table to the referring one, along these points of a Bézier curve."""
    start = _End(points[0], referred, _NONE_OR_ONE if relation.optional else _ONE)
    end = _End(points[-1], referring, _NONE_OR_ONE if relation.unique else _NONE_OR_MANY)
    curve = [start.base, *points[1:-1], end.base]
    return Line(curve, [*start.strokes, *end.strokes], [*start.rings, *end.rings], not relation.identifying)


class _End:
    """A sign in its place."""

    def __init__(self, tip: Point, bounds: Bounds, sign: _Sign) -> None:
        self.tip = tip
        self.sign = sign
        left, top, right, bottom = bounds
        x, y = tip
        sides = [(abs(x - left), (-1, 0)), (abs(x - right), (1, 0)), (abs(y - top), (0, -1)), (abs(y - bottom), (0, 1))]
        self.outward = min(sides)[1]

    def _at(self, point: Point) -> Point:
        (x, y), (right, down), (far, aside) = self.tip, self.outward, point
        return x + far * right - aside * down, y + far * down + aside * right

    @property
    def base(self) -> Point:
        """Where the line begins."""
        return self._at((self.sign.length, 0))

    @property
    def strokes(self) -> list[tuple[Point, Point]]:
        return [(self._at(start), self._at(end)) for start, end in self.sign.strokes()]

    @property
    def rings(self) -> list[Point]:
        return [self._at((self.sign.ring, 0))] if self.sign.ring else []


def number(value: float) -> str:
    """As short as two decimals allow."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
