"""A lock that a server keeps for a session, on a connection that may go back to a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_MARK = "framefox_tasks.locked"


def close_on_checkin(connection: Connection) -> None:
    """Have a connection closed instead of handed on by its pool: the lock would go with it."""
    from sqlalchemy import event

    pool = connection.engine.pool
    if not event.contains(pool, "checkin", _close_marked):
        event.listen(pool, "checkin", _close_marked)
    connection.info[_MARK] = True


def _close_marked(_connection: Any, record: Any) -> None:
    if record is not None and record.info.pop(_MARK, False):
        record.invalidate()
