"""The comparison of types and defaults, where Alembic's own finds differences that are none."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, Column, Enum, Index, Numeric, String
from sqlalchemy.dialects.mysql import ENUM
from sqlalchemy.engine import Dialect

from framefox_tasks.databases import database_named
from framefox_tasks.databases.columns import ColumnComparison

_COLUMNS = "framefox_tasks_columns"
_NOW = {"now()", "current_timestamp", "current_timestamp()", "localtimestamp", "localtimestamp()"}
_CAST = re.compile(r"::[\w .\"\[\]]+(\(\d+(,\d+)?\))?$")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_TRUTH = {"true": "1", "false": "0"}


def compare_type(
    context: MigrationContext,
    inspected_column: Column[Any],
    metadata_column: Column[Any],
    inspected_type: Any,
    metadata_type: Any,
) -> bool | None:
    """Alembic's compare_type hook: True for a difference, False for none, None to let Alembic decide.

    A server that has words of its own for types is asked; else MySQL's ENUM differs if its values do. On SQLite
    VARCHAR, NVARCHAR and CHAR of one length are the same: only their affinity counts (SQLite documentation,
    "Datatypes In SQLite").
    """
    columns = columns_of(context)
    if columns:
        columns.note_numbering(inspected_column, metadata_column)
    same = columns.same_type(inspected_column, metadata_column) if columns else None
    if same is not None:
        return not same
    if isinstance(inspected_type, ENUM) and isinstance(metadata_type, Enum):
        return list(inspected_type.enums) != list(metadata_type.enums)
    declared = metadata_type.dialect_impl(context.dialect)  # a variant for this dialect may have another length
    texts = isinstance(inspected_type, String) and isinstance(declared, String)
    if database_named(context.dialect.name).types_by_affinity and texts and inspected_type.length == declared.length:
        return False
    return None


def help_compare_defaults(context: MigrationContext) -> None:
    """Let Alembic compare server defaults by value and not by spelling.

    Not through its compare_server_default hook: with one set, Alembic 1.20 fails on computed and identity columns.
    """
    theirs: Any = context.impl.compare_server_default

    def compare(inspected: Column[Any], metadata: Column[Any], declared: str | None, found: str | None) -> bool:
        if declared is not None and not isinstance(getattr(metadata.server_default, "arg", None), str):
            declared = _without_doubled_percents(declared, context.dialect)
        decided = _same_default(metadata, declared, found, context.dialect)
        columns = None if decided else columns_of(context)
        same = columns.same_default(inspected, metadata) if columns else None
        decided = decided if same is None else same
        return bool(theirs(inspected, metadata, declared, found)) if decided is None else not decided

    context.impl.compare_server_default = compare  # type: ignore[method-assign]
    _help_reflect(context)
    _help_compare_indexes(context)


def _help_reflect(context: MigrationContext) -> None:
    """Let a database correct what SQLAlchemy reflects of its columns."""
    theirs: Any = context.impl.autogen_column_reflect

    def reflect(inspector: Any, table: Any, column: Any) -> None:
        theirs(inspector, table, column)
        columns = columns_of(context)
        if columns:
            columns.reflect(table, column)

    context.impl.autogen_column_reflect = reflect  # type: ignore[method-assign]


def _help_compare_indexes(context: MigrationContext) -> None:
    """Let a database compare what Alembic does not: prefixes of columns, orders, and kinds of indexes."""
    impl: Any = context.impl
    theirs, correct = impl.compare_indexes, impl.correct_for_autogen_constraints

    def compare(declared: Index, live: Index) -> Any:
        result, columns = theirs(declared, live), columns_of(context)
        if columns is None or bool(declared.unique) != bool(live.unique):
            return result
        same = columns.same_index(live, declared)
        return type(result).Equal() if same else type(result).Different("the parts that it has of its columns")

    def complete(uniques: Any, indexes: Any, *others: Any) -> None:
        columns = columns_of(context)
        for index in indexes:
            if columns:
                columns.reflect_index(index)
        correct(uniques, indexes, *others)

    impl.compare_indexes, impl.correct_for_autogen_constraints = compare, complete


def columns_of(context: MigrationContext) -> ColumnComparison | None:
    """What compares columns by the server's words, if there is any."""
    if _COLUMNS not in context.opts:
        database = database_named(context.dialect.name)
        context.opts[_COLUMNS] = database.compare_columns(context.connection) if context.connection else None
    found: ColumnComparison | None = context.opts[_COLUMNS]
    return found


def _without_doubled_percents(sql: str, dialect: Dialect) -> str:
    """The SQL as the server gets it: for drivers that take % for a parameter SQLAlchemy compiles two."""
    return sql.replace("%%", "%") if dialect.identifier_preparer._double_percents else sql


def _same_default(column: Column[Any], declared: str | None, found: str | None, dialect: Dialect) -> bool | None:
    if declared is None or found is None:
        return None
    value = getattr(column.server_default, "arg", None)
    plain = isinstance(value, str)  # not yet quoted
    escapes = bool(getattr(dialect, "_backslash_escapes", False))
    one, other = str(value) if plain else normalized(declared, escapes), normalized(found, escapes)
    if isinstance(column.type, Boolean):
        one, other = (_TRUTH.get(text.lower(), text) for text in (one, other))
    if plain and database_named(dialect.name).shows_bmp_only:
        one = _BEYOND_BMP.sub("?", one)
    if one == other or (isinstance(column.type, Numeric) and _same_number(one, other)):
        return True
    # Alembic's own comparison on PostgreSQL fails on a quote in the text.
    return False if plain and isinstance(column.type, String) and "'" in declared + found else None


def _same_number(one: str, other: str) -> bool:
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def normalized(default: str, backslash_escapes: bool = False) -> str:
    """A default without the parentheses and the cast around it, and without the quotes of a literal."""
    text = default.strip()
    while (bare := _bare(text)) != text:
        text = bare
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        inner = text[1:-1].replace(text[0] * 2, text[0])
        return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), inner) if backslash_escapes else inner
    return "now()" if text.lower() in _NOW else text


def _bare(text: str) -> str:
    text = _CAST.sub("", text)
    return text[1:-1].strip() if (text[:1], text[-1:]) == ("(", ")") else text
