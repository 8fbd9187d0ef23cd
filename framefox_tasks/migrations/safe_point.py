"""The points at which a run can be ended without leaving a migration half-done, where it cannot be rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class _State:
    def __init__(self) -> None:
        self.running = False
        self.commits = False
        self.asked = False


_state = _State()


@contextmanager
def migrating(*, commits: bool) -> Iterator[None]:
    """A context in which a migration runs.

    Args:
        commits: Whether it leaves something behind when it is ended, from its begin on.
    """
    _state.running, _state.commits = True, commits
    try:
        yield
    except BaseException:
        _state.asked = False
        raise
    finally:
        _state.running = _state.commits = False


def committed() -> None:
    """The migration that runs has committed something by itself."""
    _state.commits = _state.running


def wait_for() -> bool:
    """Ask for the run to be ended at the next point; False where there is nothing to wait for."""
    if not _state.commits:
        return False
    _state.asked = True
    return True


def reached() -> None:
    """Between two migrations.

    Raises:
        KeyboardInterrupt: It was asked for.
    """
    if _state.asked:
        _state.asked = False
        raise KeyboardInterrupt
