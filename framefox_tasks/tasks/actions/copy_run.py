"""One run of a copy, with its display."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from time import sleep
from typing import TYPE_CHECKING, NamedTuple

from framefox_tasks import copies as copying, report
from framefox_tasks.copies import retention
from framefox_tasks.databases import database_of
from framefox_tasks.errors import CopyError
from framefox_tasks.model import TIMESTAMP, NamedCopy, Target
from framefox_tasks.results import Copied, CopyPlan
from framefox_tasks.tasks.actions import hide

if TYPE_CHECKING:
    from framefox_tasks.copies.elsewhere import RangeWorkers


class Way(NamedTuple):
    """How a copy is made.

    Attributes:
        verbose: Whether to say how the large tables are copied.
        cluster: The address of the scheduler whose workers copy them; empty for none.
        insecure: Whether one that is not encrypted may be beyond this machine.
    """

    verbose: bool = False
    cluster: str = ""
    insecure: bool = False

    @classmethod
    def of(cls, *, verbose: bool, cluster: str | None, insecure: bool) -> Way:
        """From the options, whose address is checked before anything is done."""
        if cluster is not None:
            from framefox_tasks.fleet.cluster import check_address

            check_address(cluster, insecure=insecure)
        return cls(verbose or bool(cluster), cluster or "", insecure)


_ALONE = Way()


def make_copy(copy: NamedCopy) -> Target:
    """Make a copy, and report it; gives the database that was made."""
    stamp = stamp_of(copy)
    hide(copy.source, copy.target(stamp))
    result = run_copy(copy, stamp, None)
    report.show(replace(result, removed=retention.remove_older(copy, stamp)))
    return copy.target(stamp)


def run_copy(copy: NamedCopy, stamp: str, force: str | None, way: Way = _ALONE) -> Copied:
    """Make the copy of this time."""
    target = copy.target(stamp)
    with _workers(copy, stamp, way) as workers, report.copying() as display:
        try:
            return copying.copy(
                copy.source,
                target,
                options=copy.options,
                on_plan=_announced(display.begin, verbose=way.verbose),
                on_progress=display.note,
                on_wait=report.show_waiting,
                force=force,
                workers=workers,
            )
        except KeyboardInterrupt:
            raise CopyError(f"The copy was interrupted; {target.label} is as it was.", hint="Start it again.") from None


@contextmanager
def _workers(copy: NamedCopy, stamp: str, way: Way) -> Iterator[RangeWorkers | None]:
    """The workers of the cluster, if there is one."""
    if not way.cluster:
        yield None
        return
    from framefox_tasks.copies.elsewhere import check_sides
    from framefox_tasks.fleet.cluster import connected
    from framefox_tasks.fleet.ranges import ClusterRanges

    check_sides(copy.source, copy.target(stamp), locked=copy.options.lock_writes)
    with connected(way.cluster, insecure=way.insecure) as found:
        report.say(f"On {way.cluster}: {report.number(found.jobs, 'range')} at a time.")
        if found.note:
            report.say("The range of a lost worker may be begun again: it is loaded once, as its mark commits with it.")
        yield ClusterRanges(found, way.cluster, copy=copy.name, stamp=stamp)


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
