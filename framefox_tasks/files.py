"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project


def write(project: Project, path: Path, data: str | bytes) -> bool:
    """Write a file by way of another beside it, so that a run that is killed leaves the old one or the new one.

    Returns:
        Whether its content changed. If not, it was not touched.

    Raises:
        PermissionDeniedError: It cannot be written; nothing of it remains.
    """
    content = data.encode() if isinstance(data, str) else data
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as exc:
        raise PermissionDeniedError(
            f"{project.shown(path)} cannot be written: {exc.strerror or exc}",
            hint="Check the permissions of its folder, and the space on the disk.",
        ) from exc
    return True
