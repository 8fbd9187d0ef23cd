"""The lock of a migration on PostgreSQL: an advisory lock of a transaction, on a connection of its own.

A lock of a session would not survive a pooler that hands each transaction to another session. The key counts in one
database only: the server keeps advisory locks apart by database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from framefox_tasks.dialects._lock import MigrationLock, Patience, lock_digest, lost, wait_until
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from framefox_tasks.dialects._server import ServerDialect

# No statement has a parameter: it would be sent by the extended protocol, whose portal keeps its snapshot until the
# next statement, and CREATE INDEX CONCURRENTLY in the migration would wait for it. The numbers are put into the text.
_NO_TIMEOUT = (  # whichever of them this server has: none may end the transaction that holds the lock
    "SELECT set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name IN "
    "('idle_in_transaction_session_timeout', 'transaction_timeout', 'statement_timeout')"
)
_TAKE = "SELECT pg_catalog.pg_try_advisory_xact_lock({key})"
_OF_THIS_KEY = (
    "locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = {high} AND objid::bigint = {low} "
    "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
)
_HOLDER = (
    "SELECT pid, usename, host(client_addr), date_trunc('second', xact_start)::text "
    "FROM pg_catalog.pg_locks LEFT JOIN pg_catalog.pg_stat_activity USING (pid) WHERE " + _OF_THIS_KEY
)
_HELD = "SELECT 1 FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND " + _OF_THIS_KEY  # noqa: S608 - fixed text


@contextmanager
def locked(dialect: ServerDialect, target: Target, patience: Patience) -> Iterator[MigrationLock]:
    """A context in which no other run changes the revision."""
    with ExitStack() as stack:
        connection = stack.enter_context(dialect.connection(target, target.name))
        lock = _Lock(connection.cursor(), target)
        wait_until(lock.take, lock.holder, target, patience)
        try:
            yield lock
        finally:
            stack.close()  # here, so that an error of the migration is not taken for one of this connection


class _Lock:
    def __init__(self, cursor: Any, target: Target) -> None:
        digest = lock_digest(target)
        self._cursor = cursor
        self._target = target
        self._numbers = {
            "key": int.from_bytes(digest[:8], "big", signed=True),
            "high": int.from_bytes(digest[:4], "big"),
            "low": int.from_bytes(digest[4:8], "big"),
        }

    def _row(self, query: str) -> Any:
        self._cursor.execute(query.format(**self._numbers))
        return self._cursor.fetchone()

    def take(self) -> bool:
        self._cursor.execute("BEGIN")
        self._cursor.execute(_NO_TIMEOUT)
        if self._row(_TAKE)[0]:
            return True
        self._cursor.execute("ROLLBACK")
        return False

    def holder(self) -> str:
        row = self._row(_HOLDER)
        if row is None:
            return "it has just ended"
        pid, user, address, since = row
        details = (
            f"user {user}" if user else "",
            f"from {address}" if address else "",
            f"since {since}" if since else "",
        )
        return f"server process {pid} ({', '.join(filter(None, details)) or 'of another user'})"

    def join(self, connection: Any) -> None:
        """Nothing more to take."""

    def check(self) -> None:
        try:
            held = self._row(_HELD) is not None
        except Exception as exc:
            raise lost(self._target, "its connection has ended") from exc
        if not held:
            raise lost(self._target, "its transaction has ended")
