"""The commit of a copy: the target becomes the copy as a whole, or stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

T = TypeVar("T")


class Commit:
    """The commit of a copy. A context manager around all of it, so that an interrupt is reported by when it came.

    Before the commit it ends the copy. After it the target is the copy, and the error says so.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._complete = False

    def __enter__(self) -> Commit:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt) and self._complete:
            raise CopyError(
                f"The copy was interrupted when it was complete: {self._target.label} is the copy.",
                hint="There is no need to copy again.",
            ) from None

    def run(self, put: Callable[[], T]) -> T:
        """Commit in a thread of its own: interrupts reach only the main one, which waits."""

        def commit() -> T:
            result = put()
            self._complete = True
            return result

        thread = ThreadPoolExecutor(1, thread_name_prefix="place")
        future = thread.submit(commit)
        try:
            wait([future])
        except KeyboardInterrupt:
            _wait(future)
            future.result()  # its error is reported, not the interrupt
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
