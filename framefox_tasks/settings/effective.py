"""Every setting as it counts: its value, and where that was found. Nothing that is wrong ends it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import DiagramOptions, Project, Target
from framefox_tasks.results import ShownSetting
from framefox_tasks.settings import CONFIG_FILE, Settings, _alembic, _sources, load_settings
from framefox_tasks.settings._names import OURS
from framefox_tasks.url import parse_url, redact

_SHOWN = str(CONFIG_FILE)
_ENVIRONMENT, _DEFAULT, _NOWHERE = "environment", "default", "not set"
_HIDDEN = "***"
_URLS = ("DATABASE_URL", "DATABASE_COPY_URL")
_SECRET_NAMES = ("password", "passwd", "secret", "salt", "token")


@dataclass(frozen=True)
class EffectiveSettings:
    """The settings of a project, and what is wrong with them as a whole.

    Attributes:
        settings: One for each variable and key, DATABASE_URL first.
        loaded: The settings as the tasks use them; None where they cannot.
        error: Why they cannot, with what to do about it.
    """

    settings: tuple[ShownSetting, ...]
    loaded: Settings | None
    error: str


def effective_settings(root: Path | str, environ: Mapping[str, str] | None = None) -> EffectiveSettings:
    """The settings of the project in a folder, each with where it came from.

    Args:
        root: The project's folder, which holds .env and config/orm.yaml.
        environ: Variables that win over .env; the process environment if not given.
    """
    environ = os.environ if environ is None else environ
    reader = _Reader(Path(root).absolute(), environ)
    error, loaded = "", None
    try:
        loaded = load_settings(root, environ)
    except FramefoxTasksError as exc:
        error = redact(str(exc), *reader.secrets)
    found = [*reader.variables(), *reader.keys(), *_defaults(loaded, reader)]
    return EffectiveSettings(tuple(found), loaded, error)


class _Reader:
    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self._environ = environ
        self._config, self._config_error = self._tried(lambda: _sources.read_yaml(root / CONFIG_FILE, shown=_SHOWN))
        self._known, self._env_error = self._tried(lambda: _sources.read_dotenv(root / ".env", environ, self._config))
        if self._env_error:
            self._known = dict(environ)
        self._env_lines = _sources.dotenv_lines(root / ".env")
        self.lines = _sources.yaml_lines(root / CONFIG_FILE)
        self.secrets = [value for name, value in self._values() if _is_secret(name)]
        for name in _URLS:
            self.secrets += _password(self._value(name)[0])

    @staticmethod
    def _tried(read: Any) -> tuple[Any, str]:
        try:
            return read(), ""
        except FramefoxTasksError as exc:
            return {}, exc.message

    def _values(self) -> Iterator[tuple[str, str]]:
        for name in self._names():
            yield name, self._value(name)[0]

    def _names(self) -> list[str]:
        """The variables that count, DATABASE_URL first."""
        return ["DATABASE_URL", *sorted((OURS | set(_sources.referred(self._config))) - {"DATABASE_URL"})]

    def _value(self, name: str) -> tuple[str, str]:
        """The value of a variable, and what is wrong with it."""
        try:
            return self._known.get(name, ""), ""
        except FramefoxTasksError as exc:
            return "", exc.message

    def variables(self) -> Iterator[ShownSetting]:
        """The variables, and the two files as a whole where they cannot be read."""
        for name in self._names():
            value, error = self._value(name)
            if name == "DATABASE_URL" and not value.strip() and not error:
                yield self._configured_url()
            elif value or error or name in self._environ:
                yield ShownSetting(name, self.shown(name, value), self._source(name), error)
            else:
                yield ShownSetting(name, "", _NOWHERE)
        for name, error in ((".env", self._env_error), (_SHOWN, self._config_error)):
            if error:
                yield ShownSetting(name, "", name, error)

    def _source(self, name: str) -> str:
        line = self._env_lines.get(name)
        if name not in self._environ:
            return f".env, line {line}" if line else ".env"
        other = line and _sources.dotenv_value(self.root / ".env", name) != self._environ[name]
        return f"{_ENVIRONMENT}, before another value in .env, line {line}" if other else _ENVIRONMENT

    def _configured_url(self) -> ShownSetting:
        """The URL where no variable gives it."""
        try:
            settings = load_settings(self.root, self._environ)
        except FramefoxTasksError as exc:
            return ShownSetting("DATABASE_URL", "", _NOWHERE, redact(exc.message, *self.secrets))
        key = settings.source.partition(" ")[0]
        ours = settings.source.endswith(f" in {_SHOWN}")  # else Alembic's configuration or the application
        source = f"{_SHOWN}, line {self.lines.get(key)} ({key})" if ours else settings.source
        return ShownSetting("DATABASE_URL", str(settings.target.address), source)

    def keys(self) -> Iterator[ShownSetting]:
        """What config/orm.yaml sets."""
        expand = _sources.Expander(self._known, _SHOWN)
        for key, value in _leaves(self._config, ""):
            source = f"{_SHOWN}, line {self.lines.get(key, self.lines.get(key.rpartition('.')[0], 1))}"
            try:
                text = "" if value is None else expand(key, value)
                yield ShownSetting(key, self.shown(key, text), source)
            except FramefoxTasksError as exc:
                yield ShownSetting(key, self.shown(key, str(value)), source, exc.message)

    def shown(self, name: str, value: str) -> str:
        """A value without passwords."""
        if value and _is_secret(name):
            return _HIDDEN
        if "://" not in value and name not in _URLS:
            return redact(value, *self.secrets)
        try:
            return str(parse_url(value)) if value else ""
        except FramefoxTasksError:
            return f"{value.partition('://')[0]}://{_HIDDEN}" if "://" in value else _HIDDEN


def _is_secret(name: str) -> bool:
    return any(part in name.lower() for part in _SECRET_NAMES)


def _password(url: str) -> list[str]:
    try:
        return [found] if url and (found := parse_url(url).password) else []
    except FramefoxTasksError:
        return []


def _leaves(value: object, key: str) -> Iterator[tuple[str, object]]:
    """The values that are neither mappings nor lists of such, by their keys; a list of values is one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for number, item in enumerate(value, 1):
            yield from _leaves(item, f"{key}.{number}")
    else:
        yield key, ", ".join(map(str, value)) if isinstance(value, list) else value


def _defaults(loaded: Settings | None, reader: _Reader) -> Iterator[ShownSetting]:
    """What nothing sets; the migrations folder may be known to Alembic's configuration."""
    given = set(reader.lines)
    target = loaded.target if loaded else Target("")
    project, diagram = Project(), loaded.diagram if loaded else DiagramOptions()
    values: dict[str, object] = {
        "entities": ", ".join(map(str, project.entities)),
        "version_table": project.version_table,
        "heads": "one",
        "lock": "true",
        "lock_wait": f"{Target.lock_wait:g}",
        "lock_timeout": f"{Target.lock_timeout:g}",
        "patience": f"{Target.patience:g}",
        "protected": str(target.protected).lower(),
        "backup": "false",
        "diagram.folder": diagram.folder,
        "diagram.title": diagram.title,
        "diagram.direction": diagram.direction,
    }
    if "migrations" not in given:
        source, folder = _migrations(reader.root)
        yield ShownSetting("migrations", folder, source)
    if "metadata" in given:
        del values["entities"]
    for key, value in values.items():
        if key not in given:
            yield ShownSetting(
                key, str(value), "APP_ENV or ENV" if value == "true" and key == "protected" else _DEFAULT
            )


def _migrations(root: Path) -> tuple[str, str]:
    try:
        folder = _alembic.read(root).folder
    except FramefoxTasksError:
        folder = None
    return ("Alembic's configuration", folder) if folder else (_DEFAULT, str(Project.migrations))
