"""The files of applied migrations, kept in the cache: what is applied can be reverted on a branch without its file."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from urllib.parse import quote

from framefox_tasks import files
from framefox_tasks.databases import reuse
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project
from framefox_tasks.results import Revision
from framefox_tasks.schema.cache import APPLIED, digest, ignore_cache

_LABELS = re.compile(r"^branch_labels\b[^=\n]*=\s*(\([^)]*\)|\[[^]]*\]|.*)", re.MULTILINE)


class KeptFiles:
    """The files of a project's migrations as they are when they are applied; none where the cache cannot be written.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        # Text and not Path: of a long history this is done a thousand times, and to many databases.
        self._folder = os.path.join(project.root.absolute(), project.cache, APPLIED)  # noqa: PTH118 - see above

    def keep(self, revision: Revision, content: bytes, key: str) -> None:
        """Keep the file of a migration, which has this content, with this digest; once for many databases in a row."""
        if reuse.is_reusing():
            reuse.kept(("kept", self._folder, revision.path, key), partial(self._keep, revision, content, key))
        else:
            self._keep(revision, content, key)

    def _keep(self, revision: Revision, content: bytes, key: str) -> None:
        folder = f"{self._folder}{os.sep}{quote(revision.revision, safe='')}-{key}"
        name = revision.path.name
        try:
            if not _is_kept(f"{folder}{os.sep}{name}", len(content)):
                ignore_cache(self._project)
                files.write(self._project, Path(folder, name), content, like=revision.path)
            os.utime(folder)  # of several with one revision, the one that was applied last counts
        except (OSError, PermissionDeniedError):
            return  # it is a precaution, and no part of the upgrade


def _is_kept(file: str, size: int) -> bool:
    """Whether the file is there. The name of its folder has the digest, which whoever uses it compares."""
    try:
        return os.stat(file).st_size == size  # noqa: PTH116 - as above
    except FileNotFoundError:
        return False


def kept_file(project: Project, revision: str) -> Path | None:
    """The file of a revision as it was when it was applied last; None if it was not kept, or has changed since.

    Args:
        project: The project.
        revision: A revision; or what a migration calls one that it depends on, its beginning or a label.
    """
    name = quote(revision, safe="")
    folders = sorted(project.cached(APPLIED).glob("*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    kept = [(folder, path) for folder in folders for path in folder.glob("*.py")]
    whole = [(folder, path) for folder, path in kept if folder.name.rpartition("-")[0] == name]
    for folder, path in whole or [item for item in kept if _is_called(*item, name, revision)]:
        if digest(path.read_bytes()) == folder.name.rpartition("-")[2]:
            return path
    return None


def _is_called(folder: Path, path: Path, name: str, label: str) -> bool:
    if folder.name.startswith(name):
        return True
    labels = _LABELS.search(path.read_text(encoding="utf-8", errors="replace"))
    return labels is not None and bool(re.search(rf"['\"]{re.escape(label)}['\"]", labels[1]))


def migration_folders(project: Project) -> tuple[Path, ...]:
    """The folders that the code of migrations is in."""
    return (project.migrations_folder, *project.versions, project.cached(APPLIED))
