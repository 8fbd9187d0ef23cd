"""The thread pool of a copy: each thread has connections of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import cached_property
from threading import Event, local
from typing import Any, TypeVar

from framefox_tasks.databases.contract import Loader, Place, Reader, Source
from framefox_tasks.errors import ConnectionFailedError, ConnectionLostError, CopyError, FramefoxTasksError

T = TypeVar("T")

_AGAIN = 1.0  # seconds


class StoppedError(CopyError):
    """The copy ends, because another thread failed or the user interrupted it."""


class Connections:
    """The connections of one thread, opened when they are first used."""

    def __init__(self, source: Source, place: Place, closing: ExitStack) -> None:
        self._source = source
        self._place = place
        self._closing = closing
        self._open: list[Reader | Loader] = []

    @cached_property
    def reader(self) -> Reader:
        """Reads the source."""
        return self._opened(self._source.reader())

    @cached_property
    def loader(self) -> Loader:
        """Loads the copy."""
        return self._opened(self._place.loader())

    @cached_property
    def checker(self) -> Reader:
        """Reads the copy, to verify it."""
        return self._opened(self._place.reader())

    def _opened(self, opening: AbstractContextManager[T]) -> T:
        try:
            one = self._closing.enter_context(opening)
        except ConnectionLostError:
            raise
        except ConnectionFailedError as exc:
            raise ConnectionFailedError(
                exc.message, hint="If the server allows no more connections, use fewer: --jobs=1"
            ) from exc
        self._open.append(one)  # type: ignore[arg-type]  # one of the two, by the callers above
        return one

    def cancel(self) -> None:
        """Cancel the statement that the thread waits for."""
        for one in self._open:
            with suppress(FramefoxTasksError):  # it has ended by itself
                one.cancel()


class ThreadPool:
    """A pool of threads. A context manager: on leaving, jobs that still run are cancelled, and all connections closed.

    Args:
        size: How many threads, and so how many connections to each database.
    """

    def __init__(self, source: Source, place: Place, size: int) -> None:
        self.size = size
        self._source = source
        self._place = place
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="copy")
        self._mine = local()
        self._connections: list[Connections] = []
        self._closing = ExitStack()
        self._stopped = Event()
        self._jobs: list[Future[Any]] = []

    def __enter__(self) -> ThreadPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._closing:
            if kind is not None:
                self._end()
            self._threads.shutdown()

    def _end(self) -> None:
        """Cancel the jobs: again and again, since a thread may be between two statements, or about to connect."""
        self._stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        while running := [job for job in self._jobs if not job.done()]:
            # Another interrupt only makes it go on sooner: without its threads ended, no process ends.
            with suppress(KeyboardInterrupt):
                with ThreadPoolExecutor(self.size) as enders:
                    enders.map(Connections.cancel, list(self._connections))
                wait(running, timeout=_AGAIN)

    def run(self, jobs: Iterable[Callable[[Connections], T]]) -> list[T]:
        """Run jobs, and give their results in order.

        Raises:
            The error of the first job that fails; no further job is started then.
        """
        futures = [self._threads.submit(self._one, job) for job in jobs]
        self._jobs += futures
        wait(futures, return_when=FIRST_EXCEPTION)
        failed = next(filter(_failed, futures), None)
        if failed:
            failed.result()
        return [future.result() for future in futures]

    def check(self) -> None:
        """Called now and then by a job that takes long.

        Raises:
            StoppedError: The copy ends.
        """
        if self._stopped.is_set():
            raise StoppedError("The copy was ended.")

    def _one(self, job: Callable[[Connections], T]) -> T:
        self.check()
        connections = getattr(self._mine, "connections", None)
        if connections is None:
            connections = self._mine.connections = Connections(self._source, self._place, self._closing)
            self._connections.append(connections)
        return job(connections)


def _failed(future: Future[T]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is not None
