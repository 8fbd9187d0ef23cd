"""Which files below the migrations folder are revisions."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path

from framefox_tasks.model import Project
from framefox_tasks.schema.python_files import python_files

_MARKS = {"revision", "down_revision"}


def revision_files(project: Project) -> list[Path]:
    """The revision files: modules of the version folders that assign `revision` and `down_revision`.

    A file that is not valid Python counts as one if two lines of it start with these words, so that a broken migration
    can be cleared as well.
    """
    return [path for path in listed_files(project) if path.is_file() and is_revision(path)]


def listed_files(project: Project) -> list[Path]:
    """The files that may be revisions, which are not read."""
    found = [
        sorted(python_files(str(folder), recursive=project.recursive_versions))  # as Alembic lists them
        for folder in project.versions
    ]
    return [Path(path) for path in dict.fromkeys(chain(*found)) if not path.endswith("__init__.py")]


def is_revision(path: Path) -> bool:
    """Whether a file is one; see revision_files."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return {line.split("=")[0].split(":")[0].strip() for line in text.splitlines()} >= _MARKS
    names: set[str] = set()
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names >= _MARKS
