"""What an upgrade would do: its migrations, or the SQL of them, and that of a downgrade."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framefox_tasks import files
from framefox_tasks.databases import database_of
from framefox_tasks.errors import ConfigError, DatabaseNotFoundError, PermissionDeniedError
from framefox_tasks.migrations.journal.interruption import check_uninterrupted
from framefox_tasks.migrations.upgrade import check_no_range, history_of
from framefox_tasks.model import Target
from framefox_tasks.results import Plan, Script


def plan(target: Target, *, revision: str | None = None) -> Plan:
    """What an upgrade would run. A database that does not exist is taken as an empty one; nothing is changed.

    Raises:
        MigrationError: As for upgrade.
    """
    revision = target.project.newest if revision is None else revision
    check_no_range(revision)
    history = history_of(target)
    try:
        current = database_of(target).revision(target)
    except DatabaseNotFoundError:
        current = ()
    else:
        check_uninterrupted(target)
    history.check_known(current)
    history.check_revision(revision)
    return Plan(target, history.between(revision, current), history.at_heads)


def upgrade_sql(target: Target, *, revision: str | None = None, x: Sequence[str] = ()) -> Script:
    """The SQL that an upgrade of an empty database would send; no database is connected to.

    Args:
        target: Tells the dialect.
        revision: The revision to go to, or a range such as 1a2b3c:head to start from another than the first.
        x: As for upgrade.

    Raises:
        ConfigError: The range leads down.
        MigrationError: The revision is not known, or a migration cannot do without a connection.
    """
    from framefox_tasks.migrations.alembic import offline

    revision = target.project.newest if revision is None else revision
    _check_range(revision)
    history = history_of(target, x)
    sql, warnings = offline.render_sql(history, revision)
    return Script(target, sql, history.at_heads, warnings)


def downgrade_sql(target: Target, *, revision: str, x: Sequence[str] = ()) -> Script:
    """The SQL that a downgrade would send; no database is connected to.

    Args:
        target: Tells the dialect.
        revision: From where to where, such as head:base or 1a2b3c:0f1e2d.
        x: As for upgrade.

    Raises:
        ConfigError: It is no range, or one that leads up.
        MigrationError: As for upgrade_sql.
    """
    from framefox_tasks.migrations.alembic import offline

    if ":" not in revision:
        typed = f"doit database_downgrade --sql --revision={target.project.newest}:{revision}"
        raise ConfigError(
            "The SQL of a downgrade needs the revision that it starts from: no database is asked.",
            hint=f"Say from where to where: {typed}",
        )
    _check_range(revision)
    history = history_of(target, x)
    sql, warnings = offline.render_sql(history, revision, down=True)
    return Script(target, sql, history.at_heads, warnings)


def _check_range(revision: str) -> None:
    start, separator, end = revision.partition(":")
    if separator and not (start and end and ":" not in end):
        raise ConfigError(f"{revision!r} is no range.", hint="A range is two revisions: --revision=base:head")


def write_sql(text: str, path: Path) -> None:
    """Write a script to a file.

    Raises:
        PermissionDeniedError: It cannot be written, or its place is taken by a link or a device.
    """
    if path.is_symlink() or (path.exists() and not (path.is_file() or path.is_dir())):
        raise PermissionDeniedError(
            f"{path} is a link or a device, and would be replaced by a file. Nothing was written.",
            hint="Name the file itself, or leave --output out to print the SQL.",
        )
    try:
        files.replace(path, text.encode())
    except OSError as exc:
        raise PermissionDeniedError(
            f"{path} cannot be written: {exc.strerror}", hint="Check that its folder is there, and its permissions."
        ) from exc
