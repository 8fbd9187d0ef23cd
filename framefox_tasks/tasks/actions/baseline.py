"""The actions of the tasks that take up a database as it is."""

from __future__ import annotations

from framefox_tasks import report
from framefox_tasks.errors import ConfigError
from framefox_tasks.migrations import baseline as baselines, resolve as resolving, stamp as stamping
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.settings import Settings
from framefox_tasks.tasks.actions.invocation import Invocation, confirm, skip_unnamed
from framefox_tasks.tasks.actions.turns import in_turn


def baseline(
    settings: Settings, *, message: str, lock_wait: str | None = None, invocation: Invocation | None = None
) -> None:
    """database_baseline."""
    if skip_unnamed(invocation, "write the migration that makes what the database has, and mark it as applied"):
        return
    target = in_turn(settings, lock_wait)
    report.show(baselines.baseline(target, message=message or None, on_wait=report.show_waiting))


def resolve(
    settings: Settings,
    *,
    applied: bool,
    reverted: bool,
    accept_edit: bool,
    lock_wait: str | None = None,
    invocation: Invocation | None = None,
) -> None:
    """database_resolve."""
    if skip_unnamed(invocation, "mark an interrupted migration as applied or not"):
        return
    if accept_edit and (applied or reverted):
        given = "--applied" if applied else "--reverted"
        raise ConfigError(f"--accept-edit and {given} cannot be used together.", hint="Choose one of them.")
    target = in_turn(settings, lock_wait)
    if accept_edit:
        report.show(resolving.accept_edits(target, on_wait=report.show_waiting))
        return
    report.show(resolving.resolve(target, applied=applied, reverted=reverted, on_wait=report.show_waiting))


def stamp(
    settings: Settings,
    *,
    revision: str | None,
    yes: bool,
    force: str | None = None,
    lock_wait: str | None = None,
    invocation: Invocation | None = None,
) -> None:
    """database_stamp."""
    if skip_unnamed(invocation, "mark the database as being at another revision"):
        return
    if not revision:
        raise ConfigError(
            "--revision is missing: at which revision is the database?",
            hint="See the migrations with: doit database_status, and type: doit database_stamp --revision=REVISION",
        )
    target = in_turn(settings, lock_wait)
    check_unprotected(target, force, "it is not marked as being at another revision")
    if not yes:
        checked = stamping.check_stamp(target, revision=revision)
        report.show(checked)
        if checked.differences or checked.not_compared:
            question = f"Mark {target.label} as being at {', '.join(checked.revisions) or 'no revision'} all the same?"
            confirm(question, yes=False, task=f"database_stamp --revision={revision}")
    report.show(stamping.stamp(target, revision=revision, force=force, on_wait=report.show_waiting))
