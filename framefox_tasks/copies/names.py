"""Finding the table or column that a user means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from framefox_tasks.databases.rows import CopySchema, Name, TablePlan
from framefox_tasks.errors import ConfigError

T = TypeVar("T")


def found(text: str, known: Mapping[str, T], what: str) -> T:
    """What is meant by a name: the one that is spelled so, or the only one that is but for capital letters.

    Args:
        text: What the user wrote.
        known: What there is, by its name.
        what: What it was written for, for the message: `The mask of user.email`.

    Raises:
        ConfigError: There is none, or more than one.
    """
    if text in known:
        return known[text]
    alike = {name: one for name, one in known.items() if name.casefold() == text.casefold()}
    if len(set(map(id, alike.values()))) == 1:
        return next(iter(alike.values()))
    if alike:
        raise ConfigError(f"{what} may mean {' or '.join(sorted(alike))}.", hint="Write it as it is there.")
    raise ConfigError(f"{what} names nothing that the source has.", hint=near(text, known))


def near(text: str, known: Iterable[str]) -> str:
    """A hint that names what the user may have meant."""
    names = sorted(set(known))
    names = [
        name for name in names if name.removeprefix("public.") == name or name.removeprefix("public.") not in names
    ]
    folded = {name.casefold(): name for name in names}
    likely = [name for name in names if name.casefold().endswith(f".{text.casefold()}")]
    likely = likely or [folded[name] for name in get_close_matches(text.casefold(), folded, n=3)]
    if likely:
        return f"Did you mean {' or '.join(likely)}?"
    shown = ", ".join(names[:20])
    return f"There are {shown}{', ...' if len(names) > 20 else ''}." if names else "The source has no tables."


def spellings(name: Name) -> tuple[str, ...]:
    """How a table may be called: the usual schema of PostgreSQL may be named or not."""
    return (str(name),) if name.schema else (name.name, f"public.{name.name}")


def tables_by_name(schema: CopySchema) -> dict[str, TablePlan]:
    """The tables by all that they may be called."""
    return {spelling: plan for plan in schema.tables for spelling in spellings(plan.source.name)}
