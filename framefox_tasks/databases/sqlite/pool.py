"""Queries that each read much of a SQLite file, some at the same time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import local
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 4
_AGAIN = 0.01  # seconds


class Beside:
    """Threads, each with a connection once it has something to do. A context manager: on leaving it they have ended.

    Args:
        connect: Opens a connection that may be closed by another thread.
        count: How many threads; as many as there are processors, up to four, if not given.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], count: int | None = None) -> None:
        self._connect = connect
        self._connections: list[sqlite3.Connection] = []
        self._begun: list[Future[Any]] = []
        self._mine = local()
        self._threads = ThreadPoolExecutor(count or min(os.cpu_count() or 1, _MOST), thread_name_prefix="look")

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            while running := [look for look in self._begun if not look.done()]:
                for connection in list(self._connections):
                    connection.interrupt()
                wait(running, timeout=_AGAIN)  # and again: a thread may be between two queries
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()

    def run(self, looks: Iterable[Callable[[sqlite3.Connection], T]]) -> list[T]:
        """What each of them gives, in their order."""
        return [look.result() for look in [self.begin(look) for look in looks]]

    def begin(self, look: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """What one of them will give."""
        begun = self._threads.submit(self._one, look)
        self._begun.append(begun)
        return begun

    def _one(self, look: Callable[[sqlite3.Connection], T]) -> T:
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = self._connect()
            self._connections.append(connection)
        return look(connection)
