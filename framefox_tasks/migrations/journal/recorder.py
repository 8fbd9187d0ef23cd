"""The recorder of a migration's statements, and of a run that goes on with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from framefox_tasks.databases.journal import Journal, Judged, StatementKind, ask
from framefox_tasks.databases.listening import Event, Listeners
from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.journal.cursors import JournaledConnection, JournaledCursor
from framefox_tasks.migrations.journal.entries import DONE, HEAD, UNSAFE, Found, Head, JournalEntry, entry_of, found_in
from framefox_tasks.migrations.journal.notes import Notes
from framefox_tasks.migrations.journal.values import UnrecordableError, decoded, encoded
from framefox_tasks.model import Target
from framefox_tasks.results import RESOLVE

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

MOST_BYTES = 1_000_000
"""How much of the results of a migration is recorded."""
_UNSAFE_NUMBER = -1
_UNSAFE_ELSEWHERE = -2  # written over another connection: the same row would wait for the migration's own
_ELSEWHERE = 1_000_000_000
_CHANGES = (StatementKind.WRITE, StatementKind.ALONE)
_AT_ONCE = 500


@dataclass
class _Migration:
    """What a recorder knows of the migration that runs.

    Attributes:
        begun: Gives what is written of it.
        replayed: The statements of an interrupted run that are still to come.
        pending: What ran in the transaction that is open.
        ended: What has committed by itself, of which the journal says no more than that it was begun: that it has ended
            is written with what is committed next. Until then its fingerprint tells.
        number: That of the last statement.
        written: Whether its head stands in the journal.
        resumed: Whether it goes on with an interrupted run.
        unsafe: Why it could not be gone on with.
        unsafe_written: Whether that stands in the journal.
        elsewhere: Whether it writes over another connection, and that stands there.
        bytes: How much was recorded.
        refused: The statement that has failed, with its error, until the next one runs.
        stopped: The error that it was stopped with, which it may have caught.
    """

    begun: Callable[[], Head]
    replayed: list[JournalEntry] = field(default_factory=list)
    pending: list[JournalEntry] = field(default_factory=list)
    ended: list[JournalEntry] = field(default_factory=list)
    number: int = 0
    written: bool = False
    resumed: bool = False
    unsafe: str = ""
    unsafe_written: bool = False
    elsewhere: bool = False
    bytes: int = 0
    refused: JournalEntry | None = None
    stopped: MigrationError | None = None

    @cached_property
    def head(self) -> Head:
        """What is written of it."""
        return self.begun()


class Waits(Protocol):
    """How statements wait for locks of tables."""

    def within(self) -> AbstractContextManager[None]:
        """A context in which statements are of one transaction, though the connection commits each by itself."""

    def gives_way(self, exc: BaseException) -> bool:
        """Whether what has ended with an error of the driver is to be tried again; then after a pause."""


class Recorder:
    """Records the statements of migrations on their connection, as far as something of them is committed.

    Args:
        journal: What the database knows of journals.
        target: The database.
        interrupted: The journal of the run to go on with, in its table.
        notes: Whether a journal may stand in the version table while it is short, and has nothing but changes of the
            schema, which commit by themselves.

    Attributes:
        made: Whether the table of the journal was made, or was there.
        last: The statement that ran last, or runs; of the migration that ran last.
    """

    def __init__(
        self, journal: Journal, target: Target, interrupted: Found | None = None, *, notes: bool = False
    ) -> None:
        self._journal = journal
        self._target = target
        self._table = journal.table(target)
        self._interrupted = interrupted
        self._migration: _Migration | None = None
        self._connection: Any = None
        self._owner: Connection | None = None
        self._dbapi: Any = None
        self._waits: Waits | None = None
        self._busy = False
        self._emptied = False
        self._notes = Notes(journal, target) if notes and interrupted is None else None
        self.made = interrupted is not None
        self.last: JournalEntry | None = None

    def join(self, connection: Connection, waits: Waits | None = None) -> None:
        """Record what runs on a connection of SQLAlchemy's, whose statements may wait for locks."""
        self._waits = waits
        pooled: Any = connection.connection
        if not isinstance(pooled, JournaledConnection):
            self._owner = connection
            self._connection, self._dbapi = pooled, connection.dialect.dbapi
            connection._dbapi_connection = JournaledConnection(pooled, self)  # type: ignore[assignment]

    @contextmanager
    def recording(self, head: Callable[[], Head]) -> Iterator[None]:
        """A context in which a migration runs; what is written of it is asked for only where it is written.

        Raises:
            MigrationError: It does not do what the run did that it goes on with.
        """
        found, self._interrupted, self.last = self._interrupted, None, None
        self._migration = migration = _Migration(head)
        if found is not None:
            _check_same(migration.head, found)
            migration.head = found.head
            migration.replayed = list(found.entries)
            migration.written = migration.resumed = True
        others = not self._journal.shares_connections  # of the same database, which may write to it as well
        try:
            with _RECORDERS.joined(self) if others else nullcontext(), self._ending(migration):
                yield
            if migration.stopped:
                raise migration.stopped
            if migration.replayed:
                raise self._stop(migration, f"it does not run {migration.replayed[0].line} any more")
        finally:
            self._migration = None

    @contextmanager
    def _ending(self, migration: _Migration) -> Iterator[None]:
        """A context whose error leaves in the journal what has ended, and of the open transaction nothing."""
        try:
            yield
        except BaseException:
            if migration.ended:
                with suppress(Exception):  # the connection may have ended: that error is told
                    self._connection.rollback()
                    self._write_ended(migration)
                    self._commit()
            raise

    def begin_again(self) -> bool:
        """A run begins anew: what was not committed is undone, and what was is gone on with; False if it cannot be."""
        if self._notes is not None:
            self._journal.settle(self._target)
        self._interrupted = found_in(self._journal.rows(self._target)) if self.made or self._notes else None
        self._notes = None
        self.made = self._interrupted is not None
        return self._interrupted is None or not self._interrupted.unsafe

    def closing(self) -> list[str]:
        """The statements that empty the journal, for the transaction that records the revision."""
        statements = [self._notes.clear()] if self._notes else []
        if self.made and self._journal.transactional:
            self.made = False
            statements.append(f"DROP TABLE IF EXISTS {self._table}")
        elif self.made:
            self._emptied = True
            statements.append(f"DELETE FROM {self._table}")  # noqa: S608 - quoted
        return statements

    def end(self) -> None:
        """Remove the table of a run whose migrations have ended, where that is not done yet."""
        if self.made and self._emptied:
            self._journal.drop(self._target)
        elif self.made:
            self._journal.remove(self._target)

    def unsafe(self, reason: str) -> None:
        """Note that the migration cannot be gone on with."""
        if self._migration and not self._migration.unsafe:
            self._migration.unsafe = reason

    def committing(self) -> None:
        """Write what the open transaction has run, before it is committed."""
        if self._migration and not self._busy:
            self._flush(self._migration)

    def rolling_back(self) -> None:
        """Forget what the open transaction has run."""
        if self._migration and not self._busy:
            self._migration.pending.clear()
            self.unsafe("it rolls back by itself")

    def rolled_back(self) -> None:
        """Write what has ended and is not rolled back."""
        if self._migration and not self._busy and self._migration.ended:
            self._write_ended(self._migration)
            self._commit()

    def run(
        self, cursor: JournaledCursor, statement: Any, parameters: Any, send: Callable[[Any], Any], *, streams: bool
    ) -> Any:
        """Run a statement and record it, or give what was recorded of it.

        Args:
            cursor: On which it runs.
            statement: The statement, as the driver takes it.
            parameters: Its parameters.
            send: Sends the statement.
            streams: Whether the rows are left on the server.
        """
        migration = self._migration
        if migration is None or self._busy:
            return send(statement)
        if migration.stopped:
            raise migration.stopped
        text = statement.decode("utf-8", "replace") if isinstance(statement, bytes) else str(statement)
        judged = self._journal.judge(text)
        if judged.kind in (StatementKind.SESSION, StatementKind.BEGIN, StatementKind.COMMIT):
            if judged.unsafe:
                self.unsafe(judged.unsafe)
            if judged.kind is not StatementKind.SESSION:
                self._flush(migration)
            return send(statement)
        migration.number += 1
        entry = entry_of(
            migration.number, text, parameters, reads=judged.kind is StatementKind.READ, settled=judged.settled
        )
        if migration.replayed:
            recorded = self._replay(migration, migration.replayed.pop(0), entry)
            if recorded is not None:
                if "error" in recorded.result:
                    raise self._error(recorded.result["error"])
                return cursor.give(recorded.result)
        if streams:
            judged = judged._replace(unsafe=judged.unsafe or "it streams rows")
        return self._live(migration, cursor, entry, judged, lambda: send(self._sent(statement, text)))

    def sent_by(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        """Note what changes something over another connection, before it does: nothing takes that back."""
        migration = self._migration
        if migration is None or connection is self._owner:
            return
        if self._journal.judge(statement).kind not in _CHANGES or migration.elsewhere:
            return
        reason = "it writes over a second connection"
        self.unsafe(reason)
        entry = entry_of(_ELSEWHERE, statement, None, reads=False, settled=False).done({})
        head = [] if migration.written else [(0, HEAD, migration.head.to_json())]
        rows = [*head, (_UNSAFE_ELSEWHERE, UNSAFE, json.dumps(reason)), entry.row()]
        with self._journal.opened(self._target) as raw:
            if not self.made:
                ask(raw, self._journal.creation(self._target))
            ask(raw, self._journal.insertion(self._target, rows))
        self.made = migration.written = migration.elsewhere = True

    def _sent(self, statement: Any, text: str) -> Any:
        changed = self._journal.rewritten(text, self._table)
        return statement if changed == text else changed

    # A statement that was run before

    def _replay(self, migration: _Migration, recorded: JournalEntry, entry: JournalEntry) -> JournalEntry | None:
        """What was recorded of a statement; None where it is to run now."""
        if (recorded.number, recorded.digest) != (entry.number, entry.digest):
            raise self._stop(migration, f"it runs {entry.line} where it ran {recorded.line}")
        if recorded.state == DONE:
            return recorded
        with self._own():
            now = self._journal.fingerprint(self._query, recorded.statement)
            now = self._journal.repair(self._query, recorded.fingerprint, now)
            if now == dict(recorded.fingerprint):
                self._query(f"DELETE FROM {self._table} WHERE number = {recorded.number}")  # noqa: S608 - quoted
                return None
            done = recorded.done({})
            self._query(self._journal.update(self._target, done.row()))
            self._commit()
        return done

    def _stop(self, migration: _Migration, why: str) -> MigrationError:
        direction = "upgrade" if migration.head.upgrades else "downgrade"
        migration.stopped = MigrationError(
            f"The {direction} {migration.head.revision} cannot be gone on with: {why}.", hint=RESOLVE
        )
        return migration.stopped

    # A statement that runs now

    def _live(
        self,
        migration: _Migration,
        cursor: JournaledCursor,
        entry: JournalEntry,
        judged: Judged,
        send: Callable[[], Any],
    ) -> Any:
        if migration.resumed and judged.lost:
            raise self._stop(migration, f"it would run {entry.line}, and that session has ended")
        self._note_refused(migration)
        if judged.unsafe:
            self.unsafe(judged.unsafe)
        self._begin(migration, entry, judged)
        self.last = entry
        with self._own():
            together = self._journal.autocommits(self._raw)
            spoils = judged.kind is StatementKind.WRITE and self._journal.spoils(self._query, entry.statement)
        if spoils:
            self.unsafe("it writes to a table that no transaction can roll back")
        alone = judged.kind is StatementKind.ALONE and (together or not self._journal.transactional)
        if alone or spoils:
            return self._run_alone(migration, cursor, entry, send)
        if together:
            return self._run_together(migration, cursor, entry, send)
        return self._run_within(migration, cursor, entry, send)

    def _run_within(
        self, migration: _Migration, cursor: JournaledCursor, entry: JournalEntry, send: Callable[[], Any]
    ) -> Any:
        """Run a statement within the transaction."""
        try:
            returned = send()
        except BaseException as exc:
            migration.refused = self._refused(entry, exc)
            if self._journal.rolls_back(exc):
                migration.pending.clear()
                self.unsafe("it goes on after a deadlock, which has rolled back what it did")
            raise
        migration.pending.append(entry.done(self._result(migration, cursor, returned)))
        return returned

    def _run_together(
        self, migration: _Migration, cursor: JournaledCursor, entry: JournalEntry, send: Callable[[], Any]
    ) -> Any:
        """Run a statement, and write that it was done, in a transaction of their own: else each would commit alone."""
        made, written, unsafe_written = self.made, migration.written, migration.unsafe_written
        while True:
            try:
                with self._waits.within() if self._waits else nullcontext(), self._transaction():
                    returned = self._run_within(migration, cursor, entry, send)
                    self._flush(migration)
                    return returned
            except Exception as exc:
                self.made, migration.written, migration.unsafe_written = made, written, unsafe_written
                migration.pending.clear()
                if not (self._waits and self._waits.gives_way(exc)):
                    raise
                migration.refused = None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._own():
            self._query("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(Exception), self._own():  # the connection may have ended: that error is told
                self._query("ROLLBACK")
            raise
        with self._own():
            self._query("COMMIT")

    def _run_alone(
        self, migration: _Migration, cursor: JournaledCursor, entry: JournalEntry, send: Callable[[], Any]
    ) -> Any:
        """Run a statement that commits by itself, or that nothing takes back."""
        entry = replace(entry, alone=True)
        if entry.settled:
            with self._own():
                self._journal.clear(self._query, entry.statement)
                entry = replace(entry, fingerprint=self._journal.fingerprint(self._query, entry.statement))
        migration.pending.append(entry)
        written = list(migration.ended)
        self._flush(migration)
        if not entry.settled:  # it may not commit by itself, but what it does stays
            self._commit()
        try:
            returned = send()
        except BaseException as exc:
            migration.refused = self._refused(entry, exc)
            if entry.settled:  # a statement that is refused may not have committed what came before it
                migration.ended[:0] = written
            raise
        migration.ended.append(entry.done(self._result(migration, cursor, returned)))
        if not entry.settled or self._journal.transactional or self._journal.autocommits(self._raw):
            self._write_ended(migration)
            self._commit()
        return returned

    def _write_ended(self, migration: _Migration) -> None:
        with self._own():
            for done in migration.ended:
                self._rewrite(done)
        migration.ended.clear()

    def _rewrite(self, entry: JournalEntry) -> None:
        """Write an entry anew where it stands."""
        if self._notes is not None and entry.number in self._notes:
            self._query(self._notes.write([entry.row()]))
        else:
            self._query(self._journal.update(self._target, entry.row()))

    def _refused(self, entry: JournalEntry, exc: BaseException) -> JournalEntry:
        """A statement with the error that it has given, as far as that can be given again."""
        name = type(exc).__name__
        with suppress(UnrecordableError):
            if getattr(self._dbapi, name, None) is type(exc):
                return replace(entry, result={"error": [name, *map(encoded, exc.args)]})
        return entry

    def _error(self, recorded: list[Any]) -> BaseException:
        name, *arguments = recorded
        error: BaseException = getattr(self._dbapi, name)(*map(decoded, arguments))
        return error

    def _note_refused(self, migration: _Migration) -> None:
        """Record the statement that has failed: the migration has caught its error, and goes on."""
        entry, migration.refused = migration.refused, None
        if entry is None:
            return
        done = entry.done(entry.result)
        known = bool(entry.result)
        if known and entry.alone:
            with self._own():
                known = entry.settled and self._journal.fingerprint(self._query, entry.statement) == entry.fingerprint
                if known:
                    self._rewrite(done)
        elif known:
            migration.pending.append(done)
        if not known:
            self.unsafe("it goes on after a statement that has failed")

    def _begin(self, migration: _Migration, entry: JournalEntry, judged: Judged) -> None:
        """Make the table before anything is run, where to make it would commit that, or stay with a short journal."""
        if self._journal.transactional or (self.made and not self._notes):
            return
        if self._notes is not None and not self.made and not migration.unsafe and self._notes.takes(entry, judged):
            return
        with self._own():
            if not self.made:
                self._query(self._journal.creation(self._target))  # what ran before has committed by itself
            if moves := self._notes.move() if self._notes else []:
                for statement in moves:
                    self._query(statement)
                self._commit()
        self.made, self._notes = True, None

    def _flush(self, migration: _Migration) -> None:
        """Write what is not written yet, in the transaction that is open."""
        news = migration.unsafe and migration.written and not migration.unsafe_written
        self._write_ended(migration)
        if not migration.pending and not news:
            return
        with self._own():
            if not (self.made or self._notes is not None):
                self._query(self._journal.creation(self._target))
                self.made = True
            rows = [] if migration.written else [(0, HEAD, migration.head.to_json())]
            if migration.unsafe and not migration.unsafe_written:
                rows.append((_UNSAFE_NUMBER, UNSAFE, json.dumps(migration.unsafe)))
            rows += [entry.row() for entry in migration.pending]
            if self._notes is not None and not self.made:
                self._query(self._notes.write(rows))
                rows = []
            for start in range(0, len(rows), _AT_ONCE):
                self._query(self._journal.insertion(self._target, rows[start : start + _AT_ONCE]))
        migration.written = True
        migration.unsafe_written = bool(migration.unsafe)
        migration.pending.clear()

    def _result(self, migration: _Migration, cursor: JournaledCursor, returned: Any) -> Mapping[str, Any]:
        """What a statement has given, as far as it can be recorded."""
        if migration.unsafe:
            return {}
        result: dict[str, Any] = {"returned": returned} if isinstance(returned, int) else {}
        try:
            result["rowcount"] = encoded(cursor.rowcount)
            result["lastrowid"] = encoded(getattr(cursor, "lastrowid", None))
            if cursor.description is not None:
                result["description"] = [encoded((column[0], column[1], *_REST)) for column in cursor.description]
                result["rows"] = []
                while rows := cursor.read_ahead(_AT_ONCE):
                    news = [encoded(tuple(row)) for row in rows]
                    result["rows"] += news
                    migration.bytes += len(json.dumps(news))
                    if migration.bytes > MOST_BYTES:
                        self.unsafe(f"its statements give more than {MOST_BYTES // 1_000_000} MB of results")
                        return {}
        except UnrecordableError as exc:
            self.unsafe(f"its statements give values of the type {exc}")
            return {}
        return result

    # The journal's own statements

    @contextmanager
    def _own(self) -> Iterator[None]:
        """A context for statements of the journal's own."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    @property
    def _raw(self) -> Any:
        return self._connection.dbapi_connection

    def _query(self, statement: str) -> list[Any]:
        return ask(self._connection, statement)

    def _commit(self) -> None:
        if not self._journal.autocommits(self._raw):
            self._connection.commit()


def _events() -> tuple[Event, ...]:
    from sqlalchemy.engine import Engine

    return (Event(Engine, "before_cursor_execute", "sent_by"),)


_RECORDERS = Listeners(_events)
_REST = (None,) * 5  # of the seven fields of a column in a DB-API description


def _check_same(head: Head, found: Found) -> None:
    if (head.revision, head.upgrades) != (found.head.revision, found.head.upgrades):
        raise MigrationError(
            f"The migration {found.head.revision} was interrupted, and {head.revision} would run now.", hint=RESOLVE
        )
