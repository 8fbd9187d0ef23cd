"""The invocation of a task: one that loses data runs only by name."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from framefox_tasks import report
from framefox_tasks.errors import ConfigError, ConfirmationRequiredError


class Invocation(NamedTuple):
    """How a task came to run.

    Attributes:
        task: Its name.
        named: Whether the user named it, or a task that needs it; None where doit does not say.
        values: What its last run left.
    """

    task: str
    named: bool | None
    values: dict[str, Any]


def skip_unnamed(invocation: Invocation | None, would: str) -> bool:
    """Whether a task is skipped because nobody named it; reports that.

    Args:
        invocation: How it came to run.
        would: What it would do, as "revert migrations".

    Raises:
        ConfigError: doit does not say what was named.
    """
    if invocation is None or invocation.named is None:
        raise ConfigError(
            f"This would {would}, and doit does not tell whether that was asked for by name. Nothing was changed.",
            hint="Use the run command of doit 0.36 or 0.37, or call the function of framefox_tasks from Python.",
        )
    if not invocation.named:
        report.say(f"Skipped: it would {would}. To run it, name it: doit {invocation.task}")
    return not invocation.named


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())


def confirm(question: str, *, yes: bool, task: str, force: str | None = None) -> None:
    """Ask before a task goes on.

    Args:
        question: What it would do.
        yes: Whether that is confirmed already.
        task: What to type with --yes behind it.
        force: The name by which the database was meant, where it is protected.

    Raises:
        ConfirmationRequiredError: The answer is no, or there is no terminal to ask on.
    """
    if yes:
        return
    if not on_terminal():
        raise ConfirmationRequiredError(
            "This needs a confirmation, and there is no terminal to ask on. Nothing was changed.",
            hint=f"Confirm with: doit {task} --yes{f' --force={force}' if force else ''}",
        )
    if not report.ask(question):
        raise ConfirmationRequiredError("Cancelled. Nothing was changed.")
