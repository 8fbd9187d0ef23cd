"""Commands in processes of their own, forked from one that has imported what every run of them imports."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.forkserver import ensure_running, set_forkserver_preload
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

import framefox_tasks
from support.forked import run_here

T = TypeVar("T")

_HOUSE = Path(framefox_tasks.__file__).parent
# Not what is done once in a run of doit: importing the tasks does it, and the command line imports them.
PRELOADED = (
    *(
        ".".join(path.relative_to(_HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in _HOUSE.rglob("*.py")
        if path.relative_to(_HOUSE).parts[0] not in ("__main__.py", "cli", "tasks")
    ),
    *("doit.cmd_run", "doit.doit_cmd", "sqlite3", "yaml", "filelock", "psycopg", "pymysql"),
    *("rich.console", "rich.table", "pygraphviz", "eralchemy2.main"),
    *("sqlalchemy.orm", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.mysql"),
    *("alembic.autogenerate", "alembic.command", "alembic.operations", "alembic_postgresql_enum"),
    *("support.forked", "support.preloaded"),
)


class RunningModule:
    """`python -m module` in a process of its own, whose output is written to files; or `python -c`, and a program.

    Args:
        module: The name of the module, or `-c`.
        arguments: What it is given; after `-c` first the program.
        folder: Where it runs.
        env: All of its environment.
        stdin: What it may read.
        together: Whether stdout and stderr are one file, as after `2>&1`.
        terminal: The follower of a terminal, which it has for all its streams instead.

    Attributes:
        process: The process; its exit code is negative where a signal has ended it.
    """

    def __init__(
        self,
        module: str,
        arguments: tuple[str, ...],
        *,
        folder: Path,
        env: Mapping[str, str],
        stdin: str = "",
        together: bool = False,
        terminal: int | None = None,
    ) -> None:
        self._module = module
        self._streams = TemporaryDirectory()
        given, self._out, self._err = (Path(self._streams.name, name) for name in ("in", "out", "err"))
        if together:
            self._err = self._out
        given.write_text(stdin, encoding="utf-8")
        self._out.touch()
        self._err.touch()
        self.process = _server().Process(
            target=run_here,
            args=(
                *(module, arguments, str(folder), dict(env), _search_path(), given, self._out, self._err),
                None if terminal is None else Connection(os.dup(terminal)),  # which takes it to the process
            ),
        )
        self.process.start()

    def has_said(self) -> str:
        """Wait until something stands on stderr, and give it.

        Raises:
            subprocess.TimeoutExpired: Nothing does for a minute.
        """
        return self.until(lambda: self._err.read_text(encoding="utf-8").rpartition("\n")[0])

    def until(self, find: Callable[[], T]) -> T:
        """Wait until something is true, and give it; the command must not end meanwhile.

        Raises:
            subprocess.TimeoutExpired: It is not within a minute.
        """
        deadline = time.monotonic() + 60
        while not (found := find()):
            assert self.process.is_alive() or find(), self.finish()
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._module, 60)
            time.sleep(0.02)
        return found

    def finish(self) -> tuple[int, str, str]:
        """Wait for its end, and give its exit code, stdout and stderr.

        Raises:
            subprocess.TimeoutExpired: It takes over two minutes.
        """
        self.process.join(120)
        if self.process.exitcode is None:
            self.process.kill()
            raise subprocess.TimeoutExpired(self._module, 120)
        with self._streams:
            return self.process.exitcode, self._out.read_text(encoding="utf-8"), self._err.read_text(encoding="utf-8")


def run_module(
    module: str,
    arguments: tuple[str, ...],
    *,
    folder: Path,
    env: Mapping[str, str],
    stdin: str = "",
    together: bool = False,
) -> tuple[int, str, str]:
    """Run `python -m module`, and give its exit code, stdout and stderr, as RunningModule.finish() does."""
    return RunningModule(module, arguments, folder=folder, env=env, stdin=stdin, together=together).finish()


@cache
def _server() -> multiprocessing.context.ForkServerContext:
    set_forkserver_preload(list(PRELOADED))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))  # the server takes no path from this process
        ensure_running()
    return multiprocessing.get_context("forkserver")


@cache
def _search_path() -> list[str]:
    """Where a new interpreter looks for modules, without the folder of the command itself."""
    script = "import sys; print(*sys.path[1:], sep='\\n')"
    return subprocess.check_output([sys.executable, "-c", script], env={}, text=True).splitlines()
