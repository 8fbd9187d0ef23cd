"""Change all databases of a fleet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace as replaced
from functools import cache
from pathlib import Path
from typing import Protocol

from framefox_tasks.databases import database_of
from framefox_tasks.errors import ConfigError, FramefoxTasksError, MigrationError
from framefox_tasks.fleet.executors import OnExecutor
from framefox_tasks.fleet.outline import Outline, outline_of, revision_in
from framefox_tasks.fleet.processes import Processes
from framefox_tasks.fleet.standing import standings
from framefox_tasks.fleet.targets import FleetTarget, once
from framefox_tasks.fleet.waiting import ServerOf
from framefox_tasks.fleet.work import Order
from framefox_tasks.frozen import replace
from framefox_tasks.model import FleetGroup, Target
from framefox_tasks.results import FleetOutcome, FleetReport, FleetStanding, PlannedTarget

OnOutcome = Callable[[FleetOutcome], None]
Grouped = Sequence[tuple[FleetGroup, Sequence[FleetTarget]]]
_NOT_BEGUN = ("behind", "half-done", "at head")


class Runner(Protocol):
    """What carries out orders."""

    def outcomes(self, orders: Sequence[Order]) -> Iterator[FleetOutcome]:
        """Carry them out; gives the outcomes as they come."""

    def stop(self) -> None:
        """Begin no more of them."""


def upgrade_all(
    targets: Iterable[Target | FleetTarget | str],
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
    per_server: int | None = None,
    revision: str | None = None,
    lock_wait: float | None = None,
    stop_after: int = 0,
) -> Iterator[FleetOutcome]:
    """Apply the migrations to many databases, several at a time; gives the outcomes as they come.

    One where nothing is pending is settled in this process, by reading its revision. What goes wrong with one is told
    in its outcome, and raises nothing.

    Args:
        targets: The databases, all of one project; or names in the list of the fleet of the project in the current
            folder, which are looked up where the work runs: no URL is sent to it.
        executor: What runs the work: processes of its own on this machine if None, which begin a target once more whose
            worker was lost. With another one the databases are asked what was done.
        jobs: How many at a time; as many as there are processors if None.
        per_server: How many at a time on one server; no limit of its own if None.
        revision: As for upgrade.
        lock_wait: As for upgrade.
        stop_after: After how many failures no more are begun, and the rest is `left`; 0 to go on.

    Raises:
        MigrationError: The history cannot be read, or has no such revision.
    """
    fleet = list(once(map(_fleet_target, targets)))
    jobs = jobs or os.cpu_count() or 1
    known = [one for one in fleet if one.target or one.error]
    project = next((one.target for one in known if one.target), None)
    outline = outline_of(project) if project else None
    if outline and project:
        revision = revision_in(outline, revision, project)
    found = list(_settled(known, outline, revision, per_server))
    yield from (outcome for _, outcome in found if outcome)
    orders = [_order(one, revision, lock_wait, outline) for one, outcome in found if outcome is None]
    orders += [_order(one, revision, lock_wait, None) for one in fleet if not (one.target or one.error)]
    runner: Runner = (
        OnExecutor(
            executor,
            jobs,
            root=str(Path.cwd()),
            settle=settled_by(fleet, outline),
            per_server=per_server,
            server_of=server_of(fleet),
        )
        if executor
        else Processes(jobs, per_server=per_server, server_of=server_of(fleet))
    )
    yield from watched(runner, orders, stop_after)


def _fleet_target(one: Target | FleetTarget | str) -> FleetTarget:
    if isinstance(one, Target):
        return FleetTarget(one.label, {}, one)
    return FleetTarget(one, {}) if isinstance(one, str) else one


def watched(runner: Runner, orders: Sequence[Order], stop_after: int, failed: int = 0) -> Iterator[FleetOutcome]:
    """The outcomes of orders, until there are too many failures; then those that were not begun as `left`."""
    left = {order.name: order for order in orders}
    with closing(runner.outcomes(orders)) as outcomes:  # type: ignore[type-var]  # it is a generator
        for outcome in outcomes:
            del left[outcome.name]
            failed += outcome.ended == "failed"
            if stop_after and failed >= stop_after:
                runner.stop()
            yield outcome
    yield from (FleetOutcome(order.name, order.label, "left", message="It was not begun.") for order in left.values())


def server_of(targets: Iterable[FleetTarget]) -> ServerOf:
    """What tells the server that an order is about; empty where it is a file."""
    servers = {one.name: one.target.server for one in targets if one.target}
    return lambda order: servers.get(order.name, "")


def _order(one: FleetTarget, revision: str | None, lock_wait: float | None, outline: Outline | None) -> Order:
    return Order(
        "upgrade",
        one.name,
        one.label or one.name,
        one.target,
        digest=outline.digest if outline else "",
        revision=revision,
        lock_wait=lock_wait,
        is_behind=outline is not None,
    )


def _settled(
    targets: Sequence[FleetTarget], outline: Outline | None, revision: str | None, per_server: int | None
) -> Iterator[tuple[FleetTarget, FleetOutcome | None]]:
    """Each target, with its outcome where there is nothing to do, or nothing that can be done."""
    if outline is None:
        yield from ((one, _of_standing(_listed(one))) for one in targets)
        return
    wanted = outline.wanted(revision)
    found = standings(targets, outline, wanted or outline.at_heads, per_server=per_server)
    for one, standing in zip(targets, found, strict=True):
        begin = standing.state in ("behind", "half-done") or (standing.state == "at head" and wanted is None)
        yield one, None if begin else _of_standing(standing)


def _listed(one: FleetTarget) -> FleetStanding:
    error = one.error or ConfigError(f"{one.name} has no database.")
    return FleetStanding(one.name, one.label, "unusable", message=error.message, hint=error.hint or "")


def _of_standing(standing: FleetStanding, group: str = "") -> FleetOutcome:
    well = standing.state == "at head"
    return FleetOutcome(
        standing.name,
        standing.label,
        "nothing" if well else "failed",
        group,
        standing.current if standing.state in (*_NOT_BEGUN, "other history") else None,
        standing.current if standing.state in (*_NOT_BEGUN, "other history") else None,
        message=standing.message,
        hint=standing.hint,
    )


def settled_by(targets: Iterable[FleetTarget], outline: Outline | None) -> Callable[[Order, str], FleetOutcome]:
    """What tells the outcome of an order whose worker was lost, by where its database stands now."""
    by_name = {one.name: one for one in targets}

    def settle(order: Order, loss: str) -> FleetOutcome:
        one = by_name.get(order.name)
        target = one.target if one else None
        lost = FleetOutcome(
            order.name,
            order.label,
            "failed",
            message=loss,
            hint="See where it stands, and run the same again: doit fleet_status",
            attempts=order.attempt,
        )
        if target is None:
            return lost
        try:
            current, journaled = database_of(target).standing(target)
        except FramefoxTasksError as exc:
            return replaced(lost, message=f"{loss} Where it stands cannot be asked: {exc.message}")
        wanted = outline.wanted(order.revision) if outline else None
        if current == wanted and not journaled:
            return replaced(lost, ended="done", current=current, message=f"{loss} It had done its work.", hint="")
        half = " A part of a migration is committed." if journaled else ""
        return replaced(lost, current=current, message=f"{loss} It is at {', '.join(current) or 'no revision'}.{half}")

    return settle


class FleetRun:
    """An upgrade of a fleet, group by group.

    Args:
        groups: The groups in their order, with their targets.
        outline: The history.
        runner: Makes what carries out the orders.
        revision: As for upgrade.
        lock_wait: As for upgrade.
        per_server: As for upgrade_all.
        stop_after: As for upgrade_all.
        first: Names of targets that are begun before the others of their group.
        by_name: Whether workers get no more than names.
    """

    def __init__(
        self,
        groups: Grouped,
        outline: Outline,
        runner: Callable[[], Runner],
        *,
        revision: str | None = None,
        lock_wait: float | None = None,
        per_server: int | None = None,
        stop_after: int = 0,
        first: Iterable[str] = (),
        by_name: bool = False,
    ) -> None:
        self._groups = groups
        self._outline = outline
        self._runner = runner
        self._revision = revision
        self._lock_wait = lock_wait
        self._per_server = per_server
        self._stop_after = stop_after
        self._first = frozenset(first)
        self._by_name = by_name
        self._id = os.urandom(8).hex()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the groups."""
        return tuple(group.name for group, _ in self._groups)

    def plan(self) -> list[PlannedTarget]:
        """Where each target stands, with its group."""
        wanted = self._outline.wanted(self._revision)
        targets = [one for _, members in self._groups for one in members]
        found = iter(standings(targets, self._outline, wanted or self._outline.at_heads, per_server=self._per_server))
        if wanted is None:
            found = map(_counted(targets, self._revision), found)
        return [PlannedTarget(group.name, next(found)) for group, members in self._groups for _ in members]

    def upgrade(
        self, *, on_begin: Callable[[int], None], on_outcome: OnOutcome, ask: Callable[[str], bool]
    ) -> FleetReport:
        """Upgrade all; gives what became of them.

        Args:
            on_begin: Called with the number of targets that have something to do, once all were asked.
            on_outcome: Called with each outcome.
            ask: Called with a question before the group behind one that says `then: ask`; False to stop there.
        """
        start = time.perf_counter()
        outcomes: list[FleetOutcome] = []
        stopped, failed = "", 0

        def tell(outcome: FleetOutcome, group: str) -> None:
            outcomes.append(replaced(outcome, group=group))
            on_outcome(outcomes[-1])

        work: list[tuple[FleetGroup, list[FleetTarget]]] = []
        targets = [one for _, members in self._groups for one in members]
        settled = iter(list(_settled(targets, self._outline, self._revision, self._per_server)))
        for group, members in self._groups:
            pending = []
            for one, outcome in (next(settled) for _ in members):
                if outcome is None:
                    pending.append(one)
                else:
                    tell(outcome, group.name)
            work.append((group, sorted(pending, key=lambda one: one.name not in self._first)))
        on_begin(sum(len(members) for _, members in work))
        for index, (group, members) in enumerate(work):
            behind = sum(len(others) for _, others in work[index + 1 :])
            if stopped:
                for one in members:
                    tell(FleetOutcome(one.name, one.label, "left", message="It was not begun."), group.name)
                continue
            # Those that were not even begun, as they cannot be reached, say nothing of the migrations.
            failed += self._run(group, members, failed, tell)
            left = any(one.ended == "left" for one in outcomes)
            stopped = self._too_many(failed) if behind or left else ""
            if left and not stopped:
                stopped = "since all workers are gone"
            if group.ask and behind and not stopped and not ask(_question(group, outcomes, behind)):
                stopped = f"after the group {group.name}, as its `then: ask` says"
        return FleetReport("upgrade", tuple(outcomes), self.names, stopped, seconds=time.perf_counter() - start)

    def _too_many(self, failed: int) -> str:
        if self._stop_after and failed >= self._stop_after:
            return f"after {failed} failure{'s' * (failed > 1)}, as stop_after says"
        return ""

    def _run(
        self,
        group: FleetGroup,
        members: Sequence[FleetTarget],
        failed: int,
        tell: Callable[[FleetOutcome, str], None],
    ) -> int:
        """Upgrade the targets of a group; gives how many have failed."""
        if not members:
            return 0
        orders = [_order(one, self._revision, self._lock_wait, self._outline) for one in members]
        labels = {order.name: order.label for order in orders}
        if self._by_name:  # neither a URL nor where a server is leaves this process
            orders = [replace(order, target=None, label=order.name, run=self._id) for order in orders]
        mine = 0
        for outcome in watched(self._runner(), orders, self._stop_after, failed):
            tell(replaced(outcome, label=labels[outcome.name]), group.name)
            mine += outcome.ended == "failed"
        return mine


def _counted(targets: Sequence[FleetTarget], revision: str | None) -> Callable[[FleetStanding], FleetStanding]:
    """What counts the migrations of a revision that depends on where each target stands."""
    from framefox_tasks.migrations.upgrade import history_of

    history = next((history_of(one.target) for one in targets if one.target), None)

    @cache
    def steps(current: tuple[str, ...]) -> int | MigrationError:
        try:
            return len(history.between(revision or "heads", current)) if history else 0
        except MigrationError as exc:
            return exc

    def counted(standing: FleetStanding) -> FleetStanding:
        if standing.state not in ("at head", "behind"):
            return standing
        found = steps(standing.current)
        if isinstance(found, MigrationError):
            return replaced(standing, pending=0, message=found.message, hint=found.hint or "")
        return replaced(standing, pending=found)

    return counted


def _question(group: FleetGroup, outcomes: Sequence[FleetOutcome], behind: int) -> str:
    mine = [one for one in outcomes if one.group == group.name]
    failed = sum(one.ended == "failed" for one in mine)
    count = f"{len(mine)} target{'s' * (len(mine) != 1)}, {failed} failed"
    return f"The group {group.name} has ended: {count}. {behind:,} more to upgrade."
