"""Rectangles in a window: where each of them stands, so that all are as large as can be."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

WINDOW = (1304, 900)
"""The shape that a picture of many tables is made for: what a window of 1600 x 900 has beside the list of tables."""
_TRIES = 60  # widths between the narrowest that could do and the widest

Size = tuple[float, float]
Place = tuple[float, float]


def packed(sizes: Sequence[Size]) -> list[Place]:
    """The upper left corners, with the width that makes all appear largest in the window."""
    area = sum(width * height for width, height in sizes)
    least = max([sqrt(area * WINDOW[0] / WINDOW[1]) * 0.8, *(width for width, _ in sizes)])
    tries = (_skyline(sizes, least * (1 + 0.8 * step / _TRIES)) for step in range(_TRIES))
    return max(tries, key=lambda places: scale(extent(sizes, places)))


def extent(sizes: Sequence[Size], places: Sequence[Place]) -> Size:
    """How much the rectangles cover."""
    both = list(zip(sizes, places, strict=True))
    return max(x + width for (width, _), (x, _) in both), max(y + height for (_, height), (_, y) in both)


def scale(size: Size) -> float:
    """How large a picture appears in the window."""
    return min(WINDOW[0] / size[0], WINDOW[1] / size[1])


def _skyline(sizes: Sequence[Size], width: float) -> list[Place]:
    """The highest first, each where it comes to stand highest up, and then leftmost."""
    line = [(0.0, 0.0, width)]  # pieces of the lower border: left, top, width
    places = [(0.0, 0.0)] * len(sizes)
    for index in sorted(range(len(sizes)), key=lambda each: (-sizes[each][1], -sizes[each][0], each)):
        across, down = sizes[index]
        fitting = [(_top(line, left, across), left) for left, _, _ in line if left + across <= width + 1e-6]
        top, left = min(fitting)
        places[index] = (left, top)
        line = _raised(line, left, across, top + down)
    return places


def _top(line: Sequence[tuple[float, float, float]], left: float, width: float) -> float:
    return max(top for start, top, length in line if start < left + width - 1e-6 and start + length > left + 1e-6)


def _raised(
    line: Sequence[tuple[float, float, float]], left: float, width: float, top: float
) -> list[tuple[float, float, float]]:
    """The border after a rectangle has come to stand there."""
    right = left + width
    kept = [(start, at, min(start + length, left) - start) for start, at, length in line if start < left]
    kept += [
        (max(start, right), at, start + length - max(start, right))
        for start, at, length in line
        if start + length > right
    ]
    return sorted(piece for piece in [*kept, (left, top, width)] if piece[2] > 1e-6)
