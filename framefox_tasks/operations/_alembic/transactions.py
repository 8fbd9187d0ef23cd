"""The transactions of the migrations: what one commits by itself, and that nothing behind it is lost.

`op.get_bind().commit()` ends Alembic's transaction. SQLAlchemy then begins another, which Alembic does not know of and
so would not commit: what stands behind it in the migration would be lost, and the revision with it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from framefox_tasks.dialects._lock import MigrationLock, Patience

_COMMIT = re.compile(r"\s*(COMMIT|END)\b(?!\s+PREPARED)", re.IGNORECASE)


class Transactions:
    """The transactions of a run that holds the lock.

    Attributes:
        patience: For how long to wait where others write to the database.
        committed: The migration that runs has committed something by itself.
        states: The revisions that the version table was at, before the first migration and behind each.
    """

    def __init__(self, lock: MigrationLock, patience: Patience) -> None:
        self.patience = patience
        self.committed = False
        self.states: list[tuple[str, ...]] = []
        self._lock = lock
        self._inside = False

    def watch(self, context: MigrationContext) -> None:
        """Look after the migrations of a context, before the revision is read."""
        assert context.connection is not None  # noqa: S101 - they run on one
        self._lock.join(context.connection)
        event.listen(context.connection, "commit", self._note_commit)
        event.listen(context.connection, "before_cursor_execute", self._note_statement)
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._applied)
        self._wrap(context)

    def _wrap(self, context: MigrationContext) -> None:
        find, block = context._migrations_fn, context.autocommit_block
        assert find is not None  # noqa: S101 - it is what Alembic's commands are

        def steps(current: Any, context: MigrationContext) -> Iterator[Any]:
            self.states = [tuple(sorted(current))]
            for step in find(current, context):
                step.migration_fn = self._looked_after(step.migration_fn, context)
                yield step

        def autocommit_block() -> Any:
            self._adopt(context)
            return block()

        context._migrations_fn = steps
        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def _looked_after(self, migrate: Callable[..., None], context: MigrationContext) -> Callable[..., None]:
        @functools.wraps(migrate)  # Alembic logs its name
        def run(**keywords: Any) -> None:
            self.committed, self._inside = False, True
            try:
                migrate(**keywords)
            finally:
                self._inside = False
            self._lock.check()
            self._adopt(context)

        return run

    def _applied(self, *, ctx: MigrationContext, heads: set[str], **_: Any) -> None:
        """Called when the version table has the revision, before the commit."""
        self.states.append(tuple(sorted(heads)))
        # Part of the migration stays whatever fails later, so the rest of it and its revision must stay as well.
        if self.committed and ctx._transaction is not None and ctx.connection is not None:
            ctx._transaction.commit()
            ctx._transaction = ctx.connection.begin()

    def _adopt(self, context: MigrationContext) -> None:
        """Make the transaction that follows a commit of the migration's own Alembic's."""
        if context._transaction is not None and not context._transaction.is_active and context.connection is not None:
            context._transaction = context.connection.get_transaction() or context.connection.begin()

    def _note_commit(self, _connection: Any) -> None:
        self.committed = self.committed or self._inside

    def _note_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._inside and _COMMIT.match(statement):
            self.committed = True
