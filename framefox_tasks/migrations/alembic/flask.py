"""The Flask application, for an env.py that needs it, as Flask-Migrate's does."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from framefox_tasks.errors import ConfigError
from framefox_tasks.migrations.alembic.failures import failure_in
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.entities import env_text


def application_context(target: Target) -> AbstractContextManager[Any]:
    """The application's context if env.py asks for the current application; else one that does nothing.

    Raises:
        ConfigError: The application cannot be found or imported.
    """
    if "current_app" not in env_text(target.project):
        return nullcontext()
    try:
        from flask.cli import FlaskGroup, NoAppException
    except ImportError:
        return nullcontext()  # env.py's own import fails next, and is reported with its line
    try:
        # What the `flask` command does before it runs a command: read .flaskenv, .env and FLASK_APP.
        command = FlaskGroup().make_context("flask", ["db"])
        context: AbstractContextManager[Any] = command.obj.load_app().app_context()
    except NoAppException as exc:
        raise ConfigError(
            f"env.py needs the Flask application. {_reason(exc, target.project)}",
            hint="Set FLASK_APP, for example FLASK_APP=package:create_app.",
        ) from exc
    return context


def _reason(exc: Exception, project: Project) -> str:
    # Flask puts the traceback of a failing import into its message.
    place = failure_in(exc.__context__, project, [project.root]) if exc.__context__ else None
    return place or " ".join(str(exc).split())
