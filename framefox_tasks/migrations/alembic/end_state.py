"""The schema that a history ends at, kept as the statements that make it at once in an empty database.

It is read from a database that all migrations have run on, made again in a scratch database, and kept only if the
catalogues of both tell the same: a history whose code is not plain, or that leaves rows, has none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from framefox_tasks import files
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import quoted_table, sqlalchemy_engine
from framefox_tasks.databases.facts import Fact, differences, is_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.databases.scratch import filled
from framefox_tasks.errors import FramefoxTasksError, MigrationError
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.failures import describe
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.kept_history import NAME, keepable
from framefox_tasks.migrations.alembic.made import digest_of
from framefox_tasks.migrations.alembic.transactions import Transactions, at
from framefox_tasks.migrations.alembic.version_log import VersionLog
from framefox_tasks.migrations.journal.entries import new_head
from framefox_tasks.migrations.journal.recorder import Recorder
from framefox_tasks.migrations.kept import KeptFiles
from framefox_tasks.migrations.locked import locked
from framefox_tasks.migrations.plain_ddl import unreadable
from framefox_tasks.migrations.safe_point import migrating
from framefox_tasks.model import Target
from framefox_tasks.schema.cache import END_STATE, digest, ignore_cache
from framefox_tasks.schema.entities import env_text

_HOOK = "on_version_apply"
_MANY = 100  # tables in one query


def kept_end_state(history: History) -> list[str] | None:
    """The statements that keep_end_state() has kept of the same history; None where it has kept none."""
    try:
        kept = json.loads(history.target.project.cached(END_STATE).read_text(encoding="utf-8"))
        if kept["key"] == digest_of(history):
            return [str(statement) for statement in kept["statements"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or it is another version's
    return None


def proven_end_state(history: History) -> list[str] | None:
    """The same of the state that a proof, or the tests, have kept of it; None where there is none."""
    database = database_of(history.target)
    try:
        with database.scratch(history.target, state=digest_of(history)) as scratch:
            if database.revision(scratch) == history.at_heads and not keep_end_state(history, scratch):
                return kept_end_state(history)
    except FramefoxTasksError:
        pass  # the migrations need no scratch database
    return None


def why_replayed(history: History, *, at_head: bool) -> str:
    """Why the migrations have to run one by one, whatever they do; empty where they need not.

    Args:
        history: The migrations.
        at_head: Whether all of them are to run.
    """
    if not at_head:
        return "another revision than the newest is asked for"
    if history.arguments:
        return "env.py gets arguments"
    if _HOOK in env_text(history.target.project):
        return f"env.py has a hook {_HOOK}, which each of them calls"
    return "" if is_empty(history.target) else f"{history.target.label} is not empty"


def not_plain(history: History) -> str:
    """Why the schema that the migrations make cannot be foretold; empty where it can."""
    for path, content in history.contents.items():
        if what := unreadable(content):
            shown = history.target.project.shown(path)
            return f"{shown} may do more than change the schema, by its {what}"
    return ""


def keep_end_state(history: History, made: Target) -> str:
    """Keep the schema of a database that all migrations have run on; why not, where it cannot be used.

    Raises:
        FramefoxTasksError: The database, or a scratch one, cannot be used.
    """
    database, project = database_of(made), history.target.project
    facts = _facts(made)
    if rows := _tables_with_rows(made, facts):
        return f"the migrations leave rows in {rows[0]}"
    statements = database.schema_statements(made)
    if statements is None:
        return f"the schema of {made.label} cannot be written as statements"
    with database.scratch(history.target) as again:
        with sqlalchemy_engine(again, database).begin() as connection:
            _run(connection, statements)
        if differences(facts, _facts(again)):
            return "the statements that make the schema do not make all of it"
    ignore_cache(project)
    data = {"key": digest_of(history), "statements": statements, NAME: keepable(history)}
    files.write(project, project.cached(END_STATE), json.dumps(data, ensure_ascii=False))
    return ""


def make_at_once(history: History, statements: Sequence[str], patience: Patience) -> tuple[str, ...] | None:
    """Make the schema in an empty database, and note all migrations as applied: under the lock, in one transaction.

    Returns:
        The revisions of the database; None where it is not empty any more, and nothing was done.

    Raises:
        LockTimeoutError: Another run holds the lock.
        MigrationError: A statement fails, or env.py keeps the revision from being written.
    """
    target, dialect = history.target, database_of(history.target)
    applied = history.applied(history.at_heads)

    def work(current: Any, context: MigrationContext) -> list[Any]:  # noqa: ARG001 - Alembic's signature
        assert context.connection is not None  # noqa: S101 - they run on one
        with context.begin_transaction(_per_migration=True):
            try:
                with recorder.recording(head) if recorder else nullcontext():
                    _run(context.connection, statements)
            except Exception as exc:
                raise _failure(target, exc) from exc
            for revision in history.at_heads:
                context.connection.execute(context._version.insert().values(version_num=revision))
            log.made(context.connection, applied, history.contents)
            for closing in recorder.closing() if recorder else ():
                context.connection.exec_driver_sql(closing)
        return []

    with locked(target, patience) as lock:
        if dialect.standing(target) != ((), False) or not is_empty(target):
            return None
        log = VersionLog.of(target)
        # One that is killed where DDL commits by itself must not pass for a database that others have made.
        recorder = Recorder(dialect.journal, target) if dialect.journal and not dialect.transactional_ddl else None
        revisions, since = history.at_heads, datetime.now(UTC)
        head = partial(new_head, revisions[0], "the schema at once", (), revisions, since=since, upgrades=True)
        transactions = Transactions(lock, patience, recorder, log)
        with migrating(commits=not dialect.transactional_ddl):
            run_environment(target, history.config, history.unread, work, transactions=transactions)
        current = dialect.revision(target)
        if recorder:
            recorder.end()
    if current != history.at_heads:
        raise MigrationError(
            f"The database {target.label} should be at {at(history.at_heads)} now, but it is at {at(current)}.",
            hint="Let env.py call context.run_migrations(), and commit what that does.",
        )
    kept = KeptFiles(target.project)
    for revision in applied:
        content = history.contents[revision.path]
        kept.keep(revision, content, digest(content))
    return current


def _failure(target: Target, exc: Exception) -> MigrationError:
    dialect = database_of(target)
    what = f"The schema of {target.label} cannot be made at once: {describe(exc)}"
    if dialect.transactional_ddl:
        return MigrationError(what, hint="Nothing was changed. Run the migrations one by one: doit database_upgrade")
    return MigrationError(
        f"{what}\n{dialect.title} cannot roll back DDL: what was made until then stays. The database was empty before.",
        hint="Drop it, and run the migrations one by one: doit database_drop database_create database_upgrade",
    )


def is_empty(target: Target) -> bool:
    """Whether a database holds nothing but a version table."""
    return not database_of(target).holds_tables(target) and not _facts(target)


def _run(connection: Connection, statements: Sequence[str]) -> None:
    # Of the driver: SQLAlchemy would have it look for parameters in them.
    cursor = connection.connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()


def _facts(target: Target) -> list[Fact]:
    table = target.project.version_table
    return [fact for fact in database_of(target).facts(target) if not is_of(fact, table)]


def _tables_with_rows(target: Target, facts: Sequence[Fact]) -> list[str]:
    dialect = database_of(target)
    tables = sorted({fact.table for fact in facts if fact.what == "table"})
    found: list[str] = []
    for start in range(0, len(tables), _MANY):
        some = tables[start : start + _MANY]
        _, rows = dialect.rows(target, filled([quoted_table(table, dialect.quote) for table in some]))
        found += [some[number] for (number,) in rows]
    return found
