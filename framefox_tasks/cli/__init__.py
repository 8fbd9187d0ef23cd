# PYTHON_ARGCOMPLETE_OK
"""The script framefox-tasks: `init`, and every task in the spelling of Framefox, as `database:create-migration`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

PROGRAM = "framefox-tasks"
_UPGRADE = (["database:upgrade"], ["database_upgrade"], ["database", "upgrade"])
_FAILED = 3
"""The exit code where no task has run, as doit's."""


def main() -> int:
    """Run what the command line says, and give the exit code: doit's, where a task was run."""
    arguments = sys.argv[1:]
    if arguments in _UPGRADE and "_ARGCOMPLETE" not in os.environ and _is_up_to_date():
        return 0
    from framefox_tasks.url import redacted

    sys.stderr = redacted(sys.stderr, arguments)  # before dodo.py is loaded, whose tasks do so, too
    if "_ARGCOMPLETE" in os.environ:
        from framefox_tasks.cli.completion import complete

        complete()
    if not arguments or arguments in (["-h"], ["--help"], ["help"]):
        from framefox_tasks.cli.usage import show_usage

        show_usage()
        return 0
    if arguments == ["--version"]:
        from importlib.metadata import version

        from framefox_tasks import report

        report.say(f"{PROGRAM} {version(PROGRAM)}, doit {version('doit')}, {sys.executable}")
        return 0
    if arguments[0] in ("-h", "--help"):
        arguments[0] = "help"
    if arguments[0] == "help" and (len(arguments) > 2 or ":" in arguments[1]):
        arguments = [*arguments[1:], "--help"]
    own = _own_command(arguments)
    return _run(arguments) if own is None else own


def _is_up_to_date() -> bool:
    """Whether the upgrade has nothing to do; then it has been said."""
    gc.disable()  # there will be hardly any garbage, and to look for it takes a part of the time
    from framefox_tasks.cli.kept_answer import answered_as_before

    answered = answered_as_before()
    if not answered:
        from framefox_tasks.cli.no_op import answered as found_out

        answered = found_out()
    if answered:
        gc.freeze()  # nor at the end
    else:
        gc.enable()
    return answered


def _own_command(arguments: Sequence[str]) -> int | None:
    """The exit code of a command that is no task; None where this is a task, or a command of doit."""
    command, *rest = arguments
    if command == "database" and rest:
        command, *rest = f"database_{rest[0]}", *rest[1:]
    if command in ("init", "database:init", "database_init"):
        from framefox_tasks.cli.init import run_init

        return run_init(rest)
    if command == "completion":
        from framefox_tasks.cli.completion import show_completion

        return show_completion(rest)
    if command == "watch":
        from framefox_tasks.cli.watch import run_watch

        return run_watch(rest) if _to_project() else _FAILED
    return None


def _run(arguments: list[str]) -> int:
    from doit.doit_cmd import DoitMain

    from framefox_tasks.cli.loader import SpellingLoader
    from framefox_tasks.tasks.mistyped import explain_mistypes

    explain_mistypes()  # also of options before a task, which are read before dodo.py
    elsewhere = any(word.startswith(("-f", "--file", "-d", "--dir")) for word in arguments)
    if not elsewhere and not _to_project():
        return _FAILED
    DoitMain.BIN_NAME = PROGRAM
    return int(DoitMain(SpellingLoader()).run(arguments) or 0)


def _to_project() -> bool:
    """Change to the folder of the next dodo.py, where doit looks for its own settings as well; False without one."""
    from pathlib import Path

    folder = next((each for each in (Path.cwd(), *Path.cwd().parents) if (each / "dodo.py").is_file()), None)
    if folder is None:
        from framefox_tasks import report

        report.note(f"There is no dodo.py here, nor in a folder above. Make one with: {PROGRAM} init")
        return False
    os.chdir(folder)
    return True
