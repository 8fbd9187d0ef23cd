"""The command `framefox-tasks watch`: runs tasks again whenever a file of the project is saved."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from framefox_tasks import report
from framefox_tasks.cli.init import Parser
from framefox_tasks.cli.serve import serving
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.settings import load_settings

_SUFFIXES = (".py", ".yaml", ".yml", ".toml", ".ini", ".env")
_MISTYPED = 3
"""The exit code of a run without a task of such a name, or option: to wait would not mend that."""
_PORT = 8017


def run_watch(arguments: Sequence[str]) -> int:
    """Run the command until it is interrupted, and give the exit code."""
    parser = Parser(
        "framefox-tasks watch",
        usage="%(prog)s [--serve] [--port=PORT] TASK [OPTIONS]",
        description="Run tasks, and again whenever a file of the project is saved, until Ctrl-C.",
        allow_abbrev=False,
    )
    parser.add_argument("--serve", action="store_true", help="show the diagrams on 127.0.0.1; the page reloads itself")
    parser.add_argument("--port", type=int, help=f"with --serve: the port [default: {_PORT}]")
    own, tasks = parser.parse_known_args(arguments)
    if not [word for word in tasks if not word.startswith("-")]:
        parser.error("name a task, as in: framefox-tasks watch database_diagram")
    if own.port is not None and not own.serve:
        parser.error("--port goes with --serve")
    try:
        return _watch(tasks, (_PORT if own.port is None else own.port) if own.serve else None)
    except KeyboardInterrupt:
        return 0
    except FramefoxTasksError as exc:
        report.note(str(exc))
        return 1


def _watch(tasks: Sequence[str], port: int | None) -> int:
    try:
        from watchfiles import watch
    except ImportError as exc:
        raise FramefoxTasksError(
            "To watch files takes the package watchfiles, which is not installed.",
            hint='Install it: pip install "framefox-tasks[watch]"',
        ) from exc

    root = Path.cwd()
    with ExitStack() as stack:
        if port is not None:
            folder = root / load_settings(root).diagram.folder
            report.say(f"The diagrams are shown on {stack.enter_context(serving(folder, port))}")
        if _run(tasks) == _MISTYPED:
            return _MISTYPED
        report.say("Waiting for files to be saved. Ctrl-C ends it.")
        for changes in watch(*_places(root), watch_filter=_counts):
            saved = sorted({str(Path(path).relative_to(root)) for _, path in changes})
            report.say(f"{saved[0]} was saved{f', and {len(saved) - 1} more' if len(saved) > 1 else ''}.")
            _run(tasks)
    return 0


def _run(tasks: Sequence[str]) -> int:
    """Run the tasks in a process of their own: this one would not import an edited module again."""
    return subprocess.run([sys.executable, "-m", "framefox_tasks", *tasks], check=False).returncode


def _places(root: Path) -> Iterator[Path]:
    """What is watched: the folders of the project, but for environments and what tools keep, and the files in it."""
    for path in sorted(root.iterdir()):
        aside = path.name.startswith(".") or path.name in ("node_modules", "__pycache__")
        if path.name == ".env" or (not aside and not (path / "pyvenv.cfg").exists()):
            yield path


def _counts(change: object, path: str) -> bool:  # noqa: ARG001 - watchfiles' signature
    name = Path(path).name
    return path.endswith(_SUFFIXES) and (name == ".env" or not name.startswith("."))
