"""Connections to PostgreSQL for a copy: set up so that values read and write the same everywhere, errors told."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from framefox_tasks.databases import drivers
from framefox_tasks.databases.keepalive import keep_alive
from framefox_tasks.databases.postgresql.verbs import VERBS
from framefox_tasks.databases.rows import BadRowError
from framefox_tasks.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    CopyError,
    DatabaseInUseError,
    DatabaseNotFoundError,
    DriverMissingError,
    FramefoxTasksError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target

_SETTINGS = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    "standard_conforming_strings": "on",
    "row_security": "off",  # a row that a policy hides is an error, not a row less
    "search_path": "public",
    "quote_all_identifiers": "off",
    "synchronize_seqscans": "off",  # the same order of rows each time, here and below
    "max_parallel_workers_per_gather": "0",
    "client_min_messages": "error",
    "check_function_bodies": "off",
    "jit": "off",
}
_TIMEOUTS = {  # since which version
    "statement_timeout": 0,
    "lock_timeout": 0,
    "idle_in_transaction_session_timeout": 0,
    "idle_session_timeout": 140000,
    "transaction_timeout": 170000,
}
_CANCELLING = 2.0  # seconds
_LOST = {"57P01", "57P02", "57P03", "57P05", "25P03"}
_LOCKED = "55P03"
_HOLDERS = """
SELECT string_agg(DISTINCT format('server process %s (user %s, from %s): %s', a.pid, coalesce(a.usename, '?'),
    coalesce(host(a.client_addr), 'a socket'), left(a.query, 80)), ', ')
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND {mode} AND l.pid <> {mine} AND l.relation >= 16384 AND l.database = (
    SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""
_MODES = (
    "l.mode = 'AccessExclusiveLock'",
    "l.mode NOT IN ('AccessShareLock', 'RowShareLock') AND a.state <> 'idle'",  # whose rows may be waited for
)
_FULL = {"53100", "53200", "53300"}
_UNDEFINED_COLUMN = "42703"
_ENCODING = "22021"
_SAY = "{} does not say what it is. Say it in the URL of the source: ?client_encoding=LATIN1"
_UNREADABLE = "08P01"  # what was sent cannot be read: binary rows of another type
_OF_A_ROW = {"08", "22", "23", "44", "54", "P0"}  # classes of errors: of data, constraints, views, limits, functions
_IN_COPY = re.compile(r"^COPY .*, line (\d+)(?:, column (.+?))?(?:: (?:\".*|null input))?$", re.MULTILINE)
_LONG = re.compile(r'"((?:[^"]){60})[^"]+"')


def quoted(*parts: str) -> str:
    """A name as SQL takes it."""
    return ".".join('"{}"'.format(part.replace('"', '""')) for part in parts)


def literal(text: str) -> str:
    """A text as SQL takes it."""
    return "'{}'".format(text.replace("'", "''"))


def other_database(target: Target, name: str) -> Target:
    """Another database of the same server, by the driver that a copy needs.

    Raises:
        DriverMissingError: psycopg 3 is not installed.
    """
    if find_spec("psycopg") is None:
        raise DriverMissingError(
            "Copying from or to PostgreSQL needs the driver psycopg 3, which is not installed.",
            hint='Install it: pip install "framefox-tasks[postgresql]"',
        )
    return drivers.other_database(target, name, "postgresql+psycopg")


@contextmanager
def session(target: Target, side: str, *, plain: bool = False) -> Iterator[Any]:
    """A connection of psycopg 3 with autocommit.

    Args:
        target: The database to connect to.
        side: What it is in the copy, for messages: source or target.
        plain: Leave the settings that only values and rows depend on.

    Raises:
        DriverMissingError: psycopg 3 is not installed.
        DatabaseNotFoundError: The database does not exist.
        ConnectionLostError: The connection ended.
        CopyError: Anything else that the server refused.
    """
    # Errors of connecting are the dialect's to tell; those that come later are told here, and pass through it.
    with ExitStack() as closing:
        one = other_database(target, target.name)
        try:
            connection = closing.enter_context(VERBS.connection(one, target.name))
        except ConnectionFailedError as exc:
            # libpq gives no code for a refused connection; where the server has answered, its catalogue tells.
            if "FATAL:" in exc.message and not VERBS.exists(one):
                raise DatabaseNotFoundError(f"The database {target.label} does not exist.") from exc
            raise
        timeouts = {name: "0" for name, since in _TIMEOUTS.items() if connection.info.server_version >= since}
        settings = timeouts if plain else {**timeouts, **_SETTINGS}
        connection.execute("; ".join(f"SET {name} = {_value(name, value)}" for name, value in settings.items()))
        if not any(key.startswith("keepalives") for key, _ in target.address.query):
            with socket.socket(fileno=socket.dup(connection.pgconn.socket)) as ours:
                keep_alive(ours)
        with telling(target, side, connection):
            yield connection


def _value(name: str, value: str) -> str:
    return value if name in ("DateStyle", "search_path") else literal(value)


@contextmanager
def telling(target: Target, side: str, connection: Any = None, *, about: str = "", table: str = "") -> Iterator[None]:
    """A context whose errors of the driver become ours.

    Args:
        target: The database, for messages.
        side: What it is in the copy.
        connection: Tells whether it has ended.
        about: What is being made, for a message.
        table: The table that rows go into: an error of a row is then a BadRowError.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as exc:
        raise told(exc, target, side, connection, about=about, table=table) from exc


def told(
    exc: Any, target: Target, side: str, connection: Any = None, *, about: str = "", table: str = ""
) -> FramefoxTasksError:
    """What an error of the driver means."""
    code = exc.sqlstate or ""
    text = shortened(target.address.hide(VERBS.error_text(exc.diag.message_primary or exc)))
    if code in _LOST or (code.startswith("08") and code != _UNREADABLE) or (not code and _ended(connection)):
        return ConnectionLostError(
            f"The connection to the {side} {target.label} ended: {text}",
            hint="Check that the server is running, then copy again. The target is as it was.",
        )
    if code == _LOCKED:
        return locked(target, side, text, connection)
    if code in VERBS.denied and side == "source":
        user = target.address.username or "user"
        rights = f"GRANT pg_read_all_data TO {quoted(user)}, or before PostgreSQL 14 SELECT on its tables and sequences"
        if "row-level security" in text:
            rights = f"ALTER ROLE {quoted(user)} BYPASSRLS"
        return PermissionDeniedError(
            f"The user {user!r} may not read all of {target.label}: {text}", hint=f"Ask an administrator for: {rights}"
        )
    if code in VERBS.denied | VERBS.missing_database:
        return VERBS.translate(exc, target)
    if table and code[:2] in _OF_A_ROW:
        found = _IN_COPY.search(exc.diag.context or "")
        if found:
            column = found[2] or exc.diag.column_name
            return BadRowError(table, f"column {column}: {text}" if column else text, number=int(found[1]))
    hint = "Check the free space and the memory of the server." if code in _FULL else None
    if code == _ENCODING and side == "source":
        hint = _SAY.format(connection.info.parameter_status("server_encoding") if connection else "its encoding")
    if code == _UNDEFINED_COLUMN:  # as of a condition: the server knows which was meant
        hint = exc.diag.message_hint
    return CopyError(
        f"The {side} {target.label} refused{f' {about or table}' if about or table else ''}: {text}", hint=hint
    )


def locked(target: Target, side: str, text: str, connection: Any = None) -> DatabaseInUseError:
    """The error for a lock that was not given in time: what the server said, and who has it or waits for it."""
    return DatabaseInUseError(
        f"Others use what the copy needs of the {side} {target.label}: {text}{_holders(target, connection)}",
        hint="Wait until they have ended, and copy again. The target is as it was.",
    )


def _holders(target: Target, connection: Any) -> str:
    """Who has a table for himself, or waits for that; else who changes rows, but for the connection that asked."""
    mine = connection.info.backend_pid if connection and not connection.closed else 0
    with suppress(FramefoxTasksError), VERBS.asking(target) as ask:
        for mode in _MODES:
            row = ask(_HOLDERS.format(mode=mode, mine=mine))
            if row and row[0]:
                return f": {row[0]}"
    return ""


def _ended(connection: Any) -> bool:
    from psycopg.pq import ConnStatus

    return connection is None or connection.closed or connection.pgconn.status != ConnStatus.OK


def shortened(text: str) -> str:
    """A message without the rest of long values."""
    text = _LONG.sub(r'"\1..."', text)
    return text if len(text) <= 400 else f"{text[:400]}..."


def cancel(connection: Any) -> None:
    """End what another thread waits for on a connection."""
    import psycopg

    try:
        if hasattr(connection, "cancel_safe"):
            connection.cancel_safe(timeout=_CANCELLING)
        else:
            connection.cancel()
    except psycopg.Error:
        hang_up(connection)


def hang_up(connection: Any) -> None:
    """End a connection to a server that does not answer; who waits for it wakes up."""
    import psycopg

    with suppress(psycopg.Error, OSError), socket.socket(fileno=socket.dup(connection.pgconn.socket)) as ours:
        ours.shutdown(socket.SHUT_RDWR)
