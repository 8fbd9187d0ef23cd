"""Migrations: create, plan and clear them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks.dialects import dialect_of
from framefox_tasks.dialects._lock import LOCK_WAIT_SECONDS
from framefox_tasks.errors import (
    DatabaseNotFoundError,
    FramefoxTasksError,
    MigrationError,
    MigrationNeededError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target
from framefox_tasks.operations import _record
from framefox_tasks.operations.schema import declared_schema
from framefox_tasks.operations.upgrades import OnWait, history_of, patience_of
from framefox_tasks.results import MigrationChecked, MigrationCreated, MigrationsCleared, Plan, Script

if TYPE_CHECKING:
    from framefox_tasks.operations._alembic.history import History
    from framefox_tasks.snapshot import Schema


def plan(target: Target, *, revision: str = "head") -> Plan:
    """What an upgrade would run. A database that does not exist is taken as an empty one; nothing is changed.

    Raises:
        MigrationError: As for upgrade.
    """
    history = history_of(target)
    try:
        current = dialect_of(target).revision(target)
    except DatabaseNotFoundError:
        current = ()
    history.check_known(current)
    if revision == "head":
        history.check_single_head()
    return Plan(target, history.between(revision, current), history.heads)


def upgrade_sql(target: Target, *, revision: str = "head") -> Script:
    """The SQL that an upgrade of an empty database would send; no database is connected to.

    Args:
        target: Tells the dialect.
        revision: The revision to go to, or a range such as 1a2b3c:head to start from another than the first.

    Raises:
        MigrationError: The revision is not known, or a migration cannot do without a connection.
    """
    from framefox_tasks.operations._alembic import run

    history = history_of(target)
    if revision.rpartition(":")[2] == "head":
        history.check_single_head()
    for part in filter(None, revision.split(":")):
        history.check_revision(part)
    return Script(target, run.render_sql(history, revision), history.heads)


def create_migration(target: Target, *, message: str | None = None, empty: bool = False) -> MigrationCreated:
    """Compare the entities with the database, and write what differs as a new migration.

    A table that is neither declared nor in the recorded schema, migrations/schema.json, is left alone.

    Args:
        target: The database. It must exist and be at the head.
        message: The migration's description, and part of its file's name.
        empty: Compare nothing, and write a migration to be filled by hand.

    Returns:
        The file; no path where nothing differs, and then nothing was written.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        EntityError: The entities cannot be imported completely.
        MigrationError: Migrations are pending, or there are several heads.
        PermissionDeniedError: The file cannot be written.
    """
    from framefox_tasks.operations._alembic.autogenerate import write_migration

    written = write_migration(_ready(target, compares=not empty), message, empty=empty)
    difference = written.difference
    by_hand: tuple[str, ...] = ()
    if written.schema is None:
        _record.keep_by_hand(target, written.path, _schema_if_readable(target))
    else:
        by_hand = _record.not_compared(target, written.schema)
        # Nothing to be generated, but something to be written by hand: then the record stays, and tells it again.
        if written.path or not by_hand:
            _record.keep_generated(target, written.path, written.schema)
    return MigrationCreated(
        target,
        written.path,
        difference.operations,
        difference.destructive,
        difference.unnamed,
        by_hand,
        written.left_alone,
    )


def _schema_if_readable(target: Target) -> Schema | None:
    """The schema of the entities, for a migration that is written by hand and so can do without."""
    try:
        return declared_schema(target)
    except FramefoxTasksError:
        return None


def check_migration(target: Target) -> MigrationChecked:
    """Check that the entities and the database agree. Writes nothing.

    Returns:
        Which tables are no difference since they are not of the project.

    Raises:
        MigrationNeededError: They differ; the message says in what.
        As for create_migration otherwise.
    """
    from framefox_tasks.operations._alembic.autogenerate import compare

    compared = compare(_ready(target))
    if compared.difference.operations:
        listed = "\n".join(f"  {operation}" for operation in compared.difference.operations)
        hint = "Write the migration with: doit database_create_migration"
        if _record.is_recorded(target.project, declared_schema(target)):
            hint = (
                "The migrations have all that the entities declare: the database was changed by something else.\n"
                "Undo that, or write it as a migration with: doit -a database_create_migration"
            )
        raise MigrationNeededError(f"The entities differ from the database {target.label}:\n{listed}", hint=hint)
    return MigrationChecked(target, compared.left_alone)


def merge_heads(target: Target, *, message: str | None = None) -> MigrationCreated:
    """Write a migration that joins several heads into one.

    Raises:
        MigrationError: There is only one head.
    """
    from framefox_tasks.operations._alembic.autogenerate import write_merge

    return MigrationCreated(target, write_merge(history_of(target), message or "merge heads"))


def _ready(target: Target, *, compares: bool = True) -> History:
    history = history_of(target)
    history.check_single_head()
    if not compares:
        return history
    current = dialect_of(target).revision(target)
    history.check_known(current)
    pending = history.pending(current)
    if pending:
        listed = "\n".join(f"  {revision.revision}  {revision.description}" for revision in pending[:10])
        more = f"\n  and {len(pending) - 10} more" if len(pending) > 10 else ""
        count = "1 migration is" if len(pending) == 1 else f"{len(pending)} migrations are"
        raise MigrationError(
            f"{count} not applied to {target.label} yet, so the entities cannot be compared with it:\n{listed}{more}",
            hint="Apply them first with: doit database_upgrade",
        )
    return history


def clear_migrations(
    target: Target, *, on_wait: OnWait | None = None, lock_wait: float = LOCK_WAIT_SECONDS
) -> MigrationsCleared:
    """Delete all revision files, and empty the version table if the database is there.

    Nothing else in the migrations folder is touched: not env.py, not the template, not __init__.py, no file that is not
    a revision.

    Args:
        target: The database, which need not exist.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        LockTimeoutError: Another run has not ended in time; nothing was deleted.
        PermissionDeniedError: A folder cannot be written to; nothing was deleted.
        ConnectionFailedError: The server cannot be reached; nothing was deleted.
    """
    from framefox_tasks.operations._revision_files import revision_files

    files = revision_files(target.project)
    for folder in {path.parent for path in files}:
        _check_writable(target, folder)
    with ExitStack() as stack:
        dialect, cleared = dialect_of(target), False
        if dialect.exists(target):
            stack.enter_context(dialect.migration_lock(target, patience_of(target, lock_wait, on_wait)))
            cleared = dialect.clear_revision(target)
        for path in files:
            path.unlink()
    _record.forget(target.project)
    return MigrationsCleared(target, tuple(files), cleared)


def _check_writable(target: Target, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionDeniedError(
            f"The files in {target.project.shown(folder)} cannot be deleted. Nothing was deleted.",
            hint="Check the folder's permissions.",
        )
