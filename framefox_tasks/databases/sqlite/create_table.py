"""What only the text of a CREATE TABLE tells of a SQLite table: names of constraints, checks, what may be deferred."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framefox_tasks.databases.schema import LiveCheck

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = r"(?:\"\.*\"|`\.*`|\[\.*\]|\w+)"
_NAMED = rf"(?:\bCONSTRAINT\s+({_NAME})\s+)?"
_CHECK = re.compile(rf"{_NAMED}\bCHECK\s*\(", re.IGNORECASE)
_PRIMARY = re.compile(rf"{_NAMED}\bPRIMARY\s+KEY\b", re.IGNORECASE)
_UNIQUE = re.compile(rf"{_NAMED}\bUNIQUE\s*\(([^)]*)\)", re.IGNORECASE)
_FIRST = re.compile(rf"\s*({_NAME})")
_OWN_UNIQUE = re.compile(rf"\bCONSTRAINT\s+({_NAME})\s+UNIQUE\b(?!\s*\()", re.IGNORECASE)
_REFERENCE = re.compile(
    rf"{_NAMED}(?:\bFOREIGN\s+KEY\s*\([^)]*\)\s*)?\bREFERENCES\s+{_NAME}(?:\s*\([^)]*\))?"
    r"((?:\s+(?:ON\s+(?:DELETE|UPDATE)\s+(?:SET\s+\w+|NO\s+ACTION|\w+)|MATCH\s+\w+"
    r"|(?:NOT\s+)?DEFERRABLE(?:\s+INITIALLY\s+\w+)?))*)",
    re.IGNORECASE,
)
_GENERATED = re.compile(rf"({_NAME})\s[^,()]*(?:\([^)]*\)[^,()]*)?\bAS\s*\(", re.IGNORECASE)
_DEFERRED = re.compile(r"(?<!NOT )DEFERRABLE\s+INITIALLY\s+DEFERRED", re.IGNORECASE)


class CreateTable:
    """The text of a CREATE TABLE."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        # Of the same length, and without what could be taken for a keyword.
        self._plain = _QUOTED.sub(_blank, sql)

    def _named(self, match: re.Match[str], group: int = 1) -> str | None:
        if match[group] is None:
            return None
        return unquoted(self._sql[match.start(group) : match.end(group)])

    def checks(self) -> Iterator[LiveCheck]:
        """The checks of the table and of its columns."""
        for match in _CHECK.finditer(self._plain):
            yield LiveCheck(self._named(match), self._inside(match.end()))

    def _inside(self, start: int) -> str:
        """What is in the parentheses that were opened before."""
        depth = 1
        for place in range(start, len(self._plain)):
            depth += (self._plain[place] == "(") - (self._plain[place] == ")")
            if depth == 0:
                return self._sql[start:place].strip()
        return self._sql[start:].strip()

    def primary_name(self) -> str | None:
        """The name of the primary key."""
        match = _PRIMARY.search(self._plain)
        return self._named(match) if match else None

    def unique_names(self) -> dict[tuple[str, ...], str]:
        """The names of unique constraints, by their columns in small letters."""
        found = {}
        for match in _UNIQUE.finditer(self._plain):
            name = self._named(match)
            if name:
                columns = self._sql[match.start(2) : match.end(2)].split(",")
                found[tuple(unquoted(column).casefold() for column in columns)] = name
        for start, end in self._items():
            column, own = _FIRST.match(self._plain, start, end), _OWN_UNIQUE.search(self._plain, start, end)
            if column and own:
                found[str(self._named(column)).casefold(),] = str(self._named(own))
        return found

    def _items(self) -> Iterator[tuple[int, int]]:
        """Where the columns and the constraints of the table stand."""
        start = self._plain.find("(") + 1
        depth = 0
        for place in range(start, len(self._plain)):
            if depth == 0 and self._plain[place] in ",)":
                yield start, place
                start = place + 1
            depth += (self._plain[place] == "(") - (self._plain[place] == ")")
            if depth < 0:
                return

    def references(self) -> list[tuple[str | None, bool]]:
        """The foreign keys as they stand there: their names, and whether they are deferred."""
        return [(self._named(match), bool(_DEFERRED.search(match[2]))) for match in _REFERENCE.finditer(self._plain)]

    def generated(self) -> dict[str, str]:
        """The expressions of computed columns."""
        found = {}
        for match in _GENERATED.finditer(self._plain):
            found[str(self._named(match))] = self._inside(match.end())
        return found

    def collations(self) -> list[str]:
        """The names behind COLLATE, in small letters."""
        found = re.finditer(rf"\bCOLLATE\s+({_NAME})", self._plain, re.IGNORECASE)
        return [str(self._named(match)).lower() for match in found]


def _blank(match: re.Match[str]) -> str:
    text = match[0]
    if text[0] in "-/":
        return " " * len(text)
    return text[0] + "." * (len(text) - 2) + text[-1]


def unquoted(name: str) -> str:
    """A name without its quotes."""
    name = name.strip()
    if len(name) > 1 and name[0] in "\"`'":
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name.startswith("[") else name
