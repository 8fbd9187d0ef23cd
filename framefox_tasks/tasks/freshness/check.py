"""A predicate for doit that can say what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Predicate = Callable[[Any, dict[str, Any]], tuple[bool, str]]


class Check:
    """An `uptodate` of doit. Its text is what it found, and `doit info` prints that.

    Args:
        predicate: Gets doit's task and the values that the task's last run left; gives whether the task is up to date,
            and why it is or is not.

    Attributes:
        up_to_date: What was found last; None before.
    """

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate
        self._found = ""
        self.up_to_date: bool | None = None

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        """What doit asks."""
        self.up_to_date, self._found = self._predicate(task, values)
        return self.up_to_date

    def __str__(self) -> str:
        """Why the task is up to date or not; what is asked, where there is nothing to tell of that."""
        return self._found or self._predicate.__name__.replace("_", " ")

    @property
    def reason(self) -> str:
        """Why the task is up to date or not; empty where there is nothing to tell."""
        return self._found


def reason_of(task: Any, *, up_to_date: bool) -> str:
    """What the checks of a task found."""
    checks = [check for check, _, _ in task.uptodate if isinstance(check, Check)]
    return next((check.reason for check in checks if check.reason and check.up_to_date is up_to_date), "")
