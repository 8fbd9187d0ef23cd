"""Where the URL of the database is found: the environment, the settings, Alembic's configuration, the application."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from framefox_tasks.applications import ApplicationError, load_flask
from framefox_tasks.errors import NoDatabaseError
from framefox_tasks.model import Project
from framefox_tasks.settings import _alembic
from framefox_tasks.settings._schema import Expand, url_from_parts
from framefox_tasks.url import as_sqlalchemy_reads

_DETAILS = ("driver", "host", "port", "username", "password", "database")
_PLACEHOLDER = "driver://"  # what `alembic init` writes
_HINT = (
    'Set DATABASE_URL, or write\n  database:\n    url: "sqlite:///app.db"\ninto config/orm.yaml. '
    "A project that has none gets it with: framefox-tasks init"
)


def database_url(
    root: Path,
    options: Mapping[str, Any],
    variables: Mapping[str, str],
    expand: Expand,
    *,
    config: Path,
    project: Project,
    name: str = "",
) -> tuple[str, str]:
    """Where the URL was found, and the URL.

    Args:
        root: The project's folder.
        options: The `database` section of the settings.
        variables: The environment's, and those of .env.
        expand: Replaces the variables in a value.
        config: The file of the settings.
        project: The project.
        name: That of the database among several; empty for the default one.

    Raises:
        NoDatabaseError: It is nowhere.
        ConfigError: A value or a file cannot be used.
    """
    key = f"databases.{name}" if name else "database"
    if not name and variables.get("DATABASE_URL", "").strip():
        return "DATABASE_URL", as_sqlalchemy_reads(variables["DATABASE_URL"])
    url = expand(f"{key}.url", options["url"]) if options.get("url") else ""
    if url.strip():
        return f"{key}.url in {config}", as_sqlalchemy_reads(url)
    if any(options.get(name) for name in _DETAILS):
        return f"{key} in {config}", url_from_parts(options, expand)
    section = project.engine or project.section
    place, url = _alembic.database_url(root, project.migrations, section) or ("", "")
    if url.strip() and not url.startswith(_PLACEHOLDER):
        return place, as_sqlalchemy_reads(url)
    if name:
        raise NoDatabaseError(
            f"{key} in {config} has no URL.", hint=f"Write\n  {name}:\n    url: ...\nunder `databases:`."
        )
    missing = (
        f"DATABASE_URL is not set, and {config} {'names no database' if (root / config).exists() else 'is missing'}"
    )
    return "the Flask application", _of_flask(root, variables, root / project.migrations, missing)


def _of_flask(root: Path, variables: Mapping[str, str], migrations: Path, missing: str) -> str:
    """The URL of the Flask application's engine."""
    others = _alembic.databases(root)
    named = f"Those of alembic.ini are named, as in: doit database_upgrade:{next(iter(others))}" if others else ""
    nothing = NoDatabaseError(f"No database is configured: {missing}.", hint=named or _HINT)
    if not _has_flask(root, variables, migrations):
        raise nothing
    try:
        application = load_flask(root)
        with application.app_context():
            url = _engine_url(application)
    except ApplicationError as exc:
        raise NoDatabaseError(
            f"No database is configured: {missing}. The Flask application does not tell it either: {exc}", hint=_HINT
        ) from exc
    except Exception as exc:
        reason = f"{type(exc).__name__}: {exc}"
        raise NoDatabaseError(
            f"No database is configured: {missing}. The Flask application cannot be loaded: {reason}", hint=_HINT
        ) from exc
    if url is None:
        raise nothing
    return url


def _engine_url(application: Any) -> str | None:
    extension = application.extensions.get("sqlalchemy")
    if extension is None:
        return None
    url: str = getattr(extension, "db", extension).engine.url.render_as_string(hide_password=False)
    return url


def _has_flask(root: Path, variables: Mapping[str, str], migrations: Path) -> bool:
    """Whether the project has a Flask application with a database, as far as its files tell."""
    if find_spec("flask_sqlalchemy") is None:
        return False
    named = bool(variables.get("FLASK_APP")) or "FLASK_APP" in _text(root / ".flaskenv")
    return (
        named
        or "current_app" in _text(migrations / "env.py")
        or any("flask" in _text(root / name).lower() for name in ("wsgi.py", "app.py"))
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
