"""The migration's waits for locks of tables: short ones, so that nobody waits long behind it, and many.

A change of a table waits until all that use it have ended, and whoever comes later waits behind it. So it gives way
after `lock_timeout` seconds, and tries again after a pause. What is transactional begins again as a whole, the rest
from the statement on. After a minute of work a transaction is not thrown away any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience, statement_start
from framefox_tasks.databases.session_lock import outside_transaction
from framefox_tasks.errors import FramefoxTasksError, causes
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_KEPT_SECONDS = 60.0  # of work that is not thrown away
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
_REPORT_SECONDS = 2.0
_SAMPLE_SECONDS = 0.25


class TableLockWaits:
    """The waits of one run.

    Args:
        target: The database.
        patience: Whom to tell.
    """

    def __init__(self, target: Target, patience: Patience) -> None:
        self._target = target
        self._patience = patience
        self._locks = database_of(target).table_locks
        self._refusals = 0
        self._deadline = 0.0
        self._watch: _Watch | None = None
        self._raw: Any = None
        self._ours = False
        self._began = 0.0
        self._waited = 0.0
        self._limit = 0.0
        self._kept = False
        self._within = False
        self._deadlocked = False

    # What Alembic's connection does

    def join(self, connection: Connection) -> None:
        """Watch the statements of the migration's connection, and give it a timeout unless it has one."""
        self.leave()
        if self._locks is None:
            return
        from sqlalchemy import event

        self._raw, self._limit = connection.connection, 0.0
        with outside_transaction(connection):
            session, chosen = self._locks.session(self._ask)
        self._ours = not chosen
        self._watch = _Watch(self._target, session, self._tell)
        for name in ("begin", "commit", "rollback"):
            event.listen(connection, name, self._begin)
        self._begin(connection)
        connection._dbapi_connection = _Connection(self._raw, self)  # type: ignore[assignment]

    def leave(self) -> None:
        """End the watch."""
        if self._watch:
            self._watch.stop()
        self._watch = None

    def _ask(self, query: str) -> Any:
        cursor = self._raw.cursor()
        try:
            cursor.execute(query)
            return cursor.fetchone() if cursor.description else None
        finally:
            cursor.close()

    def _begin(self, _connection: Any) -> None:
        """A transaction begins, or has ended: its work and its waits are counted anew."""
        self._began, self._waited = time.monotonic(), 0.0
        if self._locks and self._locks.whole:  # else it is the session's, and stays
            self._limit = 0.0

    def run(self, statement: str, send: Callable[[], Any]) -> Any:
        """Send a statement, with what is left of the time for locks; again and again where it is not transactional."""
        assert self._locks is not None  # noqa: S101 - else nothing was joined
        while True:
            self._set_limit(statement)
            watch = self._watch
            try:
                if watch:
                    watch.begin(statement)
                return send()
            except Exception as exc:
                if not (self._is_refused(exc) and self._alone and self.may_go_on()):
                    raise
            finally:
                self._waited += watch.end() if watch else 0.0
            self.pause()

    @property
    def _alone(self) -> bool:
        """Whether nothing is rolled back with a statement that is refused."""
        if self._within:
            return False
        return not (self._locks and self._locks.whole) or bool(getattr(self._raw, "autocommit", False))

    def _set_limit(self, statement: str) -> None:
        """Set the timeout, if it is another than before."""
        if not self._ours or self._locks is None:
            return
        limit = 0.0 if self._locks.unlimited(statement) else self._target.lock_timeout
        if limit and not self._alone:
            limit = self._left()
        if limit != self._limit:
            self._ask(self._locks.limit(limit, local=not self._alone))
            self._limit = limit

    def _left(self) -> float:
        """What is left of the time for locks in this transaction: all of the patience, where much would be lost."""
        worked = time.monotonic() - self._began - self._waited
        if worked < _KEPT_SECONDS:
            return max(self._target.lock_timeout - self._waited, 0.1)
        if not self._kept:
            self._kept = True
            self._say(
                f"The transaction has worked for {worked:.0f} s: it is not rolled back for a lock any more, but waits "
                f"for one for up to {self._target.patience:g} s."
            )
        return max(self._target.patience, 0.1)

    def _say(self, text: str) -> None:
        if self._patience.on_block:
            self._patience.on_block(text)

    @contextmanager
    def within(self) -> Iterator[None]:
        """A context in which statements are of one transaction, though the connection commits each by itself."""
        self._within = True
        self._begin(None)
        try:
            yield
        finally:
            self._within = False
            self._begin(None)

    # What comes of a refusal

    def gives_way(self, exc: BaseException) -> bool:
        """Whether what has ended with an error of the driver is to be tried again; then after a pause."""
        if not (self._is_refused(exc) and self.may_go_on()):
            return False
        self.pause()
        return True

    def may_try_again(self, exc: BaseException | None) -> bool:
        """Whether a run that has ended with an error, and has left nothing, is to begin again."""
        orig = next((one.orig for one in causes(exc) if hasattr(one, "orig")), None)
        if self._locks is None or orig is None:
            return False
        refused = self._locks.whole and self._is_refused(orig)
        self._deadlocked = self._locks.is_deadlock(orig)
        return (refused or self._deadlocked) and self.may_go_on()

    def _is_refused(self, exc: BaseException) -> bool:
        """Whether a lock was not given in the time that is ours; without one it is told as the server's."""
        return bool(self._locks and self._target.lock_timeout and self._locks.is_refused(exc))

    def may_go_on(self) -> bool:
        """Whether there is patience left."""
        now = time.monotonic()
        self._deadline = self._deadline or now + self._target.patience
        return now < self._deadline

    def pause(self) -> None:
        """Give way to the others for a while, longer each time."""
        seconds = min(_PAUSES[min(self._refusals, len(_PAUSES) - 1)], max(self._deadline - time.monotonic(), 0.05))
        self._refusals += 1
        why = "A deadlock was ended" if self._deadlocked else "A lock was not given in time"
        self._say(f"{why}: others go first. Trying again in {seconds:g} s.")
        self._deadlocked = False
        time.sleep(seconds)

    def _tell(self, statement: str, holders: str) -> None:
        self._say(f"{statement} waits for a lock in {self._target.label}, held by {holders}.")


class _Watch(threading.Thread):
    """Asks, on a connection of its own, what a statement that takes long waits for."""

    def __init__(self, target: Target, session: int, tell: Callable[[str, str], None]) -> None:
        super().__init__(name="table-locks", daemon=True)
        self._target = target
        self._session = session
        self._tell = tell
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._statement = ""
        self._since = 0.0
        self._waited = 0.0
        self._told = False

    def begin(self, statement: str) -> None:
        """A statement is sent."""
        with self._lock:
            self._statement, self._since, self._waited, self._told = statement, time.monotonic(), 0.0, False
        if not self.is_alive() and not self._ended.is_set():
            self.start()

    def end(self) -> float:
        """It has ended; gives for how many seconds it has waited, as far as was seen."""
        with self._lock:
            self._since = 0.0
            return self._waited

    def stop(self) -> None:
        """End the thread, soon."""
        self._ended.set()

    def run(self) -> None:
        """Wait for a statement that takes long, then watch it."""
        while not self._ended.wait(_SAMPLE_SECONDS):
            if self._is_slow():
                # Who cannot look tells nothing: the statement itself has its timeout.
                with suppress(FramefoxTasksError):
                    self._look()

    def _is_slow(self) -> bool:
        return bool(self._since) and time.monotonic() - self._since > _SAMPLE_SECONDS

    def _look(self) -> None:
        locks = database_of(self._target).table_locks
        if locks is None:
            return
        with locks.asking(self._target) as ask:
            before = time.monotonic()
            while not self._ended.wait(_SAMPLE_SECONDS) and self._is_slow():
                holders, now = locks.blockers(ask, self._session), time.monotonic()
                with self._lock:
                    if holders and self._since:
                        self._waited += now - before
                    late = holders and not self._told and self._waited >= _REPORT_SECONDS
                    self._told = self._told or bool(late)
                before = now
                if late:
                    self._tell(statement_start(self._statement), holders)


class _Connection:
    """A pooled connection of SQLAlchemy's whose cursors pass their statements by the waits."""

    def __init__(self, connection: Any, waits: TableLockWaits) -> None:
        self.__dict__.update(_connection=connection, _waits=waits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._connection, name, value)

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        return _Cursor(self._connection.cursor(*arguments, **options), self._waits)


class _Cursor:
    def __init__(self, cursor: Any, waits: TableLockWaits) -> None:
        self.__dict__.update(_cursor=cursor, _waits=waits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._cursor, name, value)

    def __iter__(self) -> Any:
        return iter(self._cursor)

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._cursor.close()

    def execute(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        return self._waits.run(str(statement), lambda: self._cursor.execute(statement, *arguments, **options))

    def executemany(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        return self._waits.run(str(statement), lambda: self._cursor.executemany(statement, *arguments, **options))
