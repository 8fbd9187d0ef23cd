"""One of the processes that read large SQLite tables together: what it does from its start to its end.

It reads by a SQLite library of its own, apsw, which gives rows in less than half the time of the standard library's. A
process must not have a file open by two of them, so nothing else reads here. What is not plain is left to the process
that asks: a row that is long, text that is no UTF-8, a cell that cannot be told as what its column holds, an error of
the disk.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from struct import Struct
from typing import TYPE_CHECKING

from framefox_tasks.databases.canonical import totals_of_columns
from framefox_tasks.databases.checksum import Form, RowTotals
from framefox_tasks.databases.rows import BLOCK, in_blocks
from framefox_tasks.databases.sqlite.encode import columns_of, fields_of, lines_of

if TYPE_CHECKING:
    from apsw import Connection

    from framefox_tasks.databases.rows import Field

HEAD = Struct(">cI")
READY, LINES, TOTALS, DONE, LEFT = b"R", b"L", b"T", b"D", b"F"
"""What is sent: that the file is seen, lines or their checksum, that a part is done or left after so many rows."""

_ROWS = 512
"""How many rows are fetched at a time, where they are not so long that fewer make a block."""
_LONG = 100_000
"""Bytes of a row that is left to who asks."""


@dataclass(frozen=True)
class WorkerTable:
    """A table whose rows are asked for, a part at a time.

    Attributes:
        forms: How numbers and moments are written, all fields of those lines that a checksum is of.
        lines: Whether its lines are sent, or the checksum of each part.
    """

    label: str
    select: str
    order: str
    fields: tuple[Field, ...]
    forms: tuple[Form, ...] = ()
    lines: bool = True

    def query(self, condition: str) -> str:
        """What gives the rows of a part."""
        return f"{self.select} WHERE {condition} {self.order}"


def main() -> None:
    """See the file that is told, and answer until nothing more is asked, or nobody wants it."""
    import apsw

    file = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX | apsw.SQLITE_OPEN_URI
    with closing(apsw.Connection(file, flags)) as connection:
        connection.execute("PRAGMA query_only = ON; BEGIN; SELECT 1 FROM sqlite_master").fetchall()
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, _LONG)
        try:
            _send(READY)
            _serve(connection)
        except BrokenPipeError:
            sys.stdout = None  # what is in its buffer will not be flushed either


def _serve(connection: Connection) -> None:
    """Take tables, each followed by the conditions of its parts."""
    table: WorkerTable | None = None
    while asked := _asked():
        if isinstance(asked, WorkerTable):
            table = asked
        elif table:
            _answer(connection, table, asked)


def _asked() -> WorkerTable | str | None:
    try:
        asked: WorkerTable | str = pickle.load(sys.stdin.buffer)  # noqa: S301
    except EOFError:
        return None
    return asked


def _answer(connection: Connection, table: WorkerTable, condition: str) -> None:
    import apsw

    rows = 0
    try:
        if table.lines:
            for block in in_blocks(_lines(connection, table, condition)):
                _send(LINES, block)
                rows += block.count(b"\n")
        else:
            _send(TOTALS, packed(_totals(connection, table, condition)))
    except (apsw.Error, ValueError):
        _send(LEFT, str(rows).encode())
        return
    _send(DONE)


def _lines(connection: Connection, table: WorkerTable, condition: str) -> Iterator[bytes]:
    cursor = connection.execute(table.query(condition))
    columns = columns_of(table.fields, table.forms)
    count = _ROWS // 32
    while rows := list(islice(cursor, count)):
        lines = lines_of(columns, rows)
        yield lines
        count = min(_ROWS, 1 + len(rows) * BLOCK // len(lines))


def _totals(connection: Connection, table: WorkerTable, condition: str) -> RowTotals:
    cursor = connection.execute(table.query(condition))
    columns = columns_of(table.fields)
    found = RowTotals(0, 0)
    count = _ROWS // 32
    while rows := list(islice(cursor, count)):
        texts = fields_of(columns, rows)
        found += totals_of_columns(texts, table.forms)
        count = min(_ROWS, 1 + len(rows) * BLOCK // (1 + sum(map(len, chain.from_iterable(texts)))))
    return found


def packed(totals: RowTotals) -> bytes:
    """A checksum as it is sent."""
    return f"{totals.rows} {totals.total}".encode()


def unpacked(content: bytes) -> RowTotals:
    """The checksum that was sent."""
    rows, total = map(int, content.split())
    return RowTotals(rows, total)


def _send(kind: bytes, content: bytes = b"") -> None:
    out = sys.stdout.buffer
    out.write(HEAD.pack(kind, len(content)))
    out.write(content)
    out.flush()
