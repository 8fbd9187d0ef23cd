"""Statements of Python as formatters write them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from framefox_tasks.model import Project

_WIDTH = 88  # of ruff and black, where nothing else is set
_INDENT = " " * 4


def width_of(project: Project) -> int:
    """How long a line may be: what ruff or black of the project is set to."""
    found: object = None
    for name, keys in (("ruff.toml", ()), (".ruff.toml", ()), ("pyproject.toml", ("tool", "ruff"))):
        found = found or _setting(project.path(name), (*keys, "line-length"))
    found = found or _setting(project.path("pyproject.toml"), ("tool", "black", "line-length"))
    return found if isinstance(found, int) else _WIDTH


def _setting(path: Path, keys: Sequence[str]) -> object:
    try:
        data: Any = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (ValueError, OSError):  # the formatter says so
        return None
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def call(start: str, arguments: Sequence[str], width: int, *, indent: str = _INDENT) -> list[str]:
    """The lines of a call.

    Args:
        start: What stands before the parenthesis.
        arguments: The arguments; one of several lines is indented for a line of its own.
        width: How long a line may be.
        indent: That of the statement.
    """
    if len(whole := f"{indent}{start}({', '.join(arguments)})") <= width or not arguments:
        return [whole]
    inner = indent + _INDENT
    if len(joined := f"{inner}{', '.join(arguments)}") <= width:
        return [f"{indent}{start}(", joined, f"{indent})"]
    return exploded(start, arguments, indent=indent)


def exploded(start: str, arguments: Sequence[str], *, indent: str = "") -> list[str]:
    """The lines of a call with one for each argument."""
    lines = [f"{indent}{_INDENT}{argument}," for argument in arguments]
    return [f"{indent}{start}(", *(part for line in lines for part in line.split("\n")), f"{indent})"]
