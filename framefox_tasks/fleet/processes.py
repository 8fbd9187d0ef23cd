"""Processes of our own that work on a fleet: each has one target at a time, and ends when its parent is gone.

A pool of `concurrent.futures` would do neither: one killed worker fails all that wait, and its workers outlive a parent
that is killed.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace as replaced
from pathlib import Path
from queue import SimpleQueue
from struct import Struct
from typing import IO, Any

import framefox_tasks
from framefox_tasks.databases.reuse import is_reusing, reusing
from framefox_tasks.fleet.waiting import ServerOf, Waiting
from framefox_tasks.fleet.work import Order, Worker, prepare
from framefox_tasks.frozen import replace
from framefox_tasks.results import FleetOutcome
from framefox_tasks.url import redact

_HEAD = Struct(">I")
_TAIL = 400
_ATTEMPTS = 2
_LOOK_SECONDS = 0.2
Ended = SimpleQueue[tuple[FleetOutcome, threading.Event] | BaseException | None]
"""Outcomes, each with what is set when the next one is asked for."""
# Nothing of a script that called this is run again, and nothing that it has open is inherited.
# To look for garbage takes a tenth of the start, and there is none.
_START = (
    "import gc, json, sys; gc.disable(); sys.path[:] = json.loads(sys.argv.pop()); "
    "from framefox_tasks.fleet.processes import serve; serve()"
)


class Processes:
    """Processes that carry out orders.

    Args:
        jobs: How many.
        per_server: How many of them work on one server at a time; None for no limit.
        server_of: The server that an order is about; empty for none.
        on_interrupt: Called when an interrupt has come, before those that run are waited for.
    """

    def __init__(
        self,
        jobs: int,
        *,
        per_server: int | None = None,
        server_of: ServerOf = lambda _: "",
        on_interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        self._jobs = jobs
        self._per_server = per_server
        self._server_of = server_of
        self._on_interrupt = on_interrupt
        self._waiting: Waiting | None = None
        self._started: list[_Process] = []

    def start(self, most: int) -> None:
        """Begin some of the processes ahead of the orders: what they import takes as long as many a target.

        Args:
            most: How many orders there may be; of no more processes than there are processors it helps.
        """
        self._started = [_Process() for _ in range(min(self._jobs, most, os.cpu_count() or 1))]

    def close(self) -> None:
        """End the processes that got no order."""
        while self._started:
            self._started.pop().kill()

    def stop(self) -> None:
        """Begin no more of them. What runs is gone on with, and its outcome is given."""
        if self._waiting:
            self._waiting.close()

    def outcomes(self, orders: Sequence[Order]) -> Iterator[FleetOutcome]:
        """Carry out orders, in about their order; gives the outcomes as they come.

        When it is closed, as by leaving a loop over it, no more are begun, and it waits for those that run.
        """
        queue = self._waiting = Waiting(orders, self._per_server, self._server_of)
        ended: Ended = SimpleQueue()
        threads = [
            threading.Thread(target=_run, args=(queue, ended, started), name=f"fleet-{number}", daemon=True)
            for number, started in enumerate(self._taken(min(self._jobs, len(orders))))
        ]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                found = ended.get()
                if found is None:
                    running -= 1
                elif isinstance(found, BaseException):
                    raise found
                else:
                    outcome, seen = found
                    yield outcome
                    seen.set()
        except KeyboardInterrupt:
            self._on_interrupt()
            raise
        finally:
            queue.close()
            for thread in threads:
                thread.join()
            self.close()

    def _taken(self, count: int) -> Iterator[_Process | None]:
        """The processes that were begun already, then None."""
        for _ in range(count):
            yield self._started.pop() if self._started else None


def _run(waiting: Waiting, ended: Ended, process: _Process | None) -> None:
    """What a thread does: it has one process, and starts another in its place where that is lost."""
    try:
        with ExitStack() as stack:
            if process:
                stack.enter_context(process)
            while order := waiting.take():
                try:
                    process, found = _carried_out(order, process, stack)
                finally:
                    waiting.ended(order)
                seen = threading.Event()
                ended.put((found, seen))
                # After a failure none may be wanted any more: who counts them says so before another is begun.
                while found.ended == "failed" and not (waiting.closed or seen.wait(_LOOK_SECONDS)):
                    pass
    except BaseException as exc:  # noqa: BLE001 - who waits for the outcomes is to have it
        ended.put(exc)
    finally:
        ended.put(None)


def _carried_out(order: Order, process: _Process | None, stack: ExitStack) -> tuple[_Process | None, FleetOutcome]:
    """The outcome of an order; begun once more where its worker is lost."""
    lost = ""
    for attempt in range(1, _ATTEMPTS + 1):
        process = process or stack.enter_context(_Process())
        found = process.ask(replace(order, attempt=attempt))
        if found is not None:
            note = f"{lost} It was begun again." if lost and found.ended != "failed" else ""
            return process, replaced(found, message="; ".join(filter(None, (note, found.message)))) if note else found
        lost, process = process.loss(), None
    return process, FleetOutcome(
        order.name,
        order.label,
        "failed",
        message=f"{lost} So did the one before it.",
        hint="See whether the machine has run out of memory. What is half-done: doit fleet_status",
        attempts=_ATTEMPTS,
    )


class _Process:
    """A worker, as its parent sees it."""

    def __init__(self) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        # Apart from the terminal's group: an interrupt is for the parent, and what runs is not to be broken off.
        group: dict[str, Any] = {"creationflags": 0x200} if sys.platform == "win32" else {"process_group": 0}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps([str(Path(framefox_tasks.__file__).parents[1]), *sys.path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            **group,
        )

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()  # it ends by itself
        _pipe(self._process.stdout).close()
        self._process.wait()
        self._said.close()

    def kill(self) -> None:
        """End it at once: it has no order."""
        with self:
            self._process.kill()

    def ask(self, order: Order) -> FleetOutcome | None:
        """What becomes of an order; None where the process is lost."""
        os.lseek(self._said.fileno(), 0, os.SEEK_SET)  # of the worker as well: it is the same open file
        self._said.truncate(0)
        self._send(pickle.dumps(order))
        content = _frame(_pipe(self._process.stdout))
        if content is None:
            return None
        outcome: FleetOutcome = pickle.loads(content)  # noqa: S301 - of our own process
        return outcome

    def loss(self) -> str:
        """How it was lost, as a sentence, with the last that it said."""
        code = self._process.wait()
        end = os.fstat(self._said.fileno()).st_size
        said = " ".join(os.pread(self._said.fileno(), _TAIL, max(0, end - _TAIL)).decode(errors="replace").split())
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"The worker was lost {how}{f': {redact(said)}' if said else ''}."

    def _send(self, content: bytes) -> None:
        with suppress(BrokenPipeError):  # that it has ended is seen where its answer is read
            pipe = _pipe(self._process.stdin)
            pipe.write(_HEAD.pack(len(content)) + content)
            pipe.flush()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - each process has both
    return pipe


def _frame(pipe: IO[bytes]) -> bytes | None:
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    (size,) = _HEAD.unpack(head)
    content = pipe.read(size)
    return content if len(content) == size else None


def serve() -> None:
    """What a worker does: an order at a time, until its parent sends no more or is gone, which ends the pipe."""
    # What migrations print is not to stand among the answers, nor what they read to be taken from the orders.
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    prepare()
    gc.freeze()
    gc.enable()
    worker = Worker()
    with ExitStack() as stack:
        while content := _frame(orders):
            order = pickle.loads(content)  # noqa: S301 - of our own parent
            if order.verb == "upgrade" and not is_reusing():  # other verbs drop databases, which may not be in use
                stack.enter_context(reusing(sessions=True))
            found = pickle.dumps(worker.outcome(order))
            try:
                answers.write(_HEAD.pack(len(found)) + found)
                answers.flush()
            except BrokenPipeError:  # the parent is gone: what was done stands in the database
                return
