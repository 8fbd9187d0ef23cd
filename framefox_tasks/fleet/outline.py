"""The outline of a history: its revisions and how they follow each other, known without importing Alembic.

Alembic reads the history once; what of it counts here is kept in the cache, under the digest of all its files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.files import write
from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.cache import CACHE, ignore_cache
from framefox_tasks.schema.revision_files import listed_files

_FORMAT = 1
_FILE = f"{CACHE}/history.json"


class Outline(Frozen):
    """What of a history is needed to tell where a database stands in it.

    Attributes:
        digest: That of its files.
        heads: Its heads, sorted.
        at_heads: What a database with every migration is at.
        before: The revisions that must be applied before each one.
    """

    digest: str
    heads: tuple[str, ...]
    at_heads: tuple[str, ...]
    before: dict[str, tuple[str, ...]]

    @cached_property
    def _pending(self) -> dict[tuple[tuple[str, ...], tuple[str, ...]], int]:
        return {}

    def unknown(self, current: Iterable[str]) -> tuple[str, ...]:
        """Those of a database's revisions that have no file."""
        return tuple(revision for revision in current if revision not in self.before)

    def pending(self, current: tuple[str, ...], wanted: tuple[str, ...]) -> int:
        """How many migrations a database lacks up to the revisions that are wanted."""
        key = (current, wanted)
        if key not in self._pending:
            self._pending[key] = 0 if current == wanted else len(self._reached(wanted) - self._reached(current))
        return self._pending[key]

    def wanted(self, revision: str | None) -> tuple[str, ...] | None:
        """What a database is at after an upgrade to a revision; None where that depends on where it stands."""
        if revision in (None, "head", "heads"):
            return self.at_heads
        return (revision,) if revision in self.before else None

    def _reached(self, revisions: Iterable[str]) -> set[str]:
        waiting, seen = list(revisions), set[str]()
        while waiting:
            revision = waiting.pop()
            if revision not in seen:
                seen.add(revision)
                waiting += self.before.get(revision, ())
        return seen


def digest_of(project: Project) -> str:
    """The digest of all files of a history, the same in every checkout of it."""
    found = sha256()
    root = project.migrations_folder
    for path in sorted([*listed_files(project), root / "env.py"]):
        with suppress(FileNotFoundError):
            found.update(f"{path.name}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:32]


def outline_of(target: Target, *, on_new: Callable[[], None] | None = None) -> Outline:
    """The outline of the history of a target's project.

    Args:
        target: The target.
        on_new: Called where the history is another than the last time, before it is read, which imports Alembic.

    Raises:
        MigrationError: The history cannot be read, or has several heads that are not meant to last.
    """
    project = target.project
    digest = digest_of(project)
    found = _kept(project.path(_FILE), digest)
    if found is None or (len(found.heads) > 1 and not project.all_heads):
        if found is None and on_new:
            on_new()
        found = _read(target, digest)
        with suppress(PermissionDeniedError):  # it is read again the next time
            ignore_cache(project)
            data = {"format": _FORMAT, **{name: getattr(found, name) for name in _NAMES}}
            write(project, project.path(_FILE), json.dumps(data, separators=(",", ":")))
    return found


def revision_in(outline: Outline, revision: str | None, target: Target) -> str | None:
    """A revision as the outline names it, where it was typed in part, or is counted from another one.

    What is counted from where each database stands, as +1, stays as it is.

    Raises:
        MigrationError: There is none such; names those that it might be.
    """
    if outline.wanted(revision) is not None or revision is None:
        return revision
    from framefox_tasks.migrations.alembic.history import History

    history = History(target)
    history.check_revision(revision)
    found = () if history.is_relative(revision) else history.resolve(revision)
    return found[0] if len(found) == 1 else revision


_NAMES = ("digest", "heads", "at_heads", "before")


def _kept(path: Path, digest: str) -> Outline | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != _FORMAT or data["digest"] != digest:
            return None
        before = {revision: tuple(others) for revision, others in data["before"].items()}
        return Outline(digest, tuple(data["heads"]), tuple(data["at_heads"]), before)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read(target: Target, digest: str) -> Outline:
    from framefox_tasks.migrations.alembic.history import History

    history = History(target)
    if not target.project.all_heads:
        history.check_single_head()
    return Outline(digest, history.heads, history.at_heads, history.needed)
