"""Copying a SQLite database as a whole, page by page."""

from framefox_tasks.operations.copy._sqlite._staging import Staging
from framefox_tasks.operations.copy._sqlite._whole import Snapshot, snapshot

__all__ = ["Snapshot", "Staging", "snapshot"]
