"""The forecast of the tasks: what they would do now, and why, for the status."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit.dependency import UptodateCalculator

from framefox_tasks.settings import in_use
from framefox_tasks.tasks.freshness import has_failed, no_run_known, reason_of
from framefox_tasks.tasks.freshness.state import listed

if TYPE_CHECKING:
    from framefox_tasks.results import Forecast

_TASKS = ("database_metadata", "database_create_migration", "database_upgrade")
_SENTENCES = (("changed_file_dep", "changed"), ("removed_file_dep", "is gone"))
_BEHIND = {"database_metadata": ("database_create_migration", "database_diagram")}


class Forecasts(UptodateCalculator):  # type: ignore[misc]  # doit ships no type information
    """As the `uptodate` of a task it makes that always run, and gets from doit what it needs to look at the others."""

    def __init__(self) -> None:
        super().__init__()
        self._manager: Any = None
        self._of = f":{in_use()}" if in_use() else ""

    def setup(self, dep_manager: Any, tasks_dict: dict[str, Any]) -> None:
        """Called by doit before it asks."""
        super().setup(dep_manager, tasks_dict)
        self._manager = dep_manager

    def __call__(self) -> bool:
        """What doit asks."""
        return False

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: a process of its own, as of `doit -n`, cannot look into doit's memory."""
        return {"_manager": None, "tasks_dict": None, "_of": ""}

    def __iter__(self) -> Iterator[Forecast]:
        """One for each task that derives something, or brings the database up to date."""
        from framefox_tasks.results import Forecast

        stale: set[str] = set()
        for name in self._names() if self._manager else ():
            behind = name.partition(":")[0]
            waits_for = next((task for task in stale if behind in _BEHIND.get(task.partition(":")[0], ())), None)
            task = self.tasks_dict[name]
            status = self._manager.get_status(task, self.tasks_dict, get_log=True)
            runs = status.status != "up-to-date"
            if waits_for and not (runs and reason_of(task, up_to_date=False)):
                yield Forecast(name, None, f"{waits_for} runs first")
                continue
            if runs:
                stale.add(name)
            why = _why(task, status.reasons or {}) if runs else reason_of(task, up_to_date=True)
            yield Forecast(name, not runs, why)

    def _names(self) -> Iterator[str]:
        yield from (name for task in _TASKS if (name := f"{task}{self._of}") in self.tasks_dict)
        # Only those that have been drawn: not everybody wants diagrams.
        for name, task in self.tasks_dict.items():
            if _diagram_of(task, self._of) and any(Path(path).exists() for path in task.targets):
                yield name


def _diagram_of(task: Any, database: str) -> bool:
    """Whether a task draws a diagram of one of several databases, or of the default one."""
    return bool(task.subtask_of == f"database_diagram{database}" and task.actions)


def _why(task: Any, reasons: dict[str, Any]) -> str:
    if found := reason_of(task, up_to_date=False):
        return found
    if has_failed(task):  # all its files look changed then
        return no_run_known(task)
    for key, what in _SENTENCES:
        if files := reasons.get(key):
            return listed(files, what)
    return no_run_known(task)
