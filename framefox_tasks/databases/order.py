"""Tables and other things in the order of what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from framefox_tasks.databases.rows import TablePlan

T = TypeVar("T")


def in_order(tables: Sequence[TablePlan]) -> list[TablePlan]:
    """Each table after those that its foreign keys refer to, else as given; only within a cycle one must go first."""
    plans = {plan.source.name: plan for plan in tables}
    parents = {name: [key.table for key in plan.foreign_keys if key.table in plans] for name, plan in plans.items()}
    return [plans[name] for name in after_needed(plans, parents)]


def after_needed(nodes: Iterable[T], needs: Mapping[T, Iterable[T]]) -> Iterator[T]:
    """Each node after those that it needs, else as given; graphlib would refuse a cycle, and keeps no order."""
    begun: set[T] = set()
    for node in nodes:
        # Not by recursion: a chain of nodes may be longer than Python's stack.
        stack = [] if node in begun else [(node, iter(needs[node]))]
        begun.add(node)
        while stack:
            current, rest = stack[-1]
            following = next((other for other in rest if other not in begun), None)
            if following is None:
                stack.pop()
                yield current
            else:
                begun.add(following)
                stack.append((following, iter(needs[following])))


def reached(starts: Iterable[T], following: Callable[[T], Iterable[T]]) -> list[T]:
    """Some nodes, and all that come after them, directly or not."""
    found = dict.fromkeys(starts)
    waiting = list(found)
    while waiting:
        new = [node for node in following(waiting.pop()) if node not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return list(found)
