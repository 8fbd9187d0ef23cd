"""What an existing Alembic configuration, alembic.ini or pyproject.toml, says of the project.

Read as Alembic reads it, without importing it: that would be most of a start. A test holds the two side by side.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from framefox_tasks.errors import ConfigError
from framefox_tasks.frozen import Frozen
from framefox_tasks.settings._packages import package_folder

_SEPARATORS = {"os": os.pathsep, "space": " ", "newline": "\n", ":": ":", ";": ";"}
# Without a separator, what Alembic splits by.
_LOCATIONS, _IMPORT_PATHS = r", *| +", r", *| +|:"
_NAMES = (
    "script_location",
    "version_locations",
    "recursive_version_locations",
    "prepend_sys_path",
    "path_separator",
    "version_path_separator",
)
_URL, _ENGINES = "sqlalchemy.url", "databases"
MAIN = "alembic"
# Sections of logging, and of hooks.
_LOGGING = ("logger", "handler", "formatter", "post_write_hooks")


class AlembicSettings(Frozen):
    """What Alembic is configured with.

    Attributes:
        folder: The migrations folder, where it is named.
        versions: The folders of revision files, where they are named.
        recursive: Whether their subfolders count.
        import_paths: Folders to import from.
    """

    folder: str | None
    versions: tuple[Path, ...]
    recursive: bool
    import_paths: tuple[Path, ...]


def read(root: Path, migrations: str | None = None, section: str = MAIN) -> AlembicSettings:
    """The configuration of the project in a folder.

    Args:
        root: The project's folder.
        migrations: The migrations folder, where the settings name it.
        section: The section of alembic.ini, as of `alembic -n`.

    Raises:
        ConfigError: A file cannot be read, a value is not one that Alembic takes, or a package cannot be found.
    """
    toml, ini = _toml(root / "pyproject.toml"), _ini(root / "alembic.ini", section=section)
    folder = migrations or _folder(root, ini, toml)
    if ini is None:
        ini = _ini(root / (folder or "migrations") / "alembic.ini")  # where Flask-Migrate keeps it
    ini = ini or {}
    paths = tuple(map(Path, _parts("prepend_sys_path", ini, toml, ("path_separator",), _IMPORT_PATHS)))
    separators = ("path_separator", "version_path_separator")
    versions = _parts("version_locations", ini, toml, separators, _LOCATIONS)
    return AlembicSettings(
        folder, tuple(_located(root, part, paths) for part in versions), _is_recursive(ini, toml), paths
    )


def _folder(root: Path, ini: Mapping[str, str] | None, toml: Mapping[str, Any]) -> str | None:
    options = {**toml, **(ini or {})}
    found = options.get("script_location")
    if not found:
        return None
    paths = tuple(map(Path, _parts("prepend_sys_path", ini or {}, toml, ("path_separator",), _IMPORT_PATHS)))
    return str(_located(root, str(found), paths))


def _is_recursive(ini: Mapping[str, str], toml: Mapping[str, Any]) -> bool:
    name = "recursive_version_locations"
    if name in ini:
        return ini[name] == "true"
    found = toml.get(name, False)
    if not isinstance(found, bool):
        raise ConfigError(f"pyproject.toml: {name} must be true or false.", hint="Write it without quotes.")
    return found


def _parts(
    name: str, ini: Mapping[str, str], toml: Mapping[str, Any], separators: Sequence[str], otherwise: str
) -> list[str]:
    """The parts of a value of alembic.ini, or a list of pyproject.toml."""
    text = ini.get(name)
    if not text:
        found = toml.get(name) or []
        if not isinstance(found, list):
            raise ConfigError(f"pyproject.toml: {name} must be a list.", hint=f'Write {name} = ["..."].')
        return list(map(str, found))
    option = next((option for option in separators if option in ini), None)
    if option is not None and ini[option] not in _SEPARATORS:
        raise ConfigError(
            f"alembic.ini: {option} must be one of {', '.join(_SEPARATORS)}, not {ini[option]!r}.",
            hint=f"Write {option} = os, or leave it out.",
        )
    found = re.split(otherwise, text) if option is None else text.split(_SEPARATORS[ini[option]])
    return [part.strip() for part in found if part.strip()]


def _located(root: Path, text: str, import_paths: Sequence[Path]) -> Path:
    """A path, of one that may be written as package:folder."""
    if ":" not in text or Path(text).is_absolute():
        return Path(text)
    package, *below = text.split(":")
    folder = package_folder(package, [*(str(root / path) for path in import_paths), str(root)])
    if folder is None:
        raise ConfigError(
            f"Alembic's configuration names {text!r}, and there is no package {package!r}.",
            hint="Install it, or name the folder by its path.",
        )
    return Path(folder, *below)


def database_url(root: Path, migrations: Path, section: str = MAIN) -> tuple[str, str] | None:
    """Where Alembic's configuration names the database, and its URL; None where it does not.

    Args:
        root: The project's folder.
        migrations: The migrations folder.
        section: The section of alembic.ini.

    Raises:
        ConfigError: A file cannot be read.
    """
    for path, shown in ((root / "alembic.ini", "alembic.ini"), (root / migrations / "alembic.ini", None)):
        if found := (_ini(path, (_URL,), section) or {}).get(_URL):
            place = shown or str(migrations / "alembic.ini")
            return f"{_URL} in {place}{'' if section == MAIN else f', [{section}]'}", found
    if section != MAIN:
        return None
    found = _toml(root / "pyproject.toml", (_URL,)).get(_URL)
    return (f"{_URL} in pyproject.toml", str(found)) if found else None


def databases(root: Path) -> Mapping[str, bool]:
    """The databases that alembic.ini has beside that of its main section.

    Returns:
        The names of sections: whether it is one of the `databases` of the multidb template, which share a history; else
        it has a migrations folder of its own, as for `alembic -n`.

    Raises:
        ConfigError: The file cannot be read.
    """
    path = root / "alembic.ini"
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    headers = re.findall(r"^\[([^]\n]+)\]", text, re.MULTILINE)
    others = [name for name in headers if name not in (MAIN, "DEFAULT") and not name.startswith(_LOGGING)]
    if not others:
        return {}
    engines = re.split(r",\s*", (_ini(path, (_ENGINES,)) or {}).get(_ENGINES, ""))
    found = {name: True for name in engines if name in others}
    return found | {name: False for name in others if name not in found and _ini(path, ("script_location",), name)}


def _ini(path: Path, names: Sequence[str] = _NAMES, section: str = MAIN) -> Mapping[str, str] | None:
    """The options that count; None where there is no such file."""
    if not path.is_file():
        return None
    from configparser import ConfigParser, Error as ConfigParserError

    parser = ConfigParser({"here": path.parent.as_posix().replace("%", "%%")})
    try:
        parser.read(path, encoding="utf-8")
        # Interpolated one by one: a % in an option that is not asked for must not hinder.
        return {name: parser.get(section, name) for name in names if parser.has_option(section, name)}
    except (ConfigParserError, OSError, UnicodeDecodeError) as exc:
        # Never the error's own text: it quotes the line, and a password may stand there.
        line = getattr(exc, "lineno", None) or next((number for number, _ in getattr(exc, "errors", ())), None)
        place = f", line {line}" if line else ""
        raise ConfigError(
            f"alembic.ini cannot be read{place}: {type(exc).__name__}",
            hint="Correct it, or delete it if it is not used.",
        ) from exc


def _toml(path: Path, names: Sequence[str] = _NAMES[:4]) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("alembic", {})
    except (OSError, ValueError) as exc:
        raise ConfigError(f"pyproject.toml cannot be read: {exc}") from exc
    here = {"here": path.parent.as_posix()}
    return {name: _interpolated(name, table[name], here) for name in names if name in table}


def _interpolated(name: str, value: Any, here: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_interpolated(name, item, here) for item in value]
    try:
        return value % here if isinstance(value, str) else value
    except (KeyError, TypeError, ValueError) as exc:
        raise ConfigError(
            f"pyproject.toml: {name} holds a % that is neither %(here)s nor %%.", hint="Write a single % as %%."
        ) from exc
