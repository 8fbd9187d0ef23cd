"""Threads that share the work of a copy, each with connections of its own."""

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
    """The copy ends, because another thread failed or the user said so."""


class Hands:
    """The connections of one thread, opened when they are first used."""

    def __init__(self, source: Source, place: Place, closing: ExitStack) -> None:
        self._source = source
        self._place = place
        self._closing = closing
        self._open: list[Reader | Loader] = []

    @cached_property
    def reader(self) -> Reader:
        """Of the source."""
        return self._opened(self._source.reader())

    @cached_property
    def loader(self) -> Loader:
        """Of the copy."""
        return self._opened(self._place.loader())

    @cached_property
    def checker(self) -> Reader:
        """Of the copy, to read what was loaded."""
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
        """End what the thread waits for."""
        for one in self._open:
            with suppress(FramefoxTasksError):  # it has ended by itself
                one.cancel()


class Crew:
    """Some threads. A context manager: on leaving, all connections are closed, and what still runs is ended.

    Args:
        size: How many threads, and so how many connections to each database.
    """

    def __init__(self, source: Source, place: Place, size: int) -> None:
        self.size = size
        self._source = source
        self._place = place
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="copy")
        self._mine = local()
        self._hands: list[Hands] = []
        self._closing = ExitStack()
        self._stopped = Event()
        self._jobs: list[Future[Any]] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._closing:
            if kind is not None:
                self._end()
            self._threads.shutdown()

    def _end(self) -> None:
        """End what runs: again and again, since a thread may be between two statements, or about to connect."""
        self._stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        while running := [job for job in self._jobs if not job.done()]:
            # Another interrupt only makes it go on sooner: without its threads ended, no process ends.
            with suppress(KeyboardInterrupt):
                with ThreadPoolExecutor(self.size) as enders:
                    enders.map(Hands.cancel, list(self._hands))
                wait(running, timeout=_AGAIN)

    def run(self, jobs: Iterable[Callable[[Hands], T]]) -> list[T]:
        """Do all jobs, and give what they gave, in their order.

        Raises:
            The error of the first job that fails; no further job is begun then.
        """
        futures = [self._threads.submit(self._one, job) for job in jobs]
        self._jobs += futures
        wait(futures, return_when=FIRST_EXCEPTION)
        failed = next(filter(_failed, futures), None)
        if failed:
            failed.result()
        return [future.result() for future in futures]

    def check(self) -> None:
        """To be called now and then by a job that takes long.

        Raises:
            StoppedError: The copy ends.
        """
        if self._stopped.is_set():
            raise StoppedError("The copy was ended.")

    def _one(self, job: Callable[[Hands], T]) -> T:
        self.check()
        hands = getattr(self._mine, "hands", None)
        if hands is None:
            hands = self._mine.hands = Hands(self._source, self._place, self._closing)
            self._hands.append(hands)
        return job(hands)


def _failed(future: Future[T]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is not None
