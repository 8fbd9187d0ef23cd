"""State tasks: the database itself is asked, over a raw driver connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from framefox_tasks.databases import database_of
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.migrations.up_to_date import at_head_text, exists_text, migration_files
from framefox_tasks.model import Target
from framefox_tasks.settings import configured
from framefox_tasks.tasks.freshness import no_run_known


def database_exists(task: Any, values: dict[str, Any]) -> tuple[bool, str]:  # noqa: ARG001 - as UptodateCheck calls it
    """Up to date when the database is there.

    Any error counts as not up to date: the task then runs into it, and reports it without a password.
    """
    try:
        target = configured().target
        exists = database_of(target).exists(target)
    except Exception as exc:  # noqa: BLE001 - the task runs into it
        return False, failure_text(exc)
    return exists, exists_text(target) if exists else f"{target.label} does not exist"


def at_head(task: Any, values: dict[str, Any]) -> tuple[bool, str]:
    """Up to date when the database is at the heads that the last run found, and it is the same database."""
    options = task.options or {}
    another = options.get("plan") or options.get("sql") or options.get("x")
    try:
        target = configured().target
        another = another or options.get("revision") not in (None, target.project.newest)
        found = at_recorded_heads(task, {} if another else values, target)
    except Exception as exc:  # noqa: BLE001 - the task runs into it
        return False, failure_text(exc)
    return (False, "") if another else found


def at_recorded_heads(task: Any, values: Mapping[str, Any], target: Target) -> tuple[bool, str]:
    """Whether a database is at the heads that the last run found, and is the same as then.

    The revision files become the task's file_dep here and not when the tasks are loaded, since tasks of the same run
    write and delete them. Unless doit sees a change in them, the heads of the last run are today's.
    """
    task.file_dep = set(migration_files(target.project))
    if "heads" not in values:
        return False, no_run_known(task)
    if values.get("database") != target.identity:
        return False, f"{target.label} is another database than that of the last run"
    current, journaled = database_of(target).standing(target)
    if journaled:
        return False, f"a migration of {target.label} runs, or was interrupted"
    if sorted(current) == sorted(values["heads"]):
        return True, at_head_text(current)
    heads = ", ".join(values["heads"])
    return False, f"{target.label} is at {', '.join(current) or 'no revision'}; the last run found the head {heads}"


def failure_text(exc: Exception) -> str:
    """An error in one line; of a foreign one only its class, since its message may hold a password."""
    return exc.message.partition("\n")[0] if isinstance(exc, FramefoxTasksError) else type(exc).__name__


def listed(files: Iterable[str], what: str) -> str:
    """A sentence on the first of some files, with the number of the others."""
    first, *more = sorted(files)
    return f"{first} {what}, and {len(more)} more" if more else f"{first} {what}"
