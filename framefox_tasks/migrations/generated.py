"""What a migration was when it was generated, kept in the cache: whether it was edited since, and what was before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from framefox_tasks import files
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project
from framefox_tasks.schema.cache import GENERATED, digest, ignore_cache


@dataclass(frozen=True)
class Generated:
    """A migration as it was generated.

    Attributes:
        digest: The digest of its file.
        recorded: The schema that was recorded before it; None if there was none.
    """

    digest: str
    recorded: str | None

    def is_edited(self, path: Path) -> bool:
        """Whether the file is another now."""
        return digest(path.read_bytes()) != self.digest


def keep_generated(project: Project, path: Path, recorded: str | None) -> None:
    """Keep what a new migration is; not where the cache cannot be written, and then nothing says so later."""
    data = {"digest": digest(path.read_bytes()), "recorded": recorded}
    try:
        ignore_cache(project)
        files.write(project, _file(project, path), json.dumps(data, ensure_ascii=False))
    except PermissionDeniedError:
        return


def generated_of(project: Project, path: Path) -> Generated | None:
    """What a migration was; None if that is not known."""
    try:
        data = json.loads(_file(project, path).read_text(encoding="utf-8"))
        return Generated(str(data["digest"]), data["recorded"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _file(project: Project, path: Path) -> Path:
    return project.cached(GENERATED) / f"{path.name}.json"
