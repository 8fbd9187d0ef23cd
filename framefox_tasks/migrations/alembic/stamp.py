"""The revision of a database set without running a migration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.transactions import Transactions
from framefox_tasks.migrations.alembic.version_log import VersionLog
from framefox_tasks.migrations.journal.interruption import check_uninterrupted
from framefox_tasks.migrations.locked import locked


def revisions_named(history: History, named: str) -> tuple[str, ...]:
    """The revisions that a version table holds for what is named: a revision, `head`, `heads` or `base`.

    Several may be joined by commas. One that another of them follows is left out, as an upgrade leaves it out.

    Raises:
        MigrationError: One is not known, or `head` is one of several.
    """
    found = {script.revision for part in named.split(",") for script in _scripts(history, part.strip())}
    below = {other.revision for item in found for other in history.applied((item,)) if other.revision != item}
    return tuple(sorted(found - below))


def _scripts(history: History, part: str) -> list[Any]:
    if part == "head":
        history.check_single_head()
    try:
        return [script for script in history.scripts.get_revisions(part) if script is not None]
    except CommandError as exc:
        raise MigrationError(
            f"There is no single migration {part!r}: {exc}", hint="See the migrations with: doit database_status"
        ) from exc


def write_revisions(
    history: History, revisions: Sequence[str], patience: Patience, *, instead_of: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """Replace what the version table holds, under the lock and in one transaction; make the table if it is missing.

    Args:
        history: The migrations.
        revisions: What the table is to hold.
        patience: How long to wait for the lock.
        instead_of: What it must hold until then; anything if None.

    Returns:
        The revisions that it held before.

    Raises:
        LockTimeoutError: Another run holds the lock.
        MigrationError: env.py keeps the revision from being written.
    """
    target, dialect = history.target, database_of(history.target)

    def work(current: Any, context: MigrationContext) -> list[Any]:  # noqa: ARG001 - Alembic's signature
        assert context.connection is not None  # noqa: S101 - they run on one
        with context.begin_transaction(_per_migration=True):
            context.connection.execute(context._version.delete())
            heads: set[str] = set()
            for revision in revisions:
                heads.add(revision)
                context.connection.execute(context._version.insert().values(version_num=revision))
                _call_back(history, context, revision, heads)
            log.stamped(context.connection, {known.revision for known in history.applied(tuple(revisions))})
        return []

    with locked(target, patience) as lock:
        before = dialect.revision(target)
        check_uninterrupted(target)
        if instead_of is not None and before != instead_of:
            raise MigrationError(
                f"Another run has marked {target.label} as being at {', '.join(before)} meanwhile.",
                hint="See where it stands: doit database_status",
            )
        log = VersionLog.of(target)
        transactions = Transactions(lock, patience, log=log)
        run_environment(target, history.config, history.scripts, work, transactions=transactions)
        after = dialect.revision(target)
    if after != tuple(sorted(revisions)):
        raise MigrationError(
            f"The revision of {target.label} should be {', '.join(revisions) or 'none'} now, "
            f"but it is {', '.join(after) or 'none'}.",
            hint="Let env.py call context.run_migrations(), and commit what that does.",
        )
    return before


def _call_back(history: History, context: MigrationContext, revision: str, heads: set[str]) -> None:
    """Call the on_version_apply hooks of an env.py, as Alembic's own stamp does."""
    for step in history.scripts._stamp_revs(revision, ()):
        for callback in context.on_version_apply_callbacks:
            callback(ctx=context, step=step.info, heads=set(heads), run_args={})
