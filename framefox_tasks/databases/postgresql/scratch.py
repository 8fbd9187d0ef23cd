"""Scratch databases of PostgreSQL, and what a migration may not do in one."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

from framefox_tasks.databases import reuse
from framefox_tasks.databases.postgresql.database_settings import setting
from framefox_tasks.databases.postgresql.dump import dump, pg_dump_for, told_openly
from framefox_tasks.databases.postgresql.session import literal, quoted
from framefox_tasks.databases.postgresql.staging import Described
from framefox_tasks.databases.postgresql.verbs import can_force
from framefox_tasks.databases.scratch import PREFIX, DriverWatch, server_scratch, starting, statement_text
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.errors import FramefoxTasksError, ScratchError
from framefox_tasks.model import Target

_NO_TIMEOUT = (
    "SELECT set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name IN "
    "('idle_in_transaction_session_timeout', 'transaction_timeout', 'statement_timeout', 'idle_session_timeout')"
)
_EXISTING = """
SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.pg_get_userbyid(datdba) = current_user AND datname LIKE %s
"""
_DATABASE = """
SELECT d.oid, pg_catalog.pg_get_userbyid(d.datdba), current_user, true,
    pg_catalog.pg_encoding_to_char(d.encoding), pg_catalog.to_jsonb(d), NULL, 'pg_default'
FROM pg_catalog.pg_database d WHERE d.datname = %s
"""
_STATE = "framefox_tasks_state_"
_MARKED = """
SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
WHERE pg_catalog.pg_get_userbyid(datdba) = current_user AND datname LIKE %s
"""
_EXTENSIONS = "SELECT extname FROM pg_catalog.pg_extension WHERE extname <> %s"
_SETTINGS = """
SELECT unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase WHERE d.datname = %s AND s.setrole = 0
"""
_SHARED = "DATABASE|ROLE|USER(?!\\s+MAPPING)|GROUP|TABLESPACE|SUBSCRIPTION"
_CLUSTER_WIDE = starting(
    rf"(?:CREATE|DROP|COMMENT\s+ON)\s+(?:{_SHARED})\b|ALTER\s+(?:SYSTEM|{_SHARED})\b|(?:REASSIGN|DROP)\s+OWNED\b|"
    r"GRANT\s+(?:(?!\bON\b)[^;])*\bTO\b|REVOKE\s+(?:(?!\bON\b)[^;])*\bFROM\b|"
    r"(?:GRANT|REVOKE)\b[^;]*?\bON\s+(?:DATABASE|TABLESPACE)\b|COPY\b[^;]*\bPROGRAM\b"
)
_CALLS = re.compile(
    r"\b(dblink\w*|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_create_\w+_replication_slot)\s*\(",
    re.IGNORECASE,
)
# A setting with a dot in its name, which no DISCARD takes away.
_SETS_OWN = re.compile(
    r"\bSET\s+(?:(?:SESSION|LOCAL)\s+)?[\w\"]+\s*\.|\bset_config\s*\(\s*(?!'\w+'\s*,)", re.IGNORECASE
)
_UNCHECKED = "SET check_function_bodies = false"
_OWN = re.compile(r"ALTER\s+DATABASE|COMMENT\s+ON\s+DATABASE", re.IGNORECASE)


@contextmanager
def scratch(verbs: ServerVerbs, target: Target, state: str) -> Iterator[Target]:
    """A database on the target's server: empty, or with a state that is kept."""
    with server_scratch(verbs, _Scratch(), target, state) as made:
        yield made


class _Scratch:
    """The scratch databases of a server. Advisory locks are kept for each database: the maintenance database has them.

    The lock is that of a transaction, as those of a session do not survive a pooler.
    """

    def lock(self, connection: Any, name: str) -> bool:
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        cursor.execute(_NO_TIMEOUT)
        key = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
        cursor.execute(f"SELECT pg_catalog.pg_try_advisory_xact_lock({key})")
        if cursor.fetchone()[0]:
            return True
        cursor.execute("ROLLBACK")
        return False

    def unlock(self, connection: Any, name: str) -> None:  # noqa: ARG002 - it ends with the transaction
        connection.cursor().execute("ROLLBACK")

    def existing(self, connection: Any) -> list[str]:
        return [name for (name,) in _rows(connection, _EXISTING, PREFIX.replace("_", r"\_") + "%")]

    def make(self, connection: Any, name: str, live: Target, state: str) -> None:
        if not (state and _from_state(connection, name, live, state)):
            self._make_empty(connection, name, live)
        for (row,) in _rows(connection, _SETTINGS, live.name):
            key, _, value = row.partition("=")
            connection.cursor().execute(f"ALTER DATABASE {name} SET {quoted(key)} = {setting(key, value)}")

    def _make_empty(self, connection: Any, name: str, live: Target) -> None:
        options = ["TEMPLATE template0"]
        for row in _rows(connection, _DATABASE, live.name):
            like = Described(*row)
            options += [f"ENCODING '{like.encoding}'", *like.locale()]
        connection.cursor().execute(f"CREATE DATABASE {name} {' '.join(options)}")

    def drop(self, connection: Any, name: str) -> None:
        cursor = connection.cursor()
        if can_force(cursor):
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            return
        ended = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = %s"
        _rows(connection, ended, name)
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")


def _rows(connection: Any, query: str, *values: str) -> list[Any]:
    cursor = connection.cursor()
    cursor.execute(query, values)
    return list(cursor.fetchall())


def beyond(statement: str, scratch: Target, live: Target) -> str | None:
    """What a statement reaches beyond the scratch database."""
    text = statement_text(statement)
    found = _CLUSTER_WIDE(text)
    if found and not (_OWN.search(text) and scratch.name in text):
        return f"runs {' '.join(found[1].split())[:60]}, which is not of one database alone"
    called = _CALLS.search(text)
    if called:
        return f"calls {called[1]}"
    # Nothing else of SQL can name another database.
    if re.search(rf"\b(?:dbname|DATABASE)\b\W*{re.escape(live.name)}\b", statement, re.IGNORECASE):
        return f"names the database {live.name}"
    return None


@contextmanager
def watched(watch: DriverWatch) -> Iterator[None]:
    """Let psycopg ask before it connects and before it sends a statement."""
    with ExitStack() as stack:
        if find_spec("psycopg"):
            for method, ask in _psycopg(watch):
                stack.enter_context(patch.object(*method, ask))
        for module in ("psycopg2", "asyncpg.connect_utils"):
            if find_spec(module.partition(".")[0]):
                connecting = import_module(module)
                ask = _asking(watch.connects, connecting._connect)
                stack.enter_context(patch.object(connecting, "_connect", ask))
        yield


def _psycopg(watch: DriverWatch) -> Iterator[tuple[tuple[Any, str], Any]]:
    import psycopg

    def connect(cls: Any, /, conninfo: str = "", **options: Any) -> Any:
        watch.connects(conninfo)
        return original.__func__(cls, conninfo, **options)

    original = psycopg.Connection.__dict__.get("_connect_gen") or psycopg.BaseConnection.__dict__["_connect_gen"]
    yield (psycopg.BaseConnection, "_connect_gen"), classmethod(connect)
    for cursor in (psycopg.Cursor, psycopg.AsyncCursor):
        for name in ("execute", "executemany"):
            yield (cursor, name), _sending(watch, getattr(cursor, name))


def _asking(ask: Any, call: Any) -> Any:
    def asking(*arguments: Any, **keywords: Any) -> Any:
        ask(" ".join(map(str, (*arguments, *keywords.values()))))
        return call(*arguments, **keywords)

    return asking


def _sending(watch: DriverWatch, call: Any) -> Any:
    def sending(cursor: Any, query: Any, *arguments: Any, **keywords: Any) -> Any:
        text = query.as_string(None) if hasattr(query, "as_string") else _text(query)
        watch.sends(text)
        if _SETS_OWN.search(text):
            reuse.spoil(cursor.connection)
        return call(cursor, query, *arguments, **keywords)

    return sending


def _text(query: Any) -> str:
    return query.decode(errors="replace") if isinstance(query, bytes) else str(query)


def equip(verbs: ServerVerbs, made: Target, like: Target) -> None:
    """Create the extensions that another scratch database has."""
    with verbs.connection(like, like.name) as connection:
        names = [
            name
            for (name,) in _rows(
                connection, "SELECT extname FROM pg_catalog.pg_extension WHERE extname <> %s", "plpgsql"
            )
        ]
    if names:
        with verbs.connection(made, made.name) as connection:
            for name in names:
                connection.cursor().execute(f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} CASCADE")


def copy_schema(verbs: ServerVerbs, source: Target, made: Target) -> None:
    """Make all that pg_dump finds in a database once more in an empty one."""
    program = _program(verbs, source)
    if program is None:
        raise ScratchError("there is no pg_dump that can read the schema")
    with verbs.connection(made, made.name) as connection:
        reuse.spoil(connection)
        cursor = connection.cursor()
        cursor.execute(_UNCHECKED)
        for entry in dump(program, source, None):
            cursor.execute(entry.sql)


def schema_statements(verbs: ServerVerbs, target: Target) -> list[str] | None:
    """What makes all that pg_dump finds, but for the version table; None where there is no pg_dump that can read it."""
    program = _program(verbs, target)
    if program is None:
        return None
    version = target.project.version_table.rpartition(".")[2]
    entries = [one for one in dump(program, target, None) if one.name.partition(" ")[0] != version]
    return [_UNCHECKED, *(one.sql for one in entries), "RESET check_function_bodies"]


def _program(verbs: ServerVerbs, target: Target) -> str | None:
    with verbs.connection(target, target.name) as connection:
        number = int(_rows(connection, "SELECT current_setting('server_version_num') WHERE 'x' = %s", "x")[0][0])
    return None if told_openly(target) else pg_dump_for(number)


def _state_name(target: Target) -> str:
    project = f"{target.project.path('.')}\0{target.name}"
    return f"{_STATE}{sha256(project.encode()).hexdigest()[:12]}"


def _state_mark(target: Target, state: str) -> str:
    return json.dumps([state, socket.gethostname(), str(target.project.path("."))])


def _from_state(connection: Any, name: str, live: Target, state: str) -> bool:
    kept = _state_name(live)
    marks = _rows(connection, _MARKED, kept)
    if not marks or marks[0][1] != _state_mark(live, state):
        return False
    try:
        connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {kept}")
    except Exception as exc:  # whichever the driver raises
        # Another run has just replaced it, or still makes it.
        if (getattr(exc, "sqlstate", None) or getattr(exc, "pgcode", None)) in ("3D000", "55006"):
            return False
        raise
    return True


def keep_state(verbs: ServerVerbs, target: Target, made: Target, state: str) -> None:
    """Let a scratch database be the template of the next ones, and remove those of projects that are gone."""
    kept = _state_name(target)
    mark = _state_mark(target, state)
    for name in (kept, made.name):
        reuse.close_idle(name)
    # It is a cache: where another run uses the one before, that stays.
    with suppress(FramefoxTasksError), verbs.connection(made, verbs.maintenance(made)) as connection:
        cursor = connection.cursor()
        for name, found in _rows(connection, _MARKED, _STATE.replace("_", r"\_") + "%"):
            if name == kept or _is_gone(found):
                cursor.execute(f"DROP DATABASE IF EXISTS {quoted(name)}")
        cursor.execute(f"ALTER DATABASE {made.name} RENAME TO {kept}")
        cursor.execute(f"COMMENT ON DATABASE {kept} IS {literal(mark)}")


def forget_state(verbs: ServerVerbs, target: Target) -> None:
    """Drop the template database of a project."""
    base = replace(target, url=target.scratch_url) if target.scratch_url else target
    with suppress(FramefoxTasksError), verbs.connection(base, verbs.maintenance(base)) as connection:
        connection.cursor().execute(f"DROP DATABASE IF EXISTS {_state_name(target)}")


def _is_gone(mark: str | None) -> bool:
    try:
        _, host, folder = json.loads(mark or "")
    except ValueError:
        return False
    return host == socket.gethostname() and not Path(folder).is_dir()
