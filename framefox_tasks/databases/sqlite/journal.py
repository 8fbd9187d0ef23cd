"""The journal on SQLite: for migrations that commit in between, as an autocommit_block() does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.drivers import journal_name
from framefox_tasks.databases.journal import LOG, Journal, Judged, StatementKind

if TYPE_CHECKING:
    from framefox_tasks.databases.sqlite.verbs import SQLiteVerbs
    from framefox_tasks.model import Target

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORDS = re.compile(r"[^\W\d]\w*")
_FEW = 2000  # characters, behind which no statement begins
_OF_THE_SESSION = re.compile(r"\b(last_insert_rowid|changes|total_changes)\s*\(", re.I)


class SQLiteJournal(Journal):
    """The journal of SQLite.

    Args:
        verbs: What connects.
    """

    shares_connections = True
    errors_abort = False

    def __init__(self, verbs: SQLiteVerbs) -> None:
        self._verbs = verbs

    def opened(self, target: Target) -> AbstractContextManager[Any]:
        """A raw connection."""
        return self._opened(target)

    @contextmanager
    def _opened(self, target: Target) -> Iterator[Any]:
        with self._verbs.translated(target), self._verbs.existing(target) as connection:
            yield connection

    def is_there(self, target: Target) -> str:
        """Of the catalogue."""
        table = journal_name(target.project.version_table).replace("'", "''")
        return f"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{table}'"  # noqa: S608 - escaped

    def has_log(self, target: Target) -> str:
        """Of the catalogue."""
        table = target.project.version_table.replace("'", "''")
        return f"SELECT count(*) > 0, ifnull(sum(name = '{LOG}'), 0) FROM pragma_table_info('{table}')"  # noqa: S608

    def autocommits(self, connection: Any) -> bool:
        """What is guarded has a transaction but in an autocommit_block()."""
        return not getattr(connection, "driver_connection", connection).in_transaction  # of what an async driver wraps

    def text(self, value: str) -> str:
        """By its bytes."""
        return f"CAST(X'{value.encode('ascii').hex()}' AS TEXT)"

    def judge(self, statement: str) -> Judged:
        """By its first words."""
        text = _COMMENT.sub(" ", statement)
        word = _WORDS.search(text, 0, _FEW)
        first = word[0].upper() if word else ""
        if first in ("ATTACH", "DETACH") or (first == "PRAGMA" and "=" in statement):
            return Judged(StatementKind.SESSION)
        if first in ("COMMIT", "END"):
            return Judged(StatementKind.COMMIT)
        if first == "BEGIN":
            return Judged(StatementKind.BEGIN)
        if first in ("SAVEPOINT", "RELEASE", "ROLLBACK"):
            return Judged(
                StatementKind.SESSION, "it rolls back by itself" if first == "ROLLBACK" else "it has savepoints"
            )
        if word and first == "CREATE" and _is_temporary(text, word.end()):
            return Judged(StatementKind.WRITE, "it uses temporary tables")
        if first == "VACUUM":
            return Judged(StatementKind.ALONE, settled=True)
        kind = StatementKind.READ if first in ("SELECT", "EXPLAIN", "VALUES", "PRAGMA") else StatementKind.WRITE
        if _OF_THE_SESSION.search(statement):
            return Judged(kind, "it asks what its own session did last", lost=True)
        return Judged(kind)


def _is_temporary(text: str, start: int) -> bool:
    """Whether the next word of a statement says that what it makes ends with the session."""
    word = _WORDS.search(text, start, _FEW)
    return word is not None and word[0].upper() in ("TEMP", "TEMPORARY")
