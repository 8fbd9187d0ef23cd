"""The variables of a .env file, read by python-dotenv's parser.

python-dotenv passes over what it cannot parse, and takes an empty text for a variable that is not set. Here that could
be another database than the one that is meant, so it is an error with its line. Its text is not shown: a password may
stand there.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, cast

from dotenv.parser import parse_stream  # noqa: TID253 - this module is imported only where there is a .env
from dotenv.variables import Atom, Variable, parse_variables  # noqa: TID253

from framefox_tasks.errors import ConfigError
from framefox_tasks.settings._names import OURS

if TYPE_CHECKING:
    from dotenv.parser import Binding


# Text and not compiled: a file without errors hardly needs them.
_START = r"(?:export[^\S\n]+)?(?P<key>'[^']+'|[^=#\s]+)?[^\S\n]*(?P<equals>=?)[^\S\n]*(?P<quote>['\"]?)"
_ASSIGNMENT = r"\s*(?:export\s+)?(\w+)\s*="
_AROUND = string.punctuation.replace("_", "")


class Variables(Mapping[str, str]):
    """Variables by their names. One that cannot be used is an error only for whoever asks for it.

    Args:
        values: Those that can be used.
        unusable: Why the others cannot.
    """

    def __init__(self, values: Mapping[str, str], unusable: Mapping[str, ConfigError]) -> None:
        self._values = values
        self._unusable = {name: error for name, error in unusable.items() if name not in values}

    def __getitem__(self, name: str) -> str:
        if name in self._unusable:
            raise self._unusable[name]
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield from self._unusable

    def __len__(self) -> int:
        return len(self._values) + len(self._unusable)


def variables(text: str, environ: Mapping[str, str], used: Collection[str]) -> Variables:
    """The variables of the environment, and of a .env file beside it.

    A ${VARIABLE} in a value that is not in single quotes is one of the environment, else an earlier one of the file.

    Args:
        text: The file's.
        environ: The variables that win over it.
        used: The names that the settings refer to, besides those of ours.

    Raises:
        ConfigError: A statement cannot be parsed, or may have lost a variable in use.
    """
    statements = [_Statement(binding) for binding in parse_stream(StringIO(text))]
    for statement in statements:
        statement.check({*OURS, *used})
    return _resolved([statement for statement in statements if statement.value is not None], environ)


def lines(text: str) -> dict[str, int]:
    """The lines that set variables, by their names: where one is set twice, the last."""
    statements = [_Statement(binding) for binding in parse_stream(StringIO(text))]
    return {statement.key: statement.line for statement in statements if statement.value is not None}


class _Statement:
    """A statement of the file: its key and value, None where it has none, and the line that it starts in."""

    def __init__(self, binding: Binding) -> None:
        whole = binding.original.string
        self.text = whole.strip()
        self.line = binding.original.line + whole[: len(whole) - len(whole.lstrip())].count("\n")
        self.key = binding.key or ""
        self.value = binding.value
        self._failed = binding.error

    def _start(self) -> re.Match[str]:
        """The text before the value, and the quote that opens it."""
        # It matches any text: each of its parts may be missing.
        return cast("re.Match[str]", re.match(_START, self.text))

    def is_literal(self) -> bool:
        """Whether the value stands in single quotes, where a ${ means itself, as in a shell."""
        return self._start()["quote"] == "'"

    def check(self, names: Collection[str]) -> None:
        """Raise if it cannot be parsed, or may have lost one of the variables of these names."""
        bare = (self._start()["key"] or "" if self._failed else self.key).strip(_AROUND)
        name = bare if bare in names else ""
        if self._failed:
            raise self._unreadable(name)
        if "\n" in self.key or (self.value is not None and self._holds_others(names)):
            raise self._not_closed(name)
        if name and (self.value is None or self.key != name):
            raise self._no_assignment(name)

    def _holds_others(self, names: Collection[str]) -> bool:
        """Whether a value of several lines holds one that sets a variable in use, or is itself one of one line."""
        if self.key in OURS and "\n" in (self.value or "").strip():
            return True
        found = [match[1] for line in self.text.split("\n")[1:] if (match := re.match(_ASSIGNMENT, line))]
        return any(name in names or (self.key in names and name.isupper()) for name in found)

    def _unreadable(self, name: str) -> ConfigError:
        start = self._start()
        quote = start["quote"]
        if not (start["equals"] and quote):
            return self._no_assignment(name)
        rest = self.text.split("\n")[0][start.end() :]
        if not re.search(rf"(?<!\\)(?:\\\\)*{quote}", rest):
            return self._not_closed(name)
        return ConfigError(
            f".env, line {self.line}: something follows the quote that closes the value{_of(name)}.",
            hint=f"Put the whole value in quotes, and write a {quote} that belongs to it as \\{quote}.",
        )

    def _not_closed(self, name: str) -> ConfigError:
        return ConfigError(
            f".env, line {self.line}: the quote that opens the value{_of(name)} is not closed in its line.",
            hint="Close it where the value ends.",
        )

    def _no_assignment(self, name: str) -> ConfigError:
        if name:
            return ConfigError(
                f".env, line {self.line}: this does not set {name}.",
                hint=f"Write {name}=value, with nothing else around the name, or put a # before the line.",
            )
        return ConfigError(
            f".env, line {self.line}: this is not of the form NAME=value.",
            hint="Correct the line, or put a # before it.",
        )


def _of(name: str) -> str:
    return f" of {name}" if name else ""


def _resolved(statements: Sequence[_Statement], environ: Mapping[str, str]) -> Variables:
    values: dict[str, str] = {}
    unusable: dict[str, ConfigError] = {}
    for number, statement in enumerate(statements):
        known = Variables({**values, **environ}, unusable)
        values.pop(statement.key, None)
        unusable.pop(statement.key, None)
        try:
            values[statement.key] = _value(statement, known, {later.key for later in statements[number + 1 :]})
        except ConfigError as exc:
            unusable[statement.key] = exc
    return Variables({**values, **environ}, unusable)


def _value(statement: _Statement, known: Variables, later: Collection[str]) -> str:
    text = statement.value or ""
    if "${" not in text or statement.is_literal():
        return text
    return "".join(_part(statement, atom, known, later) for atom in parse_variables(text))


def _part(statement: _Statement, atom: Atom, known: Variables, later: Collection[str]) -> str:
    if not isinstance(atom, Variable):
        return atom.resolve({})
    # What is no name may be a part of a password.
    place = f".env, line {statement.line}: {statement.key if statement.key.isidentifier() else 'the value'}"
    if "${" in (atom.default or ""):
        raise ConfigError(
            f"{place} holds a default that holds another variable.",
            hint="Set the inner one in a line of its own above it: ${NAME:-default} takes a plain default.",
        )
    if atom.name not in known and atom.default is None:
        named = atom.name.isidentifier()
        shown = f"the variable {atom.name}" if named else "a variable"
        above = named and atom.name in later
        move = f"Move the line that sets {atom.name} above it" if above else "Set it in a line above"
        raise ConfigError(
            f"{place} needs {shown}, which is not set.",
            hint=f"{move}, or give a default: ${{NAME:-value}}. Single quotes keep a ${{ that is no variable.",
        )
    return known.get(atom.name, atom.default or "")
