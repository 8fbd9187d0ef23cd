"""Which targets of a fleet failed in the last run: kept in the cache, for whoever wants to begin with these."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress

from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.files import write
from framefox_tasks.model import Project
from framefox_tasks.results import FleetOutcome
from framefox_tasks.schema.cache import CACHE, ignore_cache

_FILE = f"{CACHE}/fleet/failed.json"


def failed_before(project: Project) -> tuple[str, ...]:
    """The names of the targets that failed when they were last begun."""
    try:
        found = json.loads(project.path(_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def note_failed(project: Project, outcomes: Iterable[FleetOutcome]) -> None:
    """Note which have failed, and forget those that have not."""
    failed = set(failed_before(project))
    for outcome in outcomes:
        if outcome.ended == "failed":
            failed.add(outcome.name)
        elif outcome.ended != "left":
            failed.discard(outcome.name)
    with suppress(PermissionDeniedError):  # the next run then does not know which were first
        ignore_cache(project)
        write(project, project.path(_FILE), json.dumps(sorted(failed)) + "\n")
