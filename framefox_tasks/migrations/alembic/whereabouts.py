"""The revisions of a database that have no file in the project: on which branch it is, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framefox_tasks.migrations import git
from framefox_tasks.model import Project
from framefox_tasks.results import Whereabouts

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History


def whereabouts(history: History, current: tuple[str, ...], unknown: tuple[str, ...]) -> Whereabouts:
    """What is known of the revisions of a database that have no file.

    Args:
        history: The migrations that have a file.
        current: All that it is at.
        unknown: Those of them without a file.
    """
    project = history.target.project
    found = {branch: None for revision in unknown for branch in git.branches_with(project, revision)}
    branches, steps = tuple(found), _steps_back(history, current)
    deleted = git.current_branch(project) if branches else None
    revisions = f"the revision{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}"
    if branches and branches[0] != deleted:
        more = f", and {len(branches) - 1} more" if len(branches) > 1 else ""
        sentence = f"is at {revisions}, whose file is on the branch {branches[0]}{more}."
    else:
        sentence = f"is at {revisions}, which has no file in {project.shown(project.versions[0])}."
    return Whereabouts(unknown, branches, steps, sentence, _advice(project, branches, deleted, steps))


def _steps_back(history: History, current: tuple[str, ...]) -> int:
    """How many kept migrations are to be reverted until only those are applied that have a file here; 0 for no way."""
    here = {revision.revision for revision in history.revisions}
    extended = type(history)(history.target)
    extended.add_kept(current)
    if extended.unknown(current):
        return 0
    return sum(revision.revision not in here for revision in extended.applied(current))


def _advice(project: Project, branches: tuple[str, ...], current: str | None, steps: int) -> str:
    lines = []
    if branches and branches[0] == current:
        folder = project.shown(project.versions[0])
        lines.append(f"Restore the file, which the last commit has: git checkout HEAD -- {folder}")
    elif branches:
        # Of a branch that only a remote has, git makes a local one of the same name.
        local = branches[0].partition("/")[2] if git.is_remote(project, branches[0]) else branches[0]
        lines.append(f"Switch to that branch: git switch {local}")
    else:
        lines.append("Restore the file, or switch to the branch that has it.")
    if steps:
        times = f" --steps {steps}" if steps > 1 else ""
        lines.append(f"Or revert it, by the file that was kept when it was applied: doit database_downgrade{times}")
    else:
        lines.append(
            "If the history was rewritten, say where the database stands with: doit database_stamp --revision=REVISION"
        )
    return "\n".join(lines)
