"""Putting rows and statements into the database that is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from framefox_tasks.databases.postgresql import session
from framefox_tasks.databases.postgresql.columns import qualified, shape_of
from framefox_tasks.databases.postgresql.copy_stream import copy_in
from framefox_tasks.databases.postgresql.session import quoted, shortened, telling
from framefox_tasks.databases.ranges import MARKS, RangeDoneError, RangeMark
from framefox_tasks.databases.rows import KeyTotals, Name, Side, Statement
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

# TRUNCATE takes no table that a foreign key refers to.
_IS_NEW = """
SELECT pg_catalog.pg_relation_size(oid) = 0
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE confrelid = c.oid AND contype = 'f')
FROM pg_catalog.pg_class c WHERE oid = %s::regclass
"""
_PATIENCE = 60  # seconds that a range waits for who was given it before
_TAKE = f"SELECT loaded FROM {MARKS} WHERE run = %s AND number = %s FOR UPDATE"  # noqa: S608
_SET = f"UPDATE {MARKS} SET loaded = %s WHERE run = %s AND number = %s"  # noqa: S608


class PostgreSQLLoader:
    """A connection to the staging database; see the protocol Loader.

    Each call commits by itself. Not until the copy is put in its place need it last: see put().
    """

    def __init__(self, connection: Any, target: Target) -> None:
        self.connection = connection
        self.target = target
        self._ended = False

    def execute(self, statement: Statement) -> str | None:
        """Run a statement; why the server refused it, where it is optional."""
        import psycopg

        with self._telling(about=statement.about):
            if not (statement.optional or statement.unvalidated):
                self.connection.execute(statement.sql)
                return None
            try:
                with self._undone():
                    self.connection.execute(statement.sql)
            except psycopg.errors.ForeignKeyViolation as exc:
                if statement.unvalidated:
                    self.connection.execute(statement.unvalidated)
                return shortened(exc.diag.message_primary or str(exc))
            except psycopg.Error as exc:
                if exc.sqlstate is None or self.connection.closed or not statement.optional:
                    raise
                return shortened(exc.diag.message_primary or str(exc))
        return None

    def change(self, sql: str) -> int:
        """Run an UPDATE or DELETE; how many rows it changed."""
        with self._telling():
            return int(self.connection.execute(sql).rowcount)

    def clear(self, table: Name) -> None:
        """Delete all rows of a table."""
        self.change(f"DELETE FROM {qualified(table)}")  # noqa: S608 - quoted

    def take_as_is(self) -> None:
        """Whatever a database of this kind holds is taken."""

    def undo_failures(self) -> None:
        """Each load is a transaction."""

    def load(self, table: Side, blocks: Iterable[bytes]) -> int:
        """Put lines into a table; how many rows the server took."""
        return self._load(table, blocks, "text")

    def load_raw(self, table: Side, blocks: Iterable[bytes]) -> int:
        """Put what PostgreSQLReader.raw gives into a table; how many rows the server took."""
        return self._load(table, blocks, "binary")

    def load_range(
        self, table: Side, blocks: Iterable[bytes], *, raw: bool = False, mark: RangeMark | None = None
    ) -> int:
        """Put rows into a table that others fill too; see LoadsRanges. Not frozen: that is for who is alone."""
        with self._telling(table=str(table.name)), self._transaction():
            if mark:
                self._take(mark)
            query = _copy(table, "FORMAT binary" if raw else "FORMAT text")
            rows = copy_in(self.connection, query, blocks, ended=lambda: self._ended)
            if mark:
                self.connection.execute(_SET, (rows, mark.run, mark.number))
        return rows

    def _take(self, mark: RangeMark) -> None:
        """Have a range for this transaction; waits for who else has it, but not without end."""
        self.connection.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}s'")
        row = self.connection.execute(_TAKE, (mark.run, mark.number)).fetchone()
        if row is None:
            raise CopyError("The copy that the range is of has ended, and another one is made.")
        if row[0] is not None:
            raise RangeDoneError(mark.number, int(row[0]))

    def count(self, table: Name) -> int:
        """How many rows a table has."""
        with self._telling(table=str(table)):
            query = f"SELECT count(*) FROM {shape_of(self.connection, table).origin}"  # noqa: S608 - quoted
            return int(self.connection.execute(query).fetchone()[0])

    def key_totals(self, table: Side, columns: Sequence[str]) -> KeyTotals:
        """The least, the greatest and the sum of columns; see the protocol."""
        with self._telling(table=str(table.name)):
            query = shape_of(self.connection, table.name).key_totals(columns)
            return KeyTotals.of(self.connection.execute(query).fetchone())

    def cancel(self) -> None:
        """End what another thread waits for here."""
        end = session.hang_up if self._ended else session.cancel
        self._ended = True
        end(self.connection)

    def _load(self, table: Side, blocks: Iterable[bytes], form: str) -> int:
        with self._telling(table=str(table.name)), self._transaction():
            options = f"FORMAT {form}, FREEZE" if self._emptied(table.name) else f"FORMAT {form}"
            return copy_in(self.connection, _copy(table, options), blocks, ended=lambda: self._ended)

    def _emptied(self, table: Name) -> bool:
        """Whether the table is one that was emptied in this transaction, and may be filled with frozen rows.

        They need no second visit: to mark them as committed when they are first read, and by a later vacuum.
        """
        shape = shape_of(self.connection, table)
        if shape.relkind != "r":
            return False
        self.connection.execute(f"LOCK TABLE ONLY {shape.name}")
        if not self.connection.execute(_IS_NEW, (shape.name,)).fetchone()[0]:
            return False
        self.connection.execute(f"TRUNCATE ONLY {shape.name}")
        return True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        import psycopg

        self.connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """What fails within leaves nothing behind: the server sees to it, outside a transaction."""
        yield

    @contextmanager
    def _telling(self, *, about: str = "", table: str = "") -> Iterator[None]:
        with telling(self.target, "target", self.connection, about=about, table=table):
            yield


def _copy(table: Side, options: str) -> str:
    columns = ", ".join(quoted(field.name) for field in table.fields)
    return f"COPY {qualified(table.name)}{f' ({columns})' if columns else ''} FROM STDIN ({options})"
