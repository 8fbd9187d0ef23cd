"""The signals that end a task: SIGINT, SIGTERM and SIGHUP. What is open is undone, and the state is said."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from framefox_tasks.migrations import safe_point

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Signalled:
    """The first signal that has come while a task ran.

    Attributes:
        number: Its number; 0 if none has come.
    """

    def __init__(self) -> None:
        self.number = 0

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """End what runs; the first Ctrl-C on a terminal at the next safe point, where there is one."""
        first, self.number = not self.number, self.number or number
        if first and number == signal.SIGINT and sys.stdin and sys.stdin.isatty() and safe_point.wait_for():
            sys.stderr.write("Interrupted: it ends after this migration. Press Ctrl-C again to end it at once.\n")
            return
        raise KeyboardInterrupt


@contextmanager
def ending() -> Iterator[Signalled]:
    """A context in which a signal ends what runs by a KeyboardInterrupt, so that all that is open is closed."""
    signalled = Signalled()
    if threading.current_thread() is not threading.main_thread():
        yield signalled
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, signalled.handle)
    try:
        yield signalled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_quietly() -> None:
    """Have an interrupt outside of a task end doit with a line, and no traceback."""
    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> Any:
        if not issubclass(kind, KeyboardInterrupt):
            return previous(kind, error, trace)
        sys.stderr.write("Interrupted.\n")
        sys.stderr.flush()
        os._exit(exit_code(signal.SIGINT))

    sys.excepthook = hook


def exit_code(number: int) -> int:
    """The exit code of a process that a signal has ended, as shells have it."""
    return 128 + number
