"""The checksums of migrations by the digests of their files, kept in the cache: a long history takes long to parse."""

from __future__ import annotations

import json

from framefox_tasks import files
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.migrations.checksum import NUMBER, checksum_of
from framefox_tasks.model import Project
from framefox_tasks.schema.cache import CHECKSUMS, ignore_cache

_FEW = 20
"""So many are computed in no time, and not worth a file."""


class ChecksumCache:
    """The checksums of a project's migrations; read when the first is asked for.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[str, str] | None = None
        self._new = 0

    def checksum(self, content: bytes, key: str) -> str | None:
        """The checksum of the content of a file, whose digest is the key; None where it cannot be parsed."""
        if self._known is None:
            self._known = _read(self._project)
        found = self._known.get(key)
        if found is None and (found := checksum_of(content)):
            self._known[key] = found
            self._new += 1
        return found

    def keep(self) -> None:
        """Keep those that are new, where they are many and the cache can be written."""
        if self._known is None or self._new < _FEW:
            return
        self._new = 0
        try:
            ignore_cache(self._project)
            data = {"walk": NUMBER, "checksums": self._known}
            files.write(self._project, self._project.cached(CHECKSUMS), json.dumps(data, separators=(",", ":")))
        except PermissionDeniedError:
            return  # they are computed again next time


def _read(project: Project) -> dict[str, str]:
    try:
        data = json.loads(project.cached(CHECKSUMS).read_text(encoding="utf-8"))
        return dict(data["checksums"]) if data["walk"] == NUMBER else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # there is none yet, or it is another version's
