"""The lock of a run on PostgreSQL: two advisory locks.

The first is of a transaction, on a connection of its own: a lock of a session would not survive a pooler that hands
each transaction to another session. It is held from before the revision is read, also while the migration commits. The
second is on the migration's own connection: of a run that is killed the server keeps it until the statement that it
was at has ended, while the first is free at once.

Keys count in one database only: the server keeps advisory locks apart by database. A lock in a database would make its
DROP fail, so what makes, drops or replaces one takes another, in the database that maintenance is done from.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases import reuse
from framefox_tasks.databases.lock import (
    MigrationLock,
    Patience,
    application_name,
    described,
    lock_digest,
    lost,
    process_in,
    statement_start,
    wait_until,
)
from framefox_tasks.databases.postgresql.session import literal
from framefox_tasks.databases.postgresql.verbs import DIRECT
from framefox_tasks.databases.session_lock import close_on_checkin, outside_transaction
from framefox_tasks.errors import ConnectionFailedError, DatabaseInUseError, DatabaseNotFoundError, FramefoxTasksError
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from framefox_tasks.databases.postgresql.verbs import PostgreSQLVerbs

_IN_TRANSACTION = 2  # as libpq says
_POOL_SECONDS = 10.0  # for a pool to give a second connection
# No statement has a parameter: it would be sent by the extended protocol, whose portal keeps its snapshot until the
# next statement, and CREATE INDEX CONCURRENTLY in the migration would wait for it. The numbers are put into the text.
_TIMEOUTS = ("idle_in_transaction_session_timeout", "transaction_timeout", "statement_timeout")
_SETTINGS = ", ".join(  # whichever of them this server has: none may end the transaction that holds the lock
    f"CASE WHEN pg_catalog.current_setting('{name}', true) <> '' THEN pg_catalog.set_config('{name}', '0', true) END"
    for name in _TIMEOUTS
)
_TAKE = "SELECT pg_catalog.pg_try_advisory_xact_lock({key})"
_TAKE_RUN = f"{_TAKE}, pg_catalog.set_config('application_name', '{{name}}', true), {_SETTINGS}"
_TAKE_IN_SESSION = "SELECT pg_catalog.pg_try_advisory_lock({key})"
_RELEASE_IN_SESSION = "SELECT pg_catalog.pg_advisory_unlock({key})"
_LISTED = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = {name}"
_OF_THIS_KEY = (
    "locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = {high} AND objid::bigint = {low} "
    "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
)
_HOLDER = (
    "SELECT pid, usename, host(client_addr), date_trunc('second', xact_start)::text, application_name, query "
    "FROM pg_catalog.pg_locks LEFT JOIN pg_catalog.pg_stat_activity USING (pid) "
    "WHERE pid <> pg_backend_pid() AND " + _OF_THIS_KEY
)
_IS_HELD = "SELECT 1 FROM pg_catalog.pg_locks WHERE " + _OF_THIS_KEY  # noqa: S608 - fixed text
_HELD = "SELECT 1 FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND " + _OF_THIS_KEY  # noqa: S608 - fixed text


@contextmanager
def locked(dialect: PostgreSQLVerbs, target: Target, patience: Patience) -> Iterator[MigrationLock]:
    """A context in which no other run changes the revision."""
    with ExitStack() as stack:
        lock = _Lock(_connected(dialect, target, stack), target, patience)
        lock.take()
        if lock.is_pooled:
            reuse.refuse()
            _check_second_connection(dialect, target)
        try:
            yield lock
        finally:
            lock.release()
            stack.close()  # here, so that an error of the migration is not taken for one of this connection


@contextmanager
def replacing(dialect: PostgreSQLVerbs, target: Target, patience: Patience) -> Iterator[None]:
    """A context in which no other run makes, drops or replaces the database; it begins when no migration runs in it."""
    maintenance, may_be_there = dialect.maintenance(target), True
    with ExitStack() as stack:
        # A connection to template1 would keep the server from making a database of it, in any run.
        if maintenance not in ("template1", target.name):
            connection = stack.enter_context(dialect.connection(target, maintenance))
            _Lock(connection, target, patience, target.name).take()
            cursor = connection.cursor()
            cursor.execute(_LISTED.format(name=literal(target.name)))
            may_be_there = cursor.fetchone() is not None
        if may_be_there:
            with suppress(DatabaseNotFoundError), locked(dialect, target, patience):
                pass
        try:
            yield
        finally:
            stack.close()


def _connected(dialect: PostgreSQLVerbs, target: Target, stack: ExitStack) -> Any:
    try:
        return stack.enter_context(dialect.connection(target, target.name))
    except ConnectionFailedError as exc:
        # The server has no code for a database that another run has just dropped.
        if dialect.is_listed(target, exc):
            raise
        raise dialect.missing(target) from exc


def _check_second_connection(dialect: PostgreSQLVerbs, target: Target) -> None:
    """Check that a pooler gives a second connection while the first holds the lock."""
    failures: list[FramefoxTasksError] = []

    def ask() -> None:
        try:
            dialect.revision(target)
        except FramefoxTasksError as exc:
            failures.append(exc)

    thread = threading.Thread(target=ask, name="second-connection", daemon=True)
    thread.start()
    thread.join(_POOL_SECONDS)
    if failures:
        raise failures[0]
    if thread.is_alive():
        raise DatabaseInUseError(
            f"The pooler at {target.server} has given no second connection to {target.name} within "
            f"{_POOL_SECONDS:g} s. One holds the lock, while migrations run on another. Nothing was changed.",
            hint="Let its pool have 2 connections or more, connect to the server itself, or switch the lock off with "
            "`lock: false` in config/orm.yaml.",
        )


class _Lock:
    def __init__(self, connection: Any, target: Target, patience: Patience, *more: str) -> None:
        _prepare_nothing(connection)
        self._connection = connection
        self._cursor = connection.cursor()
        self._target = target
        self._patience = patience
        self._run = _numbers(lock_digest(target, *more))
        self._statement = _numbers(lock_digest(target, *more, "statement"))
        self._joined: Connection | None = None
        pid = _client_pid(connection)
        same = pid is not None and connection in DIRECT  # as it was found to be when it was used before
        if not same:
            self._cursor.execute("SELECT pg_backend_pid()")
            same = self._cursor.fetchone()[0] == pid
        self.is_pooled = pid is not None and not same
        self._has_session = same

    def _row(self, query: str, numbers: dict[str, int]) -> Any:
        self._cursor.execute(query.format(**numbers))
        return self._cursor.fetchone()

    def take(self) -> None:
        """Wait for other runs, and for a statement that a killed one has left."""
        wait_until(self._take, self._holder, self._target, self._patience)

    def _take(self) -> bool:
        self._cursor.execute("BEGIN")
        self._cursor.execute(_TAKE_RUN.format(name=application_name(), **self._run))
        if self._cursor.fetchone()[0] and self._row(_IS_HELD, self._statement) is None:
            return True
        self._cursor.execute("ROLLBACK")
        return False

    def _holder(self) -> str:
        found = self._row(_HOLDER, self._run)
        if found:
            pid, user, address, since, name, _ = found
            return _described(pid, user, address, since, process_in(name))
        found = self._row(_HOLDER, self._statement)
        if not found:
            return "it has just ended"
        pid, user, address, since, name, query = found
        at = "" if str(query).startswith("<") else statement_start(query)  # one of another user is not shown
        return _described(pid, user, address, since, process_in(name), f"still at {at}" if at else "")

    def join(self, connection: Connection) -> None:
        """Take the second lock. A pool must not hand the connection on with it."""
        from sqlalchemy import event

        if self.is_pooled:
            _prepare_nothing(connection.connection.driver_connection)
        if not self._has_session:
            event.listen(connection, "begin", self._take_for_transaction)
            if connection.in_transaction():
                self._take_for_transaction(connection)
            return
        self._leave()  # an env.py that configures Alembic more than once
        close_on_checkin(connection)
        with outside_transaction(connection):
            self._take_on(connection, _TAKE_IN_SESSION)
        self._joined = connection

    def _take_for_transaction(self, connection: Connection) -> None:
        self._take_on(connection, _TAKE)

    def _take_on(self, connection: Connection, query: str) -> None:
        def take() -> bool:
            return bool(_run_on(connection, query.format(**self._statement)))

        wait_until(take, self._holder, self._target, self._patience)

    def _leave(self) -> None:
        if self._joined and not self._joined.closed and not self._joined.invalidated:
            _run_on(self._joined, _RELEASE_IN_SESSION.format(**self._statement))
        self._joined = None

    def release(self) -> None:
        """Give the second lock back where the connection lives on; the first ends with its own connection."""
        if self._joined is None:
            return
        # One that cannot be asked any more is in a transaction that failed, and is closed on its way to the pool.
        with suppress(self._joined.dialect.loaded_dbapi.Error):
            self._leave()

    def check(self) -> None:
        # A lock of a transaction is held as long as that lasts, which the driver has from the server's answer.
        status = getattr(getattr(self._connection, "info", None), "transaction_status", None)
        query = "SELECT 1" if status == _IN_TRANSACTION else _HELD
        try:
            held = self._row(query, self._run) is not None
        except Exception as exc:
            raise lost(self._target, "its connection has ended") from exc
        if not held:
            raise lost(self._target, "its transaction has ended")


def _numbers(digest: bytes) -> dict[str, int]:
    """The key of an advisory lock, and the two halves that the view of locks shows it in."""
    return {
        "key": int.from_bytes(digest[:8], "big", signed=True),
        "high": int.from_bytes(digest[:4], "big"),
        "low": int.from_bytes(digest[4:8], "big"),
    }


def _client_pid(connection: Any) -> int | None:
    """The number of the server's process, as it was told when the connection was made: a pooler makes one up."""
    pid = getattr(getattr(connection, "info", None), "backend_pid", None)
    return pid if isinstance(pid, int) else None


def _prepare_nothing(connection: Any) -> None:
    """Have psycopg prepare no statement that is sent often: behind a pooler another session would have it."""
    if hasattr(connection, "prepare_threshold"):
        connection.prepare_threshold = None


def _run_on(connection: Connection, query: str) -> Any:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query)
        return cursor.fetchall()[0][0]
    finally:
        cursor.close()


def _described(pid: int, user: str | None, address: str | None, since: str | None, process: str, more: str = "") -> str:
    server = f"server process {pid}"
    details = (
        f"user {user}" if user else "of another user",
        f"from {address}" if address else "",
        f"since {since}" if since else "",
        more,
    )
    return described(process, server, *details) if process else described(server, *details)
