"""The terminal: the only module that prints, and that asks."""

from __future__ import annotations

import os
import sys
from typing import Any

from framefox_tasks.commands import in_context


def say(text: str) -> None:
    """Print a line, at once. A reader that has gone, as in `| head`, or a full disk does not stop the work."""
    try:
        print(in_context(text), flush=True)
    except OSError as exc:
        unwritable(sys.stdout, exc)


def unwritable(stream: Any, exc: OSError) -> None:
    """Let later output to a stream, Python's own at exit too, go nowhere; say so, unless its reader has gone."""
    # The advice of the signal module's documentation.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if not isinstance(exc, BrokenPipeError):
        note(f"The output cannot be written ({exc.strerror}): the rest of it is lost, and the task goes on.")


def warn(text: str) -> None:
    """Print a warning on stderr."""
    note(f"Warning: {text}")


def note(text: str) -> None:
    """Print a line on stderr. Where that is full as well, as of `> log 2>&1`, nobody can be told, and work goes on."""
    try:
        print(in_context(text), file=sys.stderr, flush=True)
    except OSError as exc:
        unwritable(sys.stderr, exc)


def ask(question: str, prompt: str = "Go on?") -> bool:
    """Ask a question on the terminal; True if the answer is yes. End of input and an interrupt are a no."""
    if question:
        say(question)
    try:
        return input(f"{prompt} [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        say("")
        return False


def prompt(question: str) -> str | None:
    """Ask for a line of text on the terminal; None at the end of input and after an interrupt."""
    try:
        return input(question).strip()
    except (EOFError, KeyboardInterrupt):
        say("")
        return None
