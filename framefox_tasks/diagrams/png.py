"""The format `png`."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.dot import dot, size
from framefox_tasks.diagrams.graphviz import GraphvizFormat, render

_SHARP = 50  # of so many tables a sharp bitmap is still of a handy size
_MOST = 100_000_000  # pixels, which are 400 MB while they are drawn


class Png(GraphvizFormat):
    """The picture as a bitmap, in the fonts of the machine."""

    reproducible = False

    def write(self, diagram: Diagram) -> Mapping[str, bytes]:
        """See Format."""
        width, height = size(diagram)
        most = int(72 * sqrt(_MOST / (width * height)))
        dpi = min(144 if len(diagram.tables) <= _SHARP else 96, most)
        return {"png": render("png", lambda: dot(diagram, dpi=dpi), drawn=True)}
