"""SQLite, as the source of a copy and as the place where one is made; and a SQLite database copied page by page.

What reads and writes rows is imported when it is used: a database that is copied as a whole needs none of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from framefox_tasks.databases.sqlite.backup import Snapshot, snapshot
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from framefox_tasks.databases.contract import Place, Source


def open_source(target: Target, readers: int = 1) -> AbstractContextManager[Source]:  # noqa: ARG001 - one is enough
    """Read a database at one point of time; see snapshot()."""
    from framefox_tasks.databases.sqlite import read

    return read.open_source(target)


def open_place(target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
    """Where a copy is made: a file beside the target, or for rows alone the target itself."""
    from framefox_tasks.databases.sqlite import place

    return place.open_place(target, overwrite=overwrite, data_only=data_only, force_disconnect=force_disconnect)


__all__ = ["Snapshot", "Staging", "open_place", "open_source", "snapshot"]
