"""The lines of the SVG, with crow's feet that stand upright on the borders of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framefox_tasks.diagrams.diagram import Relation
from framefox_tasks.diagrams.placement import Bounds, Point

_HALF = 5  # of the width of a bar or a foot
_RADIUS = 3.5


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
        return self.ring + _RADIUS if self.ring else max(self.bars) + 3

    def strokes(self) -> Iterator[tuple[Point, Point]]:
        yield (0, 0), (self.ring - _RADIUS if self.ring else self.length, 0)
        for bar in self.bars:
            yield (bar, -_HALF), (bar, _HALF)
        if self.foot:
            yield (0, -_HALF), (self.foot, 0)
            yield (0, _HALF), (self.foot, 0)


_ONE = _Sign(bars=(5, 9))
_NONE_OR_ONE = _Sign(bars=(6,), ring=12)
_NONE_OR_MANY = _Sign(foot=10, ring=10 + _RADIUS)


def line(
    relation: Relation, points: Sequence[Point], referred: Bounds, referring: Bounds, colour: str
) -> Iterator[str]:
    """A line from the border of the referred table to that of the referring one, as Graphviz leads it."""
    if not points:
        return
    start = _End(points[0], referred, _NONE_OR_ONE if relation.optional else _ONE)
    end = _End(points[-1], referring, _NONE_OR_ONE if relation.unique else _NONE_OR_MANY)
    dashes = "" if relation.identifying else ' stroke-dasharray="4 3"'
    path = f"M{start.base}C{' '.join(f'{number(x)},{number(y)}' for x, y in points[1:-1])} {end.base}"
    yield f'<path d="{path}" fill="none" stroke="{colour}"{dashes}/>'
    yield f'<path d="{start.strokes}{end.strokes}" fill="none" stroke="{colour}"/>'
    for each in (start, end):
        yield from each.ring(colour)


class _End:
    """A sign in its place."""

    def __init__(self, tip: Point, bounds: Bounds, sign: _Sign) -> None:
        self.tip = tip
        self.sign = sign
        left, top, right, bottom = bounds
        x, y = tip
        sides = [(abs(x - left), (-1, 0)), (abs(x - right), (1, 0)), (abs(y - top), (0, -1)), (abs(y - bottom), (0, 1))]
        self.outward = min(sides)[1]

    def _at(self, point: Point) -> str:
        (x, y), (right, down), (far, aside) = self.tip, self.outward, point
        return f"{number(x + far * right - aside * down)},{number(y + far * down + aside * right)}"

    @property
    def base(self) -> str:
        """Where the line begins."""
        return self._at((self.sign.length, 0))

    @property
    def strokes(self) -> str:
        return "".join(f"M{self._at(start)}L{self._at(end)}" for start, end in self.sign.strokes())

    def ring(self, colour: str) -> Iterator[str]:
        if self.sign.ring:
            x, y = self._at((self.sign.ring, 0)).split(",")
            yield f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="none" stroke="{colour}"/>'


def number(value: float) -> str:
    """As short as two decimals allow."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
