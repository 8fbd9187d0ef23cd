"""Raw connections that a thread uses again, where it connects to one server many times in a row.

To connect takes a server longer than all that a run asks of it. A connection is given on only when it was left without
an error, as the driver of its database has put it in order, and only for a while: what has been idle for long may have
been cut off without a word.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

_IDLE_SECONDS = 30.0
_SURE_SECONDS = 1.0


class _Kept(NamedTuple):
    connection: Any
    since: float
    database: str | None


class _Idle(threading.local):
    """The idle connections of a thread, by their keys: that which was used last stands last."""

    def __init__(self) -> None:
        self.contexts = 0
        self.keys = 1
        self.refused = False
        self.sessions = False
        self.paused = False
        self.only: str | None = None
        self.connections: dict[Hashable, list[_Kept]] = {}
        self.spoiled: set[int] = set()
        self.kept: dict[Hashable, Any] = {}
        self.endings: list[Callable[[], None]] = []


_idle = _Idle()


@contextmanager
def reusing(keys: int = 1, *, sessions: bool = False) -> Iterator[None]:
    """A context in which the raw connections of this thread are used again; at its end they are closed.

    Args:
        keys: Of how many keys they are kept at a time: of one, each run has no more sessions than it needs at once. Who
            goes back and forth between two databases keeps those of both.
        sessions: Whether those that migrations ran in are kept too, for other schemas of the same database.
    """
    before, _idle.keys = _idle.keys, max(_idle.keys, keys)
    _idle.contexts += 1
    _idle.sessions = _idle.sessions or sessions
    try:
        yield
    finally:
        _idle.contexts -= 1
        _idle.keys = before
        if not _idle.contexts:
            _close_all()
            _idle.kept.clear()
            _idle.refused = _idle.sessions = _idle.paused = False
            while _idle.endings:
                _idle.endings.pop()()


def is_reusing() -> bool:
    """Whether this thread is in such a context."""
    return _idle.contexts > 0 and not _idle.refused


@contextmanager
def only(database: str) -> Iterator[None]:
    """A context in which connections to one database alone are used again: whoever watches new ones sees the others."""
    before, _idle.only = _idle.only, database
    try:
        yield
    finally:
        _idle.only = before


def is_reusing_for(database: str | None) -> bool:
    """Whether connections to a database are used again."""
    return is_reusing() and _idle.only in (None, database)


def keeps_sessions() -> bool:
    """Whether a session that migrations ran in is kept for those of another schema."""
    return _idle.sessions and is_reusing()


def own_sessions(*, lasting: bool = True) -> None:
    """Keep no session of migrations any more: one of them needs one of its own.

    Until the context ends, or where it is not `lasting` until resume_sessions().
    """
    if _idle.sessions:
        _idle.sessions, _idle.paused = False, not lasting


def resume_sessions() -> None:
    """Keep sessions again, where that was given up for a while."""
    if _idle.paused:
        _idle.sessions, _idle.paused = True, False


def refuse() -> None:
    """Keep no connection any more, until the context ends: that of a pooler takes one of the few that it has."""
    _close_all()
    _idle.refused = True


def close_idle(database: str) -> None:
    """Close the idle connections of this thread to a database, and the sessions that are kept: before it is dropped."""
    for ending in _idle.endings:
        ending()
    for key, found in list(_idle.connections.items()):
        for kept in [kept for kept in found if kept.database == database]:
            found.remove(kept)
            close(kept.connection)
        if not found:
            del _idle.connections[key]


def take(key: Hashable) -> tuple[Any, bool] | None:
    """An idle connection of a key, and whether it was used only just now; None where there is none.

    Of other keys as many are left open as the context keeps beside it.
    """
    found = _idle.connections.pop(key, [])
    _close_all(but=_idle.keys - 1)
    if key is not None:
        _idle.connections[key] = found
    while found:
        kept = found.pop()
        idle = time.monotonic() - kept.since
        if idle < _IDLE_SECONDS:
            return kept.connection, idle < _SURE_SECONDS
        close(kept.connection)
    return None


def give(key: Hashable, connection: Any, database: str | None) -> None:
    """Keep a connection to a database for the next one, and close those of the keys that were used longest ago."""
    if not is_reusing():
        close(connection)
        return
    found = _idle.connections.pop(key, [])
    _close_all(but=_idle.keys - 1)
    found.append(_Kept(connection, time.monotonic(), database))
    _idle.connections[key] = found


def spoil(connection: Any) -> None:
    """Have a connection closed where it would be kept: its session is not as it was, or could not be put in order."""
    if is_reusing():
        _idle.spoiled.add(id(connection))


def is_spoiled(connection: Any) -> bool:
    """Whether that was said of a connection; asked once."""
    found = id(connection) in _idle.spoiled
    _idle.spoiled.discard(id(connection))
    return found


def kept(key: Hashable, make: Callable[[], Any]) -> Any:
    """What is made once in a context, and is forgotten at its end."""
    if key not in _idle.kept:
        _idle.kept[key] = make()
    return _idle.kept[key]


def at_end(ending: Callable[[], None]) -> bool:
    """Have a function called at the end of the context, once however often it is given; False where there is none."""
    if not _idle.contexts:
        return False
    if ending not in _idle.endings:
        _idle.endings.append(ending)
    return True


def close(connection: Any) -> None:
    """Close a connection that nobody uses; that it has ended already is no error."""
    with suppress(Exception):  # whatever its driver raises
        connection.close()


def _close_all(*, but: int = 0) -> None:
    while len(_idle.connections) > but:
        for kept in _idle.connections.pop(next(iter(_idle.connections))):
            close(kept.connection)
