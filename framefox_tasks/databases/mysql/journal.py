"""The journal on MySQL and MariaDB, where each change of the schema commits all that came before it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.drivers import NOTES, journal_name
from framefox_tasks.databases.journal import (
    LOG,
    Journal,
    Judged,
    Query,
    StatementKind,
    ask,
    digest,
    names_in,
    run_together,
)

if TYPE_CHECKING:
    from framefox_tasks.databases.server import ServerVerbs
    from framefox_tasks.model import Target

_TEXTS = r"""'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`(?:[^`]|``)*`"""
_COMMENTS = r"--[ \t][^\n]*|\#[^\n]*|/\*(?![!M]).*?\*/|/\*M?!\d*|\*/"  # of a /*!...*/ only its ends
_QUIET = re.compile(f"{_TEXTS}|{_COMMENTS}", re.DOTALL)
_WORDS = re.compile(r"[^\W\d]\w*")
_READS = {"SELECT", "SHOW", "DESC", "DESCRIBE", "EXPLAIN", "VALUES", "TABLE", "HELP", "CHECKSUM", "DO"}
_WRITES = {"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD"}
_CHANGES = {
    "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "ANALYZE", "OPTIMIZE", "REPAIR", "FLUSH",
    "INSTALL", "UNINSTALL", "RESET", "CACHE", "CHECK",
}  # fmt: skip
_PROGRAMS = {"TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE"}
_ACCOUNTS = {"USER", "ROLE", "DATABASE", "SCHEMA", "SERVER", "TABLESPACE", "LOGFILE", "INSTANCE", "SEQUENCE"}
_OF_THE_SESSION = re.compile(r"\b(LAST_INSERT_ID|ROW_COUNT|FOUND_ROWS|CONNECTION_ID)\s*\(|@@(\w+\.)?identity", re.I)
_SET_VARIABLE = re.compile(r"(?<!@)@(?!@)[\w.$]*\s*:?=(?!\s*@@)|\bINTO\s+@", re.I)
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_DEADLOCK = 1213
_NO_COLUMN = 1054


class MySQLJournal(Journal):
    """The journal of MySQL and MariaDB.

    Args:
        verbs: What connects.
    """

    quote = "`"
    transactional = False
    row_type = "LONGTEXT"
    impatient = "SET SESSION lock_wait_timeout = 2"
    patient = "SET SESSION lock_wait_timeout = DEFAULT"
    options = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    columns = (LOG, NOTES)  # to make a table and to drop it takes the server longer than many a migration

    def __init__(self, verbs: ServerVerbs) -> None:
        self._verbs = verbs
        self._spoiling: dict[frozenset[str], bool] = {}

    def opened(self, target: Target) -> AbstractContextManager[Any]:
        """A raw connection."""
        return self._verbs.connection(target, target.name)

    def is_there(self, target: Target) -> str:
        """Of the catalogue, which does not log an error where there is none."""
        return self._verbs.journal_query(target, journal_name(target.project.version_table))

    def has_log(self, target: Target) -> str:
        """Of the catalogue."""
        schema, _, table = target.project.version_table.rpartition(".")
        where = f"table_schema = {self.text_of(schema) if schema else 'DATABASE()'} AND table_name = "
        named = f"{where}{self.text_of(table)}"
        counts = "".join(f", COUNT(CASE WHEN column_name = '{column}' THEN 1 END)" for column in self.columns)
        engine = f"SELECT engine FROM information_schema.tables WHERE {named}"  # noqa: S608 - quoted
        return (
            f"SELECT COUNT(*){counts}, COALESCE(({engine}) = 'InnoDB', 0) "  # noqa: S608 - quoted
            f"FROM information_schema.columns WHERE {named}"
        )

    def rows(self, target: Target) -> list[tuple[int, str, str]]:
        """Those of the version table as well; what stands in both is newer in the table."""
        with self.opened(target) as connection:
            found = {row[0]: row for row in self._noted(target, connection)}
        return [row for _, row in sorted((found | {row[0]: row for row in super().rows(target)}).items())]

    def _noted(self, target: Target, connection: Any) -> list[tuple[int, str, str]]:
        """The rows of a short journal; each row of the version table has all of them."""
        try:
            query = f"SELECT {NOTES} FROM {self.version_table(target)} WHERE {NOTES} IS NOT NULL LIMIT 1"  # noqa: S608
            found = ask(connection, query)
        except Exception as exc:
            if self._verbs.error_code(exc) in {*self._verbs.missing_table, _NO_COLUMN}:
                return []
            raise
        return [(number, state, text) for number, state, text in json.loads(found[0][0])] if found else []

    def remove(self, target: Target, statements: Sequence[str] = ()) -> None:
        """From the version table as well."""
        with self.opened(target) as connection:
            noted = self._noted(target, connection)
        super().remove(target, [*statements, self.notes(target, ())] if noted else statements)

    def forget(self, target: Target, connection: Any, number: int) -> None:
        """From where it stands."""
        noted = self._noted(target, connection)
        if number in {row[0] for row in noted}:
            ask(connection, self.notes(target, [row for row in noted if row[0] != number]))
        else:
            super().forget(target, connection, number)

    def settle(self, target: Target) -> None:
        """What stands in the table already is newer."""
        with self.opened(target) as connection:
            noted = self._noted(target, connection)
            if not noted:
                return
            ask(connection, self.creation(target))
            there = {int(row[0]) for row in ask(connection, f"SELECT number FROM {self.table(target)}")}  # noqa: S608
            moved = [row for row in noted if row[0] not in there]
            insertion = [self.insertion(target, moved)] if moved else []
            run_together(connection, [*insertion, self.notes(target, ())])

    def autocommits(self, connection: Any) -> bool:
        """As the driver has it from the server."""
        known = getattr(connection, "get_autocommit", None)  # not every driver has a function
        return bool(known() if known else connection.autocommit)

    def text(self, value: str) -> str:
        """By its bytes: what a backslash means depends on the mode."""
        return f"CONVERT(X'{value.encode('ascii').hex()}' USING utf8mb4)" if value else "''"

    def judge(self, statement: str) -> Judged:
        """By its first words: what it names is not parsed."""
        text = _QUIET.sub(lambda found: "''" if found[0][0] in "'\"" else "x" if found[0][0] == "`" else " ", statement)
        words = [word.upper() for word in _WORDS.findall(text[:2000])]
        first, second, third = (*words[:3], "", "", "")[:3]
        lost = bool(_OF_THE_SESSION.search(text))
        judged = _judged(text, words, first, second, third)
        if lost and not judged.unsafe:
            return judged._replace(unsafe="it asks what its own session did last", lost=True)
        return judged

    def fingerprint(self, query: Query, statement: str) -> dict[str, str]:
        """SHOW CREATE of the tables and views that it names, and the text of its programs."""
        names = {name.lower() for name in names_in(statement)}
        listed = ", ".join(self.text_of(name) for name in sorted(names))
        here = "table_schema = DATABASE()"
        if "." in statement:  # else the server need not look through all of its databases
            here = f"({here} OR LOWER(table_schema) IN ({listed}))"
        found = query(
            "SELECT table_schema, table_name FROM information_schema.tables "  # noqa: S608 - quoted
            f"WHERE {here} AND LOWER(table_name) IN ({listed})"
        )
        result = {f"{schema}.{table}": digest(_definition(query, schema, table)) for schema, table in found}
        if _PROGRAMS & {name.upper() for name in names}:
            result |= _programs(query, listed)
        return result

    @staticmethod
    def text_of(value: str) -> str:
        """Any text as SQL."""
        return f"CONVERT(X'{value.encode().hex()}' USING utf8mb4)"

    def spoils(self, query: Query, statement: str) -> bool:
        """Whether it names a table of an engine without transactions."""
        names = frozenset(name.lower() for name in names_in(statement))
        if names not in self._spoiling:
            listed = ", ".join(self.text_of(name) for name in sorted(names)) or "''"
            self._spoiling[names] = bool(
                query(
                    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() "  # noqa: S608
                    f"AND LOWER(table_name) IN ({listed}) AND engine IN (SELECT engine FROM "
                    "information_schema.engines WHERE transactions IS NULL OR transactions <> 'YES')"
                )
            )
        return self._spoiling[names]

    def rewritten(self, statement: str, table: str) -> str:
        """With the journal among the tables that are locked. After a change the engines are looked up again."""
        judged = _WORDS.findall(_QUIET.sub(" ", statement)[:200].upper())
        if judged and judged[0] in _CHANGES:
            self._spoiling.clear()
        if judged[:1] == ["LOCK"] and judged[1:2] and judged[1] in ("TABLES", "TABLE"):
            return f"{statement.rstrip().rstrip(';')}, {table} WRITE"
        return statement

    def rolls_back(self, exc: BaseException) -> bool:
        """A deadlock ends the whole transaction of its victim."""
        return bool(self._verbs.error_code(exc) == _DEADLOCK)


def _judged(text: str, words: list[str], first: str, second: str, third: str) -> Judged:
    several = ";" in text.strip().rstrip("; \n")
    if several and not (first in ("CREATE", "ALTER") and _PROGRAMS & {*words}):
        return Judged(StatementKind.ALONE, "it sends several statements at once")
    if _SET_VARIABLE.search(text):
        return Judged(
            StatementKind.SESSION if first == "SET" else StatementKind.WRITE, "it uses variables of its session"
        )
    if first in ("SET", "USE"):
        return Judged(StatementKind.SESSION)
    if first == "WITH":
        writes = {"UPDATE", "DELETE", "INSERT"} & {*words}
        return Judged(StatementKind.WRITE if writes else StatementKind.READ)
    if first in _READS:
        outfile = "OUTFILE" in words or "DUMPFILE" in words
        return Judged(StatementKind.READ, "it writes a file" if outfile else "")
    if first in _WRITES:
        return Judged(StatementKind.WRITE)
    if first in _CHANGES:
        return _change(text, words, first, second, third)
    if first == "COMMIT":
        return Judged(StatementKind.COMMIT)
    if (first == "BEGIN" and second != "NOT") or (first, second) == ("START", "TRANSACTION"):
        return Judged(StatementKind.BEGIN)
    if first in ("ROLLBACK", "SAVEPOINT", "RELEASE"):
        return Judged(StatementKind.SESSION, "it rolls back by itself" if first == "ROLLBACK" else "it has savepoints")
    if first in ("LOCK", "UNLOCK"):
        return Judged(StatementKind.ALONE, "it locks tables")
    return Judged(StatementKind.ALONE, f"it runs {first or 'what is no statement'}, whose parts may commit")


def _change(text: str, words: list[str], first: str, second: str, third: str) -> Judged:
    if "TEMPORARY" in (second, third):
        return Judged(StatementKind.WRITE, "it uses temporary tables")
    if "EXCHANGE" in words or "TABLESPACE" in words[:6] or {second, third} & _ACCOUNTS:
        return Judged(StatementKind.ALONE)
    if first in ("GRANT", "REVOKE", "FLUSH", "INSTALL", "UNINSTALL", "RESET", "CACHE"):
        return Judged(StatementKind.ALONE)
    if first == "RENAME" or (first == "DROP" and second in ("TABLE", "TABLES", "VIEW")):
        return Judged(StatementKind.ALONE, settled="," not in text)
    if first == "CREATE" and "TABLE" in words[:4] and "SELECT" in words:
        return Judged(StatementKind.ALONE)
    return Judged(StatementKind.ALONE, settled=True)


def _definition(query: Query, schema: str, table: str) -> str:
    name = ".".join("`{}`".format(part.replace("`", "``")) for part in (schema, table))
    rows = query(f"SHOW CREATE TABLE {name}")
    return _COUNTER.sub("", str(rows[0][1]))


def _programs(query: Query, listed: str) -> dict[str, str]:
    queries = {
        "trigger": "SELECT trigger_name, CONCAT_WS(' ', action_timing, event_manipulation, event_object_table, "
        "action_statement) FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND LOWER(trigger_name)",
        "routine": "SELECT routine_name, CONCAT_WS(' ', routine_type, security_type, dtd_identifier, "
        "routine_definition) FROM information_schema.routines WHERE routine_schema = DATABASE() "
        "AND LOWER(routine_name)",
        "event": "SELECT event_name, CONCAT_WS(' ', status, interval_value, interval_field, event_definition) "
        "FROM information_schema.events WHERE event_schema = DATABASE() AND LOWER(event_name)",
    }
    return {
        f"{sort} {name}": digest(str(text))
        for sort, select in queries.items()
        for name, text in query(f"{select} IN ({listed})")
    }
