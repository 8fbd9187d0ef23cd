"""Upgrades and downgrades: runs the steps of Alembic's history, and reports failures precisely."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.errors import ConfigError, FramefoxTasksError, MigrationError
from framefox_tasks.migrations.alembic.config import make_config, revision_of
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.failures import describe, failure_in, is_already_there, made_by_others, remedy_of
from framefox_tasks.migrations.alembic.history import FindSteps, History, downgrade_steps, steps_from, upgrade_steps
from framefox_tasks.migrations.alembic.transactions import Transactions, at
from framefox_tasks.migrations.kept import keep, migration_folders
from framefox_tasks.migrations.locked import locked
from framefox_tasks.migrations.safe_point import committing, reached
from framefox_tasks.migrations.table_locks import TableLockWaits
from framefox_tasks.results import Revision, Step

OnStep = Callable[[Step], None]
_AGAIN = "Correct the migration and run the command again."


def last_steps(count: int) -> FindSteps:
    """The last migrations, newest first. A merge is reverted alone, and leaves the heads that it joined."""
    return lambda scripts, current: [
        MigrationStep.downgrade_from_script(scripts.revision_map, script)
        for script in islice(scripts.iterate_revisions(current, "base"), count)
    ]


def step_back(script: Script) -> FindSteps:
    """One migration, which none that is applied follows."""
    return lambda scripts, _: [MigrationStep.downgrade_from_script(scripts.revision_map, script)]


@dataclass(frozen=True)
class RunResult:
    """The migrations that have run, and the revisions of the database before and after.

    Attributes:
        by_themselves: Those that have committed by themselves, where else all could be rolled back.
        warnings: The warnings of Python.
    """

    steps: tuple[Step, ...]
    before: tuple[str, ...]
    current: tuple[str, ...]
    by_themselves: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def run_steps(
    history: History,
    find: FindSteps,
    *,
    check: Callable[[tuple[str, ...]], None],
    patience: Patience,
    on_step: OnStep | None = None,
) -> RunResult:
    """Run migrations under the lock, in one transaction where the database has transactional DDL.

    Args:
        history: The migrations.
        find: Gives the steps to run.
        check: Gets the revisions of the database, once the lock is held.
        patience: How long to wait for the lock.
        on_step: Called after each migration.

    Raises:
        LockTimeoutError: Another run holds the lock.
        MigrationError: A migration failed. Names the migration, the line and the revision of the database.
    """
    target = history.target
    dialect = database_of(target)
    with locked(target, patience) as lock:
        before = dialect.revision(target)
        check(before)
        if before and not steps_from(history, find, before):  # the run that was waited for has done it
            return RunResult((), before, before, ())
        unversioned = not before and dialect.holds_tables(target)
        run = _Run(history, find, before, Transactions(lock, patience), on_step)
        try:
            run.run_politely(TableLockWaits(target, patience))
        except FramefoxTasksError as exc:
            if run.running is None:
                raise
            raise run.failure(exc.message, exc.hint, exc, unversioned=unversioned) from exc
        except Exception as exc:
            if run.running is None:
                raise
            raise run.failure(describe(exc), None, exc, unversioned=unversioned) from exc
        if run.running is not None:
            raise run.failure("env.py has kept its error to itself.", None, None, unversioned=unversioned)
        current = dialect.revision(target)
    run.transactions.check(target, current)
    alone = tuple(run.transactions.by_themselves) if dialect.transactional_ddl else ()
    return RunResult(tuple(run.done), before, current, alone, tuple(run.warnings))


class _Run:
    def __init__(
        self,
        history: History,
        find: FindSteps,
        before: tuple[str, ...],
        transactions: Transactions,
        on_step: OnStep | None,
    ) -> None:
        self.target = history.target
        self.transactions = transactions
        self.done: list[Step] = []
        self.warnings: list[str] = []
        self.running: Revision | None = None
        self._history = history
        self._find = find
        self._before = before
        self._on_step = on_step
        self._error: str | None = None
        self._upgrades = True

    def run_politely(self, waits: TableLockWaits) -> None:
        """Run env.py; once more where a statement has given way to others, and all since the last commit is undone."""
        self.transactions.table_locks = waits
        history = self._history
        while True:
            try:
                run_environment(
                    self.target,
                    history.config,
                    history.scripts,
                    self.work,
                    transactions=self.transactions,
                    told=self.warnings,
                )
                return
            except Exception as exc:
                if self.running is None or self.transactions.committed or not waits.may_try_again(exc):
                    raise
            finally:
                waits.leave()
            waits.pause()
            self._begin_again()

    def _begin_again(self) -> None:
        """Forget the migrations that were rolled back."""
        current, states = database_of(self.target).revision(self.target), self.transactions.states
        del self.done[states.index(current) if current in states else 0 :]
        self.running = self._error = None

    def work(self, current: Any, context: MigrationContext) -> Iterator[Any]:  # noqa: ARG002 - Alembic's signature
        # A generator: Alembic asks for the next step when it has run the one before and recorded its revision.
        for step in steps_from(self._history, self._find, current):
            self.running = revision_of(step.revision)
            self._upgrades = step.is_upgrade
            start = time.perf_counter()
            step.migration_fn = self._with_error_place(step.migration_fn)
            with nullcontext() if database_of(self.target).transactional_ddl else committing():
                yield step
            done = Step(self.running, time.perf_counter() - start)
            self.running = None
            self.done.append(done)
            if step.is_upgrade:
                keep(self.target.project, done.revision)
            if self._on_step:
                self._on_step(done)
            reached()

    def _with_error_place(self, migrate: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(migrate)  # Alembic logs its name
        def migrate_with_place(**keywords: Any) -> None:
            try:
                migrate(**keywords)
            except BaseException as exc:
                project, own = self.target.project, [self.running.path.parent] if self.running else []
                self._error = failure_in(exc, project, [*migration_folders(project), *own])
                raise

        return migrate_with_place

    def failure(
        self, message: str, hint: str | None, exc: BaseException | None, *, unversioned: bool
    ) -> MigrationError:
        """The error for a failed migration; unversioned is a database that had tables, and no revision."""
        if self.running is None:
            return MigrationError(message, hint=hint)
        title = f"The migration {self.running.revision} ({self.running.description}) failed."
        state, advice = self._left(self.running, database_of(self.target).revision(self.target))
        if exc and unversioned and self._upgrades and is_already_there(exc, self.target):
            others, advice = made_by_others(self.target, self.running)
            state = f"{others}\n{state}"
        elif remedy := remedy_of(exc, self.target):
            advice = f"{remedy} Then run the command again." if advice == _AGAIN else f"{remedy}\n{advice}"
        return MigrationError(f"{title}\n  {self._error or message}\n{state}", hint=hint or advice)

    def _left(self, running: Revision, after: tuple[str, ...]) -> tuple[str, str]:
        """The state after a failed migration, and the hint."""
        dialect, label, now = database_of(self.target), self.target.label, at(after)
        again = _AGAIN
        by_hand = "Undo that part by hand, or remove it from the migration, and run the command again."
        states = self.transactions.states
        if after not in (states if dialect.transactional_ddl else states[len(self.done) : len(self.done) + 1]):
            return (
                f"Something else has changed the revision of {label} meanwhile, from {at(self._before)} to {now}.",
                "See where the database stands: doit database_status",
            )
        if not dialect.transactional_ddl:
            return (
                f"{dialect.title} cannot roll back DDL: the statements before the failed one in "
                f"{running.revision} are committed, and the database {label} is recorded at {now}.",
                by_hand,
            )
        if self.transactions.committed:
            return (
                f"What {running.revision} has committed, by itself or in an autocommit_block(), stays; "
                f"the database {label} is recorded at {now}.",
                by_hand,
            )
        if after == self._before:
            return f"The database {label} is as it was before, at {now}.", again
        return f"The database {label} is at {now}.", again


def render_sql(history: History, revision: str, *, down: bool = False) -> tuple[str, tuple[str, ...]]:
    """The SQL of the migrations up to a revision, or of a range a:b, without connecting; and the warnings of Python.

    Args:
        history: The migrations.
        revision: A revision, or a range.
        down: Whether the range is one to revert.

    Raises:
        MigrationError: The range leads the other way, a migration needs a connection, or env.py runs none.
    """
    start, _, end = revision.rpartition(":")
    for part in filter(None, (start, end)):
        history.check_revision(part)
    first = history.resolve(start) if start else ()
    _check_direction(history, first, start, end, down=down)
    output, ran = StringIO(), False
    told: list[str] = []
    find = downgrade_steps(end) if down else upgrade_steps(end)

    def work(current: Any, context: Any) -> list[Any]:  # noqa: ARG001 - Alembic's signature
        nonlocal ran
        ran = True
        return steps_from(history, find, current)

    run_environment(
        history.target,
        make_config(history.target, output=output, arguments=history.arguments),
        history.scripts,
        work,
        told=told,
        as_sql=True,
        starting_rev=first or None,
        destination_rev=end,
    )
    if not ran:
        raise MigrationError(
            "The offline branch of env.py has run no migrations, so there is no SQL.",
            hint="Let it call context.run_migrations() where context.is_offline_mode().",
        )
    return output.getvalue(), tuple(told)


def _check_direction(history: History, at: tuple[str, ...], start: str, end: str, *, down: bool) -> None:
    """Check that a range leads up, or down."""
    ways = [downgrade_steps(end), upgrade_steps(end)]
    wanted, other = ways if down else reversed(ways)
    try:
        steps, problem = steps_from(history, wanted, at), None
    except MigrationError as exc:
        steps, problem = [], exc
    if steps:
        return
    with suppress(MigrationError):
        if steps_from(history, other, at):
            task = "upgrade" if down else "downgrade"
            raise ConfigError(
                f"From {start or 'base'} to {end} is {'an' if down else 'a'} {task}.",
                hint=f"Its SQL prints: doit database_{task} --sql --revision={start or 'base'}:{end}",
            )
    if problem:
        raise problem
