"""The certificates of the system, which PyMySQL loads anew for each connection: that takes longer than to connect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from importlib.util import find_spec
from threading import Lock
from typing import Any

_shared: list[Any] = []
"""The context of connections without options, once one has been made."""
_lock = Lock()
_users = 0


@contextmanager
def one_ssl_context() -> Iterator[None]:
    """Let the connections that are made meanwhile, by whomever in this process, share the SSL context of their options.

    Those of the default options alone: files that a user names may be other ones the next time.
    """
    if not find_spec("pymysql"):
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _users
    from pymysql.connections import Connection

    theirs: Any = Connection  # its type is not told of the method
    with _lock:
        _users += 1
        if _users == 1:
            theirs._create_ssl_ctx = _sharing(theirs._create_ssl_ctx)


def _leave() -> None:
    global _users
    from pymysql.connections import Connection

    theirs: Any = Connection
    with _lock:
        _users -= 1
        if not _users:
            theirs._create_ssl_ctx = theirs._create_ssl_ctx.__wrapped__


def _sharing(make: Any) -> Any:
    @wraps(make)
    def shared(connection: Any, options: Any) -> Any:
        if options:
            return make(connection, options)
        if not _shared:
            _shared.append(make(connection, options))
        return _shared[0]

    return shared
