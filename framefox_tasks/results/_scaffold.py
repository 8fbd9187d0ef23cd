"""The result of init()."""

from __future__ import annotations

from pathlib import Path

from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Project


class Addition(Frozen):
    """Lines that belong into a file which is there, and is left as it is.

    Attributes:
        path: The file, from the project's root.
        lines: The lines; none where it has all of them.
        where: Where they go in it; empty where that is all the same.
    """

    path: Path
    lines: tuple[str, ...]
    where: str = ""


class Initialized(Frozen):
    """What a project has, and what was written.

    Attributes:
        found: What was found, each with where it is.
        written: The files that were missing, from the project's root.
        additions: What to add by hand to files that are there.
        next_command: What to type next.
        dry_run: Whether nothing was written.
    """

    project: Project
    found: tuple[tuple[str, str], ...]
    written: tuple[Path, ...]
    additions: tuple[Addition, ...]
    next_command: str
    dry_run: bool = False
