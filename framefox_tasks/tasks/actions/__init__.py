"""The seam between doit and the operations.

A task names its action as "module:function" of this package. Nothing behind it is imported before the task runs. What
an operation gives is shown by report; what it raises becomes doit's TaskFailed.
"""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from doit.exceptions import TaskError, TaskFailed

from framefox_tasks.commands import of_database, told_of
from framefox_tasks.databases import database_of
from framefox_tasks.errors import DatabaseNotFoundError, FleetStoppedError, FramefoxTasksError, MigrationError
from framefox_tasks.model import Target
from framefox_tasks.settings import configured, in_use, using
from framefox_tasks.tasks.signals import ending, exit_code
from framefox_tasks.url import redact

_hidden: list[Target] = []


def action(name: str, *, configured_first: bool = True) -> Callable[..., Any]:
    """A doit action that calls "module:function" of this package with the settings and the task's options.

    Args:
        name: The function.
        configured_first: Whether it needs the settings; else it gets None, as they may be wrong.
    """
    database = in_use()

    def run(**options: Any) -> Any:
        with using(database), told_of(database):
            return _run(name, options, configured_first=configured_first)

    run.__name__ = name.replace(":", "_")
    return run


def _run(name: str, options: dict[str, Any], *, configured_first: bool) -> Any:
    module, _, function = name.partition(":")
    try:
        return _called(module, function, options, configured_first=configured_first)
    finally:
        gc.freeze()  # nor need the interpreter look through them all once more when it ends


def _called(module: str, function: str, options: dict[str, Any], *, configured_first: bool) -> Any:
    with ending() as signalled:
        try:
            result = _ended(module, function, options, configured_first=configured_first)
        except KeyboardInterrupt:
            result = TaskFailed("Interrupted." if module == "fleet" else _redacted(_interrupted()))
    if signalled.number and isinstance(result, TaskFailed):
        sys.stderr.write(f"{result.get_msg().strip()}\n")
        # Python remembers an interrupt that went through the exec() of a text, as while a dataclass is made, and under
        # `python -m` ends itself by that signal, whatever the exit code. The next text makes it forget.
        exec("")  # noqa: S102 - see above
        raise SystemExit(exit_code(signalled.number))
    return result


def _interrupted() -> str:
    """What the database is, after a task was interrupted: all that was not committed is rolled back."""
    from framefox_tasks.migrations.journal.interruption import interruption

    try:
        target = configured().target
    except FramefoxTasksError:
        return "Interrupted."
    try:
        revision = database_of(target).revision(target)
        half_done = interruption(target)
    except DatabaseNotFoundError:
        return f"Interrupted. The database {target.label} does not exist."
    except FramefoxTasksError as exc:
        return f"Interrupted. Where the database stands cannot be told: {exc.message}"
    where = f"The database {target.label} is at {', '.join(revision) or 'no revision'}."
    if half_done and not half_done.runs:
        state = " ".join(half_done.state.splitlines())
        return f"Interrupted. {where} A part of {half_done.revision} is committed. {state} See: doit database_status"
    return f"Interrupted. {where}"


def _ended(module: str, function: str, options: dict[str, Any], *, configured_first: bool) -> Any:
    try:
        adapter = getattr(import_module(f"{__name__}.{module}"), function)
        return adapter(configured() if configured_first else None, **options)
    except FramefoxTasksError as exc:
        warned = "".join(f"Warning: {text}\n" for text in exc.warnings) if isinstance(exc, MigrationError) else ""
        hint = f"\n{exc.hint}" if exc.hint else ""
        # doit's exit code is 1 for the one, and 2 for the other.
        kind = TaskError if isinstance(exc, FleetStoppedError) else TaskFailed
        return kind(_redacted(f"{warned}{exc.message}{hint}"))
    except Exception as exc:  # noqa: BLE001 - reported with its traceback, but without a password
        failure = TaskError(_redacted(f"Unexpected error: {exc}"))
        failure.traceback = [_redacted(line) for line in traceback.format_exception(exc)]
        return failure


def hide(*targets: Target) -> None:
    """Hide the passwords of these databases, too, in the report of a failure."""
    _hidden.extend(targets)


def _redacted(text: str) -> str:
    with suppress(FramefoxTasksError):
        text = of_database(configured().target.address.hide(text), in_use())
    for target in _hidden:
        with suppress(FramefoxTasksError):
            text = target.address.hide(text)
    return redact(text)
