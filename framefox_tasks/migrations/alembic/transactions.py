"""The transactions of migrations: one may commit by itself, and nothing after that commit is lost.

`op.get_bind().commit()` ends Alembic's transaction. SQLAlchemy then begins another, which Alembic does not know of and
so would not commit: the rest of the migration would be lost, and the revision with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

from alembic.runtime.migration import HeadMaintainer, MigrationContext
from sqlalchemy import event
from sqlalchemy.engine import Connection

from framefox_tasks.databases.lock import MigrationLock, Patience
from framefox_tasks.databases.verbs import Adopt
from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations import safe_point
from framefox_tasks.migrations.alembic.version_log import VersionLog
from framefox_tasks.migrations.alembic.version_update import prepare_reading, prepare_update
from framefox_tasks.migrations.journal.entries import Head, new_head
from framefox_tasks.migrations.journal.recorder import Recorder
from framefox_tasks.migrations.table_locks import TableLockWaits
from framefox_tasks.model import Target

_COMMIT = re.compile(r"\s*(COMMIT|END)\b(?!\s+PREPARED)", re.IGNORECASE)


class Transactions:
    """The transactions of a run that holds the lock.

    Attributes:
        patience: How long to wait for others that write to the database.
        table_locks: How statements wait for locks; None to wait as long as the server lets them.
        committed: Whether something of the current migration is committed.
        by_themselves: The migrations that have committed by themselves, and not in an autocommit_block().
        states: The revisions in the version table, before the first migration and after each.
        recorder: Records the statements, where that is needed.
        log: What is known of the applied migrations, and written with each revision.
    """

    def __init__(
        self,
        lock: MigrationLock,
        patience: Patience,
        recorder: Recorder | None = None,
        log: VersionLog | None = None,
        *,
        is_versioned: bool = False,
    ) -> None:
        self.patience = patience
        self.recorder = recorder
        self.log = log
        self.adopt: Adopt = lambda connection: None  # noqa: ARG005 - the guard's, where there is one
        self.table_locks: TableLockWaits | None = None
        self.committed = False
        self.by_themselves: list[str] = []
        self.states: list[tuple[str, ...]] = []
        self._by_itself = False
        self._lock = lock
        self._inside = False
        self._is_versioned = is_versioned

    def watch(self, context: MigrationContext) -> None:
        """Watch the migrations of a context; called before the revision is read."""
        assert context.connection is not None  # noqa: S101 - they run on one
        self._lock.join(context.connection)
        self.adopt(context.connection)
        event.listen(context.connection, "commit", self._before_commit)  # before the time for locks begins anew
        if self.table_locks:
            self.table_locks.join(context.connection)
        if self.recorder:  # it sees a statement once, however often that is sent
            self.recorder.join(context.connection, self.table_locks)
        if self.log:
            self.log.join(context)
        event.listen(context.connection, "before_cursor_execute", self._note_statement)
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._applied)
        prepare_update(context)
        prepare_reading(context, is_there=self._is_versioned)
        self._wrap(context)

    def _wrap(self, context: MigrationContext) -> None:
        find, block = context._migrations_fn, context.autocommit_block
        assert find is not None  # noqa: S101 - it is what Alembic's commands are

        def steps(current: Any, context: MigrationContext) -> Iterator[Any]:
            self.states = [tuple(sorted(current))]
            for step in find(current, context):
                step.migration_fn = self._checked(step, context)
                yield step

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            self._continue(context)
            before = self._by_itself
            with block():
                yield
            self._by_itself = before

        context._migrations_fn = steps
        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def _checked(self, step: Any, context: MigrationContext) -> Callable[..., None]:
        """The migration of a step, its statements recorded."""
        migrate: Callable[..., None] = step.migration_fn
        recorder, head = self.recorder, _head(step, context, self.states[-1], datetime.now(UTC))

        def run(**keywords: Any) -> None:
            self.committed, self._by_itself, self._inside = False, False, True
            try:
                with recorder.recording(head) if recorder else nullcontext():
                    migrate(**keywords)
            finally:
                self._inside = False
            self._lock.check()
            self._continue(context)

        run.__name__ = migrate.__name__  # Alembic logs it
        return run

    def _applied(self, *, ctx: MigrationContext, step: Any, heads: set[str], **_: Any) -> None:
        """Called when the version table has the revision, before the commit."""
        self.states.append(tuple(sorted(heads)))
        if self._by_itself:
            self.by_themselves.append(step.up_revision_id)
        if self.log and ctx.connection is not None:
            self.log.applied(step)
            if ctx._transaction is None:  # whose commit would be seen
                self.log.write(ctx.connection)
        for closing in self.recorder.closing() if self.recorder else ():
            if ctx.connection is not None:
                ctx.connection.exec_driver_sql(closing)
        # Part of the migration is committed, so the rest of it and its revision must be as well.
        if self.committed and ctx._transaction is not None and ctx.connection is not None:
            ctx._transaction.commit()
            ctx._transaction = ctx.connection.begin()

    def _continue(self, context: MigrationContext) -> None:
        """Give Alembic the transaction that follows a commit of the migration's own."""
        if context._transaction is not None and not context._transaction.is_active and context.connection is not None:
            context._transaction = context.connection.get_transaction() or context.connection.begin()

    def _before_commit(self, connection: Connection) -> None:
        if self._inside:
            self._note_commit()
        elif self.log:
            self.log.write(connection)

    def _note_commit(self) -> None:
        self.committed = self._by_itself = True
        safe_point.committed()

    def _note_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._inside and _COMMIT.match(statement):
            self._note_commit()

    def check(self, target: Target, current: tuple[str, ...]) -> None:
        """Check that a database is at the revision of the last migration.

        Raises:
            MigrationError: It is at another, or no migration was run at all.
        """
        if not self.states:
            raise MigrationError(
                "env.py has run no migrations, and the database was not changed.",
                hint="Let it call context.run_migrations().",
            )
        if current != self.states[-1]:
            raise MigrationError(
                f"The migrations have run, and should have left the database {target.label} at "
                f"{at(self.states[-1])}, but it is at {at(current)}.",
                hint="A migration or env.py has rolled back or changed the recorded revision. "
                "See where the database stands: doit database_status",
            )


class _PlannedHeads(HeadMaintainer):
    """The heads after a step, found without writing them."""

    def _insert_version(self, version: str) -> None:
        self.heads.add(version)

    def _delete_version(self, version: str) -> None:
        self.heads.remove(version)

    def _update_version(self, from_: str, to_: str) -> None:
        self.heads.remove(from_)
        self.heads.add(to_)


def _head(step: Any, context: MigrationContext, before: tuple[str, ...], since: datetime) -> Callable[[], Head]:
    """What a journal says of the migration of a step, for when it is asked: most migrations need no journal."""

    def head() -> Head:
        planned = _PlannedHeads(context, before)
        planned.update_to_step(step)
        script = step.revision
        description = script.doc.partition("\n")[0]
        return new_head(
            script.revision, description, before, tuple(planned.heads), since=since, upgrades=step.is_upgrade
        )

    return head


def at(revisions: tuple[str, ...]) -> str:
    """The revisions of a database, in a sentence."""
    return ", ".join(revisions) or "no revision"
