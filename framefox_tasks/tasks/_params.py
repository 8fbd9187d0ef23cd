"""Options of a task that its definition depends on as well, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from doit import task_params

TaskFunction = TypeVar("TaskFunction", bound=Callable[..., dict[str, Any]])


def params(*options: dict[str, Any]) -> Callable[[TaskFunction], TaskFunction]:
    """task_params of doit: the options reach the task function as arguments, and the action too."""
    return cast("Callable[[TaskFunction], TaskFunction]", task_params(list(options)))
