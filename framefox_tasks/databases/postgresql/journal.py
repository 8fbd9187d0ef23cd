"""The journal on PostgreSQL: for migrations that commit in between, as an autocommit_block() does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.drivers import journal_name
from framefox_tasks.databases.journal import LOG, Journal, Judged, Query, StatementKind, digest, names_in

if TYPE_CHECKING:
    from framefox_tasks.databases.server import ServerVerbs
    from framefox_tasks.model import Target

_QUIET = re.compile(
    r"""[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/""", re.DOTALL
)
_WORDS = re.compile(r"[^\W\d]\w*")
_READS = {"SELECT", "SHOW", "EXPLAIN", "VALUES", "TABLE"}
_SAVEPOINTS = {"SAVEPOINT", "RELEASE"}
_REPEATABLE = {"VACUUM", "REINDEX", "CLUSTER"}
_OUTSIDE = {("CREATE", "DATABASE"), ("DROP", "DATABASE"), ("CREATE", "TABLESPACE"), ("DROP", "TABLESPACE"),
            ("ALTER", "SYSTEM"), ("CREATE", "SUBSCRIPTION"), ("DROP", "SUBSCRIPTION")}  # fmt: skip
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
_CONCURRENTLY = re.compile(
    rf"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<index>{_NAME})"
    rf"\s+ON\s+(?:ONLY\s+)?(?P<table>{_NAME}(?:\.{_NAME})?)",
    re.IGNORECASE,
)
_OF_THE_SESSION = re.compile(r"\b(currval|lastval|pg_backend_pid)\s*\(", re.I)


class PostgreSQLJournal(Journal):
    """The journal of PostgreSQL.

    Args:
        verbs: What connects.
    """

    impatient = "SET LOCAL lock_timeout = '2s'"

    def __init__(self, verbs: ServerVerbs) -> None:
        self._verbs = verbs

    def opened(self, target: Target) -> AbstractContextManager[Any]:
        """A raw connection."""
        return self._verbs.connection(target, target.name)

    def is_there(self, target: Target) -> str:
        """By a function that logs no error where there is none."""
        return self._verbs.journal_query(target, journal_name(target.project.version_table))

    def has_log(self, target: Target) -> str:
        """Of the catalogue."""
        table = self._literal(self.version_table(target))
        return (
            f"SELECT count(*) > 0, count(*) FILTER (WHERE attname = '{LOG}' AND NOT attisdropped) > 0 "  # noqa: S608
            f"FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass({table})"
        )

    def autocommits(self, connection: Any) -> bool:
        """As the driver has it."""
        return bool(connection.autocommit)

    def text(self, value: str) -> str:
        """By its bytes: what a backslash means depends on a setting."""
        return f"convert_from(decode('{value.encode('ascii').hex()}', 'hex'), 'UTF8')"

    def judge(self, statement: str) -> Judged:
        """By its first words."""
        text = _QUIET.sub(lambda found: " " if found[0][:2] in ("--", "/*") else "''", statement)
        words = [word.upper() for word in _WORDS.findall(text[:2000])]
        judged = _judged(words, (*words[:2], "", "")[:2])
        if _OF_THE_SESSION.search(text) and not judged.unsafe:
            return judged._replace(unsafe="it asks what its own session did last", lost=True)
        return judged

    def fingerprint(self, query: Query, statement: str) -> dict[str, str]:
        """The indexes of the tables that it names, and those that it names themselves; a broken one begins with !."""
        listed = ", ".join(self._literal(name) for name in sorted(_folded(names_in(statement))))
        found = query(
            "SELECT i.indexrelid::regclass::text, i.indisvalid, pg_get_indexdef(i.indexrelid) "  # noqa: S608 - quoted
            "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid "
            "JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
            f"WHERE t.relname IN ({listed}) OR x.relname IN ({listed})"
        )
        return {name: digest(definition) if valid else f"!{digest(definition)}" for name, valid, definition in found}

    def clear(self, query: Query, statement: str) -> None:
        """Drop the index that CREATE INDEX CONCURRENTLY has left invalid, and that nobody makes at this moment."""
        found = _CONCURRENTLY.match(_COMMENTS.sub(" ", statement))
        if found is None:
            return
        index, table = found["index"], self._literal(found["table"])
        name = index[1:-1].replace('""', '"') if index.startswith('"') else index.lower()
        broken = query(
            "SELECT x.indexrelid::regclass::text FROM pg_catalog.pg_index x "  # noqa: S608 - quoted
            f"JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE NOT x.indisvalid "
            f"AND x.indrelid = pg_catalog.to_regclass({table}) AND i.relname = {self._literal(name)} "
            "AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.oid)"
        )
        for (name,) in broken:
            query(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

    def repair(self, query: Query, before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
        """Drop the indexes that it left invalid, and no others."""
        broken = [name for name, state in now.items() if state.startswith("!") and before.get(name) is None]
        for name in broken:
            query(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        return {name: state for name, state in now.items() if name not in broken}

    def _literal(self, text: str) -> str:
        return f"convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8')"


def _folded(names: set[str]) -> set[str]:
    return names | {name.lower() for name in names}


def _judged(words: list[str], start: tuple[str, ...]) -> Judged:
    first = start[0]
    if first in ("SET", "RESET", "DISCARD"):
        return Judged(StatementKind.SESSION)
    if first in ("COMMIT", "END"):
        return Judged(StatementKind.COMMIT)
    if first in ("BEGIN", "START"):
        return Judged(StatementKind.BEGIN)
    if first in _SAVEPOINTS or first in ("ROLLBACK", "ABORT"):
        return Judged(StatementKind.SESSION, "it has savepoints" if first in _SAVEPOINTS else "it rolls back by itself")
    if {"TEMP", "TEMPORARY"} & {*words[:5]} and first == "CREATE":
        return Judged(StatementKind.WRITE, "it uses temporary tables")
    if first in ("PREPARE", "EXECUTE", "DECLARE", "FETCH", "LISTEN"):
        return Judged(StatementKind.WRITE, f"it uses {first}, which ends with its session")
    if first in ("CALL", "DO"):
        return Judged(StatementKind.WRITE, f"it runs {first}, whose parts may commit")
    if "CONCURRENTLY" in words and first in ("CREATE", "DROP", "REINDEX"):
        return Judged(StatementKind.ALONE, settled=True)
    if first in _REPEATABLE:
        return Judged(StatementKind.ALONE, settled=True)
    if start in _OUTSIDE or (first == "ALTER" and "CONCURRENTLY" in words):
        return Judged(StatementKind.ALONE)
    return Judged(StatementKind.READ if first in _READS else StatementKind.WRITE)
