"""A commit of which it is not known whether the server has done it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from framefox_tasks.errors import ConnectionFailedError, ConnectionLostError
from framefox_tasks.model import Target


@contextmanager
def commit_in_doubt(target: Target) -> Iterator[None]:
    """A context in which a connection that ends, or cannot be opened, leaves the commit in doubt."""
    try:
        yield
    except ConnectionFailedError as exc:
        raise ConnectionLostError(
            exc.message,
            hint=f"It ended at the last step: see whether {target.label} is as it was or the copy, and copy again.",
        ) from exc
