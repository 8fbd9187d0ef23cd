"""The database tasks: docstrings and dicts. What they do is in the operations."""

from __future__ import annotations

from typing import Any

from framefox_tasks.tasks.actions import action
from framefox_tasks.tasks.copies import copies_before_upgrade
from framefox_tasks.tasks.forecast import Forecasts
from framefox_tasks.tasks.freshness import UptodateCheck
from framefox_tasks.tasks.freshness.build import migration_written
from framefox_tasks.tasks.freshness.state import at_head, database_exists
from framefox_tasks.tasks.named import Named
from framefox_tasks.tasks.params import LIVE, choice, flag, option, params, several
from framefox_tasks.tasks.reporter import BARE, EXPLAINED

# Not beside their tasks: doit reads the source of each task function at every start, and these would count.
_YES = flag("yes", "do not ask", short="y")
_UPGRADE = (
    option("revision", "the revision to go to", default="head"),
    flag("plan", "show what would run, and stop"),
    flag("sql", "print the SQL, without connecting"),
    option("output", "with --sql: the file to write"),
)
_CREATE_MIGRATION = (
    option("message", "what the migration does", short="m"),
    flag("empty", "write one to fill by hand"),
    flag("check", "only fail if one is needed"),
    flag("merge", "write one that joins all heads"),
    several("drop", "drop this as well, though it is not of this project: a table, or table.name of a part of one"),
    flag("no_proof", "do not prove it on a scratch database"),
    flag("keep_anyway", "keep it even if the proof fails"),
    flag("verbose", "list all that is told"),
)
_DOWNGRADE = (
    option("steps", "how many to revert, 0 for all [default: 1]", default=None),
    option("revision", "the revision to go back to", default=None),
)
_STATUS = (choice("format", "table or json", "table", "json"), flag("exit_code", "fail if not up to date"))
_DROP = (_YES, flag("force_disconnect", "end the sessions of others first (PostgreSQL)"))


def task_database_create() -> dict[str, Any]:
    """Create the database, if it is missing"""
    return {"actions": [action("database:create")], "uptodate": [UptodateCheck(database_exists)], **LIVE}


@params(*_UPGRADE)
def task_database_upgrade(revision: str, plan: bool, sql: bool, output: str) -> dict[str, Any]:  # noqa: ARG001 - the action gets it
    """Apply the pending migrations"""
    return {
        "actions": [action("database:upgrade")],
        "task_dep": [] if plan or sql or output else ["database_create"],
        # Tasks of `setup` run when this one has something to do, and only then.
        "setup": [] if plan or sql or output else copies_before_upgrade(),
        "uptodate": [UptodateCheck(at_head)],
        "meta": {BARE: sql and not output},
        **LIVE,
    }


@params(*_CREATE_MIGRATION)
def task_database_create_migration(empty: bool, check: bool, merge: bool, **_: Any) -> dict[str, Any]:
    """Write what has changed in the entities as a migration"""
    return {
        "actions": [action("database:create_migration")],
        "task_dep": [] if check or empty or merge else ["database_create", "database_metadata"],
        "uptodate": [UptodateCheck(migration_written)],
        "meta": {EXPLAINED: True},
        **LIVE,
    }


def task_database_downgrade() -> dict[str, Any]:
    """Revert the last migration, or --steps of them"""
    return {
        "actions": [action("database:downgrade")],
        "params": list(_DOWNGRADE),
        "uptodate": [Named()],
        **LIVE,
    }


@params(*_STATUS)
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
    return {"actions": [action("database:drop")], "params": list(_DROP), "uptodate": [Named()], **LIVE}


def task_database_clear_migration() -> dict[str, Any]:
    """Delete all migrations and empty the version table"""
    return {"actions": [action("database:clear_migration")], "params": [_YES], "uptodate": [Named()], **LIVE}
