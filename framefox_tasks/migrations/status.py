"""The status of a database and its migrations."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import ConfigError, ConnectionFailedError, FramefoxTasksError, MigrationError
from framefox_tasks.migrations.drift import drift as find_drift
from framefox_tasks.migrations.journal.interruption import interruption
from framefox_tasks.migrations.protection import protection
from framefox_tasks.migrations.upgrade import check_not_elsewhere, edited
from framefox_tasks.model import Target
from framefox_tasks.results import Drift, MigrationState, Status
from framefox_tasks.schema.cache import SNAPSHOT
from framefox_tasks.schema.snapshot import Schema

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.migrations.alembic.owned_tables import OwnedTables


@reusing()
def status(target: Target, *, drift: bool = False) -> Status:
    """The state of the database and of each migration. Changes nothing.

    A database that is missing or cannot be reached, or that is at a revision without a file, is part of the answer.

    Args:
        target: The database.
        drift: Find out what was changed by hand, too, on a scratch database.

    Raises:
        MigrationError: The migrations cannot be read.
    """
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.migrations.alembic.whereabouts import whereabouts

    history = History(target)
    exists, error, version, current = _database_state(target)
    applied = {revision.revision for revision in history.applied(current)}

    others = _others(history) if exists and not error else None
    migrations = [
        MigrationState(
            revision, state_of(error, current, applied, revision.revision), revision.revision in history.heads
        )
        for revision in history.revisions
    ]
    unknown = history.unknown(current)
    return Status(
        target,
        exists=exists,
        error=error,
        server_version=version,
        size=database_of(target).size(target) if exists else None,
        server=database_of(target).described(version),
        current=current,
        heads=history.heads,
        unknown=unknown,
        migrations=tuple(migrations),
        whereabouts=whereabouts(history, current, unknown) if unknown else None,
        lasting=target.project.all_heads,
        left_alone=others.listed if others else (),
        certain=others.certain if others else True,
        edited=edited(history, current) if exists and not error else (),
        interrupted=interruption(target) if exists and not error else None,
        drift=_drift(target, current) if drift and exists and not error else None,
        protected=protection(target) if exists and not error else None,
        elsewhere=_elsewhere(history) if exists and not error and not current else None,
    )


def _elsewhere(history: History) -> str | None:
    """What is told of a database that is at a revision by the version table of another schema."""
    try:
        check_not_elsewhere(history)
    except MigrationError as exc:
        return str(exc)
    return None


def _drift(target: Target, current: tuple[str, ...]) -> Drift:
    try:
        return find_drift(target)
    except FramefoxTasksError as exc:
        return Drift(target, current, error=exc.message)


def _others(history: History) -> OwnedTables | None:
    """The tables of others, by what is known without an import and a replay; None where nothing is."""
    from framefox_tasks.migrations.alembic.owned_tables import owned_tables
    from framefox_tasks.schema.record import recorded

    snapshot = history.target.project.cached(SNAPSHOT)
    try:
        declared = Schema.from_json(snapshot.read_text(encoding="utf-8")).tables
    except (OSError, ConfigError):  # there is none, or one of another version
        declared = ()
    if not (declared or recorded(history.target.project)):
        return None
    try:
        return owned_tables(history, declared, replay=False)
    except ConnectionFailedError:
        return None  # it has gone in between; the rest of the answer stands


def state_of(error: str | None, current: Container[str], applied: Container[str], revision: str) -> str:
    """The state of a migration: CURRENT, APPLIED or PENDING; UNKNOWN where the database cannot be asked."""
    if error:
        return "UNKNOWN"
    return "CURRENT" if revision in current else "APPLIED" if revision in applied else "PENDING"


def _database_state(target: Target) -> tuple[bool | None, str | None, str | None, tuple[str, ...]]:
    dialect = database_of(target)
    exists: bool | None = None
    try:
        exists = dialect.exists(target)
        if not exists:
            return False, None, None, ()
        return True, None, dialect.server_version(target), dialect.revision(target)
    except FramefoxTasksError as exc:
        return exists, exc.message, None, ()
