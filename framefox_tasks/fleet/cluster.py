"""A fleet's work on a cluster of Dask: tasks carry names of targets, and workers look up the rest where they are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from framefox_tasks.errors import ConfigError, ConnectionFailedError, DriverMissingError, FleetError
from framefox_tasks.fleet.worker import allowed_failures, versions
from framefox_tasks.url import redact

_SECONDS = 15
_CLOSING = 5  # seconds, where the scheduler is gone
_START = "dask worker ADDRESS --nthreads 1 --preload framefox_tasks.fleet.worker"


class Cluster(NamedTuple):
    """A cluster that is connected to.

    Attributes:
        executor: Its executor.
        jobs: How many targets it works on at a time.
        is_gone: Whether its scheduler is lost.
        note: What is to be known of it; empty for nothing.
    """

    executor: Any
    jobs: int
    is_gone: Callable[[], bool]
    note: str


def check_address(address: str, *, insecure: bool) -> None:
    """Refuse an address of a scheduler over which anybody could send work, beyond this machine.

    Raises:
        ConfigError: It is no address, or is not encrypted.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("tls", "tcp") or not parts.hostname:
        raise ConfigError(
            f"{address!r} is no address of a scheduler.", hint="As in --cluster=tls://scheduler.example.org:8786"
        )
    if parts.scheme == "tcp" and not insecure and not _is_loopback(parts.hostname):
        raise ConfigError(
            f"{address} is neither encrypted nor authenticated: whoever reaches it runs what he likes on the workers.",
            hint="Use tls:// with certificates (docs/fleet.md), or say that the network is yours alone: --insecure",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


@contextmanager
def connected(address: str, *, insecure: bool = False) -> Iterator[Cluster]:
    """A connection to a cluster. Certificates are those of Dask's own configuration.

    Args:
        address: That of its scheduler.
        insecure: Whether one that is not encrypted may be beyond this machine.

    Raises:
        ConfigError: See check_address.
        DriverMissingError: Dask is not installed.
        ConnectionFailedError: The scheduler does not answer, or refuses.
        FleetError: There are no workers, or they have another version of this package.
    """
    check_address(address, insecure=insecure)
    try:
        import distributed
    except ImportError as exc:
        raise DriverMissingError(
            f"Dask cannot be imported: {exc}", hint='Install it: pip install "framefox-tasks[dask]"'
        ) from exc
    # What is lost is told for its targets; its traceback says no more.
    for name in ("distributed", *(name for name in logging.root.manager.loggerDict if name.startswith("distributed."))):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    connect: Any = distributed.Client  # whose methods have no types
    try:
        client = connect(address, timeout=_SECONDS, set_as_default=False)
    except Exception as exc:  # whatever its transports raise
        raise ConnectionFailedError(
            f"The scheduler {address} cannot be reached: {type(exc).__name__}: {redact(' '.join(str(exc).split()))}",
            hint="Check that it runs, and that the certificates are those of docs/fleet.md.",
        ) from exc
    try:
        yield _cluster(client, address)
    finally:
        client.close(timeout=_CLOSING)


def _cluster(client: Any, address: str) -> Cluster:
    threads = client.nthreads()
    if not threads:
        raise FleetError(
            f"The scheduler {address} has no workers.", hint=f"Start one: {_START.replace('ADDRESS', address)}"
        )
    ours = versions()
    try:
        theirs = client.run(versions)
    except Exception as exc:  # as where the package is not installed
        raise FleetError(
            f"The workers of {address} cannot run this package: {type(exc).__name__}: {redact(str(exc))}",
            hint=f"Start them in an environment that has it: {_START.replace('ADDRESS', address)}",
        ) from exc
    for worker, found in theirs.items():
        if found != ours:
            differing = ", ".join(
                f"{name} {found.get(name)}, not {own}" for name, own in ours.items() if found.get(name) != own
            )
            raise FleetError(
                f"The worker {worker} has {differing}.", hint="Install the same versions there, and start it again."
            )
    # Not `retries`: a task that failed has told so in its outcome.
    executor = client.get_executor(retries=0, pure=False)
    return Cluster(executor, sum(threads.values()), lambda: client.status != "running", _note(client))


def _note(client: Any) -> str:
    try:
        times = client.run_on_scheduler(allowed_failures)
    except Exception:  # noqa: BLE001 - as where the scheduler has not this package: then it is not known
        return "How often the scheduler begins the target of a lost worker again cannot be told."
    if not times:
        return ""
    return (
        f"The scheduler begins the target of a lost worker up to {times} times again by itself; "
        "its lock, its journal and its revision keep that from harm."
    )
