"""Results of the operations on a fleet."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from framefox_tasks.frozen import Frozen

AtState = Literal["at head", "behind", "half-done", "other history", "missing", "unreachable", "unusable"]
"""Where a target of a fleet stands.

`half-done` is one with a journal, `other history` one at a revision without a file, `unusable` one that is no database,
has no usable URL, or is listed twice.
"""
Ended = Literal["done", "nothing", "failed", "left"]
"""How it ended with a target; `left` where it was not begun."""


class FleetStanding(Frozen):
    """Where a target of a fleet stands.

    Attributes:
        name: What the list calls it.
        label: Its database, without a password; empty where it is not known.
        state: In a word.
        current: Its revisions.
        pending: How many migrations it lacks; None where that cannot be told.
        message: Why it is not in order; empty where it is.
        hint: What to do about that.
        drift: What was changed by hand, where that was asked for.
    """

    name: str
    label: str
    state: AtState
    current: tuple[str, ...] = ()
    pending: int | None = None
    message: str = ""
    hint: str = ""
    drift: tuple[str, ...] = ()


class FleetStatus(Frozen):
    """Where the targets of a fleet stand.

    Attributes:
        heads: The newest revisions of the history.
        standings: One a target, in the order of the list.
        seconds: What it took to ask.
    """

    heads: tuple[str, ...]
    standings: tuple[FleetStanding, ...]
    seconds: float = 0.0

    @property
    def revisions(self) -> Counter[tuple[str, ...]]:
        """How many targets are at which revisions, of those that could be asked."""
        asked = ("at head", "behind", "half-done", "other history")
        return Counter(one.current for one in self.standings if one.state in asked)

    @property
    def states(self) -> Counter[AtState]:
        """How many targets are in which state."""
        return Counter(one.state for one in self.standings)

    @property
    def up_to_date(self) -> bool:
        """Whether every target is at the head, and none was changed by hand as far as that was asked."""
        return all(one.state == "at head" and not one.drift for one in self.standings)


class FleetOutcome(Frozen):
    """What became of a target of a fleet.

    Attributes:
        name: What the list calls it.
        label: Its database, without a password.
        ended: How it ended.
        group: The group that it is in; empty where there are none.
        before: Its revisions before; None where they are not known.
        current: Its revisions after that; None where they are not known.
        steps: How many migrations were applied, or reverted.
        seconds: What it took.
        message: Why it failed, or was left; or a note. Without a password.
        hint: What to do about it.
        attempts: How often it was begun: more than once where a worker was lost.
    """

    name: str
    label: str
    ended: Ended
    group: str = ""
    before: tuple[str, ...] | None = None
    current: tuple[str, ...] | None = None
    steps: int = 0
    seconds: float = 0.0
    message: str = ""
    hint: str = ""
    attempts: int = 1


class FleetReport(Frozen):
    """What became of all targets of a fleet.

    Attributes:
        verb: What was done to them, as `upgrade`.
        outcomes: One a target, in the order in which they ended.
        groups: The names of the groups, in their order.
        stopped: Why no more were begun; empty where all were.
        appeared: Targets that the list has now, and had not when this began.
        seconds: What all took.
    """

    verb: str
    outcomes: tuple[FleetOutcome, ...]
    groups: tuple[str, ...] = ()
    stopped: str = ""
    appeared: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[FleetOutcome, ...]:
        """Those that failed."""
        return tuple(one for one in self.outcomes if one.ended == "failed")

    def count(self, ended: Ended, group: str | None = None) -> int:
        """How many ended so, in a group or in all."""
        return sum(one.ended == ended and group in (None, one.group) for one in self.outcomes)


class PlannedTarget(Frozen):
    """What would run on a target of a fleet, and in which group."""

    group: str
    standing: FleetStanding
