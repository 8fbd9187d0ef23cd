"""A lock that a server keeps for a session, on a connection that may go back to a pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_MARK = "framefox_tasks.locked"


@contextmanager
def outside_transaction(connection: Connection) -> Iterator[None]:
    """A context whose queries leave no transaction behind that the driver has begun and SQLAlchemy does not know of.

    Within a transaction of SQLAlchemy's they are part of that.
    """
    if connection.in_transaction():
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    if getattr(raw, "autocommit", None) is False and _switched(raw):
        try:
            yield
        except BaseException:
            with suppress(Exception):  # the connection may have ended: that error is told
                raw.autocommit = False
            raise
        raw.autocommit = False
        return
    yield
    connection.connection.commit()


def _switched(raw: Any) -> bool:
    """Have a connection commit by itself; False where it is in a transaction, as env.py may have left it."""
    try:
        raw.autocommit = True
    except Exception:  # noqa: BLE001 - of whatever driver
        return False
    return True


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
