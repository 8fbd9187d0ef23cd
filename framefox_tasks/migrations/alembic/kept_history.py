"""The list of the revisions, kept with the schema that they end at: with it no revision file has to be run.

It counts for the very same files, by their names and their bytes; none that it is kept of says anything of its own but
as a constant.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from alembic.config import Config

from framefox_tasks.model import Project
from framefox_tasks.results import Revision
from framefox_tasks.schema.cache import END_STATE
from framefox_tasks.schema.revision_files import listed_files

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History

NAME = "history"
"""Of it, in the file that the end state is kept in."""


class KeptHistory(NamedTuple):
    """What Alembic has read of the revision files.

    Attributes:
        revisions: Every revision, newest first.
        heads: The heads, sorted.
        at_heads: Those that no other depends on, sorted.
        contents: The revision files, as they are now.
    """

    revisions: tuple[Revision, ...]
    heads: tuple[str, ...]
    at_heads: tuple[str, ...]
    contents: dict[Path, bytes]


def kept_history(project: Project, config: Config) -> KeptHistory | None:
    """That of the revision files as they are; None where none was kept of these."""
    if config.get_alembic_option("sourceless") or not (project.migrations_folder / "env.py").is_file():
        return None  # compiled files count as well; or there is something to be said
    try:
        kept = json.loads(project.cached(END_STATE).read_text(encoding="utf-8"))[NAME]
        listed = _listed(project)
        if kept["files"] != _digest(project, listed):
            return None
        paths = list(listed)
        revisions = tuple([Revision(name, doc, paths[at], tuple(downs)) for name, doc, at, downs in kept["revisions"]])
        contents = {revision.path: listed[revision.path] for revision in revisions}
        return KeptHistory(revisions, tuple(kept["heads"]), tuple(kept["at_heads"]), contents)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None  # there is none yet, or it is another version's


def keepable(history: History) -> dict[str, Any] | None:
    """What kept_history() reads; None where the files do not say it all."""
    listed = _listed(history.target.project)
    places = {path: place for place, path in enumerate(listed)}
    revisions = history.revisions
    if history.applied(history.at_heads) != [*revisions] or any(
        listed.get(path) != content for path, content in history.contents.items()
    ):
        return None
    return {
        "files": _digest(history.target.project, listed),
        "heads": history.heads,
        "at_heads": history.at_heads,
        "revisions": [(one.revision, one.description, places[one.path], one.down_revisions) for one in revisions],
    }


def _listed(project: Project) -> dict[Path, bytes]:
    found = {}
    for path in listed_files(project):
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - there may be thousands
            found[path] = file.read()
    return found


def _digest(project: Project, listed: Mapping[Path, bytes]) -> str:
    """Of the paths, as seen from the project's root, and the bytes."""
    found, root = sha256(), f"{project.path('')}{os.sep}"
    for path, content in listed.items():
        found.update(f"{str(path).removeprefix(root)}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()
