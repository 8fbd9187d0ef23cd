"""The format `pdf`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.dot import dot
from framefox_tasks.diagrams.graphviz import GraphvizFormat, render

_LONGEST = 14_400  # points: a longer page is none that every reader opens
_DATE = re.compile(rb"(?<=/CreationDate \(D:)\d{14}")


class Pdf(GraphvizFormat):
    """The picture to print, in the fonts of the machine."""

    reproducible = False

    def write(self, diagram: Diagram) -> Mapping[str, bytes]:
        """See Format."""
        return {"pdf": _DATE.sub(b"20000101000000", render("pdf", lambda: dot(diagram, longest=_LONGEST), drawn=True))}
