"""The folder for migrations that are not proven yet, and the way from there to their place."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks import files
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project, Target

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.autogenerate import Comparison

_ASIDE = "migration-"
_LEFT = 24 * 3600  # seconds after which a folder is a killed run's


@contextmanager
def aside(project: Project) -> Iterator[Path]:
    """A folder for what is not proven yet. What a killed run has left there is removed."""
    cache = project.cached("")
    try:
        files.write(project, cache / ".gitignore", "*\n")
        for left in cache.glob(f"{_ASIDE}*"):
            if left.stat().st_mtime < time.time() - _LEFT:
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=cache))
    except OSError as exc:
        raise PermissionDeniedError(
            f"{project.shown(cache)} cannot be written: {exc.strerror}", hint="Check the folder's permissions."
        ) from exc
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_place(target: Target, folder: Path, versions: Path, written: Comparison) -> Path | None:
    """Move the files to the version folder; gives that of the newest."""
    path = None
    for file in written.files:
        path = file
        if file.is_relative_to(folder):  # a hook of the project's may have chosen another place
            path = versions / file.relative_to(folder)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(file, path)
            except OSError as exc:
                raise PermissionDeniedError(
                    f"The migration cannot be written to {target.project.shown(path.parent)}: {exc.strerror}",
                    hint="Check the folder's permissions.",
                ) from exc
    return path
