"""The commands that texts name: those of one of several databases have its name, as doit database_upgrade:analytics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TOLD_OF: ContextVar[str] = ContextVar("told_of", default="")
# Compiled where there are several databases: each start of doit would pay for it.
_COMMAND, _TASK = r"\bdoit((?: database_[a-z_]+\b(?!:))+)", r"database_(?!copy|init)[a-z_]+"


@contextmanager
def told_of(database: str) -> Iterator[None]:
    """A context in which what is printed is of one of several databases; of the default one with an empty name."""
    token = _TOLD_OF.set(database)
    try:
        yield
    finally:
        _TOLD_OF.reset(token)


def in_context(text: str) -> str:
    """The text with the commands of the database that it is told of."""
    return of_database(text, _TOLD_OF.get())


def of_database(text: str, database: str) -> str:
    """The text with the commands of one of several databases; as it is, with an empty name."""
    if not database or "doit database_" not in text:
        return text
    return re.sub(_COMMAND, lambda found: "doit" + re.sub(_TASK, rf"\g<0>:{database}", found[1]), text)
