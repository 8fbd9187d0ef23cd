"""Apply migrations, one run at a time for each database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import LOCK_WAIT_SECONDS, Patience
from framefox_tasks.errors import DatabaseInUseError
from framefox_tasks.model import Target
from framefox_tasks.results import LockWait, Step, Upgraded

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History

OnStep = Callable[[Step], None]
OnWait = Callable[[LockWait], None]


def upgrade(
    target: Target,
    *,
    revision: str = "head",
    on_step: OnStep | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Upgraded:
    """Apply the migrations up to a revision.

    Args:
        target: The database. It must exist.
        revision: A revision, the start of one, a relative one such as +1, `head`, or `heads` for all heads.
        on_step: Called after each migration.
        on_wait: Called when another run is changing the database, and this one has waited for it for two seconds.
        lock_wait: For how many seconds to wait for another run.

    Returns:
        What was applied; no steps where the database was up to date.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        MigrationError: A migration failed, the history has several heads, or the database is at an unknown revision. On
            SQLite and PostgreSQL nothing of a failed upgrade remains.
    """
    from framefox_tasks.migrations.alembic import run

    history = history_of(target)
    seen = _revision_if_readable(target)
    history.check_known(seen or ())
    if revision == "head":
        history.check_single_head()
    history.check_revision(revision)
    find = run.upgrade_steps(revision)
    if seen and not run.steps_from(history, find, seen):
        return Upgraded(target, (), seen, history.heads)
    patience = patience_of(target, lock_wait, on_wait)
    ran = run.run_steps(history, find, check=history.check_known, patience=patience, on_step=on_step)
    meanwhile = not ran.steps and ran.before != seen
    return Upgraded(target, ran.steps, ran.current, history.heads, meanwhile, ran.warnings)


def _revision_if_readable(target: Target) -> tuple[str, ...] | None:
    """The database's revisions; None while another run writes to a file that then cannot be read."""
    try:
        return database_of(target).revision(target)
    except DatabaseInUseError:
        return None


def patience_of(target: Target, seconds: float, on_wait: OnWait | None) -> Patience:
    """For how long an operation waits for other runs, and whom it tells."""

    def tell(holder: str) -> None:
        if on_wait:
            on_wait(LockWait(target, holder))

    return Patience(seconds, tell)


def history_of(target: Target) -> History:
    """The migrations of a target, with the configuration that env.py is run with."""
    from framefox_tasks.migrations.alembic.config import make_config
    from framefox_tasks.migrations.alembic.history import History

    return History(target, make_config(target))
