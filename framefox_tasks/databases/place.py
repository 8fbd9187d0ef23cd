"""What the places of all databases have in common: their errors, and the notes of their last statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from framefox_tasks.databases.contract import Loader
from framefox_tasks.databases.rows import Statement
from framefox_tasks.errors import ConnectionFailedError, ConnectionLostError, DatabaseInUseError, TargetNotEmptyError
from framefox_tasks.model import Target


@contextmanager
def commit_in_doubt(target: Target) -> Iterator[None]:
    """A context in which a connection that ends, or cannot be opened, leaves the commit in doubt."""
    try:
        yield
    except ConnectionFailedError as exc:
        raise ConnectionLostError(
            exc.message,
            hint=f"It ended at the last step: see whether {target.label} is as it was or the copy, and copy again.",
        ) from exc


def copy_running(target: Target) -> DatabaseInUseError:
    """The error for a target that another copy is made to."""
    return DatabaseInUseError(
        f"Another copy to {target.label} is running.", hint="Wait until it has ended, or choose another target."
    )


def target_not_empty(target: Target, count: int, things: str = "tables") -> TargetNotEmptyError:
    """The error for a target that holds tables, and may not be overwritten."""
    return TargetNotEmptyError(
        f"The target {target.label} holds {'a table' if count == 1 else f'{count} {things}'} already; "
        "nothing was changed.",
        hint="Replace all of it with: --overwrite",
    )


def run_all(loader: Loader, statements: Iterable[Statement]) -> list[str]:
    """Run statements; gives a note for each optional one that was refused."""
    refused = [(statement.about, loader.execute(statement)) for statement in statements]
    return [f"{about}: {reason}" for about, reason in refused if reason]
