"""A fleet's work on an executor of `concurrent.futures` that somebody else has made.

A worker that is lost may break all of it: then the databases themselves say what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait

from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.fleet.waiting import ServerOf, Waiting
from framefox_tasks.fleet.work import Order, carry_out
from framefox_tasks.results import FleetOutcome
from framefox_tasks.url import redact

_LOOK_SECONDS = 2.0
"""How long to wait for an outcome before it is looked whether all workers are lost."""

Settle = Callable[[Order, str], FleetOutcome]
"""Gives the outcome of an order whose worker was lost, by where its database stands; gets how it was lost."""


class OnExecutor:
    """An executor that carries out orders.

    Args:
        executor: The executor; who made it ends it.
        jobs: How many it is given at a time.
        root: The folder of the project where the work runs, for orders without a target; empty for the current one.
        settle: See Settle.
        per_server: How many of them are of one server; None for no limit.
        server_of: The server that an order is about; empty for none.
        is_gone: Whether all workers are lost: then no more are begun.
    """

    def __init__(
        self,
        executor: Executor,
        jobs: int,
        *,
        settle: Settle,
        root: str = "",
        per_server: int | None = None,
        server_of: ServerOf = lambda _: "",
        is_gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self._executor = executor
        self._jobs = jobs
        self._root = root
        self._settle = settle
        self._per_server = per_server
        self._server_of = server_of
        self._is_gone = is_gone
        self._waiting: Waiting | None = None

    def stop(self) -> None:
        """Begin no more of them. What runs is gone on with, and its outcome is given."""
        if self._waiting:
            self._waiting.close()

    def outcomes(self, orders: Sequence[Order]) -> Iterator[FleetOutcome]:
        """Carry out orders; gives the outcomes as they come."""
        waiting = self._waiting = Waiting(orders, self._per_server, self._server_of)
        out: dict[Future[FleetOutcome], Order] = {}
        while waiting or out:
            while len(out) < self._jobs and (order := waiting.take(wait=False)):
                try:
                    out[self._executor.submit(carry_out, order, self._root)] = order
                except RuntimeError as exc:  # it is broken, or was shut down
                    waiting.ended(order)
                    yield self._settle(order, _loss(exc))
            ended = wait(out, _LOOK_SECONDS, FIRST_COMPLETED).done if out else ()
            for future in ended:
                order = out.pop(future)
                waiting.ended(order)
                yield self._outcome(future, order)
            if not self._is_gone():
                continue
            waiting.close()
            while out and not ended:  # nobody answers any more, also not that they are cancelled
                future, order = out.popitem()
                future.cancel()
                waiting.ended(order)
                yield self._settle(order, _loss(CancelledError()))

    def _outcome(self, future: Future[FleetOutcome], order: Order) -> FleetOutcome:
        try:
            return future.result()
        except FramefoxTasksError as exc:
            return self._settle(order, exc.message)
        except (Exception, CancelledError) as exc:  # noqa: BLE001 - of whatever executor: the work itself raises nothing
            return self._settle(order, _loss(exc))


def _loss(exc: BaseException) -> str:
    """How a worker was lost, as a sentence."""
    text = redact(" ".join(str(exc).split()))
    return f"The worker was lost: {type(exc).__name__}{f': {text}' if text else ''}."
