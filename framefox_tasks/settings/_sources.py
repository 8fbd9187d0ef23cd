"""The files that settings come from, and the ${VARIABLES} in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framefox_tasks.errors import ConfigError
from framefox_tasks.settings import _plain_yaml

if TYPE_CHECKING:
    from dotenv.variables import Atom


# Some editors start a UTF-8 file with a byte order mark; it must not become part of the first name.
_ENCODING = "utf-8-sig"
_TEXT_HINT = "It must be a text file, in UTF-8, that you may read."
_YAML_TAG = "tag:yaml.org,2002:"
_SCALARS = ("bool", "int", "float", "timestamp")
_NO_SETTINGS = ("binary", "omap", "pairs", "set")
_MAPPING_HINT = 'Write\n  database:\n    url: "sqlite:///app.db"'


def read_dotenv(path: Path, environ: Mapping[str, str], config: object) -> Mapping[str, str]:
    """The variables of the environment, and of a .env file beside it where there is one.

    Args:
        path: The file's.
        environ: The variables that win over it.
        config: The settings that refer to variables.

    Raises:
        ConfigError: The file is there and cannot be read, or may have lost a variable in use.
    """
    text = _dotenv_text(path)
    if text is None:
        return dict(environ)
    from framefox_tasks.settings import _dotenv

    return _dotenv.variables(text, environ, set(referred(config)))


def dotenv_lines(path: Path) -> dict[str, int]:
    """The lines of .env that set variables, by their names; none where it cannot be read."""
    try:
        text = _dotenv_text(path)
    except ConfigError:
        return {}
    if not text:
        return {}
    from framefox_tasks.settings import _dotenv

    return _dotenv.lines(text)


def dotenv_value(path: Path, name: str) -> str | None:
    """What .env alone says of a variable; None where it says nothing that can be used."""
    try:
        return read_dotenv(path, {}, {}).get(name)
    except ConfigError:
        return None


def yaml_lines(path: Path) -> dict[str, int]:
    """The lines of the keys of a YAML file, with a dot for each level; none where it cannot be read."""
    import yaml

    try:
        node = yaml.compose(path.read_text(encoding=_ENCODING), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return {}
    return dict(_key_lines(node, ""))


def _key_lines(node: Any, above: str) -> Iterator[tuple[str, int]]:
    for key, value in node.value if node is not None and node.id == "mapping" else ():
        name = f"{above}.{key.value}" if above else str(key.value)
        yield name, key.start_mark.line + 1
        if value.start_mark.index > key.start_mark.index:  # an alias stands for what is above, and may hold itself
            yield from _key_lines(value, name)


def _dotenv_text(path: Path) -> str | None:
    try:
        text = path.read_text(encoding=_ENCODING)
    except (OSError, UnicodeDecodeError) as exc:
        absent = isinstance(exc, FileNotFoundError) and not path.is_symlink()
        if absent or (path / "pyvenv.cfg").is_file():  # some call their virtual environment so
            return None
        raise ConfigError(f".env cannot be read: {_reason(exc)}", hint=_TEXT_HINT) from None
    if "\0" in text:
        raise ConfigError(".env cannot be read: it is not UTF-8 text", hint=_TEXT_HINT)
    return text


def referred(config: object) -> Iterator[str]:
    """The names of the variables that settings refer to, however deep."""
    left, seen = [config], set()
    while left:
        value = left.pop()
        if isinstance(value, (dict, list)):
            if id(value) not in seen:  # an alias may stand for it often, and in itself
                seen.add(id(value))
                left.extend(value.values() if isinstance(value, dict) else value)
        elif "${" in (text := str(value)):
            yield from re.findall(r"(?<!\$)\$\{(\w+)", text)


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
        raise ConfigError(f"{shown} cannot be read: {_reason(exc)}", hint=_TEXT_HINT) from None
    data: object = _plain_yaml.read(text)
    if data is None:
        data = _parse_yaml(text, shown)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"{shown} must hold a mapping with the key 'database', not {kind_of(data)}.", hint=_MAPPING_HINT
        )
    return data


def read_list(path: Path, *, shown: str) -> list[Any]:
    """The list in a YAML file; a mapping in it is one of names to URLs, or to what else there is to say.

    Raises:
        ConfigError: The file is missing or cannot be read, is not YAML, or holds neither.
    """
    try:
        text = path.read_text(encoding=_ENCODING)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{shown} cannot be read: {_reason(exc)}", hint=_TEXT_HINT) from None
    data = _parse_yaml(text, shown)
    if isinstance(data, dict):
        return [{"name": name, **(more if isinstance(more, dict) else {"url": more})} for name, more in data.items()]
    if not isinstance(data, list):
        raise ConfigError(
            f"{shown} must hold a list, not {'nothing' if data is None else kind_of(data)}.",
            hint="Write an entry a line, as in: - {name: acme, url: ...}",
        )
    return data


def kind_of(value: object) -> str:
    """The type of a YAML value, in a user's words."""
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "a text"


def _parse_yaml(text: str, shown: str) -> object:
    import yaml

    try:
        return yaml.load(text, Loader=_loader(shown))  # noqa: S506 - it extends a safe loader
    except yaml.MarkedYAMLError as exc:
        # Never the error's whole text, nor a longer quotation in it: a password may stand there.
        mark = exc.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = re.sub(r" '[^']{3,}'", "", exc.problem or "")
        hint = _yaml_hint(text.splitlines()[mark.line : mark.line + 1] if mark else [])
        raise ConfigError(f"{shown} is not valid YAML{place}: {problem}.", hint=hint) from None
    except yaml.YAMLError:
        raise ConfigError(f"{shown} is not valid YAML: it holds a character that YAML does not allow.") from None
    except RecursionError:
        raise ConfigError(
            f"{shown} is nested too deep to be read.", hint="Settings need four levels at most."
        ) from None


def _loader(shown: str) -> Any:
    """A safe loader that leaves values as they are written: else 0123 would be 83, and on would be True.

    Nor does it take the last one of two entries with the same key.
    """
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    kept = {f"{_YAML_TAG}null", f"{_YAML_TAG}merge"}
    resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag in kept]
        for first, found in base.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self: Any, node: Any, deep: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            _check_once(node, shown)  # before what is merged stands among the keys
        return base.construct_mapping(self, node, deep)

    def construct_text(self: Any, node: Any) -> str:
        _check_tag(base, self, node, shown)
        return str(node.value)

    constructors: dict[Any, Any] = {
        tag: made for tag, made in base.yaml_constructors.items() if str(tag).rpartition(":")[2] not in _NO_SETTINGS
    }
    constructors.update((f"{_YAML_TAG}{name}", construct_text) for name in _SCALARS)
    parts = {
        "yaml_implicit_resolvers": resolvers,
        "yaml_constructors": constructors,
        "construct_mapping": construct_mapping,
    }
    return type("Loader", (base,), parts)


def _check_tag(base: Any, loader: Any, node: Any, shown: str) -> None:
    """Raise if a value is not what a !!tag in front of it says."""
    import yaml

    try:
        base.yaml_constructors[node.tag](loader, node)
    except yaml.YAMLError:
        raise
    except Exception:  # noqa: BLE001 - of whatever kind: PyYAML does not look at what it converts
        raise ConfigError(
            f"{shown}, line {node.start_mark.line + 1}: the value does not fit its !!tag.", hint="Leave the tag out."
        ) from None


def _check_once(node: Any, shown: str) -> None:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key.value, str):
            continue
        line = key.start_mark.line + 1
        if key.tag == f"{_YAML_TAG}null":
            raise ConfigError(
                f"{shown}, line {line}: a key is empty.", hint='Put a key that is called so in quotes: "null".'
            )
        if key.value in lines:
            raise ConfigError(
                f"{shown}, line {line}: the key {key.value} stands in line {lines[key.value]} already.",
                hint="Join the two, or take one of them out.",
            )
        lines[key.value] = line


def _yaml_hint(line: list[str]) -> str:
    if line and line[0].startswith("\t"):
        return "Indent with spaces: YAML does not allow tabs."
    return "Check the indentation, and put values that hold one of : # { } [ ] % @ ` & * ! in quotes."


def _reason(exc: OSError | UnicodeDecodeError) -> str:
    if isinstance(exc, OSError):
        return exc.strerror or str(exc)
    line = exc.object.count(b"\n", 0, exc.start) + 1
    return f"line {line} is not UTF-8 text"


class Expander:
    """Replaces ${VARIABLE} and ${VARIABLE:-default} in settings; $${ stands for ${ itself.

    What takes their place is not expanded again. Values are expanded when they are used, so a variable that only an
    unused setting names may be unset.
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
            raise ConfigError(
                f"{self._shown}: {key} must be a single value, not {kind_of(value)}.",
                hint="Write one after the colon.",
            )
        text = str(value)
        if "${" not in text:
            return text
        return "${".join(self._expanded(key, part) for part in text.split("$${"))

    def _expanded(self, key: str, text: str) -> str:
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
                hint="Write ${NAME} or ${NAME:-default}, and $${ for a ${ that belongs to the value.",
            )
        return text

    def _value(self, key: str, name: str, default: str | None) -> str:
        if "${" in (default or ""):
            raise ConfigError(
                f"{self._shown}: {key} holds a default that holds another variable.",
                hint="Write ${NAME:-default} with a plain default, and set the inner variable in .env.",
            )
        value = self._variables.get(name) or default
        if value is None and name not in self._variables:
            raise ConfigError(
                f"{self._shown}: {key} needs the variable {name}, which is not set.",
                hint=f"Set {name} in .env or in the environment, or give a default: ${{{name}:-value}}.",
            )
        return value or ""
