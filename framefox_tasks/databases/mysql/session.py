"""A connection to MySQL or MariaDB for a copy: its settings, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from socket import SHUT_RDWR
from typing import Any

from framefox_tasks.databases.drivers import other_database
from framefox_tasks.databases.keepalive import keep_alive
from framefox_tasks.databases.mysql.packets import Answer, OutOfStepError
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.rows import quoted
from framefox_tasks.errors import (
    ConnectionLostError,
    CopyError,
    DatabaseInUseError,
    DriverMissingError,
    FramefoxTasksError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target

SQL_MODE = "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO"
"""Strict, but zero dates pass: another server may hold them. A zero in a column that counts up stays one."""
_DAY = 86_400
_LOST = frozenset({0, 1053, 1927, 2006, 2013, 2055, 4031})
_FULL = frozenset({1021, 1026, 1114})  # the disk, a file, a table
_DENIED = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1419})
_ENDED = 1317
_LOCKED = 1205
_PATIENCE = 10  # seconds that a reader waits for a table: who waits to alter it lets no other connection have it
_ANSWERING = 10.0  # seconds until a server has to have answered when it is connected to
_CANCELLING = 2.0  # seconds for all that a query is ended with
_SETTINGS = (
    f"time_zone = '+00:00', sql_mode = '{SQL_MODE}', sql_quote_show_create = 1, "
    f"net_read_timeout = {_DAY}, net_write_timeout = {_DAY}, wait_timeout = {7 * _DAY}"
)
_WAITING = (
    "SELECT ID, USER, HOST, LEFT(INFO, 80) FROM information_schema.PROCESSLIST "
    "WHERE DB = %s AND ID <> %s AND INFO IS NOT NULL AND (STATE LIKE 'Waiting for table%%' OR INFO LIKE 'ALTER %%') "
    "ORDER BY TIME DESC LIMIT 3"
)
_WRITING = (
    "SELECT p.ID, p.USER, p.HOST, LEFT(COALESCE(p.INFO, CONCAT('its transaction since ', t.trx_started)), 80) "
    "FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id "
    "WHERE p.DB = %s AND p.ID <> %s AND t.trx_rows_modified + t.trx_lock_structs > 0 ORDER BY t.trx_started LIMIT 3"
)
_OTHERS = (_WAITING, _WRITING)
"""Who may have a lock, the likeliest first: not every server and not every user tells all of it."""
_MARIADB = "max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0"
_MYSQL = "max_execution_time = 0, information_schema_stats_expiry = 0"


def name(text: str) -> str:
    """A name as SQL takes it."""
    return quoted(text, "`")


def literal(text: str) -> str:
    """A text as SQL takes it, whatever the mode."""
    return f"_utf8mb4 X'{text.encode().hex()}'" if text else "''"


def named(target: Target, database: str) -> Target:
    """Another database on the target's server, with the driver that copies need."""
    return other_database(target, database, f"{target.address.backend}+pymysql")


def beside(database: str, suffix: str) -> str:
    """The name of a database that stands beside another; a name has at most 64 characters."""
    if len(database) + len(suffix) <= 64:
        return database + suffix
    digest = sha256(database.encode()).hexdigest()[:8]
    return f"{database[: 63 - len(suffix) - len(digest)]}_{digest}{suffix}"


class Session:
    """A connection. For one thread at a time, but for `cancel`.

    Args:
        target: The database, for messages and to end a query from beside.
        connection: PyMySQL's connection.
        role: Which side of the copy it is, for messages.
    """

    def __init__(self, target: Target, connection: Any, role: str) -> None:
        self.target = target
        self.connection = connection
        self.role = role
        self._open: Answer | None = None
        self._cancelled = False

    @property
    def mariadb(self) -> bool:
        """Whether the server is a MariaDB."""
        return "mariadb" in self.connection.get_server_info().lower()

    @property
    def version(self) -> tuple[int, ...]:
        """The server's version."""
        text = self.connection.get_server_info().removeprefix("5.5.5-")
        return tuple(int(part) for part in re.findall(r"\d+", text)[:3])

    def rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        """What a query gives; the arguments stand for its %s."""
        self._finish()
        with self.errors():
            cursor = self.connection.cursor()
            cursor.execute(sql, arguments or None)
            return list(cursor.fetchall() or ())

    def value(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row of what a query gives."""
        rows = self.rows(sql, *arguments)
        return rows[0][0] if rows else None

    def text(self, sql: str, column: int) -> str:
        """A field of the first row of what a query gives; its bytes that are no UTF-8 stand as surrogates in it."""
        with self.answer(sql) as (answer, count):
            found = list(answer.rows(count))
        return (found[0][column] or b"").decode("utf-8", "surrogateescape")

    def execute(self, sql: str | bytes) -> int:
        """Run a statement, which may be a text of `text`; gives how many rows it changed."""
        self._finish()
        sql = sql.encode("utf-8", "surrogateescape") if isinstance(sql, str) else sql
        with self.errors():
            changed: int = self.connection.query(sql)
            return changed

    @contextmanager
    def answer(self, sql: str) -> Generator[tuple[Answer, int]]:
        """The rows of a query in bulk, and the number of its columns. What is not read of them is forgotten."""
        self._finish()
        answer = self._open = Answer(self.connection)
        try:
            with self.errors():
                yield answer, answer.begin(sql)
        finally:
            if answer is self._open:
                self._finish()

    def _finish(self) -> None:
        """End a query whose rows nobody reads any more."""
        answer, self._open = self._open, None
        if answer is None or answer.ended:
            return
        # By a connection beside this one, since closing this would lose its snapshot. The order to end it may also
        # come after the end: the next statement takes it then.
        with suppress(FramefoxTasksError):
            self._kill_query()
            with self.errors():
                answer.drain()
        with suppress(FramefoxTasksError):
            self.execute("DO 0")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """The driver's errors become ours."""
        from pymysql.err import MySQLError

        try:
            yield
        except (MySQLError, OutOfStepError) as exc:
            raise self.translated(exc) from exc

    def translated(self, exc: Exception) -> FramefoxTasksError:
        """What an error of the driver means."""
        code = VERBS.error_code(exc)
        text = self.target.address.hide(VERBS.error_text(exc))
        if code in _LOST or isinstance(exc, OutOfStepError):
            return ConnectionLostError(
                f"The connection to the {self.role} {self.target.label} ended{f': {text}' if text else '.'}",
                hint="Check that the server is running, then copy again. The target is as it was.",
            )
        if code == _LOCKED:
            return DatabaseInUseError(
                f"Others use what the copy needs of the {self.role} {self.target.label}: {text}{self._others()}",
                hint="Wait until they have ended, and copy again. The target is as it was.",
            )
        if code == _ENDED:
            return CopyError(f"What the {self.role} {self.target.label} was asked was ended from outside: {text}")
        if code in _DENIED:
            return PermissionDeniedError(
                f"The user {self.target.address.username or ''!r} may not do this on {self.target.label}: {text}",
                hint=f"Ask an administrator for: {grants(self.target, [self.target.name], read=self.role == 'source')}",
            )
        hint = "Check the free space and the limits of the server." if code in _FULL else None
        return CopyError(f"The {self.role} {self.target.label} refused what the copy asked: {text}", hint=hint)

    def _others(self) -> str:
        """What waits for a table, or has one or some of its rows for itself, as far as the server tells."""
        with suppress(FramefoxTasksError), _session(self.target, None, self.role, plain=True, flags=0) as other:
            for query in _OTHERS:
                with suppress(FramefoxTasksError):
                    found = other.rows(query, self.target.name, self.connection.thread_id())
                    if found:
                        return "".join(
                            f": connection {one} (user {user}, from {host}): {what}" for one, user, host, what in found
                        )
        return ""

    def cancel(self) -> None:
        """End what another thread waits for; when called again, the connection."""
        if self._cancelled:
            self._hang_up()
        self._cancelled = True
        self._kill_query()

    def _kill_query(self) -> None:
        # An error means that it has ended by itself.
        connecting = _session(self.target, None, self.role, plain=True, flags=0, timeout=_CANCELLING)
        with connecting as other, suppress(FramefoxTasksError):
            other.execute(f"KILL QUERY {self.connection.thread_id()}")

    def _hang_up(self) -> None:
        """The server may not answer any more, but who waits for it wakes up."""
        with suppress(AttributeError, OSError):  # it has ended
            self.connection._sock.shutdown(SHUT_RDWR)


def grants(target: Target, databases: Sequence[str], *, read: bool = False, account: str = "") -> str:
    """The statements that allow a user to make a copy in these databases, or to read them.

    Args:
        target: Who logs in.
        databases: Their names.
        read: Whether they are only read.
        account: The user as the server knows it, name@host; a grant to the name alone is for any host.
    """
    parts = account.rpartition("@")[::2] if account else (target.address.username or "user",)
    user = "@".join("'" + part.replace("'", "''") + "'" for part in parts)
    rights = "SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE" if read else "ALL"
    patterns = [re.sub("([_%])", r"\\\1", database) for database in databases]
    return "; ".join(f"GRANT {rights} ON {name(pattern)}.* TO {user}" for pattern in patterns)


def session(
    target: Target, database: str | None, role: str, *, plain: bool = False, flags: int = 0
) -> AbstractContextManager[Session]:
    """Connect; the connection is closed at the end.

    Args:
        target: Where the server is, and who logs in.
        database: The database to use, if any.
        role: Which side of the copy it is, for messages.
        plain: Leave the server's settings as they are.
        flags: Flags of the protocol.

    Raises:
        DriverMissingError: PyMySQL is not installed.
        ConnectionFailedError: The server cannot be reached, or refuses the login.
        DatabaseNotFoundError: The database does not exist.
    """
    if not find_spec("pymysql"):
        raise DriverMissingError(
            "Copying from or to MySQL and MariaDB needs the driver PyMySQL, which is not installed.",
            hint='Install it: pip install "framefox-tasks[mysql]"',
        )
    return _session(target, database, role, plain, flags)


@contextmanager
def _session(
    target: Target, database: str | None, role: str, plain: bool, flags: int, *, timeout: float | None = None
) -> Iterator[Session]:
    where = named(target, database or target.name)
    options = {"charset": "utf8mb4", "client_flag": flags, "autocommit": True, "read_timeout": timeout or _ANSWERING}
    with VERBS.connection(where, database, **options) as connection:
        connection._read_timeout = timeout  # the server has answered; for rows it may need as long as it needs
        keep_alive(connection._sock)
        made = Session(target, connection, role)
        if not plain:
            patience = f", lock_wait_timeout = {_PATIENCE}" if role == "source" else ""
            made.execute(f"SET SESSION {_SETTINGS}, {_MARIADB if made.mariadb else _MYSQL}{patience}")
        yield made
