"""Pictures that Graphviz draws, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from framefox_tasks.diagrams.formats import Format
from framefox_tasks.errors import DiagramError

_MOST_PROCESSES = 4


class GraphvizFormat(Format):
    """A format that eralchemy2 and Graphviz make; the first imports the second even to write text."""

    requires = ("eralchemy2", "pygraphviz")
    extra = "diagram"
    system_packages = ("libglib2.0-0", "libx11-6", "libxext6", "libxrender1", "libexpat1")


def render(form: str, source: Callable[[], str], *, drawn: bool = False) -> bytes:
    """A picture as Graphviz draws it.

    Args:
        form: One of Graphviz's formats.
        source: Gives the picture in Graphviz's language. Called when the process has been started, which loads Graphviz
            in the meantime.
        drawn: Everything has its place already.

    Raises:
        DiagramError: Graphviz cannot draw it.
        ImportError: It cannot be loaded.
    """
    with _process(form, "nop2" if drawn else "dot", subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(source().encode())
        finally:
            process.kill()
    if process.returncode or not output or b"syntax error" in errors:
        check_libraries()
        raise DiagramError(
            f"Graphviz could not draw the diagram: {_reason(process.returncode, errors)}",
            hint="Draw fewer tables at once, with include, exclude or groups, or leave this format out.",
        )
    return output


def render_each(sources: Sequence[Callable[[], str]]) -> list[str]:
    """Each of several pictures as SVG, drawn by processes side by side. What gives them is called in several threads.

    Where `dot` does not come to an end in the time that each has, `sfdp` draws it, which is faster and less tidy.

    Raises:
        DiagramError: Graphviz cannot draw one.
    """
    count = max(1, min(os.cpu_count() or 1, _MOST_PROCESSES, len(sources)))
    with ThreadPoolExecutor(count) as pool:
        drawn = list(pool.map(_drawn, [sources[start::count] for start in range(count)]))
    return [drawn[index % count][index // count] for index in range(len(sources))]


def _drawn(sources: Sequence[Callable[[], str]]) -> list[str]:
    """The pictures that one process draws, or one after the other, as some end early."""
    found: list[str] = []
    programs = ["dot"]
    while len(found) < len(sources):
        with _process("svg", "each", subprocess.DEVNULL) as process:
            pipes = process.stdin, process.stdout
            try:
                while len(found) < len(sources) and (answer := _answer(*pipes, programs[-1], sources[len(found)]())):
                    found.append(answer)
                    programs = ["dot"]
            finally:
                process.kill()
        if len(found) < len(sources):
            if programs[-1] == "sfdp":
                check_libraries()
                raise DiagramError(
                    "Graphviz could not draw the diagram: neither dot nor sfdp came to an end.",
                    hint="Draw fewer tables at once, with include, exclude or groups, or leave this format out.",
                )
            programs.append("sfdp")
    return found


def _answer(stdin: IO[bytes] | None, stdout: IO[bytes] | None, program: str, source: str) -> str:
    """A picture; empty where the process ended before."""
    if stdin is None or stdout is None:
        return ""
    try:
        stdin.write(json.dumps([program, source]).encode() + b"\n")
        stdin.flush()
    except BrokenPipeError:
        return ""
    line = stdout.readline()
    return str(json.loads(line)) if line else ""


def check_libraries() -> None:
    """Raises ImportError where what draws cannot be loaded."""
    try:
        import eralchemy2.main  # noqa: F401
    except OSError as exc:  # a shared library of Graphviz's that pygraphviz loads while it is imported
        raise ImportError(str(exc)) from exc


def _process(form: str, program: str, errors: int) -> subprocess.Popen[bytes]:
    script = str(Path(__file__).with_name("graphviz_process.py"))
    return subprocess.Popen(
        [sys.executable, "-I", "-S", script, form, program, *_place_of_pygraphviz()],  # without `site` it starts sooner
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
    )


def _place_of_pygraphviz() -> list[str]:
    """The folder that it is imported from; none where it is not installed, which the import of eralchemy2 tells."""
    spec = find_spec("pygraphviz")
    return [str(Path(spec.origin).parent.parent)] if spec and spec.origin else []


def _reason(code: int, errors: bytes) -> str:
    if code < 0:
        return f"signal {-code} ended it."
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else f"it ended with the exit code {code}."
