"""The turns that runs take on one database, as a task was asked to wait for them."""

from __future__ import annotations

from framefox_tasks import report
from framefox_tasks.frozen import replace
from framefox_tasks.model import Target
from framefox_tasks.settings import Settings, seconds_in


def in_turn(settings: Settings, lock_wait: str | None) -> Target:
    """The target of a task that changes it; says so where nothing keeps it apart from other runs.

    Args:
        settings: The settings.
        lock_wait: For how many seconds to wait for another run; as the settings say if None.

    Raises:
        ConfigError: That is no number.
    """
    target = waiting_as(settings.target, lock_wait)
    note_unlocked(target)
    return target


def waiting_as(target: Target, lock_wait: str | None) -> Target:
    """A target with another time to wait for other runs."""
    if lock_wait is None:
        return target
    seconds = seconds_in(lock_wait.strip(), "--lock-wait", hint="As in: --lock-wait=120")
    return replace(target, lock_wait=seconds)


def note_unlocked(target: Target) -> None:
    """Say that the lock is switched off, where it is."""
    if not target.lock:
        report.warn("The lock is off (`lock: false`): nothing keeps another run from changing the database meanwhile.")
