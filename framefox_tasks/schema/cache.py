"""The cache of the tasks between runs: its files, and their sources. Standard library only.

The folder ignores itself in git. It may be deleted at any time: the next run makes it anew, to the same bytes, but for
what it holds of migrations: without that, one can be reverted only on a branch that has its file.
"""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256
from pathlib import Path

from framefox_tasks.files import write
from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.python_files import python_files

FORMAT = 1
"""The version of the snapshot and of the diagrams; a change makes all of them anew."""
CACHE = ".framefox_tasks"
"""That of the default database; see Project.cache."""
SNAPSHOT = "metadata.json"
"""The schema that the entities declare: in the cache, as the next ones."""
LIVE = "database.json"
"""The schema that the database had when it was last read."""
APPLIED = "applied"
"""The files of migrations as they were applied."""
CHECKSUMS = "checksums.json"
"""The checksums of migrations, by the digests of their files."""
COMPILED = "compiled"
"""What Python has compiled of the migrations."""
END_STATE = "end-state.json"
"""The schema that the migrations end at."""
GENERATED = "generated"
"""What new migrations were when they were generated."""
CLEARED = "cleared"
"""The identity of the database whose migrations were last cleared."""
OTHERS = "databases"
"""The caches of the databases that the settings name beside the default one."""
_SOURCES = "sources.json"
_PACKAGE = rb'^      "package": .*,\n'
RECORD = "schema.json"
"""The schema that the newest migration was generated from: in the migrations folder, and committed."""
MARK = "Schema: "
"""Precedes, in a migration, the digest of the schema that it was generated from."""


def digest(text: str | bytes) -> str:
    """The digest of a snapshot: 16 hexadecimal digits."""
    return sha256(text.encode() if isinstance(text, str) else text).hexdigest()[:16]


def recordable(snapshot: bytes) -> bytes:
    """A snapshot without the packages of the entities, which no database has."""
    return re.sub(_PACKAGE, b"", snapshot, flags=re.MULTILINE)


def ignore_cache(project: Project) -> None:
    """Have git ignore the cache: like those of other tools, what is in it never gets into version control.

    Raises:
        PermissionDeniedError: It cannot be written.
    """
    write(project, project.cached(".gitignore"), "*\n")


def drawing(project: Project, name: str) -> str:
    """The part of a snapshot that a diagram shows, as seen from the project's root."""
    return str(project.cache / "diagrams" / name)


class Sources(Frozen):
    """The sources of the snapshot.

    Attributes:
        asked: The settings that say where the entities are.
        files: The files that were read, as seen from the project's root.
        folders: Folders and modules whose every Python file counts.
        snapshot: The digest of the snapshot.
    """

    asked: str
    files: tuple[str, ...]
    folders: tuple[str, ...]
    snapshot: str

    def text(self) -> str:
        """The text in the cache."""
        from dataclasses import asdict

        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def current(self) -> list[str]:
        """The files as they are now: without those that are gone, with new ones in the folders."""
        listed = {file for folder in self.folders for file in python_files(folder)}
        return sorted({file for file in self.files if os.path.isfile(file)} | listed)  # noqa: PTH113 - see below


def read_sources(project: Project) -> Sources | None:
    """The sources of the snapshot in the cache; None where they are not known."""
    try:
        data = json.loads(project.cached(_SOURCES).read_text(encoding="utf-8"))
        return Sources(data["asked"], tuple(data["files"]), tuple(data["folders"]), data["snapshot"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def sources_file(project: Project) -> Path:
    """The absolute path of the file that read_sources reads."""
    return project.cached(_SOURCES)


def note_cleared(target: Target) -> None:
    """Note that the tables of a database are those of migrations that were cleared.

    Raises:
        PermissionDeniedError: The cache cannot be written.
    """
    ignore_cache(target.project)
    write(target.project, target.project.cached(CLEARED), target.identity)


def was_cleared(target: Target) -> bool:
    """Whether its migrations were the last that were cleared, and none was written since then."""
    path = target.project.cached(CLEARED)
    return path.is_file() and path.read_text(encoding="utf-8") == target.identity


def entity_settings(target: Target) -> str:
    """The settings that the entities depend on, as one text."""
    project = target.project
    lists = [project.entities, project.ignore_tables]
    if project.exclude_entities:
        lists.append(project.exclude_entities)
    single = [FORMAT, target.address.dialect, project.metadata, project.shown(project.migrations)]
    if project.include_object:
        single.append(project.include_object)
    return json.dumps([*map(str, single), *(list(map(str, items)) for items in lists)])
