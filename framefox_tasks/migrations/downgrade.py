"""Revert migrations, one run at a time for each database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import ConfigError, MigrationError
from framefox_tasks.migrations.journal.interruption import Resume, check_uninterrupted
from framefox_tasks.migrations.locked import OnWait, patience_of
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.migrations.upgrade import OnStep, check_no_range, history_of
from framefox_tasks.model import Target
from framefox_tasks.results import Downgraded

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import FindSteps, History


@reusing()
def downgrade(
    target: Target,
    *,
    steps: int = 1,
    revision: str | None = None,
    x: Sequence[str] = (),
    on_step: OnStep | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
    force: str | None = None,
    resume: bool = False,
    on_start: Callable[[int], None] | None = None,
) -> Downgraded:
    """Revert migrations; also those whose files are on another branch, by what was kept when they were applied.

    Args:
        target: The database. It must exist.
        steps: How many to revert; 0 for all.
        revision: Revert those after this one instead, given as Alembic takes it; `base` for all.
        x: As for upgrade.
        on_step: Called after each migration.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.
        force: The name of the database, as for drop.
        resume: As for upgrade.
        on_start: Called with the number of migrations before the first one is reverted.

    Raises:
        ProtectedError: The database is protected, and force does not name it.
        ConfigError: steps is negative.
        DatabaseNotFoundError: The database does not exist.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        MigrationError: More steps than migrations are applied, another run has changed the revision meanwhile, or a
            migration failed. As for upgrade.
    """
    from framefox_tasks.migrations.alembic import run
    from framefox_tasks.migrations.alembic.expressions import is_relative
    from framefox_tasks.migrations.alembic.history import steps_from

    if steps < 0:
        raise ConfigError(f"steps must be 0 or more, not {steps}.", hint="Revert all with: --steps 0")
    check_unprotected(target, force, "no migration is reverted")
    history = history_of(target, x)
    seen = database_of(target).revision(target)
    history.add_kept(seen)
    find = steps_back(history, steps, revision)

    def check(current: tuple[str, ...]) -> None:
        history.check_known(current)
        if revision is None and steps:
            _check_steps(history, current, steps)
        if revision == "-1":
            _check_one_head(current)
        if current != seen and (revision is None or is_relative(revision)):
            raise _moved(target, seen, current)
        if current:
            steps_from(history, find, current)

    def check_and_tell(current: tuple[str, ...]) -> None:
        check(current)
        if on_start and (count := len(steps_from(history, find, current)) if current else 0):
            on_start(count)

    check(seen)
    if not seen:
        check_uninterrupted(target)
        return Downgraded(target, (), ())
    patience = patience_of(target, lock_wait, on_wait)
    going_on: Resume = "downgrade" if resume else None
    ran = run.run_steps(history, find, check=check_and_tell, patience=patience, on_step=on_step, resume=going_on)
    return Downgraded(target, ran.steps, ran.current, ran.by_themselves, ran.warnings)


def steps_back(history: History, steps: int, revision: str | None) -> FindSteps:
    """What finds the steps of a downgrade; see there.

    Raises:
        MigrationError, ConfigError: The revision is none.
    """
    from framefox_tasks.migrations.alembic import run
    from framefox_tasks.migrations.alembic.history import downgrade_steps

    if revision is None:
        return run.last_steps(steps) if steps else downgrade_steps("base")
    check_no_range(revision)
    history.check_revision(revision)
    return downgrade_steps(revision)


def _moved(target: Target, seen: tuple[str, ...], current: tuple[str, ...]) -> MigrationError:
    """The error for a downgrade by steps that would now revert something else than was asked for."""
    return MigrationError(
        f"Another run has changed {target.label} from {', '.join(seen)} to {', '.join(current) or 'no revision'} "
        "meanwhile. Nothing was reverted.",
        hint="See where the database stands, and revert what is still to be reverted: doit database_status",
    )


def _check_steps(history: History, current: tuple[str, ...], steps: int) -> None:
    applied = len(history.applied(current))
    if steps > applied:
        count = {0: "No migration is applied", 1: "Only 1 migration is applied"}
        hint = "Revert all that are applied with: doit database_downgrade --steps 0"
        raise MigrationError(
            f"{count.get(applied, f'Only {applied} migrations are applied')}, so {steps} cannot be reverted. "
            "Nothing was reverted.",
            hint=hint if applied else "See where the database stands: doit database_status",
        )
    _check_one_head(current)


def _check_one_head(current: tuple[str, ...]) -> None:
    if len(current) > 1:
        raise MigrationError(
            f"The database is at several revisions: {', '.join(current)}. Nothing was reverted.",
            hint="Say which to go back to: doit database_downgrade --revision REVISION, "
            f"or revert the last one of a branch: --revision={current[0]}@-1",
        )
