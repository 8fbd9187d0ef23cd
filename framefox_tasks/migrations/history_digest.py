"""The key of what is kept of a history: it is another as soon as a revision file is."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from framefox_tasks.databases import database_of
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.schema.revision_files import listed_files

_FORMAT = 2


def history_digest(target: Target, contents: Mapping[Path, bytes] | None = None) -> str:
    """A digest of the revision files, of env.py, and of the database that they run on.

    Args:
        target: The database, and the project.
        contents: The revision files; those of the version folders, none of which is run, if not given.
    """
    found = sha256()
    try:
        version = database_of(target).server_version(target)
    except FramefoxTasksError:
        version = ""
    for part in (str(_FORMAT), target.address.dialect, version, target.project.version_table):
        found.update(f"{part}\0".encode())
    if contents is None:
        contents = {path: path.read_bytes() for path in listed_files(target.project)}
    env = target.project.migrations_folder / "env.py"
    everything = {**contents, env: env.read_bytes()}
    for path in sorted(everything, key=lambda path: path.name):
        found.update(f"{path.name}\0".encode() + everything[path] + b"\0")
    return found.hexdigest()
