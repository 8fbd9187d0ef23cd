"""Reading a table: the server writes each row as one line, and the lines are taken from its packets in bulk."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import islice

from framefox_tasks.databases.checksum import DIGITS, SIZED, Form, RowTotals
from framefox_tasks.databases.mysql.packets import TooLongError
from framefox_tasks.databases.mysql.ranges import ranges_of
from framefox_tasks.databases.mysql.session import Session, name
from framefox_tasks.databases.mysql.values import (
    FEED,
    TAB,
    digest,
    formed,
    is_bytes,
    is_text,
    number_of,
    size,
    sorted_by,
    written,
)
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.ranges import Ranges, both
from framefox_tasks.databases.rows import (
    NULL,
    BadRowError,
    Field,
    KeyTotals,
    Name,
    Side,
    TablePlan,
    escaped,
    in_blocks,
)
from framefox_tasks.errors import CopyError

_CHANGED = frozenset({1146, 1412})  # it is not there, or is another than when the snapshot was taken
_NO_CONDITION = frozenset({1054, 1064, 1111, 1305, 1582})  # columns or functions that are not there, no syntax


_TOO_LONG = 10**40
"""More than all digests together."""


class MySQLReader:
    """Reads by a connection whose transaction has begun.

    Args:
        session: The connection.
        within: A condition of `ranges`, for all that is read in lines.
    """

    def __init__(self, session: Session, *, within: str = "") -> None:
        self._session = session
        self._within = within

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes]:
        """Blocks of lines; see the protocol."""
        return self._lines(table, where, order)

    def formed_lines(self, table: Side, forms: Sequence[Form], *, where: str = "") -> Generator[bytes]:
        """Blocks of lines with fields in forms; see WritesForms."""
        return self._lines(table, where, forms=forms)

    def _lines(
        self, table: Side, where: str = "", order: Sequence[str] = (), forms: Sequence[Form] = ()
    ) -> Generator[bytes]:
        if not table.fields:
            raise CopyError(f"{table.name} has no columns to copy.")
        rest, mariadb = _rest(table, where, order, self._within), self._session.mariadb
        parts = f", {TAB}, ".join(
            written(field, form, mariadb=mariadb)
            for field, form in zip(table.fields, forms or [Form.LINE] * len(table.fields), strict=True)
        )
        rows = 0
        try:
            with self._session.answer(f"SELECT CONCAT({parts}, {FEED}) {rest}") as (answer, _):
                yield from answer.lines()
        except TooLongError as exc:
            rows = exc.rows
        except CopyError as exc:
            raise self._meant(exc, table, where) from exc
        else:
            return
        yield from self._column_by_column(table, rest, rows)

    def _meant(self, exc: CopyError, table: Side, where: str) -> CopyError:
        """The error with the table, where that or the condition is why the server refused the query."""
        code = VERBS.error_code(exc.__cause__)
        if code in _CHANGED:
            return CopyError(
                f"{table.name} of {self._session.target.label} was changed as a whole while it was copied.",
                hint="Copy again when nobody alters, empties or replaces tables of the source.",
            )
        if where and code in _NO_CONDITION:
            return CopyError(
                f"The condition of {table.name} cannot be used on {self._session.target.label}: "
                f"{VERBS.error_text(exc.__cause__)}",
                hint="Correct it; behind WHERE stands: " + where.replace("\n)", ")"),
            )
        return exc

    def _column_by_column(self, table: Side, rest: str, skipped: int) -> Generator[bytes]:
        """For rows that are longer as a line than the server makes any text: the columns come as they are."""
        columns = ", ".join(map(_plain, table.fields))
        with self._session.answer(f"SELECT {columns} {rest}") as (answer, count):
            yield from in_blocks(_line(table, row) for row in islice(answer.rows(count), skipped, None))

    def raw(self, table: Side, *, where: str = "") -> None:
        """Nothing is faster than lines."""

    def count(self, table: Name, *, where: str = "") -> int:
        """How many rows the table has."""
        condition = f" WHERE {where}" if where else ""
        return int(self._session.value(f"SELECT COUNT(*) FROM {name(table.name)}{condition}"))  # noqa: S608 - quoted

    def key_totals(self, table: Side, columns: Sequence[str], *, where: str = "") -> KeyTotals:
        """The least, the greatest and the sum of columns; see the protocol."""
        return key_totals(self._session, table, columns, where)

    def ranges(self, plan: TablePlan, rows: int, length: int = 0) -> Ranges:
        """Split a table by its primary key; see ReadsRanges."""
        return ranges_of(self._session, plan, rows, length)

    def within(self, condition: str) -> MySQLReader:
        """The rows in a range; see ReadsRanges."""
        return MySQLReader(self._session, within=condition)

    def checksum(
        self,
        table: Side,
        forms: Sequence[Form],
        *,
        where: str = "",
        own: bool = False,
    ) -> RowTotals:
        """The checksum of all rows; see the protocol. Without a sum where the server makes no text of such a length."""
        if own:
            return self._totals(table, digest(table.fields, mariadb=self._session.mariadb), where)
        mariadb, pairs = self._session.mariadb, list(zip(table.fields, forms, strict=True))
        fields = [formed(field, form, mariadb=mariadb) for field, form in pairs]
        sizes = [size(field, form, mariadb=mariadb) for field, form in pairs if form in SIZED]
        parts = f", {TAB}, ".join([*fields, *sizes])
        head = f"CAST(CONV(LEFT(SHA2(CONCAT({parts}), 256), {DIGITS}), 16, 10) AS UNSIGNED)"
        return self._totals(table, f"COALESCE({head}, {_TOO_LONG})", where)

    def _totals(self, table: Side, digest: str, where: str) -> RowTotals:
        try:
            ((rows, total),) = self._session.rows(f"SELECT COUNT(*), SUM({digest}) {_rest(table, where, ())}")
        except CopyError as exc:
            raise self._meant(exc, table, where) from exc
        return RowTotals(int(rows), int(total or 0) if (total or 0) < _TOO_LONG else None)

    def skip_bad_rows(self, reject: Callable[[BadRowError], None]) -> None:
        """The server reads all that it holds."""

    def cancel(self) -> None:
        """End what another thread waits for here."""
        self._session.cancel()


def key_totals(session: Session, table: Side, columns: Sequence[str], where: str = "") -> KeyTotals:
    """The number of rows, and of each column the least number, the greatest and the sum."""
    numbers = [number_of(field) for column in columns for field in table.fields if field.name == column]
    found = "".join(f", MIN({number}), MAX({number}), SUM({number})" for number in numbers)
    condition = f" WHERE ({where}\n)" if where else ""
    (row,) = session.rows(f"SELECT COUNT(*){found} FROM {name(table.name.name)}{condition}")  # noqa: S608 - quoted
    return KeyTotals.of(row)


def _rest(table: Side, where: str, order: Sequence[str], within: str = "") -> str:
    # Without an index the rows come in the order of the primary key, so that they are in the same order each time.
    # To read a large part of a table the server would else choose to read all of it.
    plain = " FORCE INDEX (PRIMARY)" if within else "" if where or order else " USE INDEX ()"
    where = both(where, within)
    fields = {field.name: field for field in table.fields}
    keys = ", ".join(sorted_by(fields[column]) for column in order)
    return (
        f"FROM {name(table.name.name)}{plain}"
        f"{f' WHERE ({where}{chr(10)})' if where else ''}{f' ORDER BY {keys}' if keys else ''}"
    )


def _plain(field: Field) -> str:
    if is_bytes(field):
        return f"CAST({name(field.name)} AS BINARY)"
    if is_text(field):
        return f"CONVERT({name(field.name)} USING utf8mb4)"
    return written(field)


def _line(table: Side, row: list[bytes | None]) -> bytes:
    try:
        return b"\t".join(map(_field, table.fields, row)) + b"\n"
    except ValueError as exc:
        raise BadRowError(str(table.name), str(exc)) from exc


def _field(field: Field, value: bytes | None) -> bytes:
    if value is None:
        if field.nullable:
            return NULL
        raise ValueError(f"the server gives no text for a value of {field.name}: it may exceed max_allowed_packet")
    if is_bytes(field):
        return b"\\\\x" + value.hex().encode()
    return escaped(value) if is_text(field) else value
