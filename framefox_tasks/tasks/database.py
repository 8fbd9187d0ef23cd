"""The database tasks: docstrings and dicts. What they do is in the operations."""

from __future__ import annotations

from typing import Any

from framefox_tasks.action import action
from framefox_tasks.freshness import Check, at_head, database_exists, migration_written
from framefox_tasks.tasks._forecast import Forecasts
from framefox_tasks.tasks._params import LIVE, params
from framefox_tasks.tasks._reporter import BARE, TELLS_WHY

_YES = {"name": "yes", "long": "yes", "short": "y", "type": bool, "default": False, "help": "do not ask"}


def task_database_create() -> dict[str, Any]:
    """Create the database, if it is missing"""
    return {"actions": [action("database:create")], "uptodate": [Check(database_exists)], **LIVE}


@params(
    {"name": "revision", "long": "revision", "default": "head", "help": "the revision to go to"},
    {
        "name": "plan",
        "long": "plan",
        "type": bool,
        "default": False,
        "help": "show what would run, and stop",
    },
    {
        "name": "sql",
        "long": "sql",
        "type": bool,
        "default": False,
        "help": "print the SQL, without connecting",
    },
    {"name": "output", "long": "output", "default": "", "help": "with --sql: the file to write"},
)
def task_database_upgrade(revision: str, plan: bool, sql: bool, output: str) -> dict[str, Any]:  # noqa: ARG001 - the action gets it
    """Apply the pending migrations"""
    return {
        "actions": [action("database:upgrade")],
        "task_dep": [] if plan or sql or output else ["database_create"],
        "uptodate": [Check(at_head)],
        "meta": {BARE: sql and not output},
        **LIVE,
    }


@params(
    {
        "name": "message",
        "long": "message",
        "short": "m",
        "default": "",
        "help": "what the migration does",
    },
    {
        "name": "empty",
        "long": "empty",
        "type": bool,
        "default": False,
        "help": "write one to fill by hand",
    },
    {
        "name": "check",
        "long": "check",
        "type": bool,
        "default": False,
        "help": "only fail if one is needed",
    },
    {
        "name": "merge",
        "long": "merge",
        "type": bool,
        "default": False,
        "help": "write one that joins all heads",
    },
)
def task_database_create_migration(message: str, empty: bool, check: bool, merge: bool) -> dict[str, Any]:  # noqa: ARG001
    """Write what has changed in the entities as a migration"""
    return {
        "actions": [action("database:create_migration")],
        "task_dep": [] if check or empty or merge else ["database_create", "database_metadata"],
        "uptodate": [Check(migration_written)],
        "meta": {TELLS_WHY: True},
        **LIVE,
    }


def task_database_downgrade() -> dict[str, Any]:
    """Revert the last migration, or --steps of them"""
    return {
        "actions": [action("database:downgrade")],
        "params": [
            {
                "name": "steps",
                "long": "steps",
                "default": None,
                "help": "how many to revert, 0 for all [default: 1]",
            },
            {"name": "revision", "long": "revision", "default": None, "help": "the revision to go back to"},
        ],
        **LIVE,
    }


@params(
    {
        "name": "format",
        "long": "format",
        "default": "table",
        "choices": (("table", ""), ("json", "")),
        "help": "table or json",
    },
    {
        "name": "exit_code",
        "long": "exit-code",
        "type": bool,
        "default": False,
        "help": "fail if not up to date",
    },
)
def task_database_status(format: str, exit_code: bool) -> dict[str, Any]:  # noqa: A002, ARG001 - what the user types
    """Show where the database and its migrations stand"""
    forecasts = Forecasts()
    return {
        "actions": [(action("database:show_status"), [], {"forecasts": forecasts})],
        "uptodate": [forecasts],
        "meta": {BARE: format == "json"},
        **LIVE,
    }


def task_database_drop() -> dict[str, Any]:
    """Drop the database with all its data"""
    force = {
        "name": "force_disconnect",
        "long": "force-disconnect",
        "type": bool,
        "default": False,
        "help": "end the sessions of others first (PostgreSQL)",
    }
    return {"actions": [action("database:drop")], "params": [_YES, force], **LIVE}


def task_database_clear_migration() -> dict[str, Any]:
    """Delete all migrations and empty the version table"""
    return {"actions": [action("database:clear_migration")], "params": [_YES], **LIVE}
