"""Apply migrations, one run at a time for each database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import ConfigError, DatabaseInUseError, FramefoxTasksError, MigrationError
from framefox_tasks.migrations import applied_log
from framefox_tasks.migrations.locked import OnWait, patience_of
from framefox_tasks.model import Target
from framefox_tasks.results import Edited, Step, Upgraded

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.migrations.journal.interruption import Resume

OnStep = Callable[[Step], None]


def upgrade(
    target: Target,
    *,
    revision: str | None = None,
    x: Sequence[str] = (),
    on_step: OnStep | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
    resume: bool = False,
    fast: bool = False,
) -> Upgraded:
    """Apply the migrations up to a revision.

    Args:
        target: The database. It must exist.
        revision: A revision as Alembic takes it: the start of one, `head`, `heads`, accounts@head, +1, 1a2b+1. None for
            the head, or all of them if the project has set all_heads.
        x: What env.py gets from context.get_x_argument(), each as KEY=VALUE.
        on_step: Called after each migration.
        on_wait: Called when another run is changing the database, and this one has waited for it for two seconds.
        lock_wait: For how many seconds to wait for another run; as the target says if not given.
        resume: Go on with a migration that was interrupted after it had committed a part, after the last statement that
            was done; where none was, as without it.
        fast: In an empty database, make the schema that the migrations end at at once, where it is known, none of them
            does anything but change the schema, and all of them are to be applied. Else they run one by one: the notes
            of what is returned say why.

    Returns:
        What was applied; no steps where the database was up to date.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        LockTimeoutError: Another run has not ended in time; nothing was changed.
        MigrationInterruptedError: A migration was interrupted, and is not to be gone on with, or cannot be.
        MigrationError: A migration failed, the history has several heads, the database is at an unknown revision, or it
            is at a known one by the table of a schema that is not looked in. On SQLite and PostgreSQL nothing of a
            failed upgrade remains.
    """
    check_no_range(target.project.newest if revision is None else revision)
    return upgrade_along(
        history_of(target, x, kept=fast),
        revision=revision,
        on_step=on_step,
        on_wait=on_wait,
        lock_wait=lock_wait,
        resume=resume,
        fast=fast,
    )


def upgrade_along(
    history: History,
    *,
    revision: str | None = None,
    on_step: OnStep | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
    resume: bool = False,
    edits: bool = True,
    is_behind: bool = False,
    fast: bool = False,
) -> Upgraded:
    """Apply migrations of a history that has been read, to its target; as upgrade().

    Without `edits` it is not found out which migrations were edited after they had been applied. Where it is known that
    there is something to do, `is_behind`, the database is asked once, under the lock.
    """
    with reusing():
        return _upgrade_along(
            history, revision, on_step, on_wait, lock_wait, resume=resume, edits=edits, is_behind=is_behind, fast=fast
        )


def _upgrade_along(
    history: History,
    revision: str | None,
    on_step: OnStep | None,
    on_wait: OnWait | None,
    lock_wait: float | None,
    *,
    resume: bool,
    edits: bool,
    is_behind: bool,
    fast: bool,
) -> Upgraded:
    from framefox_tasks.migrations.alembic import run
    from framefox_tasks.migrations.alembic.history import steps_from, upgrade_steps

    target = history.target
    revision = target.project.newest if revision is None else revision
    seen, journaled = (None, False) if is_behind else _standing_if_readable(target)

    def check(current: tuple[str, ...]) -> None:
        history.check_known(current)
        if not current:
            check_not_elsewhere(history)

    history.check_revision(revision)
    if seen is not None:
        check(seen)
    find = upgrade_steps(revision)
    if seen and not journaled and not steps_from(history, find, seen):
        return Upgraded(target, (), seen, history.at_heads, edited=edited(history, seen) if edits else ())
    patience = patience_of(target, lock_wait, on_wait)
    shortcut = _Shortcut(history, at_head=revision == target.project.newest) if fast and seen == () else None
    if shortcut and (done := shortcut.take(patience)):
        return done
    going_on: Resume = "upgrade" if resume else None
    ran = run.run_steps(history, find, check=check, patience=patience, on_step=on_step, resume=going_on)
    meanwhile = not ran.steps and ran.before != seen
    return Upgraded(
        target,
        ran.steps,
        ran.current,
        history.at_heads,
        meanwhile,
        ran.by_themselves,
        ran.warnings,
        edited(history, ran.before) if edits else (),
        (*ran.notes, *(shortcut.explain() if shortcut else ())),
    )


class _Shortcut:
    """The schema of all migrations made at once, where that is possible."""

    def __init__(self, history: History, *, at_head: bool) -> None:
        from framefox_tasks.migrations.alembic import end_state

        self._history = history
        self._end_state = end_state
        self._reason = end_state.why_replayed(history, at_head=at_head)
        self._is_new = False

    def take(self, patience: Patience) -> Upgraded | None:
        """Make the schema; None where the migrations have to run."""
        history, statements = self._history, None
        if not self._reason:
            statements = self._end_state.kept_end_state(history)
            if statements is None and not (reason := self._end_state.not_plain(history)):
                statements = self._end_state.proven_end_state(history)
                self._is_new = statements is None
            elif statements is None:
                self._reason = reason
        if statements is None:
            return None
        current = self._end_state.make_at_once(history, statements, patience)
        if current is None:
            self._reason = f"{history.target.label} is not empty any more"
            return None
        made = tuple(history.applied(current))
        return Upgraded(history.target, (), current, history.at_heads, at_once=made)

    def explain(self) -> list[str]:
        """Why they have run one by one; the schema that they have made is kept for the next time."""
        if self._is_new:
            try:
                self._reason = self._end_state.keep_end_state(self._history, self._history.target)
            except FramefoxTasksError as exc:
                self._reason = exc.message
            if not self._reason:
                return ["Each migration was run, and the schema kept: the next --fast makes it at once."]
        return [f"--fast had to run each migration: {self._reason}."]


def check_not_elsewhere(history: History) -> None:
    """Refuse to begin a history in one schema that has been applied in another, unless the schema is named.

    Raises:
        MigrationError: The database is at a revision of the history by the version table of another schema.
    """
    target = history.target
    for table, revisions in database_of(target).revisions_elsewhere(target).items():
        if {revision.revision for revision in history.revisions}.intersection(revisions):
            schema = table.rpartition(".")[0]
            raise MigrationError(
                f"{target.label} is at {', '.join(revisions)} by the table {table}, and this run looks in other "
                "schemas, which have none. Nothing was applied a second time.",
                hint=f"Put {schema} first in the search_path of the user or of the URL, or write into config/orm.yaml "
                f"which table is meant: version_table: {table}",
            )


def _standing_if_readable(target: Target) -> tuple[tuple[str, ...] | None, bool]:
    """The database's revisions, and whether it has a journal; None while another run writes to a file it locks."""
    try:
        return database_of(target).standing(target)
    except DatabaseInUseError:
        return None, False


def check_no_range(revision: str) -> None:
    """Check that a revision is one, and no range.

    Raises:
        ConfigError: It is a range.
    """
    if ":" in revision:
        raise ConfigError(
            f"{revision} is a range, which only --sql takes.",
            hint=f"Name where to go to alone: --revision={revision.rpartition(':')[2]}",
        )


def edited(history: History, current: tuple[str, ...]) -> tuple[Edited, ...]:
    """The migrations that are applied to a database, and whose files do something else now."""
    log = applied_log.read(history.target) if current else {}
    return applied_log.edited_in(log, history.applied(current)) if log else ()


def history_of(target: Target, x: Sequence[str] = (), *, kept: bool = False) -> History:
    """The migrations of a target, with the configuration that env.py is run with, and its arguments.

    With `kept` the files are read only where what is kept of them does not do.
    """
    from framefox_tasks.migrations.alembic.config import make_config
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.migrations.alembic.kept_history import kept_history

    config = make_config(target, arguments=x)
    return History(target, config, kept=kept_history(target.project, config) if kept else None)
