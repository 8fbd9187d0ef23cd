"""What is done with one target, in a worker: it gives an outcome, and raises nothing."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from framefox_tasks.databases import database_of, reuse
from framefox_tasks.errors import ConfigError, FramefoxTasksError
from framefox_tasks.fleet.outline import digest_of
from framefox_tasks.fleet.targets import FleetTarget, aimed, list_targets
from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Target
from framefox_tasks.results import FleetOutcome
from framefox_tasks.settings import load_settings
from framefox_tasks.url import redact

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.results import Upgraded

Verb = Literal["upgrade", "downgrade", "check"]


class Order(Frozen):
    """What is to be done with one target.

    Attributes:
        verb: What.
        name: What the list calls the target.
        label: What to call its database in a message, without a password.
        target: The target; None to have the worker find it by its name in its own settings, since a URL would be sent.
        schema: Whether it is a schema.
        digest: That of the history that is meant; empty for that of the worker.
        revision: Where to go to; None for the newest.
        force: The name of the database, where it is protected.
        lock_wait: For how many seconds to wait for another run.
        drift: For a check: whether to look for what was changed by hand.
        is_behind: For an upgrade: whether the target was asked already, and is behind.
        attempt: Which one this is.
        run: What all orders of a run have alike: for another one a worker reads its settings anew.
    """

    verb: Verb
    name: str
    label: str = ""
    target: Target | None = None
    schema: bool = False
    digest: str = ""
    revision: str | None = None
    force: str | None = None
    lock_wait: float | None = None
    drift: bool = True
    is_behind: bool = False
    attempt: int = 1
    run: str = ""


def prepare() -> None:
    """Import what orders need, ahead of the first one."""
    import framefox_tasks.migrations.alembic.run
    import framefox_tasks.migrations.upgrade  # noqa: F401


class Worker:
    """What one thread keeps from target to target: the history, read once, and the list of its own settings.

    Args:
        root: The folder of the project, for orders without a target.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root
        self._digest = ""
        self._history: History | None = None
        self._listed: dict[str, FleetTarget] = {}
        self._run = ""

    def outcome(self, order: Order) -> FleetOutcome:
        """Do what is ordered. Whatever goes wrong is told in the outcome, without a password."""
        start = time.perf_counter()
        target = order.target
        try:
            target = target or self._found(order)
            self._check_history(order, target)
            found = _VERBS[order.verb](self, order, target)
        except FramefoxTasksError as exc:
            found = _failed(order, target, exc.message, exc.hint or "")
        except Exception as exc:  # noqa: BLE001 - as of a driver, or of a migration: told for its target
            found = _failed(order, target, "".join(traceback.format_exception_only(exc)).strip(), "")
        return _timed(found, time.perf_counter() - start)

    def history(self, target: Target) -> History:
        """The history for a target; its files are read once."""
        from framefox_tasks.migrations.upgrade import history_of

        self._history = self._history.instead(target) if self._history else history_of(target)
        return self._history

    def _found(self, order: Order) -> Target:
        """The target of a name, by the settings of this worker: read once a run, and again for a name that is new."""
        name = order.name
        if name not in self._listed or order.run != self._run:
            settings = load_settings(self._root or Path.cwd())
            self._listed, self._run = {one.name: one for one in list_targets(settings)}, order.run
        one = self._listed.get(name)
        if one is None:
            raise ConfigError(
                f"The settings of the worker list no {name}.", hint="Give the worker the settings and the variables."
            )
        if one.error or one.target is None:
            raise one.error or ConfigError(f"{name} has no database.")
        return one.target

    def _check_history(self, order: Order, target: Target) -> None:
        if not order.digest or self._digest == order.digest:
            return
        found = digest_of(target.project)
        if found != order.digest:
            raise ConfigError(
                f"The worker has other migrations than are meant: {found[:12]}, not {order.digest[:12]}.",
                hint="Give the worker the same checkout, and start it again.",
            )
        self._digest, self._history = found, None


def _upgrade(worker: Worker, order: Order, target: Target) -> FleetOutcome:
    from framefox_tasks.migrations.upgrade import upgrade_along

    def upgraded() -> Upgraded:
        return upgrade_along(
            worker.history(target),
            revision=order.revision,
            lock_wait=order.lock_wait,
            edits=False,
            is_behind=order.is_behind,
        )

    shared = reuse.keeps_sessions()
    try:
        done = upgraded()
    except FramefoxTasksError:
        if not shared or reuse.keeps_sessions() or _is_half_done(target):
            raise
        done = upgraded()  # it may need a session of its own: what it did was rolled back
    finally:
        reuse.resume_sessions()
    message = "applied meanwhile by another run" if done.meanwhile else "; ".join((*done.warnings, *done.notes))
    return FleetOutcome(
        order.name,
        order.label,
        "done" if done.steps else "nothing",
        current=done.current,
        steps=len(done.steps),
        message=redact(message),
        attempts=order.attempt,
    )


def _is_half_done(target: Target) -> bool:
    """Whether a part of a migration is committed; also where that cannot be asked."""
    try:
        return database_of(target).standing(target).journaled
    except FramefoxTasksError:
        return True


def _downgrade(_: Worker, order: Order, target: Target) -> FleetOutcome:
    from framefox_tasks.migrations.downgrade import downgrade

    done = downgrade(target, revision=order.revision, force=order.force, lock_wait=order.lock_wait)
    return FleetOutcome(
        order.name,
        order.label,
        "done" if done.steps else "nothing",
        current=done.current,
        steps=len(done.steps),
        attempts=order.attempt,
    )


def _check(worker: Worker, order: Order, target: Target) -> FleetOutcome:
    from framefox_tasks.migrations.drift import drift
    from framefox_tasks.migrations.journal.interruption import check_uninterrupted
    from framefox_tasks.migrations.upgrade import edited

    database = database_of(target)
    current = database.revision(target)
    history = worker.history(target)
    history.check_known(current)
    check_uninterrupted(target)
    wrong = [
        f"{one.revision.revision} was edited after it had been applied ({target.project.shown(one.revision.path)})"
        for one in edited(history, current)
    ]
    hint = "If what the files do now is as it should be: doit database_resolve --accept-edit" if wrong else ""
    if order.drift and current:
        changed = drift(target).found
        wrong += [f"changed by hand: {one.text}" for one in changed]
        hint = "See the statements that undo it with: doit database_status --drift" if changed else hint
    if wrong:
        return _with(_failed(order, target, "; ".join(wrong), hint), current=current)
    return FleetOutcome(order.name, order.label, "nothing", current=current, attempts=order.attempt)


_VERBS: dict[Verb, Callable[[Worker, Order, Target], FleetOutcome]] = {
    "upgrade": _upgrade,
    "downgrade": _downgrade,
    "check": _check,
}


def _failed(order: Order, target: Target | None, message: str, hint: str) -> FleetOutcome:
    current = None
    if target is not None:
        message, hint = target.address.hide(message), target.address.hide(hint)
        with suppress(FramefoxTasksError):
            current = database_of(target).revision(target)
    return FleetOutcome(
        order.name,
        order.label,
        "failed",
        current=current,
        message=redact(message),
        hint=redact(aimed(hint, order.target)),
        attempts=order.attempt,
    )


def _with(outcome: FleetOutcome, *, current: Sequence[str]) -> FleetOutcome:
    from dataclasses import replace

    return replace(outcome, current=tuple(current))


def _timed(outcome: FleetOutcome, seconds: float) -> FleetOutcome:
    from dataclasses import replace

    return replace(outcome, seconds=seconds)


class _Here(threading.local):
    """The workers of a thread: what one keeps leads to one database at a time."""

    def __init__(self) -> None:
        self.workers: dict[str, Worker] = {}


_here = _Here()


def carry_out(order: Order, root: str = "") -> FleetOutcome:
    """Do what is ordered in whatever process this is called: what an executor is given."""
    return _here.workers.setdefault(root, Worker(Path(root) if root else None)).outcome(order)
