"""Which files below the migrations folder are revisions."""

from __future__ import annotations

import ast
from pathlib import Path

from framefox_tasks.model import Project

_MARKS = {"revision", "down_revision"}


def revision_files(project: Project) -> list[Path]:
    """The revision files: modules of the version folders that assign `revision` and `down_revision`.

    A file that is not valid Python counts as one if two lines of it start with these words, so that a broken migration
    can be cleared as well.
    """
    pattern = "**/*.py" if project.recursive_versions else "*.py"  # as Alembic lists them
    listed = {path: None for folder in project.versions for path in sorted(folder.glob(pattern))}
    found = [path for path in listed if path.is_file() and path.name[:2] != ".#"]
    return [path for path in found if path.name != "__init__.py" and _is_revision(path)]


def _is_revision(path: Path) -> bool:
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
