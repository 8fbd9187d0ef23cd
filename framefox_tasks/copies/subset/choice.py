"""What a user wrote of tables: which to copy, and which to leave empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from framefox_tasks.copies.names import near, spellings
from framefox_tasks.databases.rows import Name
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions


def chosen(
    names: Sequence[Name], options: CopyOptions, version_table: str, *, strict: bool = True
) -> Callable[[Name], bool]:
    """Says which tables are copied: those of `options.tables`, or all; the version table always.

    Args:
        names: The tables that there are.
        options: What the user wants.
        version_table: Its name, where it needs one with its schema.
        strict: Whether a pattern that none of the tables matches is an error.

    Raises:
        ConfigError: A pattern matches no table.
    """
    if strict:
        _check("--tables", options.tables, names)
    return lambda name: (
        not options.tables or version_table in spellings(name) or any(_matches(name, one) for one in options.tables)
    )


def emptied(names: Sequence[Name], options: CopyOptions, version_table: str) -> Callable[[Name], bool]:
    """Says which tables are copied without their rows; never the version table.

    Args:
        names: The tables that are copied.
        options: What the user wants.
        version_table: Its name, where it needs one with its schema.

    Raises:
        ConfigError: A pattern matches no table.
    """
    _check("--exclude", options.exclude, names)
    return lambda name: (
        version_table not in spellings(name)
        and (options.schema_only or any(_matches(name, one) for one in options.exclude))
    )


def _matches(name: Name, pattern: str) -> bool:
    return any(spelling == pattern or fnmatchcase(spelling, pattern) for spelling in spellings(name))


def _check(option: str, patterns: Sequence[str], names: Sequence[Name]) -> None:
    for pattern in patterns:
        if not any(_matches(name, pattern) for name in names):
            raise ConfigError(f"{option}={pattern} matches no table.", hint=near(pattern, map(str, names)))
