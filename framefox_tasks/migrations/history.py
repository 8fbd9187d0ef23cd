"""The history of migrations, beside what of it is applied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.status import state_of, status
from framefox_tasks.model import Target
from framefox_tasks.results import HistoryEntry, MigrationHistory, MigrationState, Status

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History, Script

_CREATED = re.compile(r"^Create Date:\s*(\S.*?)\s*$", re.MULTILINE)


def history(target: Target, *, revision: str | None = None) -> MigrationHistory:
    """The migrations, newest first, applied or pending. Changes nothing.

    A database that is missing or cannot be reached is part of the answer. Migrations that are applied and have no file
    in the project are shown by what was kept of them.

    Args:
        target: The database, which need not exist.
        revision: One revision as Alembic takes it, or a range of them such as base:head, 1a2b3c: or :current.

    Raises:
        MigrationError: The migrations cannot be read, or there is no such revision.
    """
    from framefox_tasks.migrations.alembic.history import History

    found, project = status(target), History(target)
    here = {known.revision for known in project.revisions}
    project.add_kept(found.current)
    applied = {known.revision for known in project.applied(found.current)}
    entries = [
        _entry(script, state_of(found.error, found.current, applied, script.revision), here, found.heads)
        for script in _chosen(project, found, revision)
    ]
    return MigrationHistory(found, tuple(entries))


def _chosen(project: History, found: Status, revision: str | None) -> list[Script]:
    if revision is None:
        return project.scripts_between("base", "heads")
    parts = revision.split(":")
    if found.error and ("current" in parts or project.is_relative(revision)):
        raise MigrationError(
            f"{revision} is counted from where the database stands, and that cannot be asked: {found.error}",
            hint="Name a revision, or count from the head: --revision=head-2",
        )
    if len(parts) > 2:
        raise MigrationError(f"{revision!r} is no range.", hint="A range is two revisions: --revision=base:head")
    if len(parts) == 1:
        ids = found.current if revision == "current" else project.resolve(revision, found.current)
        return project.scripts_of(ids)
    first, last = (found.current or "base" if part == "current" else part for part in parts)
    return project.scripts_between(first or "base", last or "heads")


def _entry(script: Script, state: str, here: set[str], heads: tuple[str, ...]) -> HistoryEntry:
    from framefox_tasks.migrations.alembic.config import revision_of

    docstring, needed = script.longdoc, script.dependencies or ()
    created = _CREATED.search(docstring)
    return HistoryEntry(
        MigrationState(revision_of(script), state, script.revision in heads),
        docstring,
        tuple(sorted(script.branch_labels)),
        (needed,) if isinstance(needed, str) else tuple(needed),
        created[1] if created else None,
        kept=script.revision not in here,
    )
