"""Say where a database stands in the history, without running a migration."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.facts import Fact, declarable, differences, is_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import FramefoxTasksError, ReplayError, ScratchError
from framefox_tasks.migrations.locked import OnWait, patience_of
from framefox_tasks.migrations.metadata import declared_schema
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import Target
from framefox_tasks.results import StampChecked, Stamped
from framefox_tasks.schema import record
from framefox_tasks.schema.snapshot import Schema, Table

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History


@reusing()
def stamp(
    target: Target,
    *,
    revision: str,
    force: str | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
) -> Stamped:
    """Write into the version table that a database is at a revision. No migration runs, and no other table changes.

    What the table holds is replaced, also revisions that have no file. Whether the schema is that of the revision is
    not looked at: see check_stamp.

    Args:
        target: The database. It must exist.
        revision: A revision or the start of one, `head`, `heads` for all heads, `base` for none; several with commas.
        force: The name of the database, as for drop.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        ProtectedError: The database is protected, and force does not name it.
        DatabaseNotFoundError: The database does not exist.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        MigrationError: The revision is not known, or `head` is one of several.
    """
    from framefox_tasks.migrations.alembic.stamp import revisions_named, write_revisions

    check_unprotected(target, force, "it is not marked as being at another revision")
    history = history_of(target)
    wanted = revisions_named(history, revision)
    if not database_of(target).exists(target):
        raise database_of(target).missing(target)
    before = write_revisions(history, wanted, patience_of(target, lock_wait, on_wait))
    return Stamped(target, before, wanted)


@reusing()
def check_stamp(target: Target, *, revision: str) -> StampChecked:
    """Compare the schema of a database with the one that the migrations up to a revision make. Changes nothing.

    Only the tables count that are in either of the entities, the recorded schema, and what the migrations make.

    Args:
        target: The database. It must exist.
        revision: As for stamp.

    Raises:
        As for stamp.
    """
    from framefox_tasks.migrations.alembic.stamp import revisions_named
    from framefox_tasks.schema.reflect import reflected_schema

    history = history_of(target)
    wanted = revisions_named(history, revision)
    if not database_of(target).exists(target):
        raise database_of(target).missing(target)
    ours = list(_project_tables(target))
    try:
        found = _beside_replay(history, wanted, ours)
    except (ReplayError, ScratchError) as exc:
        recorded = _recorded(history, wanted)
        if recorded is None:
            return StampChecked(target, wanted, not_compared=f"the migrations cannot be replayed. {exc.message}")
        found = list(_beside_recorded(recorded, reflected_schema(target)))
    return StampChecked(target, wanted, tuple(found))


def _beside_replay(history: History, revisions: tuple[str, ...], ours: Collection[Table]) -> list[str]:
    """In what a database differs from an empty one with the migrations up to these revisions."""
    from framefox_tasks.migrations.alembic.replay import replay

    target, database = history.target, database_of(history.target)
    live = declarable(database.facts(target))
    made: list[Fact] = []
    if revisions:
        with database.scratch(target) as scratch:
            for revision in revisions:
                replay(history, scratch, revision)
            made = declarable(database.facts(scratch))
    version, there = target.project.version_table, {fact.table for fact in live}
    # A schema that is the default one is written out in a declaration alone.
    declared = {table.key if table.key in there else table.name for table in ours}
    made = [fact for fact in made if not is_of(fact, version)]
    names = {fact.table for fact in made}.union(declared)
    found = differences(made, [fact for fact in live if fact.table in names and not is_of(fact, version)])
    return [str(item) for item in found]


def _beside_recorded(recorded: Schema, live: Schema) -> Iterator[str]:
    """Which tables and columns are not there: by their names, since types are written otherwise in a database."""
    for table in recorded.tables:
        found = live.by_key.get(table.key) or live.by_key.get(table.name)
        if found is None:
            yield f"table {table.key} is missing"
            continue
        there, wanted = ([column.name for column in item.columns] for item in (found, table))
        yield from (f"column {table.key}.{name} is missing" for name in wanted if name not in there)
        yield from (f"column {table.key}.{name} should not be there" for name in there if name not in wanted)


def _recorded(history: History, revisions: tuple[str, ...]) -> Schema | None:
    """The recorded schema, where it is that of these revisions."""
    if revisions != history.heads:
        return None
    files = [item.path for item in history.revisions if item.revision in revisions]
    return record.schema_of(history.target.project, files)


def _project_tables(target: Target) -> Iterator[Table]:
    """The tables that the entities declare, as far as they can be imported."""
    try:
        yield from declared_schema(target).tables
    except FramefoxTasksError:
        return
