"""The database tasks: docstrings and dicts. What they do is in the operations."""

from __future__ import annotations

from typing import Any

from framefox_tasks.migrations.up_to_date import UP_TO_DATE
from framefox_tasks.tasks.actions import action
from framefox_tasks.tasks.copies import copies_before_upgrade
from framefox_tasks.tasks.forecast import Forecasts
from framefox_tasks.tasks.freshness import UptodateCheck
from framefox_tasks.tasks.freshness.build import migration_written
from framefox_tasks.tasks.freshness.state import at_head, database_exists
from framefox_tasks.tasks.named import Named
from framefox_tasks.tasks.params import LIVE, choice, definition, each_database, each_with_params, flag, option, several
from framefox_tasks.tasks.reporter import BARE, EXPLAINED, SAID

# Not beside their tasks: doit reads the source of each task function at every start, and these would count.
_YES = flag("yes", "do not ask", short="y")
_LOCK_WAIT = option("lock_wait", "seconds to wait for another run that changes the database", default=None)
_X = several("x", "what env.py gets from get_x_argument(), as --x=KEY=VALUE; again for another")
_FORCE = option("force", "the name of the database, where it is protected", default=None)
_RESUME = flag("resume", "go on with a migration that was interrupted, after its last statement that was done")
_UPGRADE = (
    option("revision", "the revision to go to [default: head, or heads with `heads: all`]", default=None),
    flag("fast", "make the schema of an empty database at once, where that is the same as to run the migrations"),
    flag("plan", "show what would run, and stop"),
    flag("sql", "print the SQL, without connecting"),
    option("output", "with --sql: the file to write"),
    _RESUME,
    _X,
    _LOCK_WAIT,
)
_CREATE_MIGRATION = (
    option("message", "what the migration does", short="m"),
    flag("empty", "write one to fill by hand"),
    flag("check", "only fail if one is needed"),
    flag("merge", "write one that joins all heads"),
    flag("amend", "write the newest one anew, which nobody else has yet"),
    {**_YES, "help": "with --amend: do not ask whether what was written by hand may go"},
    option("head", "the revision that it follows, as accounts@head, or base", default=None),
    flag("splice", "with --head: which may have followers already"),
    option("branch_label", "the name of the branch that begins with it", default=None),
    several("depends_on", "a revision of another branch that must be applied before; again for another"),
    option("version_path", "the folder of its file, where there are several", default=None),
    option("rev_id", "its revision, instead of a new one", default=None),
    _X,
    several("rename", "old:new for a table, table.old:new for a column; may be given more than once"),
    several("drop", "drop this as well, though it is not of this project: a table, or table.name of a part of one"),
    flag("no_proof", "do not prove it on a scratch database"),
    flag("keep_anyway", "keep it even if the proof fails"),
    flag("verbose", "list all that is told"),
    {**_LOCK_WAIT, "help": "seconds to wait for another run that writes migrations here"},
)
_DOWNGRADE = (
    option("steps", "how many to revert, 0 for all [default: 1]", default=None),
    option("revision", "the revision to go back to; with --sql from where to where, as head:base", default=None),
    flag("sql", "print the SQL, without connecting"),
    option("output", "with --sql: the file to write"),
    _RESUME,
    _X,
    {**_YES, "help": "on a terminal: do not ask whether what is in the tables may go"},
    _FORCE,
    _LOCK_WAIT,
)
_HISTORY = (
    option("revision", "one revision, or a range such as base:head or current:", default=None),
    flag("verbose", "the file, the docstring, parents, labels and dependencies of each", short="v"),
    choice("format", "text or json", "text", "json"),
)
_STATUS = (
    choice("format", "table or json", "table", "json"),
    flag("exit_code", "fail if not up to date"),
    flag("drift", "find what was changed by hand, on a scratch database"),
    flag("verbose", "list what is left alone as not of this project"),
)
_CHECK = (
    choice("format", "text, json, or github for annotations", "text", "json", "github"),
    flag("drift", "check as well that nothing was changed by hand"),
    _X,
)
_BASELINE = (option("message", "what the migration does", short="m"), _LOCK_WAIT)
_STAMP = (
    option("revision", "the revision that the database is at, heads, or base for none", default=None),
    _YES,
    _FORCE,
    _LOCK_WAIT,
)
_RESOLVE = (
    flag("applied", "the database has all that the interrupted migration makes"),
    flag("reverted", "the database has nothing of what the interrupted migration makes"),
    flag("accept_edit", "the migrations that were edited after they had been applied are right as they are"),
    _LOCK_WAIT,
)
_CLEAR = (_YES, _FORCE, _LOCK_WAIT)
_PROTECT = (flag("off", "take the protection away"), _FORCE, _LOCK_WAIT)
_INIT = (flag("dry_run", "only show what would be written"),)
_DROP = (_YES, flag("force_disconnect", "end the sessions of others first (PostgreSQL)"), _FORCE, _LOCK_WAIT)


@definition
def task_database_init() -> dict[str, Any]:
    """Write what a project lacks for the tasks"""
    write = {"actions": [action("init:init", configured_first=False)], "params": list(_INIT)}
    return {**write, "uptodate": [Named()], **LIVE}


@each_database
def task_database_create() -> dict[str, Any]:
    """Create the database, if it is missing"""
    create = {"actions": [action("database:create")], "params": [_LOCK_WAIT]}
    return {**create, "uptodate": [UptodateCheck(database_exists)], **LIVE}


@each_with_params(*_UPGRADE)
def task_database_upgrade(plan: bool, sql: bool, output: str, **_: Any) -> dict[str, Any]:
    """Apply the pending migrations"""
    return {
        "actions": [action("database:upgrade")],
        "task_dep": [] if plan or sql or output else ["database_create"],
        # Tasks of `setup` run when this one has something to do, and only then.
        "setup": [] if plan or sql or output else copies_before_upgrade(),
        "uptodate": [UptodateCheck(at_head)],
        "meta": {BARE: sql and not output, SAID: UP_TO_DATE},
        **LIVE,
    }


@each_with_params(*_CREATE_MIGRATION)
def task_database_create_migration(empty: bool, check: bool, merge: bool, **_: Any) -> dict[str, Any]:
    """Write what has changed in the entities as a migration"""
    return {
        "actions": [action("database:create_migration")],
        "task_dep": [] if check or empty or merge else ["database_create", "database_metadata"],
        "uptodate": [UptodateCheck(migration_written)],
        "meta": {EXPLAINED: True},
        **LIVE,
    }


@each_with_params(*_DOWNGRADE)
def task_database_downgrade(sql: bool = False, output: str = "", **_: Any) -> dict[str, Any]:
    """Revert the last migration, or --steps of them"""
    return {
        "actions": [action("database:downgrade")],
        "uptodate": [Named()],
        "meta": {BARE: sql and not output},
        **LIVE,
    }


@each_with_params(*_HISTORY)
def task_database_history(format: str, **_: Any) -> dict[str, Any]:  # noqa: A002 - what the user types
    """Show the migrations, newest first, applied or pending"""
    return {
        "actions": [action("database:show_history")],
        "uptodate": [False],
        "meta": {BARE: format == "json"},
        **LIVE,
    }


@each_with_params(*_STATUS)
def task_database_status(format: str, **_: Any) -> dict[str, Any]:  # noqa: A002 - what the user types
    """Show where the database and its migrations stand"""
    forecasts = Forecasts()
    return {
        "actions": [(action("database:show_status"), [], {"forecasts": forecasts})],
        "uptodate": [forecasts],
        "meta": {BARE: format == "json"},
        **LIVE,
    }


@each_with_params(*_CHECK)
def task_database_check(format: str, **_: Any) -> dict[str, Any]:  # noqa: A002 - what the user types
    """Check that migrations, database and entities agree"""
    return {
        "actions": [action("database:check")],
        "uptodate": [False],
        "meta": {BARE: format != "text"},
        **LIVE,
    }


@each_database
def task_database_baseline() -> dict[str, Any]:
    """Write the migration that makes the database as it is"""
    return {"actions": [action("baseline:baseline")], "params": list(_BASELINE), "uptodate": [Named()], **LIVE}


@each_database
def task_database_stamp() -> dict[str, Any]:
    """Mark the database as at a revision, running nothing"""
    return {"actions": [action("baseline:stamp")], "params": list(_STAMP), "uptodate": [Named()], **LIVE}


@each_database
def task_database_protect() -> dict[str, Any]:
    """Guard the database: what loses data must name it"""
    return {"actions": [action("database:protect")], "params": list(_PROTECT), "uptodate": [Named()], **LIVE}


@each_database
def task_database_resolve() -> dict[str, Any]:
    """Settle an interrupted or edited migration"""
    return {"actions": [action("baseline:resolve")], "params": list(_RESOLVE), "uptodate": [Named()], **LIVE}


@each_database
def task_database_drop() -> dict[str, Any]:
    """Drop the database with all its data"""
    return {"actions": [action("database:drop")], "params": list(_DROP), "uptodate": [Named()], **LIVE}


@each_database
def task_database_clear_migration() -> dict[str, Any]:
    """Delete all migrations and empty the version table"""
    return {"actions": [action("database:clear_migration")], "params": list(_CLEAR), "uptodate": [Named()], **LIVE}
