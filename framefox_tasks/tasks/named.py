"""Whether the user named a task: what loses data runs only then, and not by default or by a pattern."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from doit.cmd_base import DoitCmdBase
from doit.dependency import UptodateCalculator

from framefox_tasks.tasks.patterns import OfPattern, split


class Named(UptodateCalculator):  # type: ignore[misc]  # doit ships no type information
    """An `uptodate` that leaves the answer to others, and hands to the action how its task came to run.

    It is evaluated in doit's own process, before the task runs there or in another one, and when all tasks are known.

    Args:
        always: Take the task for named: others of ours start it where it is needed.
    """

    def __init__(self, *, always: bool = False) -> None:
        super().__init__()
        self._always = always

    def __call__(self, task: Any, values: dict[str, Any]) -> None:
        """What doit asks; None is no answer to it."""
        from framefox_tasks.tasks.actions.invocation import Invocation

        given = [task.name] if self._always else _given()
        named = None if given is None else _reached(task.name, given, self.tasks_dict)
        task.init_options()
        task.options["invocation"] = Invocation(task.name, named, values)


def _given() -> Sequence[str] | None:
    """The words of the command line from the first task on; None where doit does not say.

    There is no public way to learn it: the object that runs a command of doit knows, and is found among the callers.
    What stands in sys.argv says nothing of a doit that another program runs.
    """
    frame = sys._getframe()
    while not isinstance(command := frame.f_locals.get("self"), DoitCmdBase):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    by_default, selected = (getattr(command, name, None) for name in ("sel_default_tasks", "sel_tasks"))
    if by_default is True:
        return ()
    return selected if by_default is False and isinstance(selected, list) else None


def _names(given: Sequence[str], tasks: Mapping[str, Any]) -> Iterator[str]:
    """The tasks that are named there, by their names or targets; not what are patterns, or options and their values."""
    by_target = {target: name for name, task in tasks.items() for target in task.targets}
    seen: set[str] = set()
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if "*" in word:
            continue
        if not isinstance(word, OfPattern):
            yield by_target.get(word, word)
        if task := tasks.get(word):
            if word in seen:  # from a task that comes again on, doit reads no more
                return
            seen.add(word)
            _, rest = split(rest, task) or ([], [])  # doit has parsed them before
            if task.pos_arg:
                return


def _reached(wanted: str, given: Sequence[str], tasks: Mapping[str, Any]) -> bool:
    """Whether a task is named there, or needed by one that is, however indirectly."""
    seen: set[str] = set()
    waiting = list(_names(given, tasks))
    while waiting:
        name = waiting.pop()
        if name == wanted:
            return True
        if name in tasks and name not in seen:
            seen.add(name)
            waiting.extend(_needed(tasks[name]))
    return False


def _needed(task: Any) -> Iterator[str]:
    yield from task.setup_tasks
    yield from task.calc_dep
    for name in task.task_dep:
        # What a pattern in a task_dep matches stands there once more than it was written.
        if task.task_dep.count(name) > sum(fnmatch(name, pattern) for pattern in task.wild_dep):
            yield name
