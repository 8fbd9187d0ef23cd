"""Our own env.py: what it does below our operations, and below the plain `alembic` command."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from logging import getLogger
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.databases.engines import migration_engine
from framefox_tasks.databases.lock import Patience
from framefox_tasks.migrations.alembic.compare import help_compare_defaults, ignore_warnings
from framefox_tasks.migrations.alembic.config import TARGET
from framefox_tasks.migrations.alembic.environment import connection_failure, is_connection_failure
from framefox_tasks.migrations.alembic.keys_and_indexes import help_compare_keys
from framefox_tasks.migrations.alembic.options import complete_options
from framefox_tasks.migrations.alembic.ownership import ownership_of, shown
from framefox_tasks.migrations.alembic.rebuild import rebuilding
from framefox_tasks.migrations.alembic.transactions import Transactions
from framefox_tasks.migrations.alembic.version_log import VersionLog
from framefox_tasks.migrations.journal.interruption import check_uninterrupted
from framefox_tasks.migrations.journal.recorder import Recorder
from framefox_tasks.migrations.locked import locked
from framefox_tasks.model import Target

_LOG = getLogger("alembic.runtime.migration")


def run_as_env(target: Target, metadata: Callable[[], Sequence[MetaData]]) -> None:
    """Connect to the target, configure Alembic and run the migrations: our own env.py.

    Works below our operations, which complete the options themselves, and below the plain `alembic` command, which
    shows a failing migration with its traceback.
    """
    from alembic import context

    ours = TARGET in context.config.attributes
    complete = dict if ours else partial(_completed, target, metadata())
    dialect = database_of(target)
    if context.is_offline_mode():
        url = sqlalchemy_url(target, dialect)
        context.configure(**complete(url=url, literal_binds=True, dialect_opts={"paramstyle": "named"}))
        with context.begin_transaction():
            context.run_migrations()
        return
    with ExitStack() as stack:
        stack.enter_context(_connection_errors(target))
        connection = stack.enter_context(migration_engine(target, dialect).connect())
        context.configure(**complete(connection=connection))
        if not ours:
            stack.enter_context(warnings.catch_warnings())
            ignore_warnings()
            stack.enter_context(rebuilding())
            help_compare_defaults(context.get_context())
            help_compare_keys(context.get_context())
            stack.enter_context(_migration_lock(target, context.get_context()))
        with context.begin_transaction():
            context.run_migrations()
        if not ours:
            _log_left_alone(context.get_context())


def _log_left_alone(context: MigrationContext) -> None:
    tables = list(map(shown, ownership_of(context).left_alone))
    if tables:
        count = "1 table is" if len(tables) == 1 else f"{len(tables)} tables are"
        # As Alembic logs the differences.
        getLogger("alembic.autogenerate").info("%s not of this project, left alone: %s", count, ", ".join(tables))


@contextmanager
def _migration_lock(target: Target, context: MigrationContext) -> Iterator[None]:
    """The lock and the guard, for a command of Alembic's that may change the revision."""
    dialect = database_of(target)
    if context.opts.get("dont_mutate") or context.opts.get("revision_context"):
        yield
        return
    patience = Patience(target.lock_wait, partial(_LOG.info, "Waiting for another run: %s."))
    with locked(target, patience) as lock, dialect.migration_guard(target, patience) as adopt:
        check_uninterrupted(target)
        recorder = Recorder(dialect.journal, target) if dialect.journal else None
        transactions = Transactions(lock, patience, recorder, VersionLog.of(target))
        transactions.adopt = adopt
        transactions.watch(context)
        yield
        if recorder:
            recorder.end()
        transactions.check(target, dialect.revision(target))
        for revision in transactions.by_themselves if dialect.transactional_ddl else ():
            _LOG.warning("The migration %s committed by itself: what it did before cannot be rolled back.", revision)


def _completed(target: Target, metadata: Sequence[MetaData], **options: Any) -> dict[str, Any]:
    return complete_options(target, options, metadata=metadata)


@contextmanager
def _connection_errors(target: Target) -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        if not is_connection_failure(exc):
            raise
        raise connection_failure(exc, target) from exc
