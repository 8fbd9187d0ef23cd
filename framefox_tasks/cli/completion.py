"""The completion of the script: its code for a shell, and the answers to it. argcomplete does the work."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import argcomplete
from argcomplete.shell_integration import shellcode
from doit.cmd_base import ModuleTaskLoader

from framefox_tasks import report
from framefox_tasks.cli.init import Parser
from framefox_tasks.cli.loader import SpellingLoader
from framefox_tasks.cli.usage import AREAS, OWN, command

_SHELLS = {
    "bash": 'eval "$(framefox-tasks completion bash)"  # in ~/.bashrc',
    "zsh": 'eval "$(framefox-tasks completion zsh)"  # in ~/.zshrc, after compinit',
    "fish": "framefox-tasks completion fish | source  # in ~/.config/fish/config.fish",
}
_LISTING = SimpleNamespace(execute_tasks=False)  # what a loader asks of the command of doit that it works for


def show_completion(arguments: Sequence[str]) -> int:
    """Print the code that a shell reads to complete the script."""
    parser = Parser(
        "framefox-tasks completion",
        description="Print the completion for a shell. It is set up by: " + "; ".join(_SHELLS.values()),
    )
    parser.add_argument("shell", choices=tuple(_SHELLS))
    shell = parser.parse_args(arguments).shell
    report.say(shellcode(["framefox-tasks"], shell=shell).rstrip())
    return 0


def complete() -> None:
    """Answer the shell with the tasks, or with the options of one, and end the process."""
    parser = ArgumentParser("framefox-tasks")
    commands = parser.add_subparsers()
    commands.add_parser("init", help=OWN["init"]).add_argument("--dry-run", action="store_true")
    commands.add_parser("completion", help=OWN["completion"]).add_argument("shell", choices=tuple(_SHELLS))
    watch = commands.add_parser("watch", help=OWN["watch"])
    watch.add_argument("--serve", action="store_true")
    watch.add_argument("--port")
    tasks = _tasks()
    watch.add_argument("task", choices=[task.name for task in tasks if not task.name.startswith("_")])
    areas = {area: commands.add_parser(area, help=f"The tasks of {area}").add_subparsers() for area in AREAS}
    for task in tasks:
        if task.name.startswith("_") or task.name == "database_init":
            continue
        area, colon, name = command(task.name).partition(":")
        for below in (commands, areas[area]) if colon and area in areas else (commands,):
            _add_task(below, name if below is not commands else f"{area}{colon}{name}", task)
    argcomplete.autocomplete(parser)


def _tasks() -> Sequence[Any]:
    """The tasks of the project; those of this package where there is none, or its dodo.py cannot be loaded."""
    folder = next((each for each in (Path.cwd(), *Path.cwd().parents) if (each / "dodo.py").is_file()), None)
    try:
        if folder:
            os.chdir(folder)
            loader: Any = SpellingLoader()
            loader.setup({"dodoFile": "dodo.py", "cwdPath": None, "seek_file": False})
            return list(loader.load_tasks(_LISTING, []))
    except Exception:  # noqa: BLE001, S110 - doit tells of it when a task is run; a shell that completes cannot
        pass
    from framefox_tasks import tasks

    return list(ModuleTaskLoader(tasks).load_tasks(_LISTING, []))


def _add_task(commands: Any, name: str, task: Any) -> None:
    parser = commands.add_parser(name, help=(task.doc or "").replace("%", "%%"))
    for option in (*task.params, *task.creator_params):
        _add(parser, option)


def _add(parser: ArgumentParser, option: dict[str, Any]) -> None:
    names = [f"-{option['short']}"] if option.get("short") else []
    names += [f"--{option['long']}"] if option.get("long") else []
    if not names:
        return
    help_text = str(option.get("help", "") % {"default": option["default"]}).replace("%", "%%")
    if option.get("type") is bool:
        parser.add_argument(*names, dest=option["name"], action="store_true", help=help_text)
    else:
        choices = [value for value, _ in option.get("choices", ())] or None
        parser.add_argument(*names, dest=option["name"], choices=choices, help=help_text)
