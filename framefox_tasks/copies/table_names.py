"""The tables and columns that a user means, by names and patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TypeVar

from framefox_tasks.databases.rows import CopySchema, Name, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions

T = TypeVar("T")


def lookup(text: str, known: Mapping[str, T], what: str) -> T:
    """Look up a name as it is spelled, else without regard to capital letters, if that is unambiguous.

    Args:
        text: What the user wrote.
        known: What may be meant, by its name.
        what: The subject of the error message: `The mask of user.email`.

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
    """The spellings of a table: with or without `public`, the default schema of PostgreSQL."""
    return (str(name),) if name.schema else (name.name, f"public.{name.name}")


def tables_by_name(schema: CopySchema) -> dict[str, TablePlan]:
    """The tables by all their spellings."""
    return {spelling: plan for plan in schema.tables for spelling in spellings(plan.source.name)}


class TableFilter:
    """Which tables are copied: those of `--tables`, or all; the version table always.

    Remembers the tables that it was asked for, so that a pattern that matches none is found.

    Args:
        options: The options of the copy.
        version_table: The name of the version table, where it needs one with its schema.
    """

    def __init__(self, options: CopyOptions, version_table: str) -> None:
        self._patterns = options.tables
        self._version_table = version_table
        self._names: dict[Name, None] = {}

    def __call__(self, name: Name) -> bool:
        """Whether a table is copied."""
        self._names[name] = None
        return not self._patterns or self._version_table in spellings(name) or _matches(name, self._patterns)

    def check(self) -> None:
        """Raises: ConfigError: A pattern matches no table."""
        _check_patterns("--tables", self._patterns, tuple(self._names))


def empty_table_filter(names: Sequence[Name], options: CopyOptions, version_table: str) -> Callable[[Name], bool]:
    """Gives which tables are copied without their rows; never the version table.

    Raises:
        ConfigError: A pattern of `--exclude` matches no table.
    """
    _check_patterns("--exclude", options.exclude, names)
    return lambda name: (
        version_table not in spellings(name) and (options.schema_only or _matches(name, options.exclude))
    )


def _matches(name: Name, patterns: Sequence[str]) -> bool:
    return any(spelling == one or fnmatchcase(spelling, one) for spelling in spellings(name) for one in patterns)


def _check_patterns(option: str, patterns: Sequence[str], names: Sequence[Name]) -> None:
    for pattern in patterns:
        if not any(_matches(name, [pattern]) for name in names):
            raise ConfigError(f"{option}={pattern} matches no table.", hint=near(pattern, map(str, names)))
