"""The history, climbed and descended on a scratch database: what tests of a project ask of it."""

from __future__ import annotations

from collections.abc import Iterator

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import journal_name
from framefox_tasks.databases.facts import Fact, differences, is_of
from framefox_tasks.migrations.alembic.autogenerate import compare
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.ownership import Known
from framefox_tasks.migrations.alembic.replay import guarded, replay, revert
from framefox_tasks.model import Target
from framefox_tasks.results import Revision


def not_reverted(history: History, scratch: Target) -> Iterator[str]:
    """For each migration in turn, what its downgrade leaves otherwise than it was, and its second upgrade.

    It ends with the first whose downgrade does, as what follows would fail for that.

    Args:
        history: The migrations.
        scratch: An empty scratch database.

    Raises:
        ReplayError: One fails, or cannot be reverted.
    """
    before = _facts(scratch)
    for revision in reversed(history.revisions):
        replay(history, scratch, revision.revision)
        after = _facts(scratch)
        revert(history, scratch, revision.revision)
        if left := list(_told(revision, "downgrade", before, _facts(scratch))):
            yield from left
            return
        replay(history, scratch, revision.revision)
        yield from _told(revision, "second upgrade", after, _facts(scratch))
        before = after


def not_the_same(history: History, scratch: Target) -> list[str]:
    """What all migrations make otherwise when all have been reverted, and what is left then.

    Raises:
        ReplayError: As for not_reverted.
    """
    empty = _facts(scratch)
    replay(history, scratch)
    first = _facts(scratch)
    for revision in history.revisions:
        revert(history, scratch, revision.revision)
    if left := differences(empty, _facts(scratch)):
        return [f"after all downgrades: {item}" for item in left]
    replay(history, scratch)
    return [f"after the second upgrade: {item}" for item in differences(first, _facts(scratch))]


def not_declared(history: History, scratch: Target) -> list[str]:
    """What differs between the entities and a scratch database at the head, as Alembic's operations."""
    facts = database_of(scratch).facts(scratch)
    with guarded(history.target, scratch):
        compared = compare(history.on(scratch), Known(facts, by_record=False))
    return list(compared.difference.operations)


def _told(revision: Revision, what: str, before: list[Fact], after: list[Fact]) -> Iterator[str]:
    for item in differences(before, after):
        yield f"{revision.revision} ({revision.description}), after its {what}: {item}"


def _facts(scratch: Target) -> list[Fact]:
    version = scratch.project.version_table
    own = (version, journal_name(version))
    return [fact for fact in database_of(scratch).facts(scratch) if not any(is_of(fact, name) for name in own)]
