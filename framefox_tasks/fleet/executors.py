"""A fleet's work on an executor of `concurrent.futures` that somebody else has made.

A worker that is lost may break all of it: then the databases themselves say what was done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait

from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.fleet.work import Order, carry_out
from framefox_tasks.results import FleetOutcome
from framefox_tasks.url import redact

Settle = Callable[[Order, str], FleetOutcome]
"""Gives the outcome of an order whose worker was lost, by where its database stands; gets how it was lost."""


class OnExecutor:
    """An executor that carries out orders.

    Args:
        executor: The executor; who made it ends it.
        jobs: How many it is given at a time.
        root: The folder of the project where the work runs, for orders without a target; empty for the current one.
        settle: See Settle.
        options: More for each submit(), as that of a cluster takes.
    """

    def __init__(
        self, executor: Executor, jobs: int, *, root: str = "", settle: Settle, options: dict[str, object] | None = None
    ) -> None:
        self._executor = executor
        self._jobs = jobs
        self._root = root
        self._settle = settle
        self._options = options or {}
        self._waiting: deque[Order] = deque()

    def stop(self) -> None:
        """Begin no more of them."""
        self._waiting.clear()

    def outcomes(self, orders: Sequence[Order]) -> Iterator[FleetOutcome]:
        """Carry out orders; gives the outcomes as they come."""
        self._waiting = deque(orders)
        out: dict[Future[FleetOutcome], Order] = {}
        while self._waiting or out:
            while self._waiting and len(out) < self._jobs:
                order = self._waiting.popleft()
                try:
                    out[self._executor.submit(carry_out, order, self._root, **self._options)] = order
                except RuntimeError as exc:  # it is broken, or was shut down
                    yield self._settle(order, _loss(exc))
            ended = wait(out, return_when=FIRST_COMPLETED).done if out else ()
            for future in ended:
                yield self._outcome(future, out.pop(future))

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
