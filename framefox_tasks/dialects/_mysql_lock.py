"""The lock of a migration on MySQL and MariaDB: two named locks of the server.

One is on a connection of its own, and held from before the revision is read until it has been looked at again. The
other is on the connection of the migration itself: of a run that is killed the server keeps it until the statement that
it was at has ended, while the first is free at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from framefox_tasks.dialects._lock import MigrationLock, Patience, lock_digest, lost, wait_until
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from framefox_tasks.dialects._server import ServerDialect

_MARK = "framefox_tasks.locked"
_HOLDER = (
    "SELECT used.id, USER, HOST FROM (SELECT IS_USED_LOCK(%s) AS id) used "
    "LEFT JOIN information_schema.PROCESSLIST listed ON listed.ID = used.id"
)


@contextmanager
def locked(dialect: ServerDialect, target: Target, patience: Patience) -> Iterator[MigrationLock]:
    """A context in which no other run changes the revision."""
    with ExitStack() as stack:
        connection = stack.enter_context(dialect.connection(target, target.name))
        lock = _Lock(target, patience)
        lock.take("run", connection)
        try:
            yield lock
        finally:
            stack.close()  # here, so that an error of the migration is not taken for one of this connection


class _Lock:
    def __init__(self, target: Target, patience: Patience) -> None:
        self._target = target
        self._patience = patience
        self._held: dict[str, Any] = {}
        self._joined: Connection | None = None

    def take(self, part: str, connection: Any) -> None:
        name = self._name(part)

        def take() -> bool:
            return bool(_row(connection, "SELECT GET_LOCK(%s, 0)", name)[0] == 1)

        def holder() -> str:
            return _described(*_row(connection, _HOLDER, name))

        wait_until(take, holder, self._target, self._patience)
        self._held[name] = connection

    def join(self, connection: Connection) -> None:
        """Take the second lock. A pool must not hand the connection on with it."""
        from sqlalchemy import event

        pool = connection.engine.pool
        if not event.contains(pool, "checkin", _close_marked):
            event.listen(pool, "checkin", _close_marked)
        connection.info[_MARK] = True
        if self._joined and not self._joined.closed:  # an env.py that configures Alembic more than once
            _row(self._joined.connection, "SELECT RELEASE_LOCK(%s)", self._name("migration"))
        self.take("migration", connection.connection)
        self._joined = connection

    def check(self) -> None:
        for name, connection in self._held.items():
            try:
                held = _row(connection, "SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", name)[0]
            except Exception as exc:
                raise lost(self._target, "its connection has ended") from exc
            if held != 1:
                raise lost(self._target, "it was released")

    def _name(self, part: str) -> str:
        # The names are the server's, not the database's, and at most 64 characters.
        return f"framefox_tasks.{part}.{lock_digest(self._target, self._target.name).hex()[:32]}"


def _row(connection: Any, query: str, *values: Any) -> Any:
    cursor = connection.cursor()
    try:
        cursor.execute(query, values)
        return cursor.fetchall()[0]
    finally:
        cursor.close()


def _described(number: int | None, user: str | None, host: str | None) -> str:
    if number is None:
        return "it has just ended"
    return f"connection {number} (user {user}, from {host})" if user else f"connection {number} of another user"


def _close_marked(_connection: Any, record: Any) -> None:
    if record is not None and record.info.pop(_MARK, False):
        record.invalidate()
