"""The actions of the tasks that bring a database up from nothing, and wait for one."""

from __future__ import annotations

from functools import partial

from framefox_tasks import report
from framefox_tasks.migrations import database, upgrade as upgrades, wait as waiting
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.results import Dropped
from framefox_tasks.seeds import seed as seeds
from framefox_tasks.seeds.files import seed_files
from framefox_tasks.settings import Settings, seconds_in
from framefox_tasks.tasks.actions.backup import backed_up
from framefox_tasks.tasks.actions.invocation import Invocation, confirm, skip_unnamed
from framefox_tasks.tasks.actions.turns import in_turn, note_unlocked, waiting_as


def wait(settings: Settings, *, timeout: str, head: bool) -> None:
    """database_wait."""
    seconds = seconds_in(timeout.strip(), "--timeout", hint="As in: --timeout=60")
    report.show(waiting.wait(settings.target, timeout=seconds, head=head, on_try=partial(_say_waiting, seconds)))


def _say_waiting(seconds: float, missing: str) -> None:
    report.warn(f"Waiting for up to {seconds:g} s: {missing}")


def seed(
    settings: Settings,
    *,
    environment: str | None,
    again: bool,
    lock_wait: str | None = None,
    invocation: Invocation | None = None,
) -> None:
    """database_seed."""
    if skip_unnamed(invocation, "write the first rows"):
        return
    target = in_turn(settings, lock_wait)
    name = settings.environment if environment is None else environment
    report.show(seeds.seed(target, environment=name, again=again, on_wait=report.show_waiting))


def reset(
    settings: Settings,
    *,
    yes: bool,
    force_disconnect: bool,
    environment: str | None,
    force: str | None = None,
    lock_wait: str | None = None,
    invocation: Invocation | None = None,
) -> None:
    """database_reset."""
    if skip_unnamed(invocation, "drop the database, and build it anew"):
        return
    target = waiting_as(settings.target, lock_wait)
    name = settings.environment if environment is None else environment
    seed_files(target.project, name)  # before anything is lost
    check_unprotected(target, force, "it is not dropped")
    question = f"Drop the database {target.label}, and build it anew? All its data will be lost."
    confirm(question, yes=yes, task="database_reset", force=force)
    note_unlocked(target)
    told = report.show_waiting
    gone: list[Dropped] = []
    with backed_up(settings, target, lost=lambda: bool(gone)):
        gone.append(
            database.drop(target, missing_ok=True, force_disconnect=force_disconnect, force=force, on_wait=told)
        )
        report.show(gone[0])
        report.show(database.create(target, exist_ok=True, on_wait=told))
        report.say("Applying migrations...")
        report.show(upgrades.upgrade(target, on_step=report.show, on_wait=told))
        report.show(seeds.seed(target, environment=name, on_wait=told))
