"""Upgrades and downgrades: the steps of Alembic's history, one by one, with what went wrong told precisely."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import islice
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

from framefox_tasks.databases import database_of
from framefox_tasks.errors import FramefoxTasksError, MigrationError
from framefox_tasks.migrations.alembic.config import make_config, revision_of
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.failures import describe, failure_in
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.results import Revision, Step

OnStep = Callable[[Step], None]
FindSteps = Callable[[ScriptDirectory, Any], list[Any]]


def upgrade_steps(revision: str) -> FindSteps:
    """The steps up to a revision; to a relative or a partial one as Alembic reads it."""
    return lambda scripts, current: scripts._upgrade_revs(revision, current)


def downgrade_steps(revision: str) -> FindSteps:
    """The steps down to a revision, which stays applied."""
    return lambda scripts, current: scripts._downgrade_revs(revision, current)


def last_steps(count: int) -> FindSteps:
    """The last migrations, newest first. A merge is reverted alone, and leaves the heads that it joined."""
    return lambda scripts, current: [
        MigrationStep.downgrade_from_script(scripts.revision_map, script)
        for script in islice(scripts.iterate_revisions(current, "base"), count)
    ]


def run_steps(history: History, find: FindSteps, *, on_step: OnStep | None = None) -> tuple[Step, ...]:
    """Run migrations in one transaction, where the database can do that.

    Raises:
        MigrationError: A migration failed. Says which, where, and what the database looks like now.
    """
    run = _Run(history, find, on_step)
    before = database_of(history.target).revision(history.target)
    try:
        run_environment(history.target, history.config, history.scripts, run.work, migrates=True)
    except FramefoxTasksError as exc:
        if run.running is None:
            raise
        raise run.failure(exc.message, before, exc.hint) from exc
    except Exception as exc:
        raise run.failure(describe(exc), before, None) from exc
    return tuple(run.done)


class _Run:
    def __init__(self, history: History, find: FindSteps, on_step: OnStep | None) -> None:
        self.target = history.target
        self.scripts = history.scripts
        self.done: list[Step] = []
        self.running: Revision | None = None
        self.error: str | None = None
        self.committed = False
        self._find = find
        self._on_step = on_step

    def work(self, current: Any, context: MigrationContext) -> Iterator[Any]:
        self._note_commits(context)
        # A generator: Alembic asks for the next step when it has run the one before and recorded its revision.
        try:
            steps = self._find(self.scripts, current)
        except (CommandError, RevisionError) as exc:
            raise MigrationError(
                f"There is no single way from {', '.join(current) or 'base'} to there: {exc}. Nothing was changed.",
                hint="Name a revision on the way with --revision; see them with: doit database_status",
            ) from exc
        for step in steps:
            self.running = revision_of(step.revision)
            start = time.perf_counter()
            step.migration_fn = self._noting_errors(step.migration_fn)
            yield step
            done = Step(self.running, time.perf_counter() - start)
            self.running = None
            self.done.append(done)
            if self._on_step:
                self._on_step(done)

    def _note_commits(self, context: MigrationContext) -> None:
        original = context.autocommit_block

        def autocommit_block() -> Any:
            self.committed = True
            return original()

        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def _noting_errors(self, migrate: Callable[..., None]) -> Callable[..., None]:
        def noting(**keywords: Any) -> None:
            try:
                migrate(**keywords)
            except BaseException as exc:
                project = self.target.project
                self.error = failure_in(exc, project, [project.migrations_folder, *project.versions])
                raise

        return noting

    def failure(self, message: str, before: tuple[str, ...], hint: str | None) -> MigrationError:
        if self.running is None:
            return MigrationError(message, hint=hint)
        dialect = database_of(self.target)
        after = dialect.revision(self.target)
        at = ", ".join(after) or "no revision"
        title = f"The migration {self.running.revision} ({self.running.description}) failed."
        if dialect.transactional_ddl and self.committed:
            state = f"What stands before and in an autocommit_block() has been done; the database is recorded at {at}."
            advice = "Undo that part by hand, or remove it from the migration, and run the command again."
        elif dialect.transactional_ddl and after == before:
            state = f"The database {self.target.label} is as it was before, at {at}."
            advice = "Correct the migration and run the command again."
        elif dialect.transactional_ddl:
            state = f"The database {self.target.label} is at {at}."
            advice = "Correct the migration and run the command again."
        else:
            state = (
                f"{dialect.title} cannot undo DDL: what stands before the failed statement in "
                f"{self.running.revision} has been done, and the database {self.target.label} is recorded at {at}."
            )
            advice = "Undo that part by hand, or remove it from the migration, and run the command again."
        return MigrationError(f"{title}\n  {self.error or message}\n{state}", hint=advice)


def render_sql(history: History, revision: str) -> str:
    """The SQL of the migrations up to a revision, or of a range a:b, without connecting.

    Raises:
        MigrationError: A migration needs a connection.
    """
    start, _, end = revision.rpartition(":")
    output = StringIO()

    def work(current: Any, context: Any) -> list[Any]:  # noqa: ARG001 - Alembic's signature
        return upgrade_steps(end)(history.scripts, current)

    run_environment(
        history.target,
        make_config(history.target, output=output),
        history.scripts,
        work,
        as_sql=True,
        starting_rev=start or None,
        destination_rev=end,
    )
    return output.getvalue()
