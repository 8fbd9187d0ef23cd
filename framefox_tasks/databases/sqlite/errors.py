"""What the errors of a SQLite connection become."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from framefox_tasks.errors import FramefoxTasksError

Meant = Callable[[sqlite3.Error], FramefoxTasksError]
"""Says what an error means."""


@contextmanager
def translated(meant: Meant) -> Iterator[None]:
    """A context whose errors of SQLite become ours."""
    try:
        yield
    except sqlite3.Error as exc:
        raise meant(exc) from exc
