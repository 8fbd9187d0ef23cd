"""Ranges of the large tables of a copy on a cluster: a worker finds both databases in its own settings."""

from __future__ import annotations

import traceback
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path

from framefox_tasks.copies.range_order import RangeOrder, RangeOutcome, carry_out, databases_digest
from framefox_tasks.errors import ConfigError, FramefoxTasksError
from framefox_tasks.fleet.cluster import Cluster
from framefox_tasks.frozen import replace
from framefox_tasks.model import Target
from framefox_tasks.settings import URL_VARIABLE, load_settings
from framefox_tasks.url import redact


class ClusterRanges:
    """The workers of a cluster, for a copy; see RangeWorkers.

    Args:
        cluster: The cluster.
        name: What to call it.
        copy: The name of the copy in the settings; empty for that of a command line.
        stamp: The time in the name of its target.
    """

    def __init__(self, cluster: Cluster, name: str, *, copy: str = "", stamp: str = "") -> None:
        self._cluster = cluster
        self.name = name
        self.copy = copy
        self.stamp = stamp

    def submit(self, order: RangeOrder) -> Future[RangeOutcome]:
        """Have an order carried out."""
        found: Future[RangeOutcome] = self._cluster.executor.submit(range_outcome, order)
        return found

    def is_gone(self) -> bool:
        """Whether its scheduler is lost."""
        return self._cluster.is_gone()


def range_outcome(order: RangeOrder, root: str = "") -> RangeOutcome:
    """Load a range in whatever process this is called. Whatever goes wrong is told in the outcome, without a password.

    Args:
        order: What to load.
        root: The folder of the project; empty for the current one.
    """
    try:
        return carry_out(order, *_sides(order.copy, order.stamp, order.databases, order.run, root))
    except FramefoxTasksError as exc:
        return RangeOutcome(order.number, message=redact(exc.message), hint=redact(exc.hint or ""))
    except Exception as exc:  # noqa: BLE001 - as of a driver: told for its range
        return RangeOutcome(order.number, message=redact("".join(traceback.format_exception_only(exc)).strip()))


@lru_cache(maxsize=4)
def _sides(copy: str, stamp: str, databases: str, run: str, root: str) -> tuple[Target, Target, str | None]:  # noqa: ARG001 - once a run
    """Both databases by the settings of this worker, if they are those that are meant; and the salt of the masks."""
    settings = load_settings(Path(root) if root else Path.cwd())
    if not copy:
        if not settings.copies.url:
            raise ConfigError(
                f"The worker does not know where the copy goes: {URL_VARIABLE} is not set there.",
                hint="Give the worker the variables, and start it again.",
            )
        sides = settings.target, replace(settings.target, url=settings.copies.url)
    elif copy in settings.copies.chains:
        named = settings.copies.named(copy)
        sides = named.source, named.target(stamp)
    else:
        raise ConfigError(f"The settings of the worker name no copy {copy}.", hint="Give the worker the same checkout.")
    if databases_digest(*sides) != databases:
        raise ConfigError(
            f"The worker would copy {sides[0].label} to {sides[1].label}, which are not the databases that are meant.",
            hint="Give the worker the variables of this copy, and start it again.",
        )
    return *sides, settings.copies.salt
