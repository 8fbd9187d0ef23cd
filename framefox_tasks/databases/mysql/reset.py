"""A database of tests, made again as it was after each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from framefox_tasks.databases.drivers import driver_of
from framefox_tasks.databases.mysql.certificates import one_ssl_context
from framefox_tasks.databases.mysql.session import name as quoted
from framefox_tasks.databases.mysql.written_rows import inserts
from framefox_tasks.databases.scratch import filled
from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.databases.verbs import Reset
from framefox_tasks.model import Target

_SETTINGS = (
    "SET SESSION foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', "
    "wait_timeout = 31536000, lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"  # a test may have left one open
)
_MULTI_STATEMENTS = {"pymysql": {"client_flag": 1 << 16}}
_AT_ONCE = 100  # statements
_NUMBER = re.compile(r" AUTO_INCREMENT=(\d+)(?=[^\n]*\Z)")
_ROUNDS = 3
_BESIDE = (
    "SELECT @@character_set_database, @@collation_database",
    "SELECT ROUTINE_TYPE, ROUTINE_NAME, SQL_MODE, SECURITY_TYPE, ROUTINE_DEFINITION, CREATED, LAST_ALTERED "
    "FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY 1, 2",
    "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT, CREATED "
    "FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1",
    "SELECT EVENT_NAME, STATUS, LAST_ALTERED FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() ORDER BY 1",
)


class _Standing(NamedTuple):
    """The schema of a database, and where its automatic numbers stand.

    Attributes:
        tables: Each table, sequence and view, with its kind.
        texts: What makes them, without the automatic numbers.
        numbers: The next automatic number of each; empty where it is the first.
        beside: What stands beside them.
    """

    tables: list[tuple[str, str]]
    texts: list[str]
    numbers: list[str]
    beside: list[Any]


@contextmanager
def resetting(verbs: ServerVerbs, target: Target) -> Iterator[Reset]:
    """What deletes the rows, and fills again the tables that had some."""
    more = _MULTI_STATEMENTS.get(driver_of(target, verbs), {})
    with one_ssl_context(), verbs.connection(target, target.name, **more) as connection:
        connection.cursor().execute(_SETTINGS)
        yield _Reset(connection, at_once=_AT_ONCE if more else 1).run


class _Reset:
    def __init__(self, connection: Any, at_once: int) -> None:
        self._error: type[Exception] = connection.Error
        self._cursor = connection.cursor()
        self._at_once = at_once
        self._standing = self._read()
        kinds = {"SEQUENCE": "sequence", "BASE TABLE": "table"}
        named = [(quoted(name), kinds.get(kind)) for name, kind in self._standing.tables]
        self._tables = [name for name, kind in named if kind == "table"]
        locks = ", ".join(f"{name} WRITE" for name in self._tables)
        # For a moment, as only they wait for all that a transaction which was left open has used.
        self._alone = [f"LOCK TABLES {locks}", "UNLOCK TABLES"] if locks else []
        self._sequences = [name for name, kind in named if kind == "sequence"]
        self._numbers = dict(zip((name for name, _ in named), self._standing.numbers, strict=True))
        self._triggers = bool(self._standing.beside[2])
        there = {number for (number,) in self._rows(filled(self._tables))}
        self._empty = [name for number, name in enumerate(self._tables) if number not in there]
        self._filled = {self._tables[number]: inserts(self._cursor, self._tables[number]) for number in sorted(there)}
        self._sums = self._rows(_sums(list(self._filled)))
        self._next = self._rows(_next(self._sequences))

    def run(self) -> bool:
        """Make it as it was."""
        try:
            self._first_results(self._alone)
            now = self._read()
            return now._replace(numbers=self._standing.numbers) == self._standing and self._has_same_rows(now)
        except self._error:  # another has locked a table, or this connection has ended
            return False

    def _rows(self, query: str) -> list[Any]:
        if not query:
            return []
        self._cursor.execute(query)
        return list(self._cursor.fetchall())

    def _read(self) -> _Standing:
        tables = sorted((str(name), str(kind)) for name, kind in self._rows("SHOW FULL TABLES"))
        found = [str(row[1]) for row in self._first_rows([f"SHOW CREATE TABLE {quoted(name)}" for name, _ in tables])]
        numbers = [match[1] if (match := _NUMBER.search(text)) else "" for text in found]
        beside = self._first_results(_BESIDE)
        return _Standing(tables, [_NUMBER.sub("", text) for text in found], numbers, beside)

    def _first_rows(self, queries: Sequence[str]) -> list[Any]:
        return [rows[0] for rows in self._first_results(queries)]

    def _first_results(self, queries: Sequence[str]) -> list[Any]:
        """What each query gives; many in one round trip, where the driver can."""
        found = []
        for start in range(0, len(queries), self._at_once):
            self._cursor.execute("; ".join(queries[start : start + self._at_once]))
            found.append(list(self._cursor.fetchall()))
            while self._at_once > 1 and self._cursor.nextset():
                found.append(list(self._cursor.fetchall()))
        return found

    def _has_same_rows(self, now: _Standing) -> bool:
        numbers = zip((quoted(name) for name, _ in now.tables), now.numbers, strict=True)
        moved = [name for name, number in numbers if number != self._numbers[name]]
        for name in moved:
            if name in self._empty:
                self._cursor.execute(f"TRUNCATE TABLE {name}")  # the only statement that sets the number back as well
        for _ in range(_ROUNDS):  # a trigger may write into another table
            found = [self._empty[number] for (number,) in self._rows(filled(self._empty))]
            for name in found:
                self._cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - quoted
            if not (found and self._triggers):
                break
        else:
            return False
        sums = self._rows(_sums(list(self._filled)))
        changed = [name for name, before, after in zip(self._filled, self._sums, sums, strict=True) if before != after]
        for name in self._filled:
            if name in changed or name in moved:
                self._fill(name, rows=name in changed)
        self._set_back()
        return not changed or self._rows(_sums(list(self._filled))) == self._sums

    def _fill(self, name: str, *, rows: bool) -> None:
        statements = self._filled[name]
        if rows and statements is None:
            raise self._error(f"the rows of {name} cannot be written as text")
        if rows:
            self._cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - quoted
            for statement in statements or ():
                self._cursor.execute(statement)
        if self._numbers[name]:
            self._cursor.execute(f"ALTER TABLE {name} AUTO_INCREMENT = {self._numbers[name]}")

    def _set_back(self) -> None:
        for name, before, after in zip(self._sequences, self._next, self._rows(_next(self._sequences)), strict=True):
            if before != after:
                self._cursor.execute(f"ALTER SEQUENCE {name} RESTART {before[0]}")


def _sums(tables: Sequence[str]) -> str:
    return f"CHECKSUM TABLE {', '.join(tables)}" if tables else ""


def _next(sequences: Sequence[str]) -> str:
    return " UNION ALL ".join(f"SELECT next_not_cached_value FROM {name}" for name in sequences)  # noqa: S608 - quoted
