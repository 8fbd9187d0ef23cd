"""The application of a project that names its database itself: Flask's. Nothing of it is imported before."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import Any


class ApplicationError(Exception):
    """The application cannot be found or loaded; its cause is the error that its import raised, if it raised one."""


def load_flask(root: Path) -> Any:
    """The Flask application, as the `flask` command finds and loads it: by .flaskenv, .env and FLASK_APP.

    Args:
        root: The project's folder.

    Raises:
        ImportError: Flask is not installed.
        ApplicationError: There is no application, or it cannot be imported or made.
    """
    from flask.cli import FlaskGroup, NoAppException

    with chdir(root):
        try:
            return FlaskGroup().make_context("flask", ["db"]).obj.load_app()
        except NoAppException as exc:
            raise ApplicationError(_told(exc)) from exc.__context__


def _told(exc: Exception) -> str:
    """The message on one line. Flask puts the traceback of a failing import into it: its last line says why."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    return " ".join([lines[0], lines[-1]]) if any(line.startswith("Traceback") for line in lines) else " ".join(lines)
