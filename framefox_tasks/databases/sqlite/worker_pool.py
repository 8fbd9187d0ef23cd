"""Processes that read large SQLite tables together: what takes long is the text of the rows, and not the file."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import IO, Any

import framefox_tasks
from framefox_tasks.databases.checksum import RowTotals
from framefox_tasks.databases.sqlite.backup import connect
from framefox_tasks.databases.sqlite.worker import HEAD, LEFT, LINES, READY, TOTALS, WorkerTable, unpacked
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

_MOST = 4
"""Workers: no database takes rows faster than so many give them."""
_AHEAD = 3
"""How many parts a worker is asked for at a time, so that it never waits for the next."""
_PIPE = 512 * 1024
# A process of its own starts from nothing: it neither runs a script again nor has the connections of this one.
_START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from framefox_tasks.databases.sqlite.worker import main; main()"
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


class Owned(Watch):
    """Of a file that this process has locked for itself: nobody else changes it."""

    def __init__(self) -> None:  # it looks at nothing
        pass

    def is_quiet(self) -> bool:
        """Always."""
        return True


@contextmanager
def watching(target: Target) -> Iterator[Watch | None]:
    """A watch, to be had before the snapshot; None where there can be none."""
    try:
        connection = connect(target, timeout=0)
    except sqlite3.Error:
        yield None
        return
    with closing(connection):
        watch = None
        with suppress(sqlite3.Error):
            watch = Watch(connection)
        yield watch


class Workers:
    """Processes, once they are started. A context manager: they have ended when it is left.

    Args:
        target: The database.
        watch: Says whether they see the same as who asks them; where there is none they are never used.
    """

    def __init__(self, target: Target, watch: Watch | None) -> None:
        self._target = target
        self._watch = watch
        self._processes: list[subprocess.Popen[bytes]] = []
        self._seen = False
        self._busy = False
        self._ended = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for process in self._processes:
            process.kill()
        while self._processes:
            with suppress(BrokenPipeError):  # it ended before it had heard all
                self._processes.pop().__exit__(None, None, None)

    def kill(self) -> None:
        """End them, from whatever thread; who waits for their lines gets an error."""
        self._ended = True
        for process in list(self._processes):
            process.kill()

    def start(self) -> None:
        """Start them, unless they are; nothing where there is no second processor, or nothing to start them with."""
        count = min(os.cpu_count() or 1, _MOST)
        able = self._watch and count > 1 and sys.executable and not getattr(sys, "frozen", False)
        if self._processes or not able:
            return
        self._seen = False
        try:
            for _ in range(count):
                self._processes.append(_started())
                _tell(self._processes[-1], _path(), self._file())
        except OSError:
            self._close()

    def _file(self) -> str:
        """How they open it: without a lock where this process has it, which gives no other one."""
        return f"{self._target.file.as_uri()}{'?immutable=1' if isinstance(self._watch, Owned) else ''}"

    def are_ready(self) -> bool:
        """Whether they are started, see what was there when the watch was, and have nothing else to do."""
        if self._processes and not self._seen:
            self._seen = all(_frame(process)[0] == READY for process in self._processes)
            if not (self._seen and self._watch and self._watch.is_quiet()):
                self._watch = None
                self._close()
        return bool(self._processes) and not self._busy

    def blocks(
        self,
        table: WorkerTable,
        conditions: Iterable[str],
        rest: Callable[[str], Generator[bytes]],
        add: Callable[[RowTotals], None] | None = None,
    ) -> Generator[bytes]:
        """Blocks of lines, or of those alone that a worker has left where checksums are asked for.

        Args:
            table: What is read.
            conditions: Each gives a part of it; their order is that of the lines.
            rest: Reads by a query what a worker has left.
            add: Takes the checksum of each part, where no lines are asked for.
        """
        self._busy = True
        coming, workers = iter(conditions), cycle(self._processes)
        asked: deque[tuple[subprocess.Popen[bytes], str]] = deque()

        def ask(count: int) -> None:
            for condition in islice(coming, count):
                worker = next(workers)
                _tell(worker, condition)
                asked.append((worker, condition))

        finished = False
        try:
            for worker in self._processes:
                _tell(worker, table)
            ask(_AHEAD * len(self._processes))
            while asked:
                worker, condition = asked.popleft()
                kind, content = self._next(worker, table)
                while kind in (LINES, TOTALS):
                    if kind == LINES:
                        yield content
                    elif add:
                        add(unpacked(content))
                    kind, content = self._next(worker, table)
                ask(1)
                if kind == LEFT:
                    yield from rest(f"{table.query(condition)} LIMIT -1 OFFSET {int(content)}")
            finished = True
        finally:
            self._busy = False
            if not finished:  # they would still answer
                self._close()

    def _next(self, worker: subprocess.Popen[bytes], table: WorkerTable) -> tuple[bytes, bytes]:
        kind, content = _frame(worker)
        if kind:
            return kind, content
        if self._ended:
            raise CopyError(f"Reading {self._target.label} was ended.")
        raise CopyError(
            f"A process that read {table.label} of {self._target.label} ended too early, with exit code "
            f"{worker.wait()}.",
            hint="See whether the machine has run out of memory, and copy again.",
        )


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


def _tell(worker: subprocess.Popen[bytes], *messages: object) -> None:
    pipe = _pipe(worker.stdin)
    with suppress(BrokenPipeError):  # that it has ended is seen where its answer is read
        pipe.write(b"".join(map(pickle.dumps, messages)))
        pipe.flush()


def _frame(worker: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a worker sends next; nothing if it has ended."""
    pipe = _pipe(worker.stdout)
    head = pipe.read(HEAD.size)
    if len(head) < HEAD.size:
        return b"", b""
    kind, size = HEAD.unpack(head)
    content = pipe.read(size)
    return (kind, content) if len(content) == size else (b"", b"")
