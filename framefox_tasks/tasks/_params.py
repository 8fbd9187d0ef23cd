"""What the tasks' definitions share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from doit import task_params

TaskFunction = TypeVar("TaskFunction", bound=Callable[..., Any])

LIVE = {"verbosity": 2, "io": {"capture": False}}
"""Output goes straight to the terminal: a prompt shows, progress is live, a table knows the width."""


def params(*options: dict[str, Any]) -> Callable[[TaskFunction], TaskFunction]:
    """task_params of doit: the options reach the task function as arguments, and the action too."""
    return cast("Callable[[TaskFunction], TaskFunction]", task_params(list(options)))
