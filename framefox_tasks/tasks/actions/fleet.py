"""The actions of the fleet tasks: options in, operation, report out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace as replaced
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks import report
from framefox_tasks.errors import ConfigError, FleetError, FleetStoppedError, FramefoxTasksError, PermissionDeniedError
from framefox_tasks.files import replace as write_file
from framefox_tasks.fleet.create import create_target
from framefox_tasks.fleet.executors import OnExecutor
from framefox_tasks.fleet.failures import failed_before, note_failed
from framefox_tasks.fleet.groups import grouped, of_group
from framefox_tasks.fleet.outline import outline_of, revision_in
from framefox_tasks.fleet.processes import Processes
from framefox_tasks.fleet.standing import fleet_status
from framefox_tasks.fleet.targets import FleetTarget, chosen, fleet_of, list_targets
from framefox_tasks.fleet.upgrade import FleetRun, Runner, server_of, settled_by, watched
from framefox_tasks.fleet.work import Order, Verb
from framefox_tasks.model import FleetOptions
from framefox_tasks.results import FleetOutcome, FleetReport, FleetStatus
from framefox_tasks.settings import Settings, positive, seconds_in
from framefox_tasks.tasks.actions import hide
from framefox_tasks.tasks.actions.invocation import Invocation, confirm, on_terminal, skip_unnamed

if TYPE_CHECKING:
    from framefox_tasks.fleet.cluster import Cluster


def show_status(
    settings: Settings,
    *,
    format: str,  # noqa: A002 - what the user types
    only: str,
    exit_code: bool,
    drift: bool,
    verbose: bool,
    invocation: Invocation | None = None,
) -> None:
    """fleet_status."""
    if settings.fleet is None and skip_unnamed(invocation, "look for a fleet"):
        return
    targets = _listed(settings, only)
    options = fleet_of(settings).options
    status = fleet_status(targets, settings.target, per_server=options.per_server)
    if drift:
        status = _with_drift(settings, targets, status)
    report.show_fleet_status(status, as_json=format == "json", verbose=verbose)
    if exit_code and not status.up_to_date:
        raise FleetError("Not all targets of the fleet are up to date.", hint="See: doit fleet_status --verbose")


def _with_drift(settings: Settings, targets: Sequence[FleetTarget], status: FleetStatus) -> FleetStatus:
    there = {one.name for one in status.standings if one.state in ("at head", "behind")}
    asked = [one for one in targets if one.name in there and not one.error]
    found = {one.name: one for one in _work(settings, "check", asked, None)}
    return replaced(
        status,
        standings=tuple(
            replaced(one, drift=(found[one.name].message,), hint=found[one.name].hint)
            if one.name in found and found[one.name].ended == "failed"
            else one
            for one in status.standings
        ),
    )


def upgrade(
    settings: Settings,
    *,
    only: str,
    group: str,
    revision: str | None,
    plan: bool,
    failed_first: bool,
    yes: bool,
    jobs: str | None,
    reports: list[str],
    lock_wait: str | None,
    cluster: str | None = None,
    insecure: bool = False,
    invocation: Invocation | None = None,
) -> None:
    """fleet_upgrade."""
    if skip_unnamed(invocation, "upgrade the fleet"):
        return
    _check_reports(reports)
    options, everything = fleet_of(settings).options, _listed(settings, "")
    names = {one.name for one in chosen(everything, only)}
    groups = grouped(everything, options.groups)
    groups = of_group(groups, group) if group else groups
    address = options.cluster if cluster is None else cluster
    with ExitStack() as stack:
        on_cluster = cache(lambda: _connected(stack, address, insecure=insecure))
        here = _runner(options, jobs, everything)
        stack.callback(here.close)
        # Where a migration is new there is something to do, as a rule.
        ahead = None if address or plan else partial(here.start, len(names))
        outline = outline_of(settings.target, on_new=ahead)

        def runner() -> Runner:
            if not address:
                return here
            found = on_cluster()
            return OnExecutor(
                found.executor,
                positive("--jobs", jobs or "") or found.jobs,
                settle=settled_by(everything, outline),
                per_server=options.per_server,
                server_of=server_of(everything),
                is_gone=found.is_gone,
            )

        run = FleetRun(
            [(each, [one for one in members if one.name in names]) for each, members in groups],
            outline,
            runner,
            revision=revision_in(outline, revision or None, settings.target),
            lock_wait=_seconds(lock_wait),
            per_server=options.per_server,
            stop_after=options.stop_after,
            first=failed_before(settings.target.project) if failed_first else (),
            by_name=bool(address),
        )
        if plan:
            report.show_fleet_plan(run.plan())
            return
        teller = _Teller()
        try:
            done = run.upgrade(
                on_begin=teller.begin, on_outcome=teller.tell, ask=lambda question: yes or _go_on(teller, question)
            )
        except KeyboardInterrupt:
            report.say("No more targets were begun. Where each stands: doit fleet_status")
            raise
        finally:
            teller.end()
    known = {one.name for one in everything}
    _end(settings, replaced(done, appeared=_appeared(settings, known)), reports)


def _connected(stack: ExitStack, address: str, *, insecure: bool) -> Cluster:
    """The cluster, once there is work for it."""
    from framefox_tasks.fleet.cluster import connected

    found = stack.enter_context(connected(address, insecure=insecure))
    report.say(f"On {address}: {report.number(found.jobs, 'target')} at a time.")
    if found.note:
        report.say(found.note)
    return found


def _go_on(teller: _Teller, question: str) -> bool:
    teller.end()
    if not on_terminal():
        report.say(question)
        return False
    return report.ask(question)


def _appeared(settings: Settings, known: set[str]) -> tuple[str, ...]:
    try:
        return tuple(one.name for one in list_targets(settings) if one.name not in known)
    except FramefoxTasksError:  # the list was there at the begin
        return ()


class _Teller:
    """Tells of the outcomes as they come, once it is known how many there will be."""

    def __init__(self) -> None:
        self._progress: report.FleetProgress | None = None

    def begin(self, count: int) -> None:
        """So many targets have something to do."""
        self._progress = report.FleetProgress(count) if count else None

    def tell(self, outcome: FleetOutcome) -> None:
        """One of them has ended. What was settled before needs no progress."""
        if self._progress and outcome.ended != "left":
            self._progress.tell(outcome)

    def end(self) -> None:
        """Before something else is printed."""
        if self._progress:
            self._progress.end()


def create(
    settings: Settings, *, names: list[str], lock_wait: str | None, invocation: Invocation | None = None
) -> None:
    """fleet_create."""
    if skip_unnamed(invocation, "make a new database"):
        return
    if not names:
        raise ConfigError("Which one is to be made is not said.", hint="As in: doit fleet_create --name=acme")
    for name in names:
        made = create_target(settings, name, lock_wait=_seconds(lock_wait))
        report.say(f"{made.label} is made, at {', '.join(made.current or ()) or 'no revision'} ({made.message}).")
    listed = {one.name for one in _listed_or_none(settings)}
    if missing := [name for name in names if name not in listed]:
        report.say(f"The list of the fleet does not have {', '.join(missing)} yet: put it there.")


def _listed_or_none(settings: Settings) -> list[FleetTarget]:
    try:
        return list_targets(settings)
    except ConfigError:
        return []


def check(
    settings: Settings,
    *,
    only: str,
    no_drift: bool,
    jobs: str | None,
    reports: list[str],
    invocation: Invocation | None = None,
) -> None:
    """fleet_check."""
    if skip_unnamed(invocation, "check the fleet"):
        return
    _check_reports(reports)
    start = time.perf_counter()
    outcomes = _work(settings, "check", _listed(settings, only), jobs, drift=not no_drift)
    _end(settings, FleetReport("check", tuple(outcomes), ("all",), seconds=time.perf_counter() - start), reports)


def downgrade(
    settings: Settings,
    *,
    revision: str,
    only: str,
    yes: bool,
    force: str | None,
    jobs: str | None,
    reports: list[str],
    lock_wait: str | None,
    invocation: Invocation | None = None,
) -> None:
    """fleet_downgrade."""
    if skip_unnamed(invocation, "revert migrations of the fleet"):
        return
    if not revision:
        raise ConfigError(
            "Where to go back to is not said: the targets may be at different revisions.",
            hint="As in: doit fleet_downgrade --revision=REVISION --only=acme",
        )
    _check_reports(reports)
    targets = _listed(settings, only)
    forced = {name.strip() for name in (force or "").split(",") if name.strip()}
    if strangers := forced - {one.name for one in targets}:
        raise ConfigError(
            f"--force names {', '.join(sorted(strangers))}, which is none of the targets. Nothing was changed.",
            hint="Name targets as the list does: doit fleet_status --verbose",
        )
    confirm(
        f"Revert migrations of {len(targets):,} databases back to {revision}? What is in the tables may be lost.",
        yes=yes,
        task="fleet_downgrade",
    )
    start = time.perf_counter()
    outcomes = _work(
        settings, "downgrade", targets, jobs, revision=revision, forced=forced, lock_wait=_seconds(lock_wait)
    )
    _end(settings, FleetReport("downgrade", tuple(outcomes), ("all",), seconds=time.perf_counter() - start), reports)


def _work(
    settings: Settings,
    verb: Verb,
    targets: Sequence[FleetTarget],
    jobs: str | None,
    *,
    revision: str | None = None,
    forced: set[str] = frozenset(),  # type: ignore[assignment]
    lock_wait: float | None = None,
    drift: bool = True,
) -> list[FleetOutcome]:
    """What becomes of the targets, each by a worker."""
    options = fleet_of(settings).options
    outcomes = [
        FleetOutcome(one.name, one.label, "failed", "all", message=one.error.message, hint=one.error.hint or "")
        for one in targets
        if one.error
    ]
    orders = [
        Order(
            verb,
            one.name,
            one.label,
            one.target,
            revision=revision,
            force=one.target.name if one.target and one.name in forced else None,
            lock_wait=lock_wait,
            drift=drift,
        )
        for one in targets
        if not one.error
    ]
    progress = report.FleetProgress(len(orders))
    stop_after = options.stop_after if verb == "downgrade" else 0
    for outcome in watched(_runner(options, jobs, targets), orders, stop_after):
        outcomes.append(replaced(outcome, group="all"))
        if verb != "check":
            progress.tell(outcome)
    progress.end()
    return outcomes


def _runner(options: FleetOptions, jobs: str | None, targets: Sequence[FleetTarget]) -> Processes:
    count = positive("--jobs", jobs or "") or options.jobs
    return Processes(count, per_server=options.per_server, server_of=server_of(targets), on_interrupt=_tell_interrupt)


def _tell_interrupt() -> None:
    report.say("\nNo more are begun. Those that run are waited for; after another interrupt they end by themselves.")


def _listed(settings: Settings, only: str) -> list[FleetTarget]:
    targets = chosen(list_targets(settings), only)
    hide(*(one.target for one in targets if one.target and one.target.address.password))
    return targets


def _seconds(given: str | None) -> float | None:
    return None if given is None else seconds_in(given.strip(), "--lock-wait", hint="As in: --lock-wait=120")


def _check_reports(files: Sequence[str]) -> None:
    for file in files:
        if Path(file).suffix not in (".json", ".xml"):
            raise ConfigError(
                f"--report={file} is neither .json nor .xml.", hint="As in: --report=fleet.json --report=fleet.xml"
            )


def _way_on(done: FleetReport) -> str:
    if "`then: ask`" in done.stopped:
        return f"Go on with: doit fleet_{done.verb} --yes"
    if "all workers" in done.stopped:
        return "Run the same again to go on."
    return "Run the same again when that is mended; `stop_after: 0` of the fleet goes on whatever fails."


def _end(settings: Settings, done: FleetReport, files: Sequence[str]) -> None:
    """Print and write the report; fail where a target has, or was not begun."""
    report.show_fleet_report(done)
    note_failed(settings.target.project, done.outcomes if done.verb != "check" else ())
    for file in files:
        text = report.fleet_report_json(done) if file.endswith(".json") else report.fleet_report_junit(done)
        path = settings.target.project.path(file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, text.encode())
        except OSError as exc:
            raise PermissionDeniedError(
                f"The report {file} cannot be written: {exc.strerror}", hint="Name another place: --report=FILE.json"
            ) from exc
    left = done.count("left")
    if done.stopped or left:
        raise FleetStoppedError(
            f"Stopped {done.stopped or 'early'}: {left:,} of {len(done.outcomes):,} targets were not begun.",
            hint=_way_on(done),
        )
    if done.failed:
        how = "are not as they should be" if done.verb == "check" else "failed"
        raise FleetError(f"{len(done.failed):,} of {report.number(len(done.outcomes), 'target')} {how}.")
