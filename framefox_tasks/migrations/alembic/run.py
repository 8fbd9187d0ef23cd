"""Upgrades and downgrades: runs the steps of Alembic's history, and reports failures precisely."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.errors import FramefoxTasksError, MigrationError
from framefox_tasks.migrations.alembic.config import revision_of
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.failures import describe, failure_in, is_already_there, made_by_others, remedy_of
from framefox_tasks.migrations.alembic.history import FindSteps, History, steps_from
from framefox_tasks.migrations.alembic.revision_loader import content_of
from framefox_tasks.migrations.alembic.transactions import Transactions, at
from framefox_tasks.migrations.alembic.version_log import VersionLog
from framefox_tasks.migrations.journal.entries import Found
from framefox_tasks.migrations.journal.interruption import (
    Resume,
    after_failure,
    interrupted,
    resume_command,
    to_resume,
    told_of,
)
from framefox_tasks.migrations.journal.recorder import Recorder
from framefox_tasks.migrations.kept import KeptFiles, migration_folders
from framefox_tasks.migrations.locked import locked
from framefox_tasks.migrations.safe_point import migrating, reached
from framefox_tasks.migrations.table_locks import TableLockWaits
from framefox_tasks.results import RESOLVE, Revision, Step

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
        notes: What could not be done beside.
    """

    steps: tuple[Step, ...]
    before: tuple[str, ...]
    current: tuple[str, ...]
    by_themselves: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def run_steps(
    history: History,
    find: FindSteps,
    *,
    check: Callable[[tuple[str, ...]], None],
    patience: Patience,
    on_step: OnStep | None = None,
    resume: Resume = None,
    journal: bool = True,
) -> RunResult:
    """Run migrations under the lock, in one transaction where the database has transactional DDL.

    Args:
        history: The migrations.
        find: Gives the steps to run.
        check: Gets the revisions of the database, once the lock is held.
        patience: How long to wait for the lock.
        on_step: Called after each migration.
        resume: Go on with a migration that was interrupted while it was applied, or reverted; None to refuse.
        journal: Whether to keep a journal of one that commits in between.

    Raises:
        LockTimeoutError: Another run holds the lock.
        MigrationInterruptedError: A migration was interrupted, and is not to be gone on with, or cannot be.
        MigrationError: A migration failed. Names the migration, the line and the revision of the database.
    """
    target = history.target
    dialect = database_of(target)
    with ExitStack() as stack, locked(target, patience) as lock:
        before, journaled = dialect.standing(target)
        found = to_resume(target, before, resume) if journaled else None
        check(before)
        steps = steps_from(history, find, before) if before and not found else None
        if steps == []:  # the run that was waited for has done it
            return RunResult((), before, before, ())
        unversioned = not before and dialect.holds_tables(target)
        log = VersionLog.of(target) if journal and dialect.journal else None
        short = bool(before and log and log.notes)
        if found and dialect.journal:
            dialect.journal.settle(target)
        recorder = Recorder(dialect.journal, target, found, notes=short) if log and dialect.journal else None
        # Where a connection looks in schemas that are its own affair, it is to look for the version table itself.
        seen = bool(before) and (not dialect.has_schemas or "." in target.project.version_table)
        transactions = Transactions(lock, patience, recorder, log, is_versioned=seen)
        run = _Run(history, find, before, transactions, on_step, steps)
        stack.enter_context(run.telling_warnings())
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
        if found and not run.done:
            raise interrupted(target, found)
        current = dialect.revision(target)
        if recorder:
            recorder.end()
    with run.telling_warnings():
        run.transactions.check(target, current)
    alone = tuple(run.transactions.by_themselves) if dialect.transactional_ddl else ()
    notes = (log.note,) if log and log.note else ()
    return RunResult(tuple(run.done), before, current, alone, tuple(run.warnings), notes)


class _Run:
    def __init__(
        self,
        history: History,
        find: FindSteps,
        before: tuple[str, ...],
        transactions: Transactions,
        on_step: OnStep | None,
        steps: list[Any] | None,
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
        self._steps = steps
        self._kept = KeptFiles(self.target.project)
        self._error: str | None = None
        self._upgrades = True

    @contextmanager
    def telling_warnings(self) -> Iterator[None]:
        """A context whose error tells the warnings of what has run."""
        try:
            yield
        except MigrationError as exc:
            exc.warnings = tuple(self.warnings)
            raise

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
                if self.running is None or not self._may_begin_again(waits, exc):
                    raise
            finally:
                waits.leave()
            waits.pause()
            self._begin_again()

    def _may_begin_again(self, waits: TableLockWaits, exc: Exception) -> bool:
        """Whether a run that was rolled back for others is to begin again, after what it has committed."""
        recorder = self.transactions.recorder
        if not waits.may_try_again(exc) or (self.transactions.committed and recorder is None):
            return False
        if self.transactions.committed and database_of(self.target).transactional_ddl:
            return False
        return recorder is None or recorder.begin_again()

    def _begin_again(self) -> None:
        """Forget the migrations that were rolled back."""
        current, states = database_of(self.target).revision(self.target), self.transactions.states
        del self.done[states.index(current) if current in states else 0 :]
        self.running = self._error = None

    def work(self, current: Any, context: MigrationContext) -> Iterator[Any]:  # noqa: ARG002 - Alembic's signature
        # A generator: Alembic asks for the next step when it has run the one before and recorded its revision.
        for step in self._steps_from(current):
            self.running = revision_of(step.revision)
            self._upgrades = step.is_upgrade
            start = time.perf_counter()
            step.migration_fn = self._with_error_place(step.migration_fn)
            with migrating(commits=not database_of(self.target).transactional_ddl):
                yield step
            done = Step(self.running, time.perf_counter() - start)
            self.running = None
            self.done.append(done)
            if step.is_upgrade:
                self._kept.keep(done.revision, *content_of(step.revision))
            if self._on_step:
                self._on_step(done)
            reached()

    def _steps_from(self, current: Any) -> list[Any]:
        """The steps, which are found already if the database is still where it was; once, as they are changed."""
        found, self._steps = self._steps, None
        if found is not None and len(current) == 1 and tuple(current) == self._before:
            return found
        return steps_from(self._history, self._find, current)

    def _with_error_place(self, migrate: Callable[..., None]) -> Callable[..., None]:
        def migrate_with_place(**keywords: Any) -> None:
            try:
                migrate(**keywords)
            except BaseException as exc:
                project, own = self.target.project, [self.running.path.parent] if self.running else []
                self._error = failure_in(exc, project, [*migration_folders(project), *own])
                raise

        migrate_with_place.__name__ = migrate.__name__  # Alembic logs it
        return migrate_with_place

    def failure(
        self, message: str, hint: str | None, exc: BaseException | None, *, unversioned: bool
    ) -> MigrationError:
        """The error for a failed migration; unversioned is a database that had tables, and no revision."""
        if self.running is None:
            return MigrationError(message, hint=hint)
        title = f"The migration {self.running.revision} ({self.running.description}) failed."
        try:
            state, advice = self._left(self.running, database_of(self.target).revision(self.target))
        except FramefoxTasksError as lost:
            state, advice = self._lost(self.running), lost.hint or ""
        settled = RESOLVE not in advice  # else it is to be gone on with, and cannot be stamped before
        if exc and settled and unversioned and self._upgrades and is_already_there(exc, self.target):
            others, advice = made_by_others(self.target, self.running)
            state = f"{others}\n{state}"
        elif remedy := remedy_of(exc, self.target):
            advice = f"{remedy} Then run the command again." if advice == _AGAIN else f"{remedy}\n{advice}"
        elif extension := database_of(self.target).missing_extension(self.target, self._error or message):
            state = f"This database has not the extension {extension}, which has that.\n{state}"
            advice = (
                "Create it in a migration before this one, or at the beginning of its upgrade(): "
                f"op.execute('CREATE EXTENSION IF NOT EXISTS \"{extension}\"')\n{advice}"
            )
        return MigrationError(f"{title}\n  {self._error or message}\n{state}", hint=hint or advice)

    def _left(self, running: Revision, after: tuple[str, ...]) -> tuple[str, str]:
        """The state after a failed migration, and the hint."""
        dialect, label, now = database_of(self.target), self.target.label, at(after)
        again = _AGAIN
        left = after_failure(self.target)
        states = self.transactions.states
        if left and after != left.head.before:
            left = None
        if not left and after not in (states if dialect.transactional_ddl else states[len(self.done) :][:1]):
            return (
                f"Something else has changed the revision of {label} meanwhile, from {at(self._before)} to {now}.",
                "See where the database stands: doit database_status",
            )
        if left:
            return self._half_done(left, running, now)
        journaled = dialect.journal is not None and self.transactions.recorder is not None
        if not journaled and (self.transactions.committed or not dialect.transactional_ddl):
            cannot = "" if dialect.transactional_ddl else f"{dialect.title} cannot roll back DDL. "
            return (
                f"{cannot}What {running.revision} has committed stays; the database {label} is recorded at {now}.",
                "See where the database stands: doit database_status",
            )
        if after == self._before:
            return f"The database {label} is as it was before, at {now}.", again
        return f"The database {label} is at {now}.", again

    def _half_done(self, left: Found, running: Revision, now: str) -> tuple[str, str]:
        """The same where a part of the migration is committed."""
        told, dialect = told_of(left), database_of(self.target)
        state = "" if dialect.transactional_ddl else f"{dialect.title} cannot roll back DDL. "
        state += f"A part of {running.revision} is committed, and stays. {told.state}"
        state += f"\nThe database {self.target.label} is recorded at {now}."
        if left.unsafe:
            return state, f"It cannot be gone on with, since {left.unsafe}.\n{RESOLVE}"
        return state, (
            "Correct what has failed, but no statement that is done, and go on after these: "
            f"{resume_command(left)}\n{RESOLVE}"
        )

    def _lost(self, running: Revision) -> str:
        """What is in doubt, where the database cannot be asked any more."""
        last = self.transactions.recorder.last if self.transactions.recorder else None
        place = f" at its statement {last.number}: {last.line}" if last else ""
        return (
            f"The connection to {self.target.label} has ended while {running.revision} ran{place}\n"
            "What of it is done cannot be asked now. When the database answers again: doit database_status"
        )
