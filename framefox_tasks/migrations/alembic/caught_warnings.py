"""Python's warnings while Alembic runs: each told on one line, without a path of an installed library."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from framefox_tasks.model import Project
from framefox_tasks.url import redact

# What is taken care of here, or means nothing to the user.
_SETTLED = (
    "Cannot correctly sort tables",  # the keys of a cycle come after the tables
    "autoincrement and existing_autoincrement only make sense for MySQL",  # in a file that runs on every database
    "Skipped unsupported reflection of expression-based index",  # the migration guard keeps them
    "Computed default on .* cannot be modified",  # told as what is to be written by hand
)
_REWORDED = (
    (
        re.compile(r"Did not recognize type '(?P<type>[^']*)' of column '(?P<column>[^']*)'"),
        "SQLAlchemy does not know the type {type} of the column {column}, so it is not compared.",
    ),
)
_INSTALLED = {"site-packages", "dist-packages"}
_PATH = re.compile(r"(?:/[^\s'\":,]+)+/(?=[^\s/'\":,]+\.py\b)")


@contextmanager
def caught_warnings(project: Project, told: list[str] | None) -> Iterator[None]:
    """A context whose warnings are collected as lines; shown as ever where there is no list for them."""
    if told is None:
        yield
        return

    def collect(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG001 - as the warnings module calls it
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        text = _line(str(message), category, _place(project, filename, lineno))
        if text not in told:
            told.append(text)

    with warnings.catch_warnings():
        for settled in _SETTLED:
            warnings.filterwarnings("ignore", message=settled)
        warnings.showwarning = collect
        yield


def _line(message: str, category: type[Warning], place: str | None) -> str:
    for pattern, text in _REWORDED:
        if found := pattern.match(message):
            return text.format_map(found.groupdict())
    said = _PATH.sub("", " ".join(message.split()))
    return redact(f"{place}: {category.__name__}: {said}" if place else f"{category.__name__}: {said}")


def _place(project: Project, filename: str, lineno: int) -> str | None:
    """Where in the project's own files it comes from; the innermost of them if the warning names another."""
    if _is_own(project, filename):
        return f"{project.shown(Path(filename))}, line {lineno}"
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _is_own(project, frame.f_code.co_filename):
            return f"{project.shown(Path(frame.f_code.co_filename))}, line {frame.f_lineno}"
        frame = frame.f_back
    return None


def _is_own(project: Project, filename: str) -> bool:
    path = Path(filename)
    if not path.is_absolute() or _INSTALLED & set(path.parts):
        return False
    # env.py and dodo.py call everything, and are no place of their own.
    called = {project.migrations_folder / "env.py", project.path("dodo.py")}
    return path.is_relative_to(project.root.absolute().resolve()) and path not in {file.resolve() for file in called}
