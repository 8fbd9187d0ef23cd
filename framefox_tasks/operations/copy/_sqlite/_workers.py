"""Processes that read a large SQLite table together: what takes long is the text of the rows, and not the file."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from struct import Struct
from typing import IO, Any

import framefox_tasks
from framefox_tasks import errors
from framefox_tasks.errors import CopyError, FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.operations.copy._model import BadRowError, Side

HEAD = Struct(">cI")
READY, LINES, DONE, FAILED, END = b"R", b"L", b"D", b"F", b"E"
"""What a worker sends: that it sees the file, lines, that a part is done, an error, that there are no more parts."""

_MOST = 4
"""Workers: no database takes rows faster than so many give them."""
_PIPE = 512 * 1024
# A process of its own starts from nothing: it neither runs a script again nor has the connections of this one.
_START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from framefox_tasks.operations.copy._sqlite._worker import main; main()"
)


class Watch:
    """Knows whether others have changed the file since before the snapshot was taken."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = self._now()

    def _now(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def is_quiet(self) -> bool:
        """Whether nothing was committed. Then who began to read in the meantime sees the snapshot."""
        try:
            return self._now() == self._version
        except sqlite3.Error:  # a writer waits for its turn
            return False


@contextmanager
def watching(target: Target) -> Iterator[Watch | None]:
    """A watch, to be had before the snapshot; None where there can be none."""
    uri = f"{target.file.as_uri()}?mode=rw"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0, check_same_thread=False)
    except sqlite3.Error:
        yield None
        return
    with closing(connection):
        watch = None
        with suppress(sqlite3.Error):
            watch = Watch(connection)
        yield watch


class Workers:
    """Processes that have the rows of one table between them. A context manager: they have ended when it is left."""

    def __init__(self, target: Target, table: Side, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._target = target
        self._table = table
        self._processes = processes
        self._ended = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End them, and wait until they have."""
        self.kill()
        for process in self._processes:
            process.__exit__(None, None, None)

    def kill(self) -> None:
        """End them, from whatever thread; who waits for their lines gets an error."""
        self._ended = True
        for process in self._processes:
            process.kill()

    def are_ready(self) -> bool:
        """Whether all of them read the file."""
        task = pickle.dumps(_path()) + pickle.dumps((self._target, self._table, len(self._processes)))
        try:
            for number, process in enumerate(self._processes):
                with _pipe(process.stdin) as pipe:
                    pipe.write(task + pickle.dumps(number))
            return all(_frame(process)[0] == READY for process in self._processes)
        except OSError:
            return False

    def blocks(self) -> Generator[bytes]:
        """Blocks of lines in the order of the table's numbers."""
        for process in cycle(self._processes):
            kind, content = self._next(process)
            while kind == LINES:
                yield content
                kind, content = self._next(process)
            if kind == END:
                return

    def _next(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
        kind, content = _frame(process)
        if kind == FAILED:
            raise _error(json.loads(content))
        if kind:
            return kind, content
        if self._ended:
            raise CopyError(f"Reading {self._target.label} was ended.")
        raise CopyError(
            f"A process that read {self._table.name} of {self._target.label} ended too early, with exit code "
            f"{process.wait()}.",
            hint="See whether the machine has run out of memory, and copy again.",
        )


def start(target: Target, table: Side) -> Workers | None:
    """Start workers for a table; None where there is no second processor, or nothing to start them with."""
    count = min(os.cpu_count() or 1, _MOST)
    if count < 2 or not sys.executable or getattr(sys, "frozen", False):
        return None
    processes: list[subprocess.Popen[bytes]] = []
    workers = Workers(target, table, processes)
    try:
        processes.extend(_started() for _ in range(count))
    except OSError:
        workers.close()
        return None
    return workers


def _started() -> subprocess.Popen[bytes]:
    # Apart from the terminal's group: an interrupt is for this process, which then ends the others.
    windows = sys.platform == "win32"
    group: dict[str, Any] = {"creationflags": 0x200} if windows else {"process_group": 0}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=_PIPE,
        **group,
    )


def _path() -> list[str]:
    """Where modules are; first where this package is, which need not have been found by the path."""
    return [str(Path(framefox_tasks.__file__).parents[1]), *sys.path]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - each has both
    return pipe


def _frame(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a worker sends next; nothing if it has ended."""
    pipe = _pipe(process.stdout)
    head = pipe.read(HEAD.size)
    if len(head) < HEAD.size:
        return b"", b""
    kind, size = HEAD.unpack(head)
    content = pipe.read(size)
    return (kind, content) if len(content) == size else (b"", b"")


def failure(exc: FramefoxTasksError) -> bytes:
    """An error as a worker sends it."""
    if isinstance(exc, BadRowError):
        return json.dumps({"table": exc.table, "reason": exc.reason, "row": exc.row}).encode()
    return json.dumps({"type": type(exc).__name__, "message": exc.message, "hint": exc.hint}).encode()


def _error(sent: dict[str, Any]) -> FramefoxTasksError:
    if "reason" in sent:
        return BadRowError(sent["table"], sent["reason"], row=sent["row"])
    found: FramefoxTasksError = getattr(errors, sent["type"])(sent["message"], hint=sent["hint"])
    return found
