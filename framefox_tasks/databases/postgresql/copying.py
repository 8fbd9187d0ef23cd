"""PostgreSQL, as the source of a copy and as the place where one is made."""

from __future__ import annotations

from framefox_tasks.databases.contract import Place
from framefox_tasks.databases.postgresql.place import StagingPlace
from framefox_tasks.databases.postgresql.place_rows import TargetPlace
from framefox_tasks.databases.postgresql.snapshot import open_source
from framefox_tasks.model import Target


def open_place(target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
    """Where a copy to a target is made: beside it, or in its own tables where only rows are copied."""
    if data_only:
        return TargetPlace(target)
    return StagingPlace(target, overwrite=overwrite, force_disconnect=force_disconnect)


__all__ = ["open_place", "open_source"]
