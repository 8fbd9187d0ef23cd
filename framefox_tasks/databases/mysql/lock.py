"""The lock of a run on MySQL and MariaDB: two named locks of the server.

The first is on a connection of its own, and held from before the revision is read until it has been looked at again.
The second is on the connection of the migration itself: of a run that is killed the server keeps it until the statement
that it was at has ended, while the first is free at once.

The names are the server's: what makes, drops or replaces a database takes the same locks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases import reuse
from framefox_tasks.databases.lock import (
    MigrationLock,
    Patience,
    described,
    lock_digest,
    lost,
    statement_start,
    wait_until,
)
from framefox_tasks.databases.session_lock import close_on_checkin
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from framefox_tasks.databases.mysql.verbs import MySQLVerbs

_LONGEST = 31_536_000  # seconds, the most that wait_timeout takes: the connection that holds the lock is idle
_HOLDER = (
    "SELECT used.id, USER, HOST, INFO, DATE_FORMAT(NOW() - INTERVAL TIME SECOND, '%%Y-%%m-%%d %%H:%%i:%%s') "
    "FROM (SELECT IS_USED_LOCK(%s) AS id) used "
    "LEFT JOIN information_schema.PROCESSLIST listed ON listed.ID = used.id"
)
_CLIENT = (
    "SELECT ATTR_VALUE FROM performance_schema.session_connect_attrs WHERE PROCESSLIST_ID = %s AND ATTR_NAME = '_pid'"
)


@contextmanager
def locked(dialect: MySQLVerbs, target: Target, patience: Patience) -> Iterator[MigrationLock]:
    """A context in which no other run changes the revision."""
    with _held(dialect, target, target.name, patience) as lock:
        yield lock


@contextmanager
def replacing(dialect: MySQLVerbs, target: Target, patience: Patience) -> Iterator[None]:
    """A context in which no other run makes, drops, replaces or migrates the database, which need not exist."""
    with _held(dialect, target, None, patience):
        yield


@contextmanager
def _held(dialect: MySQLVerbs, target: Target, database: str | None, patience: Patience) -> Iterator[_Lock]:
    with ExitStack() as stack:
        connection = stack.enter_context(dialect.connection(target, database))
        lock = _Lock(connection, dialect, target, patience)
        lock.take()
        try:
            yield lock
        finally:
            lock.release()
            stack.close()  # here, so that an error of the migration is not taken for one of this connection


class _Lock:
    def __init__(self, connection: Any, dialect: MySQLVerbs, target: Target, patience: Patience) -> None:
        self._own = connection
        self._dialect = dialect
        self._target = target
        self._patience = patience
        # They are of the server, not of the database, and at most 64 characters long.
        digest = lock_digest(target, target.name).hex()[:32]
        self._run, self._statement = f"framefox_tasks.run.{digest}", f"framefox_tasks.migration.{digest}"
        self._number = 0
        self._joined: Connection | None = None

    def take(self) -> None:
        """Wait for other runs, and for a statement that a killed one has left."""
        cursor = self._own.cursor()
        cursor.execute(f"SET SESSION wait_timeout = {_LONGEST}")
        cursor.close()
        wait_until(self._take, self._holder, self._target, self._patience)
        self._number = _row(self._own, "SELECT CONNECTION_ID()")[0]

    def _take(self) -> bool:
        if _row(self._own, "SELECT GET_LOCK(%s, 0)", self._run)[0] != 1:
            return False
        if _row(self._own, "SELECT IS_USED_LOCK(%s)", self._statement)[0] is None:
            return True
        _row(self._own, "SELECT RELEASE_LOCK(%s)", self._run)
        return False

    def release(self) -> None:
        """Give the first lock back, as its connection may be used again."""
        if not reuse.is_reusing():
            return  # it ends with its connection
        try:
            released = _row(self._own, "SELECT RELEASE_LOCK(%s)", self._run)[0] == 1
        except self._own.Error:
            released = False
        if not released:
            reuse.spoil(self._own)

    def _holder(self) -> str:
        for name in (self._run, self._statement):
            number, user, host, statement, since = _row(self._own, _HOLDER, name)
            if number is not None:
                at = statement_start(statement) if name == self._statement else ""
                details = (
                    f"user {user}" if user else "of another user",
                    f"from {host}" if host else "",
                    f"since {since}" if since else "",
                    f"still at {at}" if at else "",
                )
                process, connection = self._process(number), f"connection {number}"
                return described(process, connection, *details) if process else described(connection, *details)
        return "it has just ended"

    def _process(self, number: int) -> str:
        """The client's process, where the server is asked for it: MariaDB's performance schema is off by default."""
        try:
            found = _row(self._own, _CLIENT, str(number))
        except Exception as exc:
            if self._dialect.error_code(exc) in self._dialect.denied | self._dialect.missing_table:
                return ""
            raise
        return f"process {found[0]}" if found and found[0] else ""

    def join(self, connection: Connection) -> None:
        """Take the second lock. A pool must not hand the connection on with it."""
        close_on_checkin(connection)
        if self._joined and not self._joined.closed:  # an env.py that configures Alembic more than once
            _row(self._joined.connection, "SELECT RELEASE_LOCK(%s)", self._statement)

        def take() -> bool:
            return bool(_row(connection.connection, "SELECT GET_LOCK(%s, 0)", self._statement)[0] == 1)

        wait_until(take, self._holder, self._target, self._patience)
        self._joined = connection

    def check(self) -> None:
        # By the migration's connection: the other one's idle time is how long the lock has been held.
        connection = self._joined.connection if self._joined else self._own
        holders = {self._run: self._number, **({self._statement: None} if self._joined else {})}
        query = ", ".join(["IS_USED_LOCK(%s) = COALESCE(%s, CONNECTION_ID())"] * len(holders))
        try:
            held = _row(connection, f"SELECT {query}", *(value for one in holders.items() for value in one))
        except Exception as exc:
            raise lost(self._target, "its connection has ended") from exc
        if any(one != 1 for one in held):
            raise lost(self._target, "it was released")


def _row(connection: Any, query: str, *values: Any) -> Any:
    """The first row of what a query gives; None where there is none."""
    cursor = connection.cursor()
    try:
        cursor.execute(query, values)
        rows = cursor.fetchall()
        return rows[0] if rows else None
    finally:
        cursor.close()
