"""doit's report of a run, with the reason why a task runs or is up to date, and failures on stderr."""

from __future__ import annotations

import gc
import sys
from typing import Any

from doit import Globals, doit_cmd
from doit.doit_cmd import DoitMain
from doit.reporter import ConsoleReporter

from framefox_tasks.tasks.freshness import FAILED, has_failed, reason_of
from framefox_tasks.tasks.freshness.state import listed
from framefox_tasks.tasks.state_file import guard
from framefox_tasks.url import redact, redacted

BARE = "bare_output"
"""The key of a task's meta for output that another program reads: no marks among it."""


SAID = "said_by_framefox"
"""The key of a task's meta for what Framefox says when there is nothing to do."""
_SCRIPT = "framefox-tasks"


EXPLAINED = "tells_why"
"""The key of a task's meta that has its reason shown when it runs."""


def warn_of_variables() -> None:
    """Warn of values that doit took for variables of its own: the option before one has lost its value."""
    for name, value in (doit_cmd._CMDLINE_VARS or {}).items():
        shown = redact(f"{name}={value}")
        sys.stderr.write(
            f"Note: doit reads {shown} as a variable, not as an option's value. "
            f"To give it to an option, join the two: --option='{shown}'\n"
        )


def hide_passwords() -> None:
    """Hide the passwords of the command line on stderr: doit quotes all of it where an option is not known."""
    sys.stderr = redacted(sys.stderr, sys.argv)


class Reporter(ConsoleReporter):  # type: ignore[misc]  # doit ships no type information
    """doit's console reporter with the same marks: `.` for a run, `--` for up to date, `!!` for ignored."""

    desc = "doit's console output, with the reason why a task runs or is up to date"

    def write(self, text: str) -> None:
        """Write to the output. A reader that has gone, as in `| head`, or a full disk does not stop the tasks."""
        if self.outstream is None:  # closed from the start
            return
        try:
            super().write(text)
            self.outstream.flush()
        except OSError as exc:
            from framefox_tasks.report import unwritable

            unwritable(self.outstream, exc)

    def initialize(self, tasks: Any, selected_tasks: Any) -> None:
        """Called before the first task."""
        super().initialize(tasks, selected_tasks)
        if Globals.dep_manager is not None:
            guard(Globals.dep_manager)

    def execute_task(self, task: Any) -> None:
        """Called when a task starts. Until it has succeeded it counts as failed: an interrupt ends it at once."""
        if Globals.dep_manager is not None and task.actions and not has_failed(task):
            Globals.dep_manager.backend.set(task.name, FAILED, True)
        meta = task.meta or {}
        if not meta.get(BARE) and task.actions and task.name[0] != "_":
            explained = meta.get(EXPLAINED)
            # All at once is what doit says when it has forgotten the task, as after a failure.
            some = 0 < len(task.dep_changed) < len(task.file_dep)
            changed = listed(task.dep_changed, "changed") if some else ""
            why = (reason_of(task, up_to_date=False) or changed) if explained else ""
            self.write(f".  {task.title()}  {why}".rstrip() + "\n")

    def skip_uptodate(self, task: Any) -> None:
        """Called when a task is up to date."""
        why = reason_of(task, up_to_date=True)
        if task.name[0] != "_":
            self.write(f"-- {task.title()}  {why}\n" if why else f"-- {task.title()}\n")
            # Who types the commands of Framefox expects what its pages show.
            if (said := (task.meta or {}).get(SAID)) and DoitMain.BIN_NAME == _SCRIPT:
                self.write(f"{said}\n")

    def add_success(self, task: Any) -> None:
        """Called when a task has succeeded."""
        super().add_success(task)
        if has_failed(task):
            Globals.dep_manager.backend.set(task.name, FAILED, False)

    def add_failure(self, task: Any, fail: Any) -> None:
        """Called when a task has failed. doit forgets all that it knows of it; that it failed is kept."""
        super().add_failure(task, fail)
        if Globals.dep_manager is not None:
            Globals.dep_manager.backend.set(task.name, FAILED, True)

    def complete_run(self) -> None:
        """Called after the last task."""
        super().complete_run()
        gc.freeze()  # the interpreter, when it ends, need not look through all objects once more

    def _write_failure(self, result: Any, write_exception: bool = True) -> None:
        self.write("")
        sys.stderr.write(f"{result['exception'].get_name()} - taskid:{result['task'].name}\n")
        if write_exception:
            sys.stderr.write(f"{result['exception'].get_msg()}\n")
