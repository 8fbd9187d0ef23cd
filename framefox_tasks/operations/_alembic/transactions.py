"""What is looked after while migrations run: the lock, what they commit, and the revisions they record."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from alembic.runtime.migration import MigrationContext

from framefox_tasks.dialects._lock import MigrationLock, Patience


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

    def watch(self, context: MigrationContext) -> None:
        """Look after the migrations of a context, before the revision is read."""
        assert context.connection is not None  # noqa: S101 - they run on one
        self._lock.join(context.connection)
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._applied)
        self._wrap(context)

    def _wrap(self, context: MigrationContext) -> None:
        find, block = context._migrations_fn, context.autocommit_block
        assert find is not None  # noqa: S101 - it is what Alembic's commands are

        def steps(current: Any, context: MigrationContext) -> Iterator[Any]:
            self.states = [tuple(sorted(current))]
            for step in find(current, context):
                step.migration_fn = self._looked_after(step.migration_fn)
                yield step

        def autocommit_block() -> Any:
            self.committed = True
            return block()

        context._migrations_fn = steps
        context.autocommit_block = autocommit_block  # type: ignore[method-assign]

    def _looked_after(self, migrate: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(migrate)  # Alembic logs its name
        def run(**keywords: Any) -> None:
            self.committed = False
            migrate(**keywords)
            self._lock.check()

        return run

    def _applied(self, *, heads: set[str], **_: Any) -> None:
        """Called when the version table has the revision, before the commit."""
        self.states.append(tuple(sorted(heads)))
