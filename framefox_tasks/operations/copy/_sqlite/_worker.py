"""One of the processes that read a large SQLite table together: what it does from its start to its end."""

from __future__ import annotations

import pickle
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing

from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.operations.copy._model import Side
from framefox_tasks.operations.copy._sqlite._reading import SQLiteReader
from framefox_tasks.operations.copy._sqlite._workers import DONE, END, FAILED, HEAD, LINES, READY, failure

_ROWS = 2048
"""How many rows a part has: about a block of them."""
_LEAST = -(2**63)


def main() -> None:
    """Read what to do, and send lines until there are no more, or nobody wants them."""
    target, table, count = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    number = pickle.load(sys.stdin.buffer)  # noqa: S301
    try:
        serve(target, table, number, count)
    except BrokenPipeError:
        sys.stdout = None  # what is in its buffer will not be flushed either


def serve(target: Target, table: Side, number: int, count: int) -> None:
    """Send each part of a table that comes to one worker of so many."""
    uri = f"{target.file.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        _send(READY)
        reader = SQLiteReader(target, connection)
        try:
            for condition in _parts(connection, reader.rowid(table), table, number, count):
                for block in reader.part(table, condition):
                    _send(LINES, block)
                _send(DONE)
        except FramefoxTasksError as exc:
            _send(FAILED, failure(exc))
        else:
            _send(END)


def _parts(connection: sqlite3.Connection, rowid: str, table: Side, number: int, count: int) -> Iterator[str]:
    """Conditions for the parts of one worker; each other one has a part between two of them."""
    name = table.name.quoted('"')
    query = f"SELECT {rowid} FROM {name} WHERE {rowid} >= ? ORDER BY {rowid} LIMIT 1 OFFSET ?"  # noqa: S608 - quoted

    def after(first: int, rows: int) -> int | None:
        """The number that comes so many rows after the first."""
        found = connection.execute(query, (first, rows)).fetchone()
        return int(found[0]) if found else None

    first = after(_LEAST, number * _ROWS)
    while first is not None:
        following = after(first, _ROWS)
        yield f"{rowid} >= {first}" + (f" AND {rowid} < {following}" if following is not None else "")
        first = after(following, (count - 1) * _ROWS) if following is not None else None


def _send(kind: bytes, content: bytes = b"") -> None:
    out = sys.stdout.buffer
    out.write(HEAD.pack(kind, len(content)))
    out.write(content)
    out.flush()
