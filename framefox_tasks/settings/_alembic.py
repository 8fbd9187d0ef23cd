"""Where an existing Alembic configuration, alembic.ini or pyproject.toml, says that the migrations are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from configparser import ConfigParser, Error as ConfigParserError
from pathlib import Path
from typing import Any

from framefox_tasks.errors import ConfigError

_SEPARATORS = {"os": os.pathsep, "space": None, "newline": "\n", ":": ":", ";": ";"}


def locations(root: Path, migrations: str | None = None) -> tuple[str | None, tuple[Path, ...]]:
    """The migrations folder and the further folders of revisions, as Alembic's own command would find them.

    Args:
        root: The project's folder.
        migrations: The migrations folder, where the settings name it.

    Raises:
        ConfigError: The file cannot be read, or names the folder in a form that needs an import to resolve.
    """
    options = {**_toml(root / "pyproject.toml"), **_ini(root / "alembic.ini")}
    folder = options.get("script_location")
    if folder and not migrations and ":" in folder.removeprefix(root.as_posix()):
        raise ConfigError(
            f"script_location {folder!r} names a package; the tasks need the folder.",
            hint="Set `migrations:` in config/orm.yaml to the folder's path.",
        )
    options |= _ini(root / (migrations or folder or "migrations") / "alembic.ini")  # where Flask-Migrate keeps it
    found = options.get("version_locations") or []
    if isinstance(found, str):
        separator = _SEPARATORS.get(options.get("path_separator") or options.get("version_path_separator") or "space")
        found = [part.strip() for part in found.split(separator) if part.strip()]
    return folder, tuple(map(Path, found))


def _ini(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    parser = ConfigParser({"here": path.parent.as_posix().replace("%", "%%")})
    try:
        parser.read(path, encoding="utf-8")
        # Interpolated one by one: a % in an option that is not ours must not hinder.
        names = ("script_location", "version_locations", "path_separator", "version_path_separator")
        return {name: parser.get("alembic", name) for name in names if parser.has_option("alembic", name)}
    except (ConfigParserError, OSError, UnicodeDecodeError) as exc:
        # Never the error's own text: it quotes the line, and a password may stand there.
        line = getattr(exc, "lineno", None) or next((number for number, _ in getattr(exc, "errors", ())), None)
        place = f", line {line}" if line else ""
        raise ConfigError(
            f"alembic.ini cannot be read{place}: {type(exc).__name__}",
            hint="Correct it, or delete it if it is not used.",
        ) from exc


def _toml(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("alembic", {})
    except (OSError, ValueError) as exc:
        raise ConfigError(f"pyproject.toml cannot be read: {exc}") from exc
    here = path.parent.as_posix()
    return {
        name: [str(item).replace("%(here)s", here) for item in value]
        if isinstance(value, list)
        else str(value).replace("%(here)s", here)
        for name, value in table.items()
        if name in ("script_location", "version_locations", "path_separator")
    }
