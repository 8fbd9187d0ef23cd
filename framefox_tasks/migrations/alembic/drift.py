"""What was changed by hand in a database: what it holds, against what its migrations make on a scratch database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import journal_name
from framefox_tasks.databases.facts import Fact, SchemaPair, differences, is_of
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.made import digest_of
from framefox_tasks.migrations.alembic.replay import replay
from framefox_tasks.model import Target
from framefox_tasks.results import Drifted
from framefox_tasks.schema.sources import ignored

_LONG = 10  # migrations from which on a replay takes longer than to keep its state
_OF_TABLES = frozenset({"type", "domain"})
"""What stands by itself, but is made for a table: where the migrations do not make it, it is of one of others."""


def drifted(history: History, current: tuple[str, ...]) -> tuple[Drifted, ...]:
    """What of a database is not as the migrations make it up to where it stands. Its own tables alone.

    Args:
        history: Knows each revision that the database is at.
        current: The revisions.

    Raises:
        ScratchError: No scratch database can be made.
        ReplayError: The migrations cannot be run on one.
    """
    target = history.target
    database = database_of(target)
    state = digest_of(history) if len(history.revisions) >= _LONG and set(current) == set(history.at_heads) else ""
    with database.scratch(target, state=state) as scratch:
        if not (state and set(database.revision(scratch)) == set(current)):
            for revision in current:
                replay(history, scratch, revision)
        wanted = _own([*database.facts(scratch), *database.owners(scratch)], target)
        held = _own([*database.facts(target), *database.owners(target)], target)
        found = differences(wanted, _without_others(held, wanted))
        undone = database.undo(SchemaPair(scratch, target, wanted), found) if found else []
        result = tuple(Drifted(str(item), sql) for item, sql in zip(found, undone, strict=True))
        if state:
            database.keep_state(target, scratch, state)
    return result


def _own(facts: Iterable[Fact], target: Target) -> list[Fact]:
    """The facts without those of the version table and of the journal, and without what the settings ignore."""
    version = target.project.version_table
    tables = (version, journal_name(version))
    return [
        fact
        for fact in facts
        if not any(is_of(fact, table) for table in tables)
        and not ignored(target.project, fact.table.rpartition(".")[2])
    ]


def _without_others(held: Sequence[Fact], wanted: Iterable[Fact]) -> list[Fact]:
    """The facts without those of tables that no migration makes, and of types that may be theirs."""
    made = {fact.table for fact in wanted}
    others = {fact.table for fact in held if fact.what == "table" and fact.table not in made}
    return [fact for fact in held if fact.table not in others and (fact.what not in _OF_TABLES or fact.table in made)]
