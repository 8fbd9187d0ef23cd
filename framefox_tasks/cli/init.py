"""The command `framefox-tasks init`."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from framefox_tasks import report
from framefox_tasks.errors import FramefoxTasksError


class Parser(ArgumentParser):
    """A parser whose errors say what may have been meant, and end with the exit code of doit's."""

    def error(self, message: str) -> NoReturn:
        """Print the error on stderr, and end."""
        unknown = message.rpartition(": ")[2].split()[0] if "unrecognized arguments" in message else ""
        near = get_close_matches(unknown, self._option_string_actions, n=1) if unknown else []
        hint = f" Did you mean {near[0]}?" if near else ""
        self.exit(3, f"{self.prog}: {message}.{hint}\nSee: {self.prog} --help\n")


def run_init(arguments: Sequence[str]) -> int:
    """Run init, and give the exit code."""
    from framefox_tasks.scaffold.project import init

    parser = Parser(
        "framefox-tasks init",
        description="Write what a project lacks for the tasks, and leave every file that is there as it is. "
        "In a folder without Python code an example of an entity comes with it.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be written")
    try:
        report.show(init(dry_run=parser.parse_args(arguments).dry_run))
    except FramefoxTasksError as exc:
        report.note(str(exc))
        return 1
    return 0
