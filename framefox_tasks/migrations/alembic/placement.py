"""Where a new migration goes: what it follows, its branch, folder and revision, checked before it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.script import Script
from alembic.script.revision import Revision, RevisionError

from framefox_tasks.errors import ConfigError, MigrationError
from framefox_tasks.migrations.alembic.expressions import labelled, several_heads
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.model import RevisionOptions

_LONGEST = 32
"""The characters of a revision that Alembic's version table takes."""


def placement(history: History, options: RevisionOptions) -> dict[str, Any]:
    """What Alembic's RevisionContext is to know of the place of a migration.

    Raises:
        ConfigError: A label, a revision or a folder cannot be used.
        MigrationError: There is no such head, or several and none is named.
    """
    parents = _parents(history, options)
    check_new_names(history, options)
    for name in options.depends_on:
        history.check_revision(name)
    return {
        "head": "head" if options.head is None else parents[0].revision if parents else "base",
        "splice": options.splice,
        "branch_label": options.branch_label,
        "version_path": str(_folder(history, options, parents)),
        "rev_id": options.rev_id,
        "depends_on": list(options.depends_on) or None,
    }


def _parents(history: History, options: RevisionOptions) -> list[Script]:
    """The revisions that it follows."""
    if options.head is None and len(history.heads) > 1:
        raise _unnamed_head(history)
    revisions = history.heads if options.head is None else history.resolve(options.head)
    found = [script for script in history.scripts.get_revisions(revisions) if script is not None]
    if len(found) > 1:
        shown = ", ".join(script.revision for script in found)
        raise MigrationError(
            f"{options.head} is several revisions, {shown}, and a migration follows one.",
            hint="Join them with: doit database_create_migration --merge, or name one of them.",
        )
    for script in found:
        if not script.is_head and not options.splice:
            followers = ", ".join(sorted(script.nextrev))
            raise MigrationError(
                f"{script.revision} is no head: {followers} follows it.",
                hint="To begin another branch there, add: --splice",
            )
    return found


def _unnamed_head(history: History) -> MigrationError:
    if not history.target.project.all_heads:
        return several_heads(history.scripts, all_heads=False)
    typed = labelled(history.scripts)
    heads = ", ".join(
        head if name == head else f"{name} ({head})" for name, head in zip(typed, sorted(history.heads), strict=True)
    )
    return MigrationError(
        f"There are several heads, and a migration follows one of them: {heads}.",
        hint=f"Say which: doit database_create_migration --head={typed[0]}",
    )


def check_new_names(history: History, options: RevisionOptions) -> None:
    """Check that the revision and the label are not taken: Alembic finds that out when the file is written.

    Raises:
        ConfigError: One is.
    """
    taken = history.scripts.revision_map._revision_map
    for name, given in (("--rev-id", options.rev_id), ("--branch-label", options.branch_label)):
        if given is None:
            continue
        try:
            Revision.verify_rev_id(given)
        except RevisionError as exc:
            raise ConfigError(f"{name}={given} cannot be used: {exc}.") from exc
        if given in ("", "head", "heads", "base", "current") or given.isspace():
            raise ConfigError(f"{name}={given} cannot be used: it means something else, or nothing.")
        if (holder := taken.get(given)) is not None:
            raise ConfigError(
                f"{name}={given} cannot be used: the migration {holder.revision} has that name.",
                hint="See the names in use with: doit database_history",
            )
        if name == "--rev-id" and len(given) > _LONGEST:
            raise ConfigError(f"{name}={given} is too long: the version table takes {_LONGEST} characters.")


def _folder(history: History, options: RevisionOptions, parents: list[Script]) -> Path:
    """The version folder that is asked for, else the one that holds the parent, else the first."""
    folders = [folder.absolute() for folder in history.scripts._version_locations]
    if options.version_path is not None:
        project = history.target.project
        wanted = project.path(options.version_path)
        if wanted not in [folder.resolve() for folder in folders]:
            raise ConfigError(
                f"{project.shown(wanted)} is no folder of migrations.",
                hint=f"They are {', '.join(map(project.shown, folders))}: see version_locations of Alembic's settings.",
            )
        return next(folder for folder in folders if folder.resolve() == wanted)
    paths = [Path(parent.path).absolute() for parent in parents]
    return next((folder for folder in folders for path in paths if path.is_relative_to(folder)), folders[0])
