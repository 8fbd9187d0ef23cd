"""Pieces of SQL as the server writes it: names, strings and comments told apart."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

NAME = r"`(?:[^`]|``)+`"
_TOKEN = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|" + NAME + r"|--[ \t][^\n]*|#[^\n]*|/\*.*?\*/|[\w$]+|\s+|.",
    re.DOTALL,
)
_DEFINER = re.compile(rf"^(CREATE (?:OR REPLACE )?(?:ALGORITHM=\w+ )?)DEFINER=(?:{NAME}@{NAME}|{NAME}|\S+) ")


def tokens(sql: str) -> Iterator[str]:
    """The pieces of a statement; joined they are the statement again."""
    return (match[0] for match in _TOKEN.finditer(sql))


def bare(token: str) -> str:
    """A name without its quotes."""
    return token[1:-1].replace("``", "`") if token.startswith("`") else token


def names_in(sql: str) -> set[str]:
    """Every word that may be a name, in small letters."""
    return {
        bare(token).casefold() for token in tokens(sql) if token[0] == "`" or token[0].isalnum() or token[0] in "_$"
    }


def without_definer(sql: str) -> str:
    """A CREATE statement that belongs to whoever runs it."""
    return _DEFINER.sub(r"\1", sql, count=1)


def unqualified(sql: str, database: str, known: Container[str]) -> str:
    """A statement without the name of the database in front of what it holds.

    Args:
        sql: The statement.
        database: The database's name.
        known: What the database holds, in small letters.
    """
    parts = list(tokens(sql))
    kept: list[str] = []
    position = 0
    while position < len(parts):
        inside = (
            position + 2 < len(parts)
            and bare(parts[position]) == database
            and parts[position + 1] == "."
            and bare(parts[position + 2]).casefold() in known
            and (not kept or kept[-1] != ".")
        )
        position += 2 if inside else 0
        kept.append(parts[position])
        position += 1
    return "".join(kept)
