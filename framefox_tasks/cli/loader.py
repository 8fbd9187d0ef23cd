"""The loader of dodo.py that knows the tasks in the spelling of Framefox, too."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from doit.cmd_base import DodoTaskLoader
from doit.exceptions import InvalidDodoFile

_PACKAGE = "framefox_tasks.tasks"
_TASK = "task_"


class SpellingLoader(DodoTaskLoader):  # type: ignore[misc]  # doit ships no type information
    """Loads a dodo.py, and takes `database:upgrade` and `database upgrade` for the task `database_upgrade`."""

    def setup(self, opt_values: Any) -> None:
        """Load the module.

        Raises:
            InvalidDodoFile: It has none of the tasks of this package.
        """
        super().setup(opt_values)
        if not any(_is_ours(value) for name, value in self.namespace.items() if name.startswith(_TASK)):
            raise InvalidDodoFile(
                "This dodo.py has no task of framefox_tasks.\nSee what to add to it with: framefox-tasks init"
            )

    def load_doit_config(self) -> dict[str, Any]:
        """The configuration of dodo.py; where the state cannot be written, and it says nothing of that, as ours."""
        from framefox_tasks.tasks import DOIT_CONFIG
        from framefox_tasks.tasks.state_file import STATE_FILE

        given: dict[str, Any] = super().load_doit_config()
        if {"backend", "dep_file"} & given.keys() or DOIT_CONFIG["dep_file"] == STATE_FILE:
            return given
        return {**given, **{name: DOIT_CONFIG[name] for name in ("backend", "dep_file")}}

    def load_tasks(self, cmd: Any, pos_args: list[str]) -> Any:
        """Load the tasks. The words of the command line are changed in place: doit reads the same list later."""
        names = {name.removeprefix(_TASK) for name in self.namespace if name.startswith(_TASK)}
        flags: set[str] | None = None
        for index in _candidates(pos_args, names):
            before = pos_args[index - 1] if index else ""
            if before.startswith("-") and "=" not in before:
                flags = flags if flags is not None else _flags(super().load_tasks(cmd, []))
                if before not in flags:  # the value of an option
                    continue
            pos_args[index] = spelled(pos_args[index], names) or pos_args[index]
        _join(pos_args, names)
        _show_area(pos_args, names)
        return super().load_tasks(cmd, pos_args)


def _is_ours(value: object) -> bool:
    return inspect.isfunction(value) and value.__module__.startswith(_PACKAGE)


def spelled(word: str, names: Collection[str]) -> str | None:
    """The task that a word in the spelling of Framefox means; None where it means none.

    Args:
        word: As `database:create-migration`, or `database:copy:backup`.
        names: The tasks that there are.
    """
    area, colon, rest = word.partition(":")
    name, sub, of = rest.partition(":")
    task = f"{area}_{name}".replace("-", "_")
    return f"{task}{sub}{of}" if colon and word not in names and task in names else None


def _candidates(words: Sequence[str], names: Collection[str]) -> Iterator[int]:
    yield from (index for index, word in enumerate(words) if spelled(word, names))


def _join(words: list[str], names: Collection[str]) -> None:
    """Take two words such as `database create-migration` for one, where a task is expected: at the begin."""
    if len(words) > 1 and words[0] in _areas(names) and not words[1].startswith("-"):
        words[:2] = [f"{words[0]}_{words[1].replace('-', '_')}"]


def _show_area(words: Sequence[str], names: Collection[str]) -> None:
    """Show the commands of an area, as database, where it stands alone or with --help; then the process ends."""
    if words and words[1:] in ([], ["-h"], ["--help"]) and words[0] in _areas(names):
        from framefox_tasks.cli.usage import AREAS, show_usage

        if words[0] in AREAS:
            show_usage(words[0])
            raise SystemExit(0 if words[1:] else 3)


def _areas(names: Collection[str]) -> set[str]:
    """The words that tasks begin with, as database, where they are no tasks themselves."""
    return {name.partition("_")[0] for name in names} - set(names)


def _flags(tasks: Sequence[Any]) -> set[str]:
    """The options of all tasks that take no value."""
    options = [option for task in tasks for option in (*task.params, *task.creator_params)]
    found = [option for option in options if option.get("type") is bool]
    return {f"--{option.get('long')}" for option in found} | {f"-{option.get('short')}" for option in found}
