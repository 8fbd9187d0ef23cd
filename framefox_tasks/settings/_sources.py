"""The files that settings come from, and the ${VARIABLES} in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefox_tasks.errors import ConfigError

if TYPE_CHECKING:
    from dotenv.variables import Atom


# Some editors start a UTF-8 file with a byte order mark; it must not become part of the first name.
_ENCODING = "utf-8-sig"
_MAPPING_HINT = 'Write\n  database:\n    url: "sqlite:///app.db"'


def read_dotenv(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a .env file; none if there is no such file.

    A ${VARIABLE} in a value is one of the environment, else an earlier one of the file, else empty.

    Raises:
        ConfigError: The file is there and cannot be read.
    """
    if not path.is_file():
        return {}
    from dotenv import dotenv_values
    from dotenv.variables import parse_variables

    try:
        values = dotenv_values(path, interpolate=False, encoding=_ENCODING)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f".env cannot be read: {_reason(exc)}", hint="It must be a UTF-8 text file.") from exc
    found: dict[str, str] = {}
    for name, value in values.items():
        if value is not None:
            found[name] = "".join(atom.resolve({**found, **environ}) for atom in parse_variables(value))
    return found


def read_yaml(path: Path, *, shown: str) -> dict[str, Any]:
    """The mapping in a YAML file; empty if there is no such file, or nothing in it.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or holds something else than a mapping.
    """
    try:
        text = path.read_text(encoding=_ENCODING)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{shown} cannot be read: {_reason(exc)}", hint="It must be a UTF-8 text file.") from exc
    data = _parse_yaml(text, shown)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"{shown} must hold a mapping with the key 'database', not {kind_of(data)}.", hint=_MAPPING_HINT
        )
    return data


def kind_of(value: object) -> str:
    """What a YAML value is, in a user's words."""
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "a text"


def _parse_yaml(text: str, shown: str) -> object:
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - it extends a safe loader
    except yaml.MarkedYAMLError as exc:
        # Never the error's whole text, nor a longer quotation in it: a password may stand there.
        mark = exc.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = re.sub(r" '[^']{3,}'", "", exc.problem or "")
        hint = _yaml_hint(text.splitlines()[mark.line : mark.line + 1] if mark else [])
        raise ConfigError(f"{shown} is not valid YAML{place}: {problem}.", hint=hint) from None
    except yaml.YAMLError:
        raise ConfigError(f"{shown} is not valid YAML: it holds a character that YAML does not allow.") from None
    except ValueError:
        raise ConfigError(f"{shown} holds a value that does not fit its !!tag.", hint="Leave the tag out.") from None


def _loader() -> Any:
    """A safe loader that leaves values as they are written: else 0123 would be 83, and on would be True."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    kept = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
    resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag in kept]
        for first, found in base.yaml_implicit_resolvers.items()
    }
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def _yaml_hint(line: list[str]) -> str:
    if line and line[0].startswith("\t"):
        return "Indent with spaces: YAML does not allow tabs."
    return "Check the indentation, and put values that hold one of : # { } [ ] % @ ` & * ! in quotes."


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
            raise ConfigError(f"{self._shown}: {key} must be a single value, not {kind_of(value)}.")
        text = str(value)
        if "${" not in text:
            return text
        from dotenv.variables import Variable, parse_variables

        return "".join(
            self._value(key, atom.name, atom.default) if isinstance(atom, Variable) else self._literal(key, atom)
            for atom in parse_variables(text)
        )

    def _literal(self, key: str, atom: Atom) -> str:
        text = atom.resolve({})
        if "${" in text:
            raise ConfigError(
                f"{self._shown}: {key} holds a ${{ that starts no variable.",
                hint="Write ${NAME} or ${NAME:-default}. A value that holds ${ itself belongs in .env.",
            )
        return text

    def _value(self, key: str, name: str, default: str | None) -> str:
        value = self._variables.get(name) or default
        if value is None and name not in self._variables:
            raise ConfigError(
                f"{self._shown}: {key} needs the variable {name}, which is not set.",
                hint=f"Set {name} in .env or in the environment, or give a default: ${{{name}:-value}}.",
            )
        return value or ""
