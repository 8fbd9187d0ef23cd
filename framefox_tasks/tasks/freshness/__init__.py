"""Whether a task has anything to do, and why: the `uptodate` of the tasks.

Light imports only: a run that has nothing to do pays for these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from doit import Globals

from framefox_tasks.commands import of_database
from framefox_tasks.settings import in_use, using

FAILED = "framefox_tasks_failed"
"""The key in doit's state of a task that has failed since it last succeeded."""
Predicate = Callable[[Any, dict[str, Any]], tuple[bool, str]]


class UptodateCheck:
    """An `uptodate` of doit that gives its reason; its text is the reason, which `doit info` prints.

    Args:
        predicate: Gets doit's task and the values that the task's last run left; gives whether the task is up to date,
            and why it is or is not.

    Attributes:
        up_to_date: The last answer; None before the first.
        reason: Why the task is up to date or not; empty where there is none to give.
    """

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate
        self._database = in_use()
        self.up_to_date: bool | None = None
        self.reason = ""

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        """What doit asks."""
        with using(self._database):
            self.up_to_date, reason = self._predicate(task, values)
        self.reason = of_database(reason, self._database)
        return self.up_to_date

    def __str__(self) -> str:
        """The reason, or else the name of the predicate."""
        return self.reason or self._predicate.__name__.replace("_", " ")


def no_run_known(task: Any) -> str:
    """Why doit knows nothing of a task: it forgets one that has failed."""
    if has_failed(task):
        return "its last run failed"
    return "its last run left nothing to compare with" if _has_run(task) else "it has not run here yet"


def _has_run(task: Any) -> bool:
    """Whether a task has succeeded before: doit notes by which means its files were compared then."""
    manager = Globals.dep_manager
    return manager is not None and bool(manager.backend.get(task.name, "checker:"))


def has_failed(task: Any) -> bool:
    """Whether the last run of a task failed."""
    manager = Globals.dep_manager
    return manager is not None and bool(manager.backend.get(task.name, FAILED))


def reason_of(task: Any, *, up_to_date: bool) -> str:
    """The reason that the checks of a task give for an answer."""
    checks = [check for check, _, _ in task.uptodate if isinstance(check, UptodateCheck)]
    return next((check.reason for check in checks if check.reason and check.up_to_date is up_to_date), "")
