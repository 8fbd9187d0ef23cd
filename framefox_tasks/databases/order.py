"""Tables in the order of their foreign keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framefox_tasks.databases.rows import Name, TablePlan


def in_order(tables: Sequence[TablePlan]) -> list[TablePlan]:
    """Each table after those that its foreign keys refer to, else as given; only within a cycle one must go first."""
    plans = {plan.source.name: plan for plan in tables}
    done: dict[Name, TablePlan] = {}
    begun: set[Name] = set()
    for plan in tables:
        # Not by recursion: a chain of tables may be longer than Python's stack.
        stack = [] if plan.source.name in begun else [(plan, _parents(plan, plans))]
        begun.add(plan.source.name)
        while stack:
            current, parents = stack[-1]
            parent = next((parent for parent in parents if parent.source.name not in begun), None)
            if parent is None:
                done[current.source.name] = current
                stack.pop()
            else:
                begun.add(parent.source.name)
                stack.append((parent, _parents(parent, plans)))
    return list(done.values())


def _parents(plan: TablePlan, plans: dict[Name, TablePlan]) -> Iterator[TablePlan]:
    return (plans[key.table] for key in plan.foreign_keys if key.table in plans)
