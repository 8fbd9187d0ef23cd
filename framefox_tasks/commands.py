"""The commands that texts name: those of one of several databases have its name, as doit database_upgrade:analytics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

# Compiled where there are several databases: each start of doit would pay for it.
_COMMAND, _TASK = r"\bdoit((?: database_[a-z_]+\b(?!:))+)", r"database_(?!copy|init)[a-z_]+"


class _ToldOf(local):
    """The database that is told of, in each thread."""

    database = ""


_told_of = _ToldOf()


@contextmanager
def told_of(database: str) -> Iterator[None]:
    """A context in which what is printed is of one of several databases; of the default one with an empty name."""
    before, _told_of.database = _told_of.database, database
    try:
        yield
    finally:
        _told_of.database = before


def in_context(text: str) -> str:
    """The text with the commands of the database that it is told of."""
    return of_database(text, _told_of.database)


def of_database(text: str, database: str) -> str:
    """The text with the commands of one of several databases, with a star of all; as it is, with an empty name."""
    if not database or "doit database_" not in text:
        return text
    named = r"'\g<0>:*'" if database == "*" else rf"\g<0>:{database}"  # a shell looks for files with a star
    return re.sub(_COMMAND, lambda found: "doit" + re.sub(_TASK, named, found[1]), text)
