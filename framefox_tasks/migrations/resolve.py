"""Say of an interrupted migration that it is applied, or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import quoted_table
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import ConfigError, MigrationError
from framefox_tasks.migrations import applied_log
from framefox_tasks.migrations.checksum_cache import ChecksumCache
from framefox_tasks.migrations.journal.interruption import find, nothing_interrupted
from framefox_tasks.migrations.kept import KeptFiles
from framefox_tasks.migrations.locked import OnWait, locked, patience_of
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import Target
from framefox_tasks.results import EditsAccepted, Resolved
from framefox_tasks.schema.cache import digest


@reusing()
def resolve(
    target: Target,
    *,
    applied: bool = False,
    reverted: bool = False,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
) -> Resolved:
    """Mark a migration that was interrupted as applied or as not applied. Nothing is run, and no other table changes.

    Args:
        target: The database. It must exist.
        applied: The database has all that the migration makes.
        reverted: It has nothing of it.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        ConfigError: Neither or both are given.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        MigrationError: No migration was interrupted.
    """
    if applied == reverted:
        raise ConfigError(
            "Say what the database has of the interrupted migration.",
            hint="All that it makes: doit database_resolve --applied\nNothing of it: doit database_resolve --reverted",
        )
    dialect = database_of(target)
    with locked(target, patience_of(target, lock_wait, on_wait)):
        current = dialect.revision(target)
        found, journal = find(target, current), dialect.journal
        if found is None or journal is None:
            raise nothing_interrupted(target)
        head = found.head
        more, less = head.after, head.before
        if applied != head.upgrades:
            more, less = less, more
        gone, added = {*less} - {*more} & {*current}, {*more} - {*less} - {*current}
        journal.remove(target, list(_statements(target, sorted(gone & {*current}), sorted(added))))
        after = dialect.revision(target)
    if applied:
        _keep(target, head.revision)
    return Resolved(target, head.revision, head.description, applied, after)


@reusing()
def accept_edits(target: Target, *, on_wait: OnWait | None = None, lock_wait: float | None = None) -> EditsAccepted:
    """Take the files of migrations that were edited for what was applied: they are not told any more.

    Args:
        target: The database. It must exist.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        MigrationError: No migration that is applied was edited.
    """
    dialect = database_of(target)
    with locked(target, patience_of(target, lock_wait, on_wait)):
        log, history = applied_log.read(target), history_of(target)
        found = applied_log.edited_in(log, history.applied(dialect.revision(target)))
        if not found or dialect.journal is None:
            raise MigrationError(
                f"No migration is known to have been edited after it was applied to {target.label}.",
                hint="See where it stands: doit database_status",
            )
        checksums = ChecksumCache(target.project)
        for one in found:
            content = one.revision.path.read_bytes()
            if known := applied_log.logged(content, digest(content), checksums):
                log[one.revision.revision] = replace(known, time=one.time)
        dialect.journal.write_log(target, applied_log.written(log))
    return EditsAccepted(target, found)


def _statements(target: Target, gone: list[str], added: list[str]) -> Iterator[str]:
    table = quoted_table(target.project.version_table, database_of(target).quote)
    while gone and added:
        yield f"UPDATE {table} SET version_num = {_text(added.pop())} WHERE version_num = {_text(gone.pop())}"  # noqa: S608
    for revision in gone:
        yield f"DELETE FROM {table} WHERE version_num = {_text(revision)}"  # noqa: S608 - quoted
    for revision in added:
        yield f"INSERT INTO {table} (version_num) VALUES ({_text(revision)})"  # noqa: S608 - quoted


def _text(revision: str) -> str:
    return "'{}'".format(revision.replace("'", "''"))


def _keep(target: Target, revision: str) -> None:
    """Keep its file, where it is there, as that of each migration that is applied."""
    from framefox_tasks.migrations.alembic.history import History

    with suppress(MigrationError):  # the files are not in order, which is no matter here
        for known in History(target).revisions:
            if known.revision == revision:
                content = known.path.read_bytes()
                KeptFiles(target.project).keep(known, content, digest(content))
