"""Scratch databases of MySQL and MariaDB, and what a migration may not do in one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

from framefox_tasks.databases import reuse
from framefox_tasks.databases.mysql.certificates import one_ssl_context
from framefox_tasks.databases.mysql.session import name as quoted
from framefox_tasks.databases.mysql.written_rows import inserts
from framefox_tasks.databases.scratch import CACHE, PREFIX, DriverWatch, server_scratch, starting, statement_text
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.model import Target

_SCHEMA = (
    "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s"
)
_SHARED = "DATABASE|SCHEMA|USER|ROLE|TABLESPACE|LOGFILE|SERVER"
_SERVER_WIDE = starting(
    rf"(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:UNDO\s+)?(?:{_SHARED})\b|RENAME\s+USER\b|GRANT\b|REVOKE\b|"
    r"SET\s+(?:GLOBAL|PERSIST(?:_ONLY)?|PASSWORD|@@(?:GLOBAL|PERSIST))\b|USE\b|FLUSH\b|RESET\b|PURGE\b|KILL\b|"
    r"SHUTDOWN\b|(?:UN)?INSTALL\b|(?:CHANGE|START|STOP)\s+(?:ALL\s+)?(?:MASTER|SLAVES?|REPLICAS?|REPLICATION)\b"
)
_OWN = re.compile(r"ALTER\s+(?:DATABASE|SCHEMA)\b(?:\s+(?:DEFAULT|CHARACTER|CHARSET|COLLATE)\b)?", re.IGNORECASE)
_PROGRAMS = (
    "SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()) + "
    "(SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE())"
)
_AS_WRITTEN = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'"
_YEAR = 365 * 24 * 3600
_LOCK_WAIT = 10  # seconds that a killed run's statement may still take


@contextmanager
def scratch(verbs: ServerVerbs, target: Target, state: str) -> Iterator[Target]:
    """A database on the target's server: empty, or with a state that is kept."""
    with one_ssl_context(), server_scratch(verbs, _Scratch(), target, state) as made:
        yield made


class _Scratch:
    """The scratch databases of a server. Its named locks end with the connection that has them."""

    def lock(self, connection: Any, name: str) -> bool:
        cursor = connection.cursor()
        cursor.execute(f"SET SESSION wait_timeout = {_YEAR}")  # else the server drops an idle holder
        cursor.execute("SELECT GET_LOCK(%s, 0)", (name,))
        return bool(cursor.fetchall()[0][0] == 1)

    def unlock(self, connection: Any, name: str) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT RELEASE_LOCK(%s)", (name,))
        cursor.fetchall()

    def existing(self, connection: Any) -> list[str]:
        cursor = connection.cursor()
        cursor.execute("SHOW DATABASES")
        return [name for (name,) in cursor.fetchall() if name.startswith(PREFIX)]

    def make(self, connection: Any, name: str, live: Target, state: str) -> None:
        cursor = connection.cursor()
        cursor.execute(_SCHEMA, (live.name,))
        found = cursor.fetchall()
        charset, collation = found[0] if found else (dict(live.address.query).get("charset", "utf8mb4"), None)
        collate = f" COLLATE {collation}" if collation else ""
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET {charset}{collate}")
        statements = _kept(live, state)
        if statements:
            cursor.execute(f"USE {name}")
            _make_again(cursor, statements)

    def drop(self, connection: Any, name: str) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET SESSION lock_wait_timeout = {_LOCK_WAIT}")
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")


def beyond(statement: str, scratch: Target, live: Target) -> str | None:
    """What a statement reaches beyond the scratch database."""
    text = statement_text(statement)
    found = _SERVER_WIDE(text)
    if found and not _is_own(text, scratch):
        return f"runs {' '.join(found[1].split())}, which is not of one database alone"
    name = re.escape(live.name)
    # A table or a column may be called like the database: what stands before a point is a database or a table.
    if re.search(rf"(?<![\w.`])(?:`{name}`|{name})\s*\.\s*[\w`]+\s*\.|{_PLACE}(?:`{name}`|{name})\s*\.", text, re.I):
        return f"names the database {live.name}"
    return None


_PLACE = (
    r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|EXISTS|REFERENCES|ON|TRUNCATE|LIKE|VIEW|TRIGGER|PROCEDURE|FUNCTION|TO|IN|DESCRIBE|,)"
    r"\s*(?:ONLY\s+|IGNORE\s+)?"
)


def _is_own(text: str, scratch: Target) -> bool:
    own = _OWN.match(text.lstrip())
    return own is not None and (scratch.name in text or own[0].split()[-1].upper() not in ("DATABASE", "SCHEMA"))


@contextmanager
def watched(watch: DriverWatch) -> Iterator[None]:
    """Let PyMySQL ask before it connects and before it sends a statement."""
    if not find_spec("pymysql"):
        yield
        return
    from pymysql.connections import Connection

    connect, query = Connection.connect, Connection.query

    def asking(connection: Any, sock: Any = None) -> Any:
        database = connection.db or b""
        name = database.decode(errors="replace") if isinstance(database, bytes) else str(database)
        watch.connects(f"{connection.host} {name}")
        return connect(connection, sock)

    def sending(connection: Any, sql: Any, unbuffered: bool = False) -> Any:
        watch.sends(sql.decode(errors="replace") if isinstance(sql, (bytes, bytearray)) else str(sql))
        return query(connection, sql, unbuffered)

    with patch.object(Connection, "connect", asking), patch.object(Connection, "query", sending):
        yield


def copy_schema(verbs: ServerVerbs, source: Target, made: Target) -> None:
    """Make the tables and the views of a database once more in an empty one."""
    with verbs.connection(source, source.name) as connection:
        statements = definitions(connection.cursor(), source.name)
    make_again(verbs, made, statements)


def schema_statements(verbs: ServerVerbs, target: Target) -> list[str] | None:
    """What makes the schema of a database once more, but for the version table; None where it has what no table has."""
    with verbs.connection(target, target.name) as connection:
        cursor = connection.cursor()
        cursor.execute(_PROGRAMS)
        if cursor.fetchall()[0][0]:
            return None
        reuse.spoil(connection)
        cursor.execute(_AS_WRITTEN)
        version = f"CREATE TABLE `{target.project.version_table}` "
        found = [text for text in definitions(cursor, target.name) if not text.startswith(version)]
    return [_AS_WRITTEN, "SET SESSION foreign_key_checks = 0", *found, "SET SESSION foreign_key_checks = 1"]


def definitions(cursor: Any, database: str) -> list[str]:
    """What makes the sequences, tables and views of a database: its own name does not stand in them."""
    cursor.execute("SHOW FULL TABLES")
    found: dict[str, list[str]] = {"SEQUENCE": [], "BASE TABLE": [], "VIEW": []}
    for name, kind in list(cursor.fetchall()):
        cursor.execute(f"SHOW CREATE TABLE `{name.replace('`', '``')}`")
        text = str(cursor.fetchall()[0][1])
        if kind == "VIEW":
            text = f"CREATE VIEW {text.partition(' VIEW ')[2]}".replace(f"`{database}`.", "")
        found.setdefault(kind, []).append(text)
    return [*found.pop("SEQUENCE"), *found.pop("BASE TABLE"), *(text for some in found.values() for text in some)]


def make_again(verbs: ServerVerbs, made: Target, statements: Iterable[str]) -> None:
    """Run what definitions() has found."""
    with verbs.connection(made, made.name) as connection:
        reuse.spoil(connection)
        _make_again(connection.cursor(), statements)


def _make_again(cursor: Any, statements: Iterable[str]) -> None:
    cursor.execute("SET SESSION foreign_key_checks = 0")
    for statement in statements:
        cursor.execute(statement)


def _state(target: Target, state: str) -> Path:
    return target.project.path(f"{CACHE}/state-{state[:32]}.json")


def _kept(target: Target, state: str) -> list[str]:
    try:
        return [str(text) for text in json.loads(_state(target, state).read_text(encoding="utf-8"))] if state else []
    except (OSError, ValueError):
        return []


def keep_state(verbs: ServerVerbs, target: Target, made: Target, state: str) -> None:
    """Keep what makes a scratch database, with its rows, as a file of the cache, unless it has what no table has."""
    with verbs.connection(made, made.name) as connection:
        cursor = connection.cursor()
        cursor.execute(_PROGRAMS)
        if cursor.fetchall()[0][0]:
            return
        reuse.spoil(connection)
        cursor.execute(_AS_WRITTEN)
        statements = [_AS_WRITTEN, *definitions(cursor, made.name)]
        cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        for name, _ in list(cursor.fetchall()):
            rows = inserts(cursor, quoted(name))
            if rows is None:
                return
            statements += rows
    path = _state(target, state)
    beside = path.with_name(f".{path.name}.{made.name}")
    with suppress(OSError):
        try:
            beside.write_text(json.dumps(statements), encoding="utf-8")
            for other in path.parent.glob("state-*.json"):
                other.unlink(missing_ok=True)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
