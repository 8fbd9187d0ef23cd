"""Listeners on SQLAlchemy's classes, which take longer to come and go than a small migration to run.

A project's env.py makes its own engine, so that what watches a migration listens to all. Where a thread works on many
databases in a row the listeners stay until the last, and have nothing to do in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from framefox_tasks.databases import reuse


class Event(NamedTuple):
    """An event of a class.

    Attributes:
        owner: The class, or another thing that SQLAlchemy has events of.
        name: The event.
        method: That of a listener that is called; what it gives counts as SQLAlchemy says, unless it is None.
        changes: Whether the event takes another statement and other parameters than it gives.
    """

    owner: Any
    name: str
    method: str
    changes: bool = False


class Listeners:
    """Those of one sort, of which each listens for a while.

    Args:
        events: Gives the events; called when the first listens.
    """

    def __init__(self, events: Callable[[], Sequence[Event]]) -> None:
        self._events = events
        self._members: list[Any] = []
        self._installed: list[tuple[Any, str, Callable[..., Any]]] = []

    @contextmanager
    def joined(self, member: Any) -> Iterator[None]:
        """A context in which the methods of an object are called."""
        self._install()
        self._members.append(member)
        try:
            yield
        finally:
            self._members = [one for one in self._members if one is not member]
            if not reuse.at_end(self._remove):
                self._remove()

    def _install(self) -> None:
        from sqlalchemy import event

        if self._installed:
            return
        for one in self._events():
            listener = self._changing(one.method) if one.changes else self._calling(one.method)
            event.listen(one.owner, one.name, listener, **({"retval": True} if one.changes else {}))
            self._installed.append((one.owner, one.name, listener))

    def _remove(self) -> None:
        from sqlalchemy import event

        if not self._members:
            while self._installed:
                event.remove(*self._installed.pop())

    def _calling(self, method: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            for member in self._members:
                if (given := getattr(member, method)(*arguments)) is not None:
                    return given
            return None

        return call

    def _changing(self, method: str) -> Callable[..., Any]:
        def change(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> tuple[str, Any]:
            for member in self._members:
                statement, parameters = getattr(member, method)(connection, cursor, statement, parameters, *more)
            return statement, parameters

        return change
