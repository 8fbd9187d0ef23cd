"""Whether a state task has anything to do: asked of the database itself, over a raw driver connection.

Light imports only: a no-op run pays for these.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from framefox_tasks.dialects import dialect_of
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.settings import configured

WHY = "up_to_date_because"
"""The key of a task's meta that holds the reason, for the reporter."""


def database_exists(task: Any) -> bool:
    """Up to date when the database is there.

    An error, of whatever kind, counts as not up to date: the task then runs into it, and tells it without a password.
    """
    try:
        target = configured().target
        if not dialect_of(target).exists(target):
            return False
    except Exception:  # noqa: BLE001 - the task runs into it
        return False
    task.meta[WHY] = f"{target.label} exists"
    return True


def at_head(task: Any, values: dict[str, Any]) -> bool:
    """Up to date when the database is at the heads that the last run found, and it is the same database.

    The revision files are the task's file_dep: the heads of the last run are today's unless doit sees a change.
    """
    options = task.options or {}
    if options.get("revision", "head") != "head" or options.get("plan") or options.get("sql"):
        return False
    try:
        target = configured().target
        if values.get("database") != target.identity or "heads" not in values:
            return False
        current = dialect_of(target).revision(target)
    except Exception:  # noqa: BLE001 - the task runs into it
        return False
    if sorted(current) != sorted(values["heads"]):
        return False
    task.meta[WHY] = f"at head {', '.join(current)}" if current else "no migrations"
    return True


def migration_files() -> dict[str, list[str]]:
    """The files that an upgrade depends on, as doit's calc_dep wants them: env.py and every revision file.

    None where the settings are in error: the upgrade itself tells that.
    """
    try:
        project = configured().target.project
    except FramefoxTasksError:
        return {"file_dep": []}
    files = [file for folder in project.versions for file in _python_files(project.shown(folder))]
    env_py = project.migrations_folder / "env.py"
    return {"file_dep": sorted([*files, project.shown(env_py)] if env_py.is_file() else files)}


def migration_files_known(task: Any, values: dict[str, Any]) -> bool:  # noqa: ARG001 - doit passes values second
    """Up to date when the files are those that the last run found: then doit has nothing to write to its state file."""
    return values == migration_files()


def _python_files(top: str) -> Iterator[str]:
    # Text and not Path: with a thousand revisions that is half of a run that has nothing to do.
    for folder, _, names in os.walk(top):
        for name in names:
            if name.endswith(".py") and not name.startswith(".#"):  # an editor's lock is a link to nowhere
                yield f"{folder}{os.sep}{name}"
