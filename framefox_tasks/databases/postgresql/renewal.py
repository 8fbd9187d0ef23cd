"""A session of psycopg 3 that another connection goes on with: to the same database, or to another schema of it.

A new session takes a server longer than three small migrations: it has to read its catalogue first. DISCARD ALL puts
back what was set in one, but for settings with a dot in their names: who sets these has to see that it is closed. The
connection of the driver is another, as adapters and handlers of notices are its own. What is left in another schema is
the search_path that the session was opened with: RESET goes back to it, which would be the schema of another target. So
a statement that may do so is followed by the search_path that is meant; and where that cannot be done, it is refused
before it is sent, and the caller has to begin again in a session of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import psycopg

from framefox_tasks.databases import reuse

_OPTION = "-csearch_path="
_ESCAPED = re.compile(r"\\(.)")
_PUTS_BACK = re.compile(r"\b(RESET|DISCARD)\b|\bsearch_path\b.*\bDEFAULT\b", re.IGNORECASE | re.DOTALL)
_ENDS = re.compile(r"\s*(COMMIT|END)\b", re.IGNORECASE)
_SET = "SELECT pg_catalog.set_config('search_path', %s, false)"
_OF_OTHERS = {"55P03", "40P01", "57014"}  # lock_not_available, deadlock_detected, query_canceled
_HAS_SETTINGS = """
SELECT 1 FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE d.datname = pg_catalog.current_database()
"""  # which a new session would begin with
_SHOWN = "SELECT pg_catalog.current_setting('search_path')"


class NotOwnSessionError(psycopg.OperationalError):
    """What a migration does needs a session of its own."""


def search_path(keywords: Mapping[str, Any]) -> str | None:
    """The search_path that the arguments of a connection set; None where they set something else, or nothing."""
    options = str(keywords.get("options", ""))
    found = _ESCAPED.sub(r"\1", options.removeprefix(_OPTION))
    return found if options.startswith(_OPTION) and not re.search(r"(?<!\\)\s", options) else None


def is_kept(connection: Any, keywords: Mapping[str, Any], *, again: bool) -> bool:
    """Put the session of a connection back as it was, for another one; False where it is to be closed.

    Args:
        connection: The connection.
        keywords: The arguments that its session was opened with.
        again: Whether those of the other one are the same.
    """
    if type(connection) not in (psycopg.Connection, RenewedConnection):
        return False
    if search_path(keywords) is None and not again:
        return False
    if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return False
    try:
        connection.autocommit = True
        connection.prepare_threshold = None
        if type(connection) is psycopg.Connection and _is_pooled(connection):
            return False
        if again and psycopg.Cursor(connection).execute(_HAS_SETTINGS).fetchone():
            return False
        psycopg.Cursor(connection).execute("DISCARD ALL")
    except psycopg.Error:
        return False
    return True


def _is_pooled(connection: Any) -> bool:
    """Whether it is of a pooler, which may have no other session to give."""
    pid = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()[0]
    return bool(pid != connection.info.backend_pid)


def renewed(connection: Any, before: Mapping[str, Any], keywords: Mapping[str, Any]) -> Any:
    """A new connection of the driver on a session that is kept, in another schema; None where it has ended.

    Args:
        connection: The connection that it was kept of, which cannot be used after this.
        before: The arguments that the session was opened with.
        keywords: Those of the connection that is meant.
    """
    path = search_path(keywords)
    if before == keywords and path is None:
        found: Any = psycopg.Connection(connection.pgconn)
        del connection.pgconn
        return found
    if path is None or _shared(before) != _shared(keywords):
        return None
    found = RenewedConnection(connection.pgconn, path, search_path(before) or "")
    del connection.pgconn  # whoever still has the other one gets an error, and not another target's session
    try:
        found.enter()
    except psycopg.Error:
        found.close()
        return None
    return found


def _shared(keywords: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if name != "options"}


class RenewedConnection(psycopg.Connection[Any]):
    """A connection on a session that was opened in another schema.

    Args:
        pgconn: The session.
        path: The search_path that is meant.
        opened: That of the session, which RESET goes back to.
    """

    def __init__(self, pgconn: Any, path: str, opened: str) -> None:
        super().__init__(pgconn)
        self._path = path
        self._opened = opened
        self._refused = False
        self.cursor_factory = RenewedCursor

    def enter(self) -> None:
        """Turn to the schema that is meant."""
        self.autocommit = True
        psycopg.Cursor(self).execute(_SET, (self._path,))
        self.autocommit = False

    def check(self, statement: str) -> bool:
        """Whether a statement may put the search_path back; refuses one after which that would be too late."""
        if self._refused:
            raise NotOwnSessionError("The transaction needs a session of its own.")
        if _ENDS.match(statement):
            self._refuse_to_keep()
        if not _PUTS_BACK.search(statement):
            return False
        if ";" in statement.strip().rstrip(";"):
            self.refuse()
        return True

    def refuse(self) -> None:
        """Do no more: what was begun is rolled back, and run in a session of its own."""
        self._refused = True
        reuse.own_sessions()
        raise NotOwnSessionError(
            "The search_path may be put back to that of another schema, as this session is used again."
        )

    def note(self, exc: psycopg.Error) -> None:
        """An error may come of a search_path that a function has put back: then a session of its own has none."""
        if exc.sqlstate not in _OF_OTHERS:
            reuse.own_sessions(lasting=False)

    def restore(self) -> None:
        """Set the search_path that a RESET would have gone back to in a session of its own."""
        psycopg.Cursor(self).execute(_SET, (self._path,))

    def commit(self) -> None:
        """Commit, unless a function has put the search_path back."""
        if self._refused:
            raise NotOwnSessionError("The transaction needs a session of its own.")
        self._refuse_to_keep()
        super().commit()

    def restore_if_back(self) -> None:
        """Set the search_path where a function has put it back, and nothing will be committed later."""
        if self.autocommit and self._is_back():
            self.restore()

    def _refuse_to_keep(self) -> None:
        """Refuse to commit what may have been done in the schema of another target."""
        if self.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS and self._is_back():
            self.refuse()

    def _is_back(self) -> bool:
        """Whether the search_path is that of the session, and not the one that is meant."""
        if self._opened == self._path:
            return False
        shown = psycopg.Cursor(self).execute(_SHOWN).fetchone()
        return bool(shown and shown[0] == self._opened)


class RenewedCursor(psycopg.Cursor[Any]):
    """A cursor of such a connection."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        """Send a statement."""
        connection: Any = self.connection
        text = query if isinstance(query, str) else self._text(query)
        puts_back = connection.check(text)
        try:
            found = super().execute(query, params, **more)
        except psycopg.Error as exc:
            connection.note(exc)
            raise
        if puts_back:
            connection.restore()
        else:
            connection.restore_if_back()
        return found

    def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
        """Send a statement with several sets of parameters."""
        connection: Any = self.connection
        if connection.check(query if isinstance(query, str) else self._text(query)):
            connection.refuse()
        try:
            super().executemany(query, params_seq, **more)
        except psycopg.Error as exc:
            connection.note(exc)
            raise

    def _text(self, query: Any) -> str:
        if isinstance(query, bytes):
            return query.decode("utf-8", "replace")
        return str(query.as_string(self.connection))
