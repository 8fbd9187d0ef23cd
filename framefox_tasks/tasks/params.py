"""The options of the tasks, typed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, TypeVar, cast

from doit import task_params

from framefox_tasks.tasks.several import of_each

TaskFunction = TypeVar("TaskFunction", bound=Callable[..., Any])

LIVE = {"verbosity": 2, "io": {"capture": False}}
"""Output goes straight to the terminal: a prompt shows, progress is live, a table knows the width."""

_SIGNATURE = Signature([Parameter("options", Parameter.VAR_KEYWORD)])


def definition(function: TaskFunction) -> TaskFunction:
    """A task function without source: doit tokenizes that of each at every start, to put them in order."""

    def task(**options: Any) -> Any:
        return function(**options)

    return _named(task, function)


def each_database(function: TaskFunction) -> TaskFunction:
    """The same for a task that works with a database: there is one of each, where there are several."""

    def task(**options: Any) -> Any:
        return of_each(function, options, ())

    return _named(task, function)


def _named(task: Any, function: TaskFunction) -> TaskFunction:
    task.__name__, task.__doc__ = function.__name__, function.__doc__
    task.__module__, task.__qualname__ = function.__module__, function.__qualname__
    # Where inspect looks for the source: that of a module it takes as it is, at line 0.
    task.__wrapped__ = sys.modules[function.__module__]
    task.__signature__ = _SIGNATURE  # which it would look for there, too
    return cast(TaskFunction, task)


def params(*options: dict[str, Any]) -> Callable[[TaskFunction], TaskFunction]:
    """task_params of doit: the options reach the task function as arguments, and the action too."""

    def decorate(function: TaskFunction) -> TaskFunction:
        return cast(TaskFunction, task_params(list(options))(definition(function)))

    return decorate


def each_with_params(*options: dict[str, Any]) -> Callable[[TaskFunction], TaskFunction]:
    """The same for a task that works with a database: there is one of each, where there are several."""

    def decorate(function: TaskFunction) -> TaskFunction:
        def task(**given: Any) -> Any:
            return of_each(function, given, options)

        return cast(TaskFunction, task_params(list(options))(_named(task, function)))

    return decorate


class Help:
    """A help text that is made when it is shown: other commands do not import its subject."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text

    def __mod__(self, values: object) -> str:
        """The text: doit puts the default of an option into it so."""
        return self._text() % values


def option(name: str, text: str | Help, *, default: str | None = "", short: str = "") -> dict[str, Any]:
    """An option with a value, and its help text."""
    return {"name": name, "long": name.replace("_", "-"), "short": short, "default": default, "help": text}


def several(name: str, text: str | Help) -> dict[str, Any]:
    """An option with a value that may be given more than once."""
    return {**option(name, text), "type": list, "default": []}


def choice(name: str, text: str, *values: str) -> dict[str, Any]:
    """An option that takes one of some values; the first is the default."""
    return {**option(name, text, default=values[0]), "choices": tuple((value, "") for value in values)}


def flag(name: str, text: str, *, short: str = "") -> dict[str, Any]:
    """An option that is given or not."""
    long = name.replace("_", "-")
    return {"name": name, "long": long, "short": short, "type": bool, "default": False, "help": text}
