"""Reading the rows of a table as text, or as PostgreSQL's own binary form."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any

from framefox_tasks.databases.checksum import DIGITS, SIZED, Form, RowTotals
from framefox_tasks.databases.postgresql import session
from framefox_tasks.databases.postgresql.columns import Shape, is_binary, qualified, shape_of
from framefox_tasks.databases.postgresql.copy_stream import copy_out
from framefox_tasks.databases.postgresql.ranges import ranges_of
from framefox_tasks.databases.postgresql.session import quoted, telling
from framefox_tasks.databases.ranges import Ranges, both
from framefox_tasks.databases.rows import BadRowError, KeyTotals, Name, Side, TablePlan
from framefox_tasks.model import Target

_UNKNOWN = "SQL_ASCII"
_PLAIN_NUMBERS = 140_000
"""The first version that has a number for infinity, and one without zeros at its end."""
_SAVEPOINT = "framefox_tasks_copy"
_ARGUMENTS = 90
"""How many a function is given: PostgreSQL allows 100."""
# PostgreSQL writes three more characters as escapes than lines have.
_MORE = re.compile(rb"\\[bfv]")  # a search for each of them takes seven times as long
_ESCAPE = re.compile(rb"\\([\\bfv])")
_PLAIN = {b"\\": b"\\\\", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


class PostgreSQLReader:
    """A connection that reads; see the protocol Reader.

    Args:
        connection: Of psycopg 3. Where it is in a transaction, this is kept whatever happens.
        target: Its database, for messages.
        side: What this is in the copy.
        whole: The reader whose connection it is, if it reads a range.
        within: The condition of that range.
        shapes: What is known of tables, where the connection sees them as they are in one snapshot.
    """

    def __init__(
        self,
        connection: Any,
        target: Target,
        side: str,
        *,
        whole: PostgreSQLReader | None = None,
        within: str = "",
        shapes: dict[Name, Shape] | None = None,
    ) -> None:
        self._connection = connection
        self._target = target
        self._side = side
        self._ended = False
        self._codec: str = whole._codec if whole else _codec(connection, target)
        self._whole = whole or self
        self._shapes: dict[Name, Shape] | None = whole._shapes if whole else shapes
        self._within = within

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes]:
        """Blocks of lines; see the protocol."""
        return self._lines(table, partial(_query, where=both(where, self._within), order=order))

    def formed_lines(self, table: Side, forms: Sequence[Form], *, where: str = "") -> Generator[bytes] | None:
        """Blocks of lines with fields in forms; see WritesForms."""
        query = partial(_query, where=both(where, self._within), forms=forms)
        return self._lines(table, query) if self._has_forms() else None

    def _lines(self, table: Side, query: Callable[[Shape, Side], str]) -> Generator[bytes]:
        with self._guarded(table):
            shape = self._shape(table.name)
            with (
                self._as_it_is(),
                closing(self._copied(query(shape, table), binary=False)) as blocks,
            ):
                for block, _ in blocks:
                    plain = plain_controls(block)
                    yield plain.decode(self._codec).encode() if self._codec else plain

    def raw(self, table: Side, *, where: str = "") -> Generator[tuple[bytes, int]] | None:
        """Blocks of PostgreSQL's binary form; None where only this database would read it."""
        with telling(self._target, self._side, self._connection, about=f"to read {table.name}"):
            shape = self._shape(table.name)
        return self._raw(shape, table, where) if is_binary(shape, table) and not self._codec else None

    def _raw(self, shape: Shape, table: Side, where: str) -> Generator[tuple[bytes, int]]:
        columns = ", ".join(quoted(field.name) for field in table.fields)
        where = both(where, self._within)
        with self._guarded(table):
            if where or shape.relkind == "p" or not columns:
                query = f"COPY (SELECT {columns} FROM {shape.origin}{_where(where)}) TO STDOUT (FORMAT binary)"  # noqa: S608
            else:
                query = f"COPY {shape.name} ({columns}) TO STDOUT (FORMAT binary)"
            yield from self._copied(query, binary=True)

    def count(self, table: Name, *, where: str = "") -> int:
        """How many rows a table has."""
        with telling(self._target, self._side, self._connection, about=f"to count {table}"), self._kept():
            query = f"SELECT count(*) FROM {self._shape(table).origin}{_where(where)}"  # noqa: S608
            return int(self._connection.execute(query).fetchone()[0])

    def key_totals(self, table: Side, columns: Sequence[str], *, where: str = "") -> KeyTotals:
        """The least, the greatest and the sum of columns; see the protocol."""
        with telling(self._target, self._side, self._connection, about=f"to read {table.name}"), self._kept():
            query = self._shape(table.name).key_totals(columns, _where(where))
            return KeyTotals.of(self._connection.execute(query).fetchone())

    def ranges(self, plan: TablePlan, rows: int, length: int = 0) -> Ranges:
        """Split a table by its blocks; see ReadsRanges."""
        with telling(self._target, self._side, self._connection, about=f"to read {plan.label}"), self._kept():
            return ranges_of(self._connection, plan, rows, length)

    def within(self, condition: str) -> PostgreSQLReader:
        """The rows in a range; see ReadsRanges."""
        return PostgreSQLReader(self._connection, self._target, self._side, whole=self, within=condition)

    def checksum(self, table: Side, forms: Sequence[Form], *, where: str = "", own: bool = False) -> RowTotals | None:
        """The checksum of all rows; see the protocol. None where the server does not know what its texts mean."""
        if not self._has_forms():
            return None
        with self._guarded(table):
            shape = self._shape(table.name)
            digest = shape.digest(table.fields) if own else _digest(shape, table, forms)
            query = f"SELECT count(*), coalesce(sum({digest}), 0) FROM {shape.origin}{_where(where)}"  # noqa: S608
            rows, total = self._connection.execute(query).fetchone()
            return RowTotals(int(rows), int(total))

    def _has_forms(self) -> bool:
        return not self._codec and bool(self._connection.info.server_version >= _PLAIN_NUMBERS)

    def skip_bad_rows(self, reject: Callable[[BadRowError], None]) -> None:
        """The server reads all that it holds."""

    @property
    def was_ended(self) -> bool:
        """Whether another thread has ended what was waited for here; the server may take that for what comes next."""
        return self._ended

    def cancel(self) -> None:
        """End what another thread waits for here."""
        end = session.hang_up if self._ended else session.cancel
        self._ended = True
        end(self._connection)

    def _shape(self, table: Name) -> Shape:
        if self._shapes is None:
            return shape_of(self._connection, table)
        if table not in self._shapes:
            self._shapes[table] = shape_of(self._connection, table)
        return self._shapes[table]

    def _copied(self, query: str, *, binary: bool) -> Generator[tuple[bytes, int]]:
        return copy_out(self._connection, query, binary=binary, ended=lambda: self._whole._ended)

    @contextmanager
    def _as_it_is(self) -> Iterator[None]:
        """Where the server does not know the encoding of its texts, it is not to look at them."""
        if self._codec:
            self._connection.execute("SET client_encoding = 'SQL_ASCII'")
        yield
        if self._codec:
            self._connection.execute("SET client_encoding = 'UTF8'")

    @contextmanager
    def _guarded(self, table: Side) -> Iterator[None]:
        with telling(self._target, self._side, self._connection, about=f"to read {table.name}"), self._kept():
            yield

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """An error, or an end before the last row, does not end the transaction, and with it the snapshot."""
        import psycopg

        if self._connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            yield
            return
        self._connection.execute(f"SAVEPOINT {_SAVEPOINT}")
        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):
                self._connection.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                self._connection.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
            raise
        self._connection.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")


def _digest(shape: Shape, table: Side, forms: Sequence[Form]) -> str:
    """The digest of a canonical line."""
    pairs = list(zip(table.fields, forms, strict=True))
    parts = [shape.formed(*pair) for pair in pairs] + [shape.size(*pair) for pair in pairs if pair[1] in SIZED]
    head = f"substring(sha256(convert_to({_joined(parts)}, 'UTF8')) from 1 for {DIGITS // 2})"
    return f"('x' || encode({head}, 'hex'))::bit({4 * DIGITS})::bigint"


def _joined(parts: Sequence[str]) -> str:
    """The text of a line, by as few calls as its fields allow: each || would copy all that stands before it."""
    groups = [parts[start : start + _ARGUMENTS] for start in range(0, len(parts), _ARGUMENTS)]
    joined = [f"concat_ws(E'\\t', {', '.join(group)})" for group in groups]
    return joined[0] if len(joined) == 1 else _joined(joined)


def doubts_texts(connection: Any, target: Target) -> bool:
    """Whether nobody has said what encoding the texts have, of which the server does not know it."""
    return connection.info.parameter_status("server_encoding") == _UNKNOWN and not _codec(connection, target)


def _codec(connection: Any, target: Target) -> str:
    """The codec of the texts of a database that does not know it, by the URL's client_encoding; else empty."""
    given = dict(target.address.query).get("client_encoding")
    if not given or connection.info.parameter_status("server_encoding") != _UNKNOWN:
        return ""
    connection.execute("SELECT pg_catalog.set_config('client_encoding', %s, false)", (given,))
    codec = connection.info.encoding
    connection.execute("SET client_encoding = 'UTF8'")
    return "" if codec in ("utf-8", "ascii") else str(codec)


def _query(shape: Shape, table: Side, where: str = "", order: Sequence[str] = (), forms: Sequence[Form] = ()) -> str:
    pairs = zip(table.fields, forms or [Form.LINE] * len(table.fields), strict=True)
    texts = [shape.written(*pair) for pair in pairs]
    columns = ", ".join(texts)
    fields = {field.name: field for field in table.fields}
    keys = ", ".join(shape.order(fields[name]) if name in fields else quoted(name) for name in order)
    sort = f" ORDER BY {keys}" if keys else ""
    if (
        columns
        and not where
        and not sort
        and shape.relkind == "r"
        and all(t == quoted(f.name) and f.name not in shape.generated for f, t in zip(table.fields, texts, strict=True))
    ):
        return f"COPY {qualified(table.name)} ({columns}) TO STDOUT"  # without the planner: a little faster
    return f"COPY (SELECT {columns} FROM {shape.origin}{_where(where)}{sort}) TO STDOUT"  # noqa: S608


def _where(condition: str) -> str:
    return f" WHERE ({condition}\n)" if condition else ""  # a line of its own: it may end in a comment


def plain_controls(block: bytes) -> bytes:
    r"""A block of lines whose backspaces, form feeds and vertical tabs are not written as `\b`, `\f` and `\v`."""
    if not _MORE.search(block):
        return block
    return _ESCAPE.sub(lambda match: _PLAIN[match[1]], block)
