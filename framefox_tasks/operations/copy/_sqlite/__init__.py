"""SQLite, as the source of a copy and as the place where one is made; and a SQLite database copied page by page."""

from framefox_tasks.operations.copy._sqlite._filtering import Filtering
from framefox_tasks.operations.copy._sqlite._place import open_place
from framefox_tasks.operations.copy._sqlite._reading import open_source
from framefox_tasks.operations.copy._sqlite._staging import Staging
from framefox_tasks.operations.copy._sqlite._whole import Snapshot, snapshot

__all__ = ["Filtering", "Snapshot", "Staging", "open_place", "open_source", "snapshot"]
