"""The orders of a run that are not begun yet, and how many of each server are under way."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from framefox_tasks.fleet.work import Order

ServerOf = Callable[[Order], str]


class Waiting:
    """Orders that wait; threads may take them.

    Args:
        orders: In the order in which they are taken, but that one whose server is full is passed over.
        per_server: How many of one server are under way at a time; None for no limit.
        server_of: The server that an order is about; empty for none.

    Attributes:
        closed: Whether no more are begun.
    """

    def __init__(self, orders: Sequence[Order], per_server: int | None, server_of: ServerOf) -> None:
        self._orders = deque(orders)
        self._per_server = per_server
        self._server_of = server_of
        self._under_way: dict[str, int] = {}
        self.closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._orders)

    def take(self, *, wait: bool = True) -> Order | None:
        """The next order whose server has room; None where there is none any more, or without `wait` none now."""
        with self._changed:
            while self._orders:
                if order := self._next():
                    return order
                if not wait:
                    return None
                self._changed.wait()
            return None

    def _next(self) -> Order | None:
        for index, order in enumerate(self._orders):
            server = self._server_of(order)
            if not (server and self._per_server) or self._under_way.get(server, 0) < self._per_server:
                del self._orders[index]
                self._under_way[server] = self._under_way.get(server, 0) + 1
                return order
        return None

    def ended(self, order: Order) -> None:
        """Make room for another of the same server."""
        with self._changed:
            self._under_way[self._server_of(order)] -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Begin no more."""
        with self._changed:
            self.closed = True
            self._orders.clear()
            self._changed.notify_all()
