"""The Flask application, for an env.py that needs it, as Flask-Migrate's does."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any

from framefox_tasks.applications import ApplicationError, load_flask
from framefox_tasks.databases import reuse
from framefox_tasks.errors import ConfigError
from framefox_tasks.migrations.alembic.failures import failure_in
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.entities import env_text


def application_context(target: Target) -> AbstractContextManager[Any]:
    """The application's context if env.py asks for the current application; else one that does nothing.

    Raises:
        ConfigError: The application cannot be found or imported.
    """
    if not _asks_for_it(target.project):
        return nullcontext()
    if find_spec("flask") is None:
        return nullcontext()  # env.py's own import fails next, and is reported with its line
    try:
        context: AbstractContextManager[Any] = load_flask(target.project.root).app_context()
    except ApplicationError as exc:
        raise ConfigError(
            f"env.py needs the Flask application. {_reason(exc, target.project)}",
            hint="Set FLASK_APP, for example FLASK_APP=package:create_app.",
        ) from exc
    return context


def _asks_for_it(project: Project) -> bool:
    if reuse.is_reusing():  # as for many databases of one project
        return bool(reuse.kept(("env.py asks for the application", project), lambda: _names_it(project)))
    return _names_it(project)


def _names_it(project: Project) -> bool:
    return "current_app" in env_text(project)


def _reason(exc: ApplicationError, project: Project) -> str:
    cause = exc.__cause__
    return (isinstance(cause, Exception) and failure_in(cause, project, [project.root])) or str(exc)
