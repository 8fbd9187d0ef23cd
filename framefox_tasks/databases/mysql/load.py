"""Filling a table: LOAD DATA from a stream, or INSERT where the server does not allow that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import chain

from framefox_tasks.databases.mysql.insert import Inserting, bad_row, of_row
from framefox_tasks.databases.mysql.packets import send_file
from framefox_tasks.databases.mysql.read import key_totals
from framefox_tasks.databases.mysql.session import SQL_MODE, Session, name
from framefox_tasks.databases.mysql.values import base, loaded
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.ranges import MARKS, RangeDoneError, RangeMark
from framefox_tasks.databases.rows import KeyTotals, Name, Side, Statement
from framefox_tasks.errors import CopyError, FramefoxTasksError, VerificationError

_POINT = "framefox_tasks_rows"
_AT_ONCE = 1 << 26  # bytes of lines in one statement: clusters limit what a transaction may hold
_PATIENCE = 60  # seconds that a range waits for who was given it before
_TAKE = f"SELECT loaded FROM {MARKS} WHERE run = %s AND number = %s FOR UPDATE"  # noqa: S608
_SET = f"UPDATE {MARKS} SET loaded = %s WHERE run = %s AND number = %s"  # noqa: S608
_NO_LOCAL = frozenset({1148, 3948, 4166})
_TRANSACTIONS = (
    "SELECT e.transactions FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine "
    "WHERE t.table_schema = DATABASE() AND t.table_name = %s"
)


class MySQLLoader:
    """Writes by one connection.

    Args:
        session: The connection.
        local: Whether the server may be asked to read rows from here, which it may refuse.
        transaction: Whether a transaction of the place is open, which nothing here may end.
    """

    def __init__(self, session: Session, *, local: bool = True, transaction: bool = False) -> None:
        self._session = session
        self._local = local
        self._transaction = transaction
        self.filled: list[str] = []
        self._undoes = False
        self._as_is = False
        self._unlisted: Counter[str] = Counter()

    def execute(self, statement: Statement) -> str | None:
        """Run a statement; gives why the database refused it, where it is optional."""
        try:
            self._session.execute(statement.sql)
        except CopyError as exc:
            reason = exc.message
            if statement.optional:
                return reason
            raise CopyError(f"{statement.about or statement.sql[:60]}: {reason}", hint=exc.hint) from exc
        return None

    def change(self, sql: str) -> int:
        """Run an UPDATE or DELETE; gives how many rows it changed."""
        return self._session.execute(sql)

    def clear(self, table: Name) -> None:
        """Delete all rows of a table."""
        self.change(f"DELETE FROM {name(table.name)}")  # noqa: S608 - quoted

    def load(self, table: Side, blocks: Iterable[bytes]) -> int:
        """Put lines into a table."""
        self._check(table)
        rest = iter(blocks)
        taken = 0
        for first in rest:
            with self._undone() if self._undoes else nullcontext():
                taken += self._load(table, chain([first], _portion(rest, len(first))), taken)
        self._check_keys(table)
        return taken

    def load_range(
        self,
        table: Side,
        blocks: Iterable[bytes],
        *,
        raw: bool = False,  # noqa: ARG002 - there are only lines
        mark: RangeMark | None = None,
    ) -> int:
        """Put lines into a table that others fill too; see LoadsRanges."""
        if mark is None:
            return self.load(table, blocks)
        self._check_transactions(table)
        self._session.execute("START TRANSACTION")
        try:
            self._take(mark)
            rows = self.load(table, blocks)
            self._session.rows(_SET, rows, mark.run, mark.number)
        except BaseException:
            with suppress(FramefoxTasksError):  # the first error is the one to tell
                self._session.execute("ROLLBACK")
            raise
        self._session.execute("COMMIT")
        return rows

    def _take(self, mark: RangeMark) -> None:
        """Have a range for this transaction; waits for who else has it, but not without end."""
        self._session.execute(f"SET SESSION innodb_lock_wait_timeout = {_PATIENCE}")
        found = self._session.rows(_TAKE, mark.run, mark.number)
        if not found:
            raise CopyError("The copy that the range is of has ended, and another one is made.")
        if found[0][0] is not None:
            raise RangeDoneError(mark.number, int(found[0][0]))

    def take_as_is(self) -> None:
        """Let days pass that a month does not have: another server may hold them."""
        if not self._as_is:
            self._session.execute(f"SET SESSION sql_mode = '{SQL_MODE},ALLOW_INVALID_DATES'")
            self._as_is = True

    def undo_failures(self) -> None:
        """Let each statement be one that can be undone: the server goes on after a row that it changed or left out."""
        self._undoes = True

    @contextmanager
    def _undone(self) -> Iterator[None]:
        self._session.execute(f"SAVEPOINT {_POINT}" if self._transaction else "START TRANSACTION")
        try:
            yield
        except BaseException:
            with suppress(FramefoxTasksError):  # the first error is the one to tell
                self._session.execute(f"ROLLBACK TO SAVEPOINT {_POINT}" if self._transaction else "ROLLBACK")
            raise
        self._session.execute(f"RELEASE SAVEPOINT {_POINT}" if self._transaction else "COMMIT")

    def _check_keys(self, table: Side) -> None:
        """See that the server counted nothing up by itself, which the number of rows would not tell."""
        if self._session.value("SELECT LAST_INSERT_ID()"):  # 0 in a session where it never did
            raise VerificationError(
                f"{self._session.target.label} gave rows of {table.name} other keys than they have in the source.",
                hint=f"Look for a trigger on {table.name} that changes its rows, and copy again without it.",
            )

    def _check(self, table: Side) -> None:
        if not self._transaction:
            return
        self._check_transactions(table)
        self.filled.append(table.name.name)

    def _check_transactions(self, table: Side) -> None:
        where = self._session.target.label
        if self._session.value(_TRANSACTIONS, table.name.name) != "YES":
            raise CopyError(
                f"{table.name} of the target {where} is of an engine without transactions: a copy of rows alone, or of "
                "a range, could not be undone.",
                hint=f"Change it with: ALTER TABLE {name(table.name.name)} ENGINE = InnoDB",
            )

    def _load(self, table: Side, blocks: Iterable[bytes], before: int) -> int:
        if not self._local:
            return Inserting(self._session, table, as_is=self._as_is).insert(blocks, before)
        counted = _Counted(blocks)
        try:
            with self._session.errors():
                taken, warnings = send_file(self._session.connection, statement_of(table), counted)
        except FramefoxTasksError as exc:
            if VERBS.error_code(exc.__cause__) not in _NO_LOCAL:
                raise of_row(exc, table, before) from exc
            self._local = False
            return Inserting(self._session, table, as_is=self._as_is).insert(blocks, before)
        if warnings or taken != counted.rows:
            told = self._session.rows("SHOW WARNINGS LIMIT 1")
            if taken != counted.rows or not self._are_of_enums(table):
                raise self._refused(table, before, (taken, counted.rows), told)
        return taken

    def _are_of_enums(self, table: Side) -> bool:
        """Whether nothing was warned of but the empty text that an enum does not list: another server has put it there.

        It is 0 as a number. The server warns of each, and takes it from LOAD DATA as it is.
        """
        enums = [name(field.name) for field in table.fields if base(field) == "enum"]
        if not (self._as_is and enums):
            return False
        warnings = int(self._session.value("SELECT @@warning_count"))
        found = " + ".join(f"COALESCE(SUM({enum} + 0 = 0), 0)" for enum in enums)
        held = int(self._session.value(f"SELECT {found} FROM {name(table.name.name)}"))  # noqa: S608 - quoted
        before, self._unlisted[table.name.name] = self._unlisted[table.name.name], held
        return warnings == held - before

    def _refused(
        self, table: Side, before: int, rows: tuple[int, int], warnings: Iterable[tuple[object, ...]]
    ) -> CopyError:
        # LOCAL makes warnings of errors: the server goes on after them, and the row is changed or left out.
        for _, _, text in warnings:
            return bad_row(table, str(text), before)
        return CopyError(
            f"{table.name} of {self._session.target.label} took {rows[0]} rows of {rows[1]}, and does not say why."
        )

    def load_raw(self, table: Side, blocks: Iterable[bytes]) -> int:
        """Not used: the reader has nothing but lines."""
        return self.load(table, blocks)

    def count(self, table: Name) -> int:
        """How many rows the table has."""
        return int(self._session.value(f"SELECT COUNT(*) FROM {name(table.name)}"))  # noqa: S608 - quoted

    def key_totals(self, table: Side, columns: Sequence[str]) -> KeyTotals:
        """The least, the greatest and the sum of columns; see the protocol."""
        return key_totals(self._session, table, columns)

    def cancel(self) -> None:
        """End what another thread waits for here."""
        self._session.cancel()


class _Counted:
    """Blocks, and how many lines were in those that were taken."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        self.rows = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.rows += block.count(b"\n")
            yield block


def _portion(rest: Iterator[bytes], size: int) -> Iterator[bytes]:
    while size < _AT_ONCE and (block := next(rest, None)) is not None:
        size += len(block)
        yield block


def statement_of(table: Side) -> str:
    """LOAD DATA for lines; what cannot be taken as it is goes through a variable."""
    columns, settings = [], []
    for number, field in enumerate(table.fields):
        expression = loaded(field, f"@field_{number}")
        columns.append(f"@field_{number}" if expression else name(field.name))
        if expression:
            settings.append(f"{name(field.name)} = {expression}")
    after = f" SET {', '.join(settings)}" if settings else ""
    return (
        f"LOAD DATA LOCAL INFILE 'rows' INTO TABLE {name(table.name.name)} CHARACTER SET utf8mb4 "
        r"FIELDS TERMINATED BY '\t' ENCLOSED BY '' ESCAPED BY '\\' LINES TERMINATED BY '\n' "
        f"({', '.join(columns)}){after}"
    )
