"""Where the targets of a fleet stand: each is asked over a raw driver connection, and nothing heavy is imported."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.databases.verbs import Standing
from framefox_tasks.errors import (
    DatabaseInUseError,
    DatabaseNotFoundError,
    FramefoxTasksError,
    MigrationError,
    NotADatabaseError,
)
from framefox_tasks.fleet.outline import Outline, outline_of
from framefox_tasks.fleet.targets import FleetTarget, aimed, at
from framefox_tasks.model import Target
from framefox_tasks.results import AtState, FleetStanding, FleetStatus

_PER_SERVER = 4
_THREADS = 32
Asked = Standing | FramefoxTasksError


def fleet_status(targets: Sequence[FleetTarget], project_of: Target, *, per_server: int | None = None) -> FleetStatus:
    """Where the targets of a fleet stand. Changes nothing.

    Args:
        targets: The fleet.
        project_of: A target of the project whose history it has.
        per_server: How many connections one server gets at a time.

    Raises:
        MigrationError: The history cannot be read.
    """
    start = time.perf_counter()
    outline = outline_of(project_of)
    found = standings(targets, outline, outline.at_heads, per_server=per_server)
    return FleetStatus(outline.at_heads, tuple(found), time.perf_counter() - start)


def standings(
    targets: Sequence[FleetTarget], outline: Outline, wanted: tuple[str, ...], *, per_server: int | None = None
) -> list[FleetStanding]:
    """Where each target stands, in their order.

    Args:
        targets: The fleet.
        outline: Its history.
        wanted: The revisions that it is to be at.
        per_server: As for fleet_status.
    """
    asked: dict[int, Asked] = {}
    usable = [(index, one.target) for index, one in enumerate(targets) if one.target and not one.error]
    asked.update((index, _ask([target])[0]) for index, target in usable if target.address.is_file)
    parts = list(_of_servers([(index, target) for index, target in usable if not target.address.is_file]))
    if parts:
        with ThreadPoolExecutor(min(_THREADS, len(parts) * (per_server or _PER_SERVER))) as pool:
            work = [list(share) for part in parts for share in _shares(part, per_server or _PER_SERVER)]
            for share, answers in zip(
                work, pool.map(lambda share: _ask([each for _, each in share]), work), strict=True
            ):
                asked.update((index, answer) for (index, _), answer in zip(share, answers, strict=True))
    return [
        _unusable(one, one.error) if one.error else standing_of(one, asked[index], outline, wanted)
        for index, one in enumerate(targets)
    ]


def _of_servers(targets: Sequence[tuple[int, Target]]) -> Iterator[list[tuple[int, Target]]]:
    ordered = sorted(targets, key=lambda item: item[1].server)
    yield from (list(part) for _, part in groupby(ordered, key=lambda item: item[1].server))


def _shares(part: list[tuple[int, Target]], count: int) -> Iterator[list[tuple[int, Target]]]:
    """What each connection to a server asks: the schemas of one database by one connection."""
    ordered = sorted(part, key=lambda item: item[1].address.database)
    by_database = [list(items) for _, items in groupby(ordered, key=lambda item: item[1].address.database)]
    if len(by_database) < count:  # schemas: a connection a database is enough
        yield from by_database
        return
    yield from filter(None, ([item for items in by_database[first::count] for item in items] for first in range(count)))


def _ask(targets: Sequence[Target]) -> list[Asked]:
    answers: list[Asked] = []
    with reusing():
        for _, part in groupby(targets, key=lambda target: target.address.database):
            same = list(part)
            answers += database_of(same[0]).standings(same)
    return answers


def standing_of(one: FleetTarget, asked: Asked, outline: Outline, wanted: tuple[str, ...]) -> FleetStanding:
    """Where a target stands, of what it has answered."""
    if isinstance(asked, FramefoxTasksError):
        return _failed(one, asked)
    current, journaled = asked
    if unknown := outline.unknown(current):
        return FleetStanding(
            one.name,
            one.label,
            "other history",
            current,
            message=f"{one.label} is at {', '.join(unknown)}, which has no file here.",
            hint="Check out the branch that it was upgraded from, or take it out of the list.",
        )
    pending = outline.pending(current, wanted)
    if journaled and (message := _half_done(one)):
        hint = f"See the ways on from there: {at(one.target)}doit database_status"
        return FleetStanding(one.name, one.label, "half-done", current, pending, message, hint)
    return FleetStanding(one.name, one.label, "behind" if pending else "at head", current, pending)


def _half_done(one: FleetTarget) -> str:
    """Which migration runs or was interrupted, and what of it is done; empty where no more than its journal is left."""
    from framefox_tasks.migrations.journal.interruption import interruption

    assert one.target is not None  # noqa: S101 - it has answered
    try:
        found = interruption(one.target)
    except FramefoxTasksError as exc:
        return f"A migration of {one.label} runs, or was interrupted; its journal cannot be read: {exc.message}"
    if found is None:
        return ""
    if found.runs:
        return f"{found.title} runs in {one.label}: {found.begun}."
    return f"{found.title} was interrupted in {one.label}: {found.begun}. {' '.join(found.state.splitlines())}"


def _failed(one: FleetTarget, error: FramefoxTasksError) -> FleetStanding:
    state: AtState = "unreachable"
    if isinstance(error, DatabaseNotFoundError):
        name = one.name
        return FleetStanding(
            name, one.label, "missing", message=error.message, hint=f"Make it with: doit fleet_create --name={name}"
        )
    if isinstance(error, (NotADatabaseError, MigrationError)):
        state = "unusable"
    if isinstance(error, DatabaseInUseError):
        state = "unreachable"
    hint = aimed(error.hint or "", one.target)
    return FleetStanding(one.name, one.label, state, message=error.message, hint=hint)


def _unusable(one: FleetTarget, error: FramefoxTasksError) -> FleetStanding:
    return FleetStanding(one.name, one.label, "unusable", message=error.message, hint=error.hint or "")
