"""Write migrations, and check whether one is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.errors import (
    FramefoxTasksError,
    MigrationError,
    MigrationNeededError,
)
from framefox_tasks.migrations.generated import keep_generated
from framefox_tasks.migrations.metadata import declared_schema
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.results import MigrationChecked, MigrationCreated
from framefox_tasks.schema import record

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.schema.snapshot import Schema


def create_migration(
    target: Target,
    *,
    message: str | None = None,
    empty: bool = False,
    options: RevisionOptions = RevisionOptions(),  # noqa: B008 - frozen
    x: Sequence[str] = (),
) -> MigrationCreated:
    """Compare the entities with the database, and write what differs as a new migration.

    A table that is neither declared nor in the recorded schema, migrations/schema.json, is left alone.

    Args:
        target: The database. It must exist and be at the head.
        message: The migration's description, and part of its file's name.
        empty: Compare nothing, and write a migration to be filled by hand.
        options: Where it goes in the history.
        x: As for upgrade.

    Returns:
        The file; no path where nothing differs, and then nothing was written.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        EntityError: The entities cannot be imported completely.
        ConfigError: The options cannot be used.
        MigrationError: Migrations are pending, or there are several heads, and the options name none.
        PermissionDeniedError: The file cannot be written.
    """
    from framefox_tasks.migrations.alembic.autogenerate import write_migration
    from framefox_tasks.migrations.alembic.placement import placement

    history = history_of(target, x)
    place = placement(history, options)
    if not empty:
        check_applied(history)
    before = record.recorded(target.project)
    written = write_migration(history, message, place, empty=empty)
    difference = written.difference
    by_hand: tuple[str, ...] = ()
    if written.schema is None:
        record.keep_by_hand(target, written.path, _schema_if_readable(target))
    else:
        by_hand = record.not_compared(target, written.schema)
        # Nothing to be generated, but something to be written by hand: then the record stays, and tells it again.
        if written.path or not by_hand:
            record.keep_generated(target, written.path, written.schema)
    if written.path:
        keep_generated(target.project, written.path, before)
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


def check_migration(target: Target, *, x: Sequence[str] = ()) -> MigrationChecked:
    """Check that the entities and the database agree. Writes nothing.

    Returns:
        Which tables are no difference since they are not of the project.

    Raises:
        MigrationNeededError: They differ; the message says in what.
        As for create_migration otherwise.
    """
    from framefox_tasks.migrations.alembic.autogenerate import compare

    history = history_of(target, x)
    if not target.project.all_heads:
        history.check_single_head()
    check_applied(history)
    compared = compare(history)
    if compared.difference.operations:
        listed = "\n".join(f"  {operation}" for operation in compared.difference.operations)
        hint = "Write the migration with: doit database_create_migration"
        if record.is_recorded(target.project, declared_schema(target)):
            hint = (
                "The migrations have all that the entities declare: the database was changed by something else.\n"
                "Undo that, or write it as a migration with: doit -a database_create_migration"
            )
        raise MigrationNeededError(f"The entities differ from the database {target.label}:\n{listed}", hint=hint)
    return MigrationChecked(target, compared.left_alone)


def merge_heads(
    target: Target,
    *,
    message: str | None = None,
    options: RevisionOptions = RevisionOptions(),  # noqa: B008 - frozen
) -> MigrationCreated:
    """Write a migration that joins several heads into one.

    Args:
        target: The database, which need not exist.
        message: The migration's description.
        options: Its revision and the label of the branch that it begins; a merge has no other options.

    Raises:
        MigrationError: There is only one head.
    """
    from framefox_tasks.migrations.alembic.autogenerate import write_merge

    return MigrationCreated(target, write_merge(history_of(target), message or "merge heads", options))


def check_applied(history: History, *, but: str = "") -> None:
    """Check that every migration is applied, but for one: then the entities can be compared with the database.

    Raises:
        DatabaseNotFoundError: There is no database.
        MigrationError: One is pending, or the database is at a revision without a file.
    """
    target = history.target
    current = database_of(target).revision(target)
    history.check_known(current)
    pending = [revision for revision in history.pending(current) if revision.revision != but]
    if pending:
        listed = "\n".join(f"  {revision.revision}  {revision.description}" for revision in pending[:10])
        more = f"\n  and {len(pending) - 10} more" if len(pending) > 10 else ""
        count = "1 migration is" if len(pending) == 1 else f"{len(pending)} migrations are"
        raise MigrationError(
            f"{count} not applied to {target.label} yet, so the entities cannot be compared with it:\n{listed}{more}",
            hint="Apply them first with: doit database_upgrade",
        )
