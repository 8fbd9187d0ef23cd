"""The tasks of the databases that the settings name beside the default one: database_upgrade:analytics.

Each is made by the function that makes the plain one, while its database is the configured one. doit lists them with
`list --all`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from doit.cmdparse import CmdOption, TaskParse
from doit.task import Task, dict_to_task

from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.settings import configured, database_names, using
from framefox_tasks.settings._several import DEFAULT

_words: Sequence[str] = ()


def note_words(words: Sequence[str]) -> None:
    """Note the words of the command line: doit hands options to the functions of tasks by their plain names alone."""
    global _words
    _words = words


def of_each(function: Callable[..., Any], options: dict[str, Any], declared: Sequence[dict[str, Any]]) -> Any:
    """What a task function gives, and with several databases the same for each of them.

    Args:
        function: The task function.
        options: What of the command line is for it.
        declared: The options that it was declared with, where it gets them.
    """
    names = database_names()
    made = function(**options)
    return _all(function, made, names, list(declared)) if names else made


def _all(function: Any, made: Any, names: Sequence[str], declared: list[dict[str, Any]]) -> Iterator[Any]:
    base = function.__name__.removeprefix("task_")
    has_default = _has_default()
    for each in _dicts(made) if isinstance(made, dict) or has_default else _without_parts(made):
        yield each if {"name", "basename"} & each.keys() else {**each, "basename": base}
    if isinstance(made, dict) and has_default:
        yield _task({"name": f"{base}:{DEFAULT}", "actions": [], "task_dep": [base]}, base, [])
    for name in names:
        with using(name):
            for each in _dicts(function(**_options(f"{base}:{name}", declared))):
                yield _of_database(each, base, name, declared, (function.__doc__ or "").partition("\n")[0])


def _dicts(made: Any) -> Sequence[dict[str, Any]]:
    return [made] if isinstance(made, dict) else list(made)


def _without_parts(made: Any) -> Sequence[dict[str, Any]]:
    """A group of the default database as one task, where there is no such: a star means no part of it."""
    part = next(each for each in _dicts(made) if "basename" not in each)
    return [{name: value for name, value in part.items() if name in ("actions", "verbosity", "io")}]


def _has_default() -> bool:
    try:
        configured()
    except FramefoxTasksError:
        return False
    return True


def _options(task: str, declared: list[dict[str, Any]]) -> dict[str, Any]:
    behind = list(_words[_words.index(task) + 1 :]) if declared and task in _words else []
    return dict(TaskParse([CmdOption(option) for option in declared]).parse(behind)[0]) if declared else {}


def _of_database(each: dict[str, Any], base: str, name: str, declared: list[dict[str, Any]], doc: str) -> Any:
    made = dict(each)
    made["task_dep"] = [f"{task}:{name}" for task in each.get("task_dep", ())]
    basename = f"{made.pop('basename', base)}:{name}"
    if "name" in made:  # a part of a group
        return {**made, "basename": basename}
    return _task({"doc": doc, **made, "name": basename}, base, declared)


def _task(made: dict[str, Any], base: str, declared: list[dict[str, Any]]) -> Task:
    task = dict_to_task(made)
    task.subtask_of = base  # only for the list: the plain task does not depend on it
    task.creator_params = declared
    return task
