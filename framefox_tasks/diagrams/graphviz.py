"""The formats that come from eralchemy2 and Graphviz: svg, png, pdf, dot and er."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from framefox_tasks.diagrams.boxes import box
from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.svg import dress
from framefox_tasks.errors import DiagramError

_DATE = re.compile(rb"(?<=/CreationDate \(D:)\d{14}")
_SHARP = 50  # of so many tables a sharp bitmap is still of a handy size
_LOADING = (
    "Install them with: pip install --upgrade eralchemy2 pygraphviz\n"
    "On Debian and Ubuntu they need: apt-get install libglib2.0-0 libx11-6 libxext6 libxrender1 libexpat1"
)
_DRAWING = "Draw fewer tables at once, with include, exclude or groups, or leave this format out."


def render(diagram: Diagram, format: str) -> bytes:  # noqa: A002 - the word for it, here and in Graphviz
    """The diagram as a file of this format.

    The bytes of svg, dot and er are the same on every machine. Those of png and pdf hold the fonts of this one.

    Args:
        diagram: What to draw.
        format: svg, png, pdf, dot or er.

    Raises:
        DiagramError: eralchemy2 or Graphviz cannot be loaded, or Graphviz cannot draw this.
    """
    if format in ("er", "dot"):
        return _written(diagram, format).encode()
    script = str(Path(__file__).with_name("graphviz_process.py"))
    # Started first: it loads Graphviz while the picture is being described to it. Without `site` it starts sooner.
    with subprocess.Popen(
        [sys.executable, "-I", "-S", script, format, *_place_of_pygraphviz()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            return _drawn(diagram, format, process)
        finally:
            process.kill()


def _place_of_pygraphviz() -> list[str]:
    """The folder that it is imported from; none where it is not installed, which the import of eralchemy2 tells."""
    spec = find_spec("pygraphviz")
    return [str(Path(spec.origin).parent.parent)] if spec and spec.origin else []


def _drawn(diagram: Diagram, form: str, process: subprocess.Popen[bytes]) -> bytes:
    eralchemy = _loaded()
    boxes = [box(table) for table in diagram.tables]
    dpi = 144 if form == "png" and len(boxes) <= _SHARP else None
    drawn = _answer(process, eralchemy.dot(diagram, boxes, blank=form == "svg", dpi=dpi))
    return dress(drawn.decode(), diagram, boxes).encode() if form == "svg" else _DATE.sub(b"20000101000000", drawn)


def _written(diagram: Diagram, form: str) -> str:
    eralchemy = _loaded()
    boxes = [box(table) for table in diagram.tables]
    text: str = eralchemy.er(diagram) if form == "er" else eralchemy.dot(diagram, boxes)
    return text


def _loaded() -> ModuleType:
    try:
        return import_module("framefox_tasks.diagrams.eralchemy")
    except ImportError as exc:
        raise DiagramError(f"eralchemy2 and Graphviz cannot be loaded: {exc}", hint=_LOADING) from exc


def _answer(process: subprocess.Popen[bytes], dot: str) -> bytes:
    """What Graphviz draws of its language, in a process of its own."""
    output, errors = process.communicate(dot.encode())
    if process.returncode or not output or b"syntax error" in errors:
        raise DiagramError(f"Graphviz could not draw the diagram: {_reason(process, errors)}", hint=_DRAWING)
    return output


def _reason(process: subprocess.Popen[bytes], errors: bytes) -> str:
    if process.returncode < 0:
        return f"signal {-process.returncode} ended it."
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended with the exit code {process.returncode}."
