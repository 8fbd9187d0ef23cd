"""The plain part of YAML that settings are mostly written in: to import PyYAML for it is a tenth of a start of doit.

Nested mappings of names, block lists and flow lists of words, and texts on one line. What is written in any other way,
wrong ways among them, is left to PyYAML; a test holds the two side by side.
"""

from __future__ import annotations

from string import ascii_letters, digits
from typing import Any

_WORD = frozenset(f"{ascii_letters}{digits}_")
_FIRST = _WORD | frozenset("/.$")
_PLAIN = _FIRST | frozenset("-+*=<>(){};@%~^&?!,:' \"")
_ITEM = _WORD | frozenset("/.-*+")
_QUOTED = _PLAIN | frozenset("#[]|`")
_NULLS = frozenset(("~", "null", "Null", "NULL"))


class _NotPlainError(Exception):
    """A line is written in another way."""


def read(text: str) -> dict[str, Any] | None:
    """The mapping in a text, its values as they are written; None where only PyYAML can tell."""
    lines = []
    if not text.replace("\n", "").isprintable():
        return None
    for line in text.split("\n"):
        content = line.lstrip(" ")
        if content and content[0] != "#":
            lines.append((len(line) - len(content), content))
    if not lines or lines[0][0]:
        return None
    try:
        mapping, end = _mapping(lines, 0)
    except _NotPlainError:
        return None
    return mapping if end == len(lines) else None


def _mapping(lines: list[tuple[int, str]], start: int) -> tuple[dict[str, Any], int]:
    """The mapping that begins in a line, and the line after it."""
    found: dict[str, Any] = {}
    indent = lines[start][0]
    while start < len(lines) and lines[start][0] == indent:
        key, colon, rest = lines[start][1].partition(":")
        if not colon or not key or not _WORD.issuperset(key) or key in found or key in _NULLS:
            raise _NotPlainError
        start += 1
        if rest[:1] not in ("", " "):
            raise _NotPlainError
        value = _without_comment(rest)
        below = start < len(lines) and lines[start][0] > indent
        if value or not below:
            found[key] = _value(value)  # a line that goes on deeper than its key is refused below
        elif lines[start][1].startswith("- "):
            found[key], start = _list(lines, start)
        else:
            found[key], start = _mapping(lines, start)
    if start < len(lines) and lines[start][0] > indent:
        raise _NotPlainError
    return found, start


def _list(lines: list[tuple[int, str]], start: int) -> tuple[list[Any], int]:
    """The list that begins in a line, and the line after it."""
    found = []
    indent = lines[start][0]
    while start < len(lines) and lines[start][0] == indent:
        if not lines[start][1].startswith("- "):
            raise _NotPlainError
        text = _without_comment(lines[start][1][1:])
        if not text:
            raise _NotPlainError
        found.append(_value(text))
        start += 1
    if start < len(lines) and lines[start][0] > indent:
        raise _NotPlainError
    return found, start


def _without_comment(text: str) -> str:
    """What stands behind a colon or dash, without a comment; a # in quotes is told apart by _value."""
    stripped = text.strip(" ")
    if stripped[:1] in ("'", '"'):
        quote = stripped[0]
        end = stripped.find(quote, 1)
        rest = stripped[end + 1 :]
        if end < 0 or (rest and not rest.lstrip(" ").startswith("#")) or (rest and rest[0] != " "):
            raise _NotPlainError
        return stripped[: end + 1]
    return text.partition(" #")[0].strip(" ")


def _value(text: str) -> Any:
    if text == "" or text in _NULLS:
        return None
    if text[0] in ("'", '"'):
        if not _QUOTED.issuperset(text[1:-1]):  # neither escapes nor what only some YAML takes
            raise _NotPlainError
        return text[1:-1]
    if text[0] == "[" and text[-1] == "]":
        items = [item.strip(" ") for item in text[1:-1].split(",")]
        if not all(item and item[0] in _FIRST and _ITEM.issuperset(item) and item not in _NULLS for item in items):
            raise _NotPlainError
        return items
    first = text[1:2] if text[0] == "-" else text[0]  # a number below zero
    if first not in _FIRST or not _PLAIN.issuperset(text) or ": " in text or text[-1] == ":":
        raise _NotPlainError
    return text
