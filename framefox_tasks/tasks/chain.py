"""A check of one task of a chain, which looks at the others too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doit.dependency import UptodateCalculator

from framefox_tasks.tasks.freshness import Check

ValuesOf = Callable[[str], dict[str, Any]]


class ChainCheck(Check, UptodateCalculator):  # type: ignore[misc]  # doit ships no type information
    """An `uptodate` that gets what the other tasks of the chain left.

    A dry run that is asked of the task that the user types is one of every task of the chain.

    Args:
        predicate: Gets doit's task, the values that its last run left, and a function that gives those of another task.
        typed: The name of the task that the user types.
    """

    def __init__(self, predicate: Callable[[Any, dict[str, Any], ValuesOf], tuple[bool, str]], typed: str) -> None:
        UptodateCalculator.__init__(self)
        Check.__init__(self, self._asked)
        self._with_others = predicate
        self._typed = typed
        self._values_of: ValuesOf = lambda _: {}

    def setup(self, dep_manager: Any, tasks_dict: dict[str, Any]) -> None:
        """Called by doit before it asks."""
        super().setup(dep_manager, tasks_dict)
        self._values_of = dep_manager.get_values

    def _asked(self, task: Any, values: dict[str, Any]) -> tuple[bool, str]:
        task.init_options()
        typed = self.tasks_dict[self._typed]
        if (typed.options or {}).get("dry_run"):
            task.options["dry_run"] = True
        if task.options.get("dry_run"):
            task.value_savers.append(lambda: values)  # what the last real run left is still true
        return self._with_others(task, values, self._values_of)
