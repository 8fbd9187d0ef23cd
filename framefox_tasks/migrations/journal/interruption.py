"""A migration that did not end: what is told of it, and the ways on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from framefox_tasks.databases import database_of
from framefox_tasks.databases.journal import ask
from framefox_tasks.databases.lock import Patience
from framefox_tasks.errors import LockTimeoutError, MigrationError, MigrationInterruptedError
from framefox_tasks.migrations.journal.entries import Found, found_in
from framefox_tasks.model import Target
from framefox_tasks.results import RESOLVE, Interruption

Resume = Literal["upgrade", "downgrade"] | None
"""What is to be gone on with, if it was interrupted."""


def find(target: Target, current: tuple[str, ...]) -> Found | None:
    """The journal of a migration that did not end; None where there is none, or what it led to is recorded.

    Args:
        target: The database.
        current: Where it stands.
    """
    journal = database_of(target).journal
    found = found_in(journal.rows(target)) if journal else None
    return None if found is not None and found.head.after == current else found


def interruption(target: Target) -> Interruption | None:
    """The migration that runs or was interrupted, as a status tells it."""
    dialect = database_of(target)
    standing = dialect.standing(target)
    found = find(target, standing.revisions) if standing.journaled else None
    return told_of(_judged(target, found), runs=_runs(target)) if found else None


def _judged(target: Target, found: Found) -> Found:
    """A journal with its last statement done, where what that names has changed since it was begun.

    Where each statement commits by itself, that one has ended is written with what is committed next.
    """
    journal, unsure = database_of(target).journal, found.unsure
    if journal is None or journal.transactional or unsure is None or not unsure.settled:
        return found
    with journal.opened(target) as connection:
        now = journal.fingerprint(lambda query: ask(connection, query), unsure.statement)
    done = now != dict(unsure.fingerprint)
    return replace(found, entries=(*found.entries[:-1], unsure.done({}))) if done else found


def _runs(target: Target) -> bool:
    """Whether another run holds the lock; where it is switched off that is not known."""
    if not target.lock:
        return False
    try:
        with database_of(target).migration_lock(target, Patience(0)):
            return False
    except LockTimeoutError:
        return True


def told_of(found: Found, *, runs: bool = False) -> Interruption:
    """A journal, as it is told."""
    head, done, unsure = found.head, found.done, found.unsure
    return Interruption(
        head.revision,
        head.description,
        upgrades=head.upgrades,
        since=head.since,
        by=head.by,
        done=len(done),
        last=done[-1].line if done else None,
        unsure=unsure.line if unsure else None,
        not_resumable=found.unsafe or None,
        runs=runs,
    )


def check_uninterrupted(target: Target) -> None:
    """Check that no migration was interrupted in a database that is there; the caller holds the lock, or only reads.

    Raises:
        MigrationInterruptedError: One was.
    """
    standing = database_of(target).standing(target)
    if standing.journaled and (found := find(target, standing.revisions)):
        raise interrupted(target, found)


def to_resume(target: Target, current: tuple[str, ...], resume: Resume) -> Found | None:
    """The journal of a migration to go on with; what is left of one that has ended is removed. Under the lock.

    Raises:
        MigrationInterruptedError: A migration was interrupted, and is not to be gone on with, or cannot be.
    """
    dialect = database_of(target)
    found = find(target, current)
    if found is None:
        if dialect.journal:
            dialect.journal.remove(target)
        return None
    direction: Resume = "upgrade" if found.head.upgrades else "downgrade"
    if found.unsafe or resume != direction:
        raise interrupted(target, found)
    if found.head.before != current:
        raise MigrationInterruptedError(
            f"The revision of {target.label} has changed since {found.head.revision} was interrupted, from "
            f"{', '.join(found.head.before) or 'none'} to {', '.join(current) or 'none'}.",
            hint=RESOLVE,
        )
    return found


def interrupted(target: Target, found: Found) -> MigrationInterruptedError:
    """The error for a migration that was interrupted."""
    told = told_of(_judged(target, found))
    return MigrationInterruptedError(
        f"{told.title} was interrupted in {target.label}: {told.begun}.\n{told.state}\n"
        f"The database is recorded at {', '.join(found.head.before) or 'no revision'}.",
        hint=told.ways,
    )


def resume_command(found: Found) -> str:
    """What to type to go on."""
    return f"doit database_{'upgrade' if found.head.upgrades else 'downgrade'} --resume"


def after_failure(target: Target) -> Found | None:
    """What is left of a migration that has failed, and ended its connection; None where nothing of it is committed.

    A statement that was refused and has left nothing behind is not in doubt. Under the lock.
    """
    journal = database_of(target).journal
    if journal is None:
        return None
    found = found_in(journal.rows(target))
    if found and (unsure := found.unsure) and unsure.settled:
        with journal.opened(target) as connection:
            now = journal.fingerprint(lambda query: ask(connection, query), unsure.statement)
            if now == dict(unsure.fingerprint):
                journal.forget(target, connection, unsure.number)
        found = found_in(journal.rows(target))
    if found is None:
        journal.remove(target)
    return found


def nothing_interrupted(target: Target) -> MigrationError:
    """The error where there is nothing to resolve."""
    return MigrationError(
        f"No migration was interrupted in {target.label}.", hint="See where it stands: doit database_status"
    )
