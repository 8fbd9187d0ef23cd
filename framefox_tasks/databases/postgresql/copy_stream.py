"""Rows out of a connection and into one, by libpq's COPY functions.

psycopg's own Copy gives one row at a time through several layers, and waits in each; here a block is one step.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import Any

from framefox_tasks.databases.postgresql.session import cancel
from framefox_tasks.errors import CopyError

BLOCK = 256 * 1024  # bytes
_MESSAGE = 128 * 1024
"""How many bytes libpq is given at a time: with more its buffer grows, and each growth copies what it holds."""
_WAIT = 1.0  # seconds until it is looked again whether the copy was ended
_TRAILER = b"\xff\xff"
"""What a binary stream ends in, as a message of its own if there are rows."""

Ended = Callable[[], bool]


def begin(connection: Any, sql: str, status: str) -> None:
    """Begin a COPY.

    Raises:
        psycopg.Error: The server refused it.
    """
    from psycopg import errors, pq

    result = connection.pgconn.exec_(sql.encode())
    if result.status != pq.ExecStatus[status]:
        raise errors.error_from_result(result)


def copy_out(connection: Any, sql: str, *, binary: bool, ended: Ended) -> Generator[tuple[bytes, int]]:
    """What a COPY TO STDOUT gives, in blocks, each with how many rows are in it."""
    begin(connection, sql, "COPY_OUT")
    try:
        yield from _blocks(connection.pgconn, binary, ended)
    except GeneratorExit:
        _give_up(connection, ended)
        raise


def _blocks(pgconn: Any, binary: bool, ended: Ended) -> Generator[tuple[bytes, int]]:
    get, told, rows, last = pgconn.get_copy_data, 0, 0, 0
    block = bytearray()  # a list of the rows would have the garbage collector walk through it again and again
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_READ)
        while True:
            size, data = get(1)  # without waiting: with it, the interpreter would wait too
            if size > 0:
                block += data
                rows += 1
                last = size
                if len(block) >= BLOCK:
                    rows -= binary and last == len(_TRAILER) and block.endswith(_TRAILER)
                    told += rows
                    yield bytes(block), rows
                    block.clear()
                    rows = 0
            elif size == 0:
                _wait(selector, ended)
                pgconn.consume_input()
            else:
                break
    total = _finished(pgconn, ended)
    if block:
        yield bytes(block), total - told


def _wait(selector: selectors.BaseSelector, ended: Ended) -> None:
    while not selector.select(_WAIT):
        if ended():
            raise CopyError("The copy was ended.")


def _finished(pgconn: Any, ended: Ended) -> int:
    """The number of rows that the server says it gave or took."""
    from psycopg import errors, pq

    results = []
    while (result := _result(pgconn, ended)) is not None:
        results.append(result)
        if result.status in (pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_IN):  # pragma: no cover - one COPY at a time
            break
    for result in results:
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result)
    return int(results[0].command_tuples or 0)


def _result(pgconn: Any, ended: Ended) -> Any:
    """The next result. To ask for it before it is there would hold up the interpreter, and with it every thread."""
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_READ)
        while pgconn.is_busy():
            _wait(selector, ended)
            pgconn.consume_input()
    return pgconn.get_result()


def _give_up(connection: Any, ended: Ended) -> None:
    """End a COPY of which the rest is not wanted; what a failed one leaves is not looked at."""
    import psycopg

    pgconn = connection.pgconn
    with suppress(psycopg.Error), selectors.DefaultSelector() as selector:
        cancel(connection)
        selector.register(pgconn.socket, selectors.EVENT_READ)
        while (size := pgconn.get_copy_data(1)[0]) >= 0:
            if not size:
                _wait(selector, ended)
                pgconn.consume_input()
        while _result(pgconn, ended) is not None:
            pass


def copy_in(connection: Any, sql: str, blocks: Iterable[bytes], *, ended: Ended) -> int:
    """Give blocks to a COPY FROM STDIN; how many rows the server took."""
    begin(connection, sql, "COPY_IN")
    pgconn = connection.pgconn
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_WRITE)
        try:
            with _Ear(pgconn) as ear:
                for block in blocks:
                    if ear.hears_an_error():
                        break
                    _put(pgconn, block, selector, ended)
        except BaseException as exc:
            _abort(pgconn, selector, exc)
            raise
        _end(pgconn, None, selector, ended)
    return _finished(pgconn, ended)


def _put(pgconn: Any, block: bytes, selector: selectors.BaseSelector, ended: Ended) -> None:
    view = memoryview(block)
    for start in range(0, len(view), _MESSAGE):
        while pgconn.put_copy_data(view[start : start + _MESSAGE]) == 0:
            _wait(selector, ended)
        _flush(pgconn, selector, ended)


def _flush(pgconn: Any, selector: selectors.BaseSelector, ended: Ended) -> None:
    while pgconn.flush():
        _wait(selector, ended)


def _end(pgconn: Any, error: bytes | None, selector: selectors.BaseSelector, ended: Ended) -> None:
    while pgconn.put_copy_end(error) == 0:
        _wait(selector, ended)
    _flush(pgconn, selector, ended)


def _abort(pgconn: Any, selector: selectors.BaseSelector, exc: BaseException) -> None:
    """Tell the server that the rows end here without being complete; it forgets them."""
    import psycopg

    with suppress(psycopg.Error, CopyError):
        _end(pgconn, type(exc).__name__.encode(), selector, lambda: True)
        while _result(pgconn, lambda: True) is not None:
            pass


class _Ear:
    """Hears that the server refuses a row while more are sent: libpq tells of it only at the end.

    The first that a server says during a COPY is an error, since notices are switched off, or the change of a setting.
    What it says first is looked at without being taken from libpq; under TLS it cannot be, and all rows are sent.
    """

    def __init__(self, pgconn: Any) -> None:
        self._socket: socket.socket | None = None
        if not pgconn.ssl_in_use:
            with suppress(OSError):
                self._socket = socket.socket(fileno=socket.dup(pgconn.socket))

    def __enter__(self) -> _Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def hears_an_error(self) -> bool:
        if self._socket is None:
            return False
        try:
            first = self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True  # the connection has ended
        self._close()
        return first in (b"E", b"")

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
