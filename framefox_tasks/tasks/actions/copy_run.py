"""One run of a copy, with its display."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import sleep

from framefox_tasks import copies as copying, report
from framefox_tasks.copies import retention
from framefox_tasks.databases import database_of
from framefox_tasks.errors import CopyError
from framefox_tasks.model import TIMESTAMP, NamedCopy, Target
from framefox_tasks.results import Copied, CopyPlan
from framefox_tasks.tasks.actions import hide


def make_copy(copy: NamedCopy) -> Target:
    """Make a copy, and report it; gives the database that was made."""
    stamp = stamp_of(copy)
    hide(copy.source, copy.target(stamp))
    result = run_copy(copy, stamp, None)
    report.show(replace(result, removed=retention.remove_older(copy, stamp)))
    return copy.target(stamp)


def run_copy(copy: NamedCopy, stamp: str, force: str | None, *, verbose: bool = False) -> Copied:
    """Make the copy of this time."""
    target = copy.target(stamp)
    with report.copying() as display:
        try:
            return copying.copy(
                copy.source,
                target,
                options=copy.options,
                on_plan=_announced(display.begin, verbose=verbose),
                on_progress=display.note,
                on_wait=report.show_waiting,
                force=force,
            )
        except KeyboardInterrupt:
            raise CopyError(f"The copy was interrupted; {target.label} is as it was.", hint="Start it again.") from None


def _announced(begin: Callable[[CopyPlan], None], *, verbose: bool) -> Callable[[CopyPlan], None]:
    """Report what cannot be carried, before anything is copied."""

    def announce(plan: CopyPlan) -> None:
        report.say(f"Copying {plan.source.label} to {plan.target.label}...")
        for line in [*report.not_carried(plan), *(report.streams(plan) if verbose else ())]:
            report.say(line)
        begin(plan)

    return announce


def stamp_of(copy: NamedCopy) -> str:
    """The time, in UTC, and in a form that sorts; empty where the target does not hold it."""
    if TIMESTAMP not in copy.to:
        return ""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        target = copy.target(stamp)
        # A copy of this second is there: the next has another name.
        if not target.address.is_file or not database_of(target).exists(target):
            return stamp
        sleep(0.1)
