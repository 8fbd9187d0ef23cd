"""The files of applied migrations, kept in the cache: what is applied can be reverted on a branch without its file."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from framefox_tasks import files
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project
from framefox_tasks.results import Revision
from framefox_tasks.schema.cache import APPLIED, digest, ignore_cache

_kept: dict[tuple[Project, str], tuple[Path, tuple[int, int]]] = {}
"""The file that this process has kept last for a revision, and what it was like: it may go to many databases."""
_LABELS = re.compile(r"^branch_labels\b[^=\n]*=\s*(\([^)]*\)|\[[^]]*\]|.*)", re.MULTILINE)


def keep(project: Project, revision: Revision) -> None:
    """Keep the file of a migration as it is when it is applied; not where the cache cannot be written."""
    state = revision.path.stat()
    key, mark = (project, str(revision.path)), (state.st_mtime_ns, state.st_size)
    kept = _kept.get(key)
    if kept and kept[1] == mark and kept[0].is_file():
        return
    content = revision.path.read_bytes()
    folder = project.cached(APPLIED) / f"{quote(revision.revision, safe='')}-{digest(content)}"
    try:
        ignore_cache(project)
        files.write(project, folder / revision.path.name, content, like=revision.path)
        folder.touch()  # of several with one revision, the one that was applied last counts
        _kept[key] = folder / revision.path.name, mark
    except (OSError, PermissionDeniedError):
        return  # it is a precaution, and no part of the upgrade


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
