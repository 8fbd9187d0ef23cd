"""The last step of a copy, which is done as a whole, and what is said where it is not known whether it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

from framefox_tasks.errors import ConnectionFailedError, ConnectionLostError, CopyError
from framefox_tasks.model import Target

T = TypeVar("T")


class Placing:
    """Puts a copy in its place. A context manager around all of the copy, so that an interrupt is told as what it was.

    An interrupt that comes before the last step ends the copy as it is. One that comes later has come too late.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._complete = False

    def __enter__(self) -> Placing:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt) and self._complete:
            raise CopyError(
                f"The copy was interrupted when it was complete: {self._target.label} is the copy.",
                hint="There is no need to copy again.",
            ) from None

    def run(self, put: Callable[[], T]) -> T:
        """Do the last step in a thread of its own: interrupts reach only the main one, which waits."""

        def placed() -> T:
            result = put()
            self._complete = True
            return result

        thread = ThreadPoolExecutor(1, thread_name_prefix="place")
        future = thread.submit(placed)
        try:
            wait([future])
        except KeyboardInterrupt:
            _wait(future)
            future.result()  # if it failed, that is what there is to tell
            raise
        finally:
            thread.shutdown(wait=False)
        return future.result()


def _wait(future: Future[T]) -> None:
    while not future.done():
        try:
            wait([future])
        except KeyboardInterrupt:
            continue  # it is known already


@contextmanager
def unsure(target: Target) -> Iterator[None]:
    """A context in which a connection that ends, or that cannot be had, leaves open what the server has done."""
    try:
        yield
    except ConnectionFailedError as exc:
        raise ConnectionLostError(
            exc.message,
            hint=f"It ended at the last step: see whether {target.label} is as it was or the copy, and copy again.",
        ) from exc
