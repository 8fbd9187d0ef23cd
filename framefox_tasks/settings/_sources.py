"""The files that settings come from, and the ${VARIABLES} in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framefox_tasks.errors import ConfigError


def read_dotenv(path: Path) -> dict[str, str]:
    """The variables of a .env file; none if there is no such file.

    Raises:
        ConfigError: The file is there and cannot be read.
    """
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f".env cannot be read: {_reason(exc)}", hint="It must be a UTF-8 text file.") from exc


def read_yaml(path: Path, *, shown: str) -> dict[str, Any]:
    """The mapping in a YAML file; empty if there is no such file, or nothing in it.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or holds something else than a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{shown} cannot be read: {_reason(exc)}", hint="It must be a UTF-8 text file.") from exc
    data = _parse_yaml(text, shown)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"{shown} must hold a mapping with the key 'database', not a {type(data).__name__}.",
            hint='Write\n  database:\n    url: "sqlite:///app.db"',
        )
    return data


def _parse_yaml(text: str, shown: str) -> object:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except yaml.MarkedYAMLError as exc:
        # Never the error's own text: it quotes the line, and a password may stand there.
        mark = exc.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{shown} is not valid YAML{place}: {exc.problem}", hint=_yaml_hint(exc.problem)) from None
    except yaml.YAMLError:
        raise ConfigError(f"{shown} is not valid YAML: it holds a character that YAML does not allow.") from None


def _yaml_hint(problem: str | None) -> str:
    if problem and "\\t" in problem:
        return "Indent with spaces: YAML does not allow tabs."
    return "Check the indentation, and put values that hold : # { } [ ] or % in quotes."


def _reason(exc: OSError | UnicodeDecodeError) -> str:
    return exc.strerror or str(exc) if isinstance(exc, OSError) else "it is not UTF-8 text"


class Expander:
    """Replaces ${VARIABLE} and ${VARIABLE:-default} in settings.

    Values are expanded when they are used, so a variable that only an unused setting names may be unset.
    """

    def __init__(self, variables: Mapping[str, str], shown: str) -> None:
        self._variables = variables
        self._shown = shown

    def __call__(self, key: str, value: object) -> str:
        """The value of a key as text, with its variables replaced.

        Raises:
            ConfigError: A variable is not set and has no default, or the value is a list or a mapping.
        """
        if isinstance(value, (dict, list)):
            raise ConfigError(f"{self._shown}: {key} must be a single value, not a {type(value).__name__}.")
        text = str(value)
        if "$" not in text:
            return text
        from dotenv.variables import Variable, parse_variables

        return "".join(
            self._value(key, atom.name, atom.default) if isinstance(atom, Variable) else atom.resolve({})
            for atom in parse_variables(text)
        )

    def _value(self, key: str, name: str, default: str | None) -> str:
        value = self._variables.get(name) or default
        if value is None:
            raise ConfigError(
                f"{self._shown}: {key} needs the variable {name}, which is not set.",
                hint=f"Set {name} in .env or in the environment, or give a default: ${{{name}:-value}}.",
            )
        return value
