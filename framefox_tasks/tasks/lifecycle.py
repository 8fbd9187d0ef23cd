"""The tasks that bring a database up from nothing, and wait for one that others bring up."""

from __future__ import annotations

from typing import Any

from framefox_tasks.tasks.actions import action
from framefox_tasks.tasks.named import Named
from framefox_tasks.tasks.params import LIVE, each_database, flag, option

_LOCK_WAIT = option("lock_wait", "seconds to wait for another run that changes the database", default=None)
_ENVIRONMENT = option("environment", "run seeds/NAME too [default: APP_ENV or ENV]", default=None)
_WAIT = (
    option("timeout", "for how many seconds", default="30"),
    flag("head", "until the database is at its newest migration"),
)
_SEED = (_ENVIRONMENT, flag("again", "also what was run before with the same content"), _LOCK_WAIT)
_RESET = (
    flag("yes", "do not ask", short="y"),
    flag("force_disconnect", "end the sessions of others first (PostgreSQL)"),
    option("force", "the name of the database, where it is protected", default=None),
    _ENVIRONMENT,
    _LOCK_WAIT,
)


@each_database
def task_database_wait() -> dict[str, Any]:
    """Wait until the server answers, or with --head more"""
    return {"actions": [action("lifecycle:wait")], "params": list(_WAIT), "uptodate": [False], **LIVE}


@each_database
def task_database_seed() -> dict[str, Any]:
    """Write the first rows: seeds.py and seeds/*"""
    seed = {"actions": [action("lifecycle:seed")], "params": list(_SEED), "task_dep": ["database_upgrade"]}
    return {**seed, "uptodate": [Named()], **LIVE}


@each_database
def task_database_setup() -> dict[str, Any]:
    """Create the database, migrate it, and seed it"""
    return {"actions": [], "task_dep": ["database_create", "database_upgrade", "database_seed"]}


@each_database
def task_database_reset() -> dict[str, Any]:
    """Drop the database with all its data, and set it up"""
    return {"actions": [action("lifecycle:reset")], "params": list(_RESET), "uptodate": [Named()], **LIVE}
