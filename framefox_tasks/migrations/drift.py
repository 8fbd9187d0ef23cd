"""What was changed by hand in a database."""

from __future__ import annotations

from collections.abc import Sequence

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.migrations.journal.interruption import check_uninterrupted
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import Target
from framefox_tasks.results import Drift


@reusing(keys=3)
def drift(target: Target, *, x: Sequence[str] = ()) -> Drift:
    """Compare a database with what its migrations make, up to the revision that it is at. Changes nothing in it.

    The migrations run on a scratch database. Tables that none of them makes are left alone, as those of others.

    Args:
        target: The database; migrations may be pending.
        x: As for upgrade.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        MigrationError: It is at a revision without a file.
        MigrationInterruptedError: A migration runs, or was interrupted.
        ScratchError: No scratch database can be made.
        ReplayError: The migrations cannot be run on one.
    """
    from framefox_tasks.migrations.alembic.drift import drifted

    history = history_of(target, x)
    current = database_of(target).revision(target)
    check_uninterrupted(target)
    history.add_kept(current)
    history.check_known(current)
    return Drift(target, current, drifted(history, current) if current else ())
