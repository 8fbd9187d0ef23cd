"""What a worker or a scheduler of Dask loads at its start: `dask worker ... --preload framefox_tasks.fleet.worker`."""

from __future__ import annotations

import logging
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from framefox_tasks.errors import FramefoxTasksError

_LOG = logging.getLogger("distributed.preloading")
_PACKAGES = ("framefox-tasks", "alembic", "sqlalchemy")


def versions() -> dict[str, str]:
    """The versions of what decides what a migration or a copy does, and the digest of the code of this package."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return {**found, "code": code_digest()}


@cache
def code_digest() -> str:
    """The digest of the source files of this package: one checkout of a version need not be as another."""
    root, found = Path(__file__).parents[1], sha256()
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        found.update(f"{path.relative_to(root).as_posix()}\0{sha256(content).hexdigest()}\n".encode())
    return found.hexdigest()[:12]


def allowed_failures(dask_scheduler: Any = None) -> int:
    """How often a scheduler begins the task of a dead worker again; run on it."""
    return int(dask_scheduler.allowed_failures)


def dask_setup(server: Any) -> None:
    """Called by Dask: have a scheduler begin nothing twice; check of a worker that it can do the work.

    Raises:
        FramefoxTasksError: The current folder is no project with a fleet, or with copies: the worker does not start.
    """
    if hasattr(server, "allowed_failures"):
        server.allowed_failures = 0
        return
    from framefox_tasks.fleet.outline import digest_of
    from framefox_tasks.fleet.targets import fleet_of
    from framefox_tasks.settings import load_settings

    told = ", ".join(f"{name} {found}" for name, found in versions().items())
    try:
        settings = load_settings(Path.cwd())
        if settings.fleet is None and (settings.copies.chains or settings.copies.url):
            _LOG.info("Worker of copies in %s: %s", Path.cwd(), told)
            return
        fleet_of(settings)
    except FramefoxTasksError as exc:
        _LOG.error("This worker cannot work on a fleet: %s", exc)
        raise
    _LOG.info("Fleet worker in %s: %s, history %s", Path.cwd(), told, digest_of(settings.target.project)[:12])
