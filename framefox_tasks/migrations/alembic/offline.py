"""The SQL of migrations, which Alembic writes instead of running it: offline mode."""

from __future__ import annotations

from contextlib import suppress
from io import StringIO
from typing import Any

from framefox_tasks.errors import ConfigError, MigrationError
from framefox_tasks.migrations.alembic.config import make_config
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.history import History, downgrade_steps, steps_from, upgrade_steps


def render_sql(history: History, revision: str, *, down: bool = False) -> tuple[str, tuple[str, ...]]:
    """The SQL of the migrations up to a revision, or of a range a:b, without connecting; and the warnings of Python.

    Args:
        history: The migrations.
        revision: A revision, or a range.
        down: Whether the range is one to revert.

    Raises:
        MigrationError: The range leads the other way, a migration needs a connection, or env.py runs none.
    """
    start, _, end = revision.rpartition(":")
    for part in filter(None, (start, end)):
        history.check_revision(part)
    first = history.resolve(start) if start else ()
    _check_direction(history, first, start, end, down=down)
    output, ran = StringIO(), False
    told: list[str] = []
    find = downgrade_steps(end) if down else upgrade_steps(end)

    def work(current: Any, context: Any) -> list[Any]:  # noqa: ARG001 - Alembic's signature
        nonlocal ran
        ran = True
        return steps_from(history, find, current)

    run_environment(
        history.target,
        make_config(history.target, output=output, arguments=history.arguments),
        history.scripts,
        work,
        told=told,
        as_sql=True,
        starting_rev=first or None,
        destination_rev=end,
    )
    if not ran:
        raise MigrationError(
            "The offline branch of env.py has run no migrations, so there is no SQL.",
            hint="Let it call context.run_migrations() where context.is_offline_mode().",
        )
    return output.getvalue(), tuple(told)


def _check_direction(history: History, at: tuple[str, ...], start: str, end: str, *, down: bool) -> None:
    """Check that a range leads up, or down."""
    ways = [downgrade_steps(end), upgrade_steps(end)]
    wanted, other = ways if down else reversed(ways)
    try:
        steps, problem = steps_from(history, wanted, at), None
    except MigrationError as exc:
        steps, problem = [], exc
    if steps:
        return
    with suppress(MigrationError):
        if steps_from(history, other, at):
            task = "upgrade" if down else "downgrade"
            raise ConfigError(
                f"From {start or 'base'} to {end} is {'an' if down else 'a'} {task}.",
                hint=f"Its SQL prints: doit database_{task} --sql --revision={start or 'base'}:{end}",
            )
    if problem:
        raise problem
