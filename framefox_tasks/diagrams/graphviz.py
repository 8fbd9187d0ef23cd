"""Pictures that Graphviz draws, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from framefox_tasks.diagrams.formats import Format
from framefox_tasks.errors import DiagramError


class GraphvizFormat(Format):
    """A format that eralchemy2 and Graphviz make; the first imports the second even to write text."""

    requires = ("eralchemy2", "pygraphviz")
    extra = "diagram"
    system_packages = ("libglib2.0-0", "libx11-6", "libxext6", "libxrender1", "libexpat1")


def render(form: str, source: Callable[[], str]) -> bytes:
    """A picture as Graphviz draws it.

    Args:
        form: One of Graphviz's formats.
        source: Gives the picture in Graphviz's language. Called when the process has been started, which loads Graphviz
            in the meantime.

    Raises:
        DiagramError: Graphviz cannot draw it.
    """
    script = str(Path(__file__).with_name("graphviz_process.py"))
    with subprocess.Popen(
        [sys.executable, "-I", "-S", script, form, *_place_of_pygraphviz()],  # without `site` it starts sooner
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            output, errors = process.communicate(source().encode())
        finally:
            process.kill()
    if process.returncode or not output or b"syntax error" in errors:
        raise DiagramError(
            f"Graphviz could not draw the diagram: {_reason(process.returncode, errors)}",
            hint="Draw fewer tables at once, with include, exclude or groups, or leave this format out.",
        )
    return output


def _place_of_pygraphviz() -> list[str]:
    """The folder that it is imported from; none where it is not installed, which the import of eralchemy2 tells."""
    spec = find_spec("pygraphviz")
    return [str(Path(spec.origin).parent.parent)] if spec and spec.origin else []


def _reason(code: int, errors: bytes) -> str:
    if code < 0:
        return f"signal {-code} ended it."
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended with the exit code {code}."
