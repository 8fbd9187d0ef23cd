"""Waiting for what other processes do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

_SECONDS = 90
_OF_TESTS = re.compile(rb"multiprocessing\.(forkserver|resource_tracker)")


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: It is not within 90 seconds.
    """
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process goes on; one that has ended does not, even where nobody has asked for its exit code yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def children() -> list[int]:
    """The child processes, without those that the commands of other tests are forked from."""
    pids = [pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()]
    return [int(pid) for pid in pids if not _OF_TESTS.search(Path(f"/proc/{pid}/cmdline").read_bytes())]
