"""What is cached of the entities."""

from __future__ import annotations

import shutil
from pathlib import Path

from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project
from framefox_tasks.results import MetadataCleared

CACHE = Path(".framefox_tasks")


def clear_metadata(project: Project) -> MetadataCleared:
    """Remove the cache folder and the compiled modules of the entity folders. No source and no database is touched.

    Raises:
        PermissionDeniedError: A folder cannot be removed.
    """
    entities = [project.path(folder) for folder in project.entities]
    compiled = [path for folder in entities if folder.is_dir() for path in sorted(folder.rglob("__pycache__"))]
    found = [path for path in (project.path(CACHE), *compiled) if path.is_dir()]
    for path in found:
        try:
            shutil.rmtree(path)
        except OSError as exc:
            raise PermissionDeniedError(
                f"{project.shown(path)} cannot be removed: {exc.strerror}",
                hint="Check the folder's permissions.",
            ) from exc
    return MetadataCleared(project, tuple(found))
