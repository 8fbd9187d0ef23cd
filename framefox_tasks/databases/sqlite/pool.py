"""Queries that each read much of a SQLite file, some at the same time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager, suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from framefox_tasks.databases.sqlite.backup import connect
from framefox_tasks.databases.sqlite.worker_pool import Watch
from framefox_tasks.model import Target

T = TypeVar("T")

_MOST = 4
_AGAIN = 0.01  # seconds


@contextmanager
def joined(target: Target, connection: sqlite3.Connection, watch: Watch | None) -> Iterator[Pool]:
    """A pool of a connection and others that see the same, one for each processor.

    It alone is in it where there is no watch, or that is not sure.
    """
    connections = [connection]
    with ExitStack() as opened:
        with suppress(sqlite3.Error):  # a writer waits for its turn
            while watch and len(connections) < min(os.cpu_count() or 1, _MOST):
                other = opened.enter_context(closing(connect(target, timeout=0)))
                other.execute("PRAGMA query_only = ON")
                other.execute("BEGIN")
                other.execute("SELECT 1 FROM sqlite_master").fetchone()
                connections.append(other)
        yield opened.enter_context(Pool(connections if watch and watch.is_quiet() else [connection]))


class Pool:
    """Threads, one for each connection. A context manager: on leaving it they have ended."""

    def __init__(self, connections: Sequence[sqlite3.Connection]) -> None:
        self._connections = connections
        self._begun: list[Future[Any]] = []
        self._free: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in connections:
            self._free.put(connection)
        self._threads = ThreadPoolExecutor(len(connections), thread_name_prefix="look")

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            while running := [look for look in self._begun if not look.done()]:
                for connection in self._connections:
                    connection.interrupt()
                wait(running, timeout=_AGAIN)  # and again: a thread may be between two queries
        self._threads.shutdown()

    def begin(self, look: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """What a function will give for one of the connections."""
        begun = self._threads.submit(self._one, look)
        self._begun.append(begun)
        return begun

    def _one(self, look: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._free.get()
        try:
            return look(connection)
        finally:
            self._free.put(connection)
