"""The format `png`."""

from __future__ import annotations

from collections.abc import Mapping

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.dot import dot
from framefox_tasks.diagrams.graphviz import GraphvizFormat, render

_SHARP = 50  # of so many tables a sharp bitmap is still of a handy size


class Png(GraphvizFormat):
    """The picture as a bitmap, in the fonts of the machine."""

    reproducible = False

    def write(self, diagram: Diagram) -> Mapping[str, bytes]:
        """See Format."""
        dpi = 144 if len(diagram.tables) <= _SHARP else None
        return {"png": render("png", lambda: dot(diagram, dpi=dpi))}
