"""The journal of a migration that commits in between: its table, and what a database knows of statements."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple

from framefox_tasks.databases.drivers import NOTES, journal_name, quoted_table
from framefox_tasks.model import Target

Query = Callable[[str], Sequence[Any]]
"""Runs a statement on the connection of the migration, and gives its rows."""
LOG = "applied_log"
"""The column of the version table that holds the checksums of migrations."""


class StatementKind(Enum):
    """What a statement is for a journal.

    Attributes:
        READ: Changes nothing; its result is recorded.
        WRITE: Changes rows, within the transaction.
        ALONE: Commits by itself, or cannot run within a transaction.
        SESSION: Sets something for the session; done again by a run that goes on.
        BEGIN, COMMIT: Begin and end a transaction.
    """

    READ = "read"
    WRITE = "write"
    ALONE = "alone"
    SESSION = "session"
    BEGIN = "begin"
    COMMIT = "commit"


class Judged(NamedTuple):
    """A statement, judged.

    Attributes:
        kind: What it is.
        unsafe: Why a migration that has run it cannot be gone on with; empty where it can.
        lost: Whether it asks for what a session that has ended took with it.
        settled: Whether a fingerprint tells if it was done.
    """

    kind: StatementKind
    unsafe: str = ""
    lost: bool = False
    settled: bool = False


class FoundLog(NamedTuple):
    """The log of a version table, as it was found.

    Attributes:
        texts: What it holds, in each row.
        lacking: Whether the version table is there, and has no column for it.
        notes: Whether the version table has a column for a short journal as well, in rows that can be rolled back.
    """

    texts: list[str | None]
    lacking: bool = False
    notes: bool = False


class Journal(ABC):
    """What a database knows of journals. One for each kind.

    Attributes:
        quote: The quote of a name.
        transactional: Whether DDL can be rolled back: then a migration that does not commit by itself needs none.
        shares_connections: Whether other connections of the process take part in the migration's transaction.
        errors_abort: Whether a statement that is refused takes its transaction with it.
        row_type: The type of a column that takes any text.
        impatient: A statement after which the transaction, or the session, does not wait long for locks; empty where
            there is none.
        patient: One after which the session waits as before; empty where that ends with the transaction.
        options: What stands behind the columns of the table.
        columns: Those that the version table gets.
    """

    quote: ClassVar[str] = '"'
    transactional: ClassVar[bool] = True
    shares_connections: ClassVar[bool] = False
    errors_abort: ClassVar[bool] = True
    row_type: ClassVar[str] = "TEXT"
    impatient: ClassVar[str] = ""
    patient: ClassVar[str] = ""
    options: ClassVar[str] = ""
    columns: ClassVar[tuple[str, ...]] = (LOG,)

    @abstractmethod
    def opened(self, target: Target) -> AbstractContextManager[Any]:
        """A raw connection with autocommit, whose errors become ours."""

    @abstractmethod
    def is_there(self, target: Target) -> str:
        """A query that gives one row, whose value is true where the table is there."""

    @abstractmethod
    def judge(self, statement: str) -> Judged:
        """What a statement is."""

    @abstractmethod
    def autocommits(self, connection: Any) -> bool:
        """Whether a raw connection commits each statement by itself."""

    @abstractmethod
    def text(self, value: str) -> str:
        """A text of ASCII characters as SQL, whatever the session's settings."""

    def fingerprint(self, query: Query, statement: str) -> dict[str, str]:  # noqa: ARG002 - for those that need it
        """The definition of all that is there and that a statement names, to see later whether it was done."""
        return {}

    def clear(self, query: Query, statement: str) -> None:  # noqa: B027 - for those that leave such things
        """Remove what an earlier run of a statement has left half made, and it would take for done or fail at."""

    def repair(self, query: Query, before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG002
        """Remove what an interrupted statement has left half made; gives the fingerprint after that."""
        return dict(now)

    def spoils(self, query: Query, statement: str) -> bool:  # noqa: ARG002 - for those that have such tables
        """Whether a statement writes rows that no transaction can take back."""
        return False

    def rewritten(self, statement: str, table: str) -> str:  # noqa: ARG002 - for those that need it
        """The statement as it is to be sent, so that the journal can be written after it."""
        return statement

    def rolls_back(self, exc: BaseException) -> bool:  # noqa: ARG002 - for those that do
        """Whether an error has rolled back the whole transaction, and a new one has begun."""
        return False

    def table(self, target: Target) -> str:
        """The quoted name of the table."""
        return quoted_table(journal_name(target.project.version_table), self.quote)

    def creation(self, target: Target) -> str:
        """The statement that makes the table."""
        return (
            f"CREATE TABLE IF NOT EXISTS {self.table(target)} (number INTEGER NOT NULL PRIMARY KEY, "
            f"state VARCHAR(10) NOT NULL, entry {self.row_type} NOT NULL){self.options}"
        )

    def insertion(self, target: Target, rows: Iterable[tuple[int, str, str]]) -> str:
        """The statement that writes rows."""
        values = ", ".join(f"({number}, '{state}', {self.text(entry)})" for number, state, entry in rows)
        return f"INSERT INTO {self.table(target)} (number, state, entry) VALUES {values}"  # noqa: S608 - quoted

    def update(self, target: Target, row: tuple[int, str, str]) -> str:
        """The statement that writes a row anew."""
        number, state, entry = row
        values = f"state = '{state}', entry = {self.text(entry)}"
        return f"UPDATE {self.table(target)} SET {values} WHERE number = {number}"  # noqa: S608 - quoted

    def rows(self, target: Target) -> list[tuple[int, str, str]]:
        """The rows of the table, in their order; none where it is missing. Raises as Verbs do."""
        with self.opened(target) as connection:
            if not first_value(connection, self.is_there(target)):
                return []
            query = f"SELECT number, state, entry FROM {self.table(target)} ORDER BY number"  # noqa: S608 - quoted
            return [(int(number), str(state), str(entry)) for number, state, entry in ask(connection, query)]

    def remove(self, target: Target, statements: Sequence[str] = ()) -> None:
        """Remove the table, where it is there; in the transaction of other statements, its rows at least."""
        with self.opened(target) as connection:
            there = bool(first_value(connection, self.is_there(target)))
            gone = [f"DELETE FROM {self.table(target)}"] if there else []  # noqa: S608 - quoted
            if statements or there:
                run_together(connection, [*statements, *gone])
            if there:
                ask(connection, f"DROP TABLE {self.table(target)}")

    def forget(self, target: Target, connection: Any, number: int) -> None:
        """Remove a row, over a raw connection."""
        ask(connection, f"DELETE FROM {self.table(target)} WHERE number = {number}")  # noqa: S608 - quoted

    def settle(self, target: Target) -> None:  # noqa: B027 - for those that have such a column
        """Move a journal that stands in the version table into a table of its own."""

    def notes(self, target: Target, rows: Iterable[tuple[int, str, str]]) -> str:
        """The statement that writes all rows of a short journal into the version table; without rows it is empty."""
        text = json.dumps(list(rows), separators=(",", ":"))
        value = "NULL" if text == "[]" else self.text(text)
        return f"UPDATE {self.version_table(target)} SET {NOTES} = {value}"  # noqa: S608 - quoted

    def drop(self, target: Target) -> None:
        """Remove the table of a run that has emptied it."""
        with self.opened(target) as connection:
            ask(connection, f"DROP TABLE IF EXISTS {self.table(target)}")

    @abstractmethod
    def has_log(self, target: Target) -> str:
        """A query that gives one row: whether the version table is there, and whether it has the column LOG.

        Where that gets a column NOTES as well: whether it has that, and whether it is transactional.
        """

    def log_texts(self, target: Target) -> list[str | None] | None:
        """What the log of the version table holds, in each row; None where there is no such column."""
        with self.opened(target) as connection:
            if not ask(connection, self.has_log(target))[0][1]:
                return None
            return [row[0] for row in ask(connection, f"SELECT {LOG} FROM {self.version_table(target)}")]  # noqa: S608

    def found_log(self, target: Target, *, add: bool) -> FoundLog:
        """What the log holds. Raises as Verbs do.

        Args:
            target: The database.
            add: Whether it is added to a version table that is there without one.
        """
        with self.opened(target) as connection:
            there, logs, *short = ask(connection, self.has_log(target))[0]
            if logs:
                query = f"SELECT {LOG} FROM {self.version_table(target)}"  # noqa: S608 - quoted
                return FoundLog([row[0] for row in ask(connection, query)], notes=bool(short) and all(short))
            if not (there and add):
                return FoundLog([], lacking=bool(there))
            addition = self.log_addition(target)
            if self.impatient and self.transactional:
                run_together(connection, [self.impatient, addition])
            else:
                for statement in filter(None, (self.impatient, addition, self.patient)):
                    ask(connection, statement)
            return FoundLog([], notes=bool(short) and bool(short[1]))

    def log_addition(self, target: Target) -> str:
        """The statement that adds the log to the version table, and what else it gets."""
        added = ", ".join(f"ADD COLUMN {column} {self.row_type}" for column in self.columns)
        return f"ALTER TABLE {self.version_table(target)} {added}"

    def write_log(self, target: Target, text: str) -> None:
        """Write the log, by itself."""
        with self.opened(target) as connection:
            ask(connection, self.log_statement(target, text))

    def log_statement(self, target: Target, text: str) -> str:
        """The statement that writes the log."""
        return f"UPDATE {self.version_table(target)} SET {LOG} = {self.text(text)}"  # noqa: S608 - quoted

    def version_table(self, target: Target) -> str:
        """The quoted name of the version table."""
        return quoted_table(target.project.version_table, self.quote)


def ask(connection: Any, statement: str) -> list[Any]:
    """Run a statement on a raw connection; gives its rows."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()


def first_value(connection: Any, query: str) -> Any:
    """The first value that a query gives; None where it gives no row."""
    rows = ask(connection, query)
    return rows[0][0] if rows else None


def run_together(connection: Any, statements: Iterable[str]) -> None:
    """Run statements in one transaction on a raw connection with autocommit."""
    ask(connection, "BEGIN")
    try:
        for statement in statements:
            ask(connection, statement)
    except BaseException:
        ask(connection, "ROLLBACK")
        raise
    ask(connection, "COMMIT")


_NAMES = re.compile(r"""`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|([^\W\d][\w$]*)""")


def names_in(statement: str) -> set[str]:
    """All that may be a name in a statement."""
    found: set[str] = set()
    for ticked, quoted, plain in _NAMES.findall(statement):
        found.add(ticked.replace("``", "`") or quoted.replace('""', '"') or plain)
    return found


def digest(text: str) -> str:
    """A short digest of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
