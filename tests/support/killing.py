"""A program that is killed at moments all over the time that it takes."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from support.commands import RunningModule

TIMES = 20


def kill_in_the_middle(
    program: str, *arguments: str, folder: Path, before: Callable[[], object], after: Callable[[], object]
) -> None:
    """Let a program end, for the time that it takes, and then kill it at as many moments of that time.

    It says that it begins with a line on stderr. Each part of the time has its moment, which is random there.

    Args:
        program: A program of Python.
        arguments: What it is given.
        folder: Where it runs.
        before: Called before each time.
        after: Called after each time, for what must hold then.
    """

    def begun() -> RunningModule:
        before()
        running = RunningModule("-c", (program, *arguments), folder=folder, env=os.environ)
        assert running.has_said() == "ready"
        return running

    chance = random.Random(4)  # noqa: S311 - a test
    for _ in range(2):  # the first has more to do: what is not yet in memory
        running = begun()
        started = time.monotonic()
        code, _, err = running.finish()
        seconds = time.monotonic() - started
        assert code == 0, err
        after()
    killed = 0
    for number in range(TIMES):
        running = begun()
        time.sleep(seconds * (number + chance.random()) / TIMES)
        running.process.kill()
        killed += running.finish()[0] < 0
        after()
    assert killed >= TIMES // 4, "else it was done before it was killed"
