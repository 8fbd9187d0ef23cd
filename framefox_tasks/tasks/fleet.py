"""The tasks of many databases with one history."""

from __future__ import annotations

from typing import Any

from framefox_tasks.tasks.actions import action
from framefox_tasks.tasks.named import Named
from framefox_tasks.tasks.params import LIVE, choice, definition, flag, option, params, several
from framefox_tasks.tasks.reporter import BARE

_ONLY = option("only", "these targets alone, as acme,b*")
_LOCK_WAIT = option("lock_wait", "seconds to wait for another run that changes a target", default=None)
_JOBS = option("jobs", "how many at a time [default: as `jobs` of the fleet says]", default=None)
_REPORT = {
    **several("reports", "write what became of each: FILE.json, or FILE.xml as of JUnit; again for both"),
    "long": "report",
}
_STATUS = (
    choice("format", "text or json", "text", "json"),
    _ONLY,
    flag("exit_code", "fail if not all are up to date"),
    flag("drift", "find what was changed by hand, on scratch databases"),
    flag("verbose", "list every target", short="v"),
)
_UPGRADE = (
    _ONLY,
    option("group", "this group alone"),
    option("revision", "the revision to go to [default: head, or heads with `heads: all`]", default=None),
    flag("plan", "show who would run what, and stop"),
    flag("failed_first", "begin with those that failed the last time"),
    flag("yes", "go on behind a group with `then: ask` without asking", short="y"),
    _JOBS,
    option("cluster", "the address of a scheduler of Dask [default: `cluster` of the fleet]", default=None),
    flag("insecure", "take a cluster beyond this machine whose address is tcp://"),
    _REPORT,
    _LOCK_WAIT,
)
_CREATE = (
    {**several("names", "what the list calls it, or will; again for another"), "long": "name"},
    _LOCK_WAIT,
)
_CHECK = (_ONLY, flag("no_drift", "do not look for what was changed by hand"), _JOBS, _REPORT)
_DOWNGRADE = (
    option("revision", "the revision to go back to, or base"),
    _ONLY,
    flag("yes", "do not ask", short="y"),
    option("force", "the names of targets that are protected, as acme,bolt", default=None),
    _JOBS,
    _REPORT,
    _LOCK_WAIT,
)


@params(*_STATUS)
def task_fleet_status(format: str, **_: Any) -> dict[str, Any]:  # noqa: A002 - what the user types
    """Show where all databases of the fleet stand"""
    meta = {BARE: format == "json"}
    return {"actions": [action("fleet:show_status")], "uptodate": [Named()], "meta": meta, **LIVE}


@definition
def task_fleet_upgrade() -> dict[str, Any]:
    """Apply the pending migrations to the fleet"""
    return {"actions": [action("fleet:upgrade")], "params": list(_UPGRADE), "uptodate": [Named()], **LIVE}


@definition
def task_fleet_create() -> dict[str, Any]:
    """Make a new database of the fleet, at head"""
    return {"actions": [action("fleet:create")], "params": list(_CREATE), "uptodate": [Named()], **LIVE}


@definition
def task_fleet_check() -> dict[str, Any]:
    """Check that nothing in the fleet was edited by hand"""
    return {"actions": [action("fleet:check")], "params": list(_CHECK), "uptodate": [Named()], **LIVE}


@definition
def task_fleet_downgrade() -> dict[str, Any]:
    """Revert migrations of the fleet"""
    return {"actions": [action("fleet:downgrade")], "params": list(_DOWNGRADE), "uptodate": [Named()], **LIVE}
