"""What `framefox-tasks --help` shows."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import framefox_tasks
from framefox_tasks import report

OWN = {
    "init": "Write what a project lacks for the tasks",
    "watch": "Run tasks again whenever a file is saved",
    "completion": "Print the completion for bash, zsh or fish",
}
AREAS = ("database", "create", "debug", "fleet")


def show_usage(area: str = "") -> None:
    """Print the commands, or those of one area, as database."""
    commands = {
        "init": OWN["init"],
        **{command(name): text for name, text in tasks().items() if name != "database_init"},
    }
    commands |= {name: OWN[name] for name in ("watch", "completion")}
    commands = {name: text for name, text in commands.items() if name.startswith(area and f"{area}:")}
    width = max(map(len, commands))
    lines = [
        f"Usage: framefox-tasks {f'{area}:' if area else ''}COMMAND [OPTIONS]",
        "",
        "Commands:",
        *(f"  {name:{width}}  {text}" for name, text in commands.items()),
        "",
        "The options of a command: framefox-tasks database:upgrade --help",
        "Each is a task of doit as well, which chains them: doit database_upgrade database_status",
        "Tasks of your own in dodo.py and the commands of doit, such as list, work here too.",
    ]
    report.say("\n".join(lines))


def command(task: str) -> str:
    """A task in the spelling of Framefox."""
    area, _, name = task.partition("_")
    return f"{area}:{name.replace('_', '-')}" if area in AREAS and name else task


def tasks() -> Mapping[str, str]:
    """The tasks of this package by name, with what each does; read and not imported, as doit is not needed for it."""
    folder = Path(framefox_tasks.__file__).parent / "tasks"
    found = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("task_"):
                found[node.name.removeprefix("task_")] = (ast.get_docstring(node) or "").partition("\n")[0]
    return found
