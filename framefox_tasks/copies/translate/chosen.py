"""The types that a user has chosen for columns of a copy in another kind of database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from framefox_tasks.copies.table_names import near, spellings
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import LiveColumn, LiveSchema, LiveTable
from framefox_tasks.errors import ConfigError

_COLUMN = re.compile(r"[^()]+\.[^()]+")
_PLAIN = (
    Kind.INTEGER,
    Kind.NUMERIC,
    Kind.FLOAT,
    Kind.TEXT,
    Kind.OTHER,
    Kind.ENUM,
    Kind.DATE,
    Kind.TIME,
    Kind.TIMESTAMP,
)
"""What is read in the same way, whatever it is loaded as."""


def with_types(found: LiveSchema, types: Sequence[tuple[str, str]], source: Dialect, target: Dialect) -> LiveSchema:
    """The schema whose columns have the types that were chosen.

    Args:
        found: The source's.
        types: A column as `table.column`, in which * stands for any letters, or a type as the source writes it; and the
            type in the copy. The last that fits a column counts.
        source: Its dialect.
        target: The copy's.

    Raises:
        ConfigError: One of them fits no column.
    """
    used: set[str] = set()

    def column(table: LiveTable, one: LiveColumn) -> LiveColumn:
        fitting = [(what, type_) for what, type_ in types if what in (*_names(table, one, types), one.native)]
        used.update(what for what, _ in fitting)
        return _chosen(one, fitting[-1][1], source, target) if fitting else one

    tables = tuple(replace(table, columns=tuple(column(table, one) for one in table.columns)) for table in found.tables)
    for what, type_ in types:
        if what not in used:
            known = {f"{table.name}.{one.name}" for table in found.tables for one in table.columns}
            known |= (
                set() if _COLUMN.fullmatch(what) else {one.native for table in found.tables for one in table.columns}
            )
            raise ConfigError(
                f"--type={what}={type_}: {what} is no column and no type of the source.", hint=near(what, known)
            )
    return replace(found, tables=tables)


def _names(table: LiveTable, column: LiveColumn, types: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Those that mean the column."""
    whole = [f"{name}.{column.name}".casefold() for name in spellings(table.name)]
    for what, _ in types:
        if _COLUMN.fullmatch(what) and any(fnmatchcase(name, what.casefold()) for name in whole):
            yield what


def _chosen(column: LiveColumn, native: str, source: Dialect, target: Dialect) -> LiveColumn:
    type_ = target.read(native)
    before = column.type.kind
    plain = before in _PLAIN or (before is Kind.BOOLEAN and not source.has_booleans)
    if type_ is None or type_.kind is Kind.OTHER or not plain:
        type_ = column.type  # it travels as it did
    return replace(column, type=replace(type_, hidden=column.native, own=None), chosen=native)
