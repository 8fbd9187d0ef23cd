"""The comparison of types and defaults, where Alembic's own finds differences that are none."""

from __future__ import annotations

import re
import warnings
from decimal import Decimal, InvalidOperation
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, Column, Enum, Index, Numeric, Sequence, String
from sqlalchemy.dialects.mysql import BIT, ENUM
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType

from framefox_tasks.databases import database_named
from framefox_tasks.databases.columns import ColumnComparison
from framefox_tasks.migrations.alembic.as_found import has_default, has_new_type, has_orders, is_as_recorded
from framefox_tasks.migrations.alembic.database_types import definitions_of, plain
from framefox_tasks.migrations.alembic.sequences import named_sequence, sequences_in

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
    "Datatypes In SQLite"); and a text that is longer than the values of an enum, which nobody has changed.
    """
    columns = columns_of(context)
    if columns:
        columns.note_numbering(inspected_column, metadata_column)
    same = columns.same_type(inspected_column, metadata_column) if columns else None
    if same is not None:
        return not same
    if isinstance(inspected_type, ENUM) and isinstance(metadata_type, Enum):
        return list(inspected_type.enums) != list(metadata_type.enums)
    if (different := _differs_by_server(context, inspected_column, metadata_column, inspected_type)) is not None:
        return different
    declared = metadata_type.dialect_impl(context.dialect)  # a variant for this dialect may have another length
    if not database_named(context.dialect.name).types_by_affinity or not isinstance(inspected_type, String):
        return None
    if isinstance(declared, Enum) and is_as_recorded(context, metadata_column):
        return None if (inspected_type.length or 0) < (declared.length or 0) else False
    return False if isinstance(declared, String) and inspected_type.length == declared.length else None


def ignore_warnings() -> None:
    """Keep warnings from the user that ask for nothing to be done."""
    # SQLAlchemy does not see them; the migration guard keeps them.
    warnings.filterwarnings("ignore", message="Skipped unsupported reflection of expression-based index")
    # A column of a type that SQLAlchemy has no name for, such as point, is compared in all but its type.
    warnings.filterwarnings("ignore", message="Did not recognize type")
    # For the databases that need it the file says that a column numbers itself.
    warnings.filterwarnings("ignore", message="autoincrement and existing_autoincrement only make sense for")


def help_compare_defaults(context: MigrationContext) -> None:
    """Let Alembic compare server defaults by value and not by spelling.

    Not through its compare_server_default hook: with one set, Alembic 1.20 fails on computed and identity columns.
    """
    theirs: Any = context.impl.compare_server_default

    def compare(inspected: Column[Any], metadata: Column[Any], declared: str | None, found: str | None) -> bool:
        if declared is None and isinstance(inspected.type, BIT) and not has_default(context, metadata):
            return False
        decided = same_by_server(context, metadata, declared, found)
        if decided is None:
            decided = _same_by_text(context, inspected, metadata, declared, found)
        return bool(theirs(inspected, metadata, declared, found)) if decided is None else not decided

    context.impl.compare_server_default = compare  # type: ignore[method-assign]
    help_reflect(context)
    _help_compare_indexes(context)


def help_reflect(context: MigrationContext) -> None:
    """Let a database correct what SQLAlchemy reflects of its columns."""
    theirs: Any = context.impl.autogen_column_reflect
    database = database_named(context.dialect.name)

    def reflect(inspector: Any, table: Any, column: Any) -> None:
        theirs(inspector, table, column)
        columns = columns_of(context)
        if columns:
            columns.reflect(table, column)
        computed = column.get("computed")
        if computed and context.connection is not None and table.schema is None:
            generated = database.generated(context.connection, table.name)
            computed["sqltext"] = generated.get(column["name"], computed["sqltext"])

    context.impl.autogen_column_reflect = reflect  # type: ignore[method-assign]


def _help_compare_indexes(context: MigrationContext) -> None:
    """Let a database compare what Alembic does not: prefixes of columns, orders, and kinds of indexes."""
    impl: Any = context.impl
    theirs, correct = impl.compare_indexes, impl.correct_for_autogen_constraints

    def compare(declared: Index, live: Index) -> Any:
        result, columns = theirs(declared, live), columns_of(context)
        if columns is None or bool(declared.unique) != bool(live.unique):
            return result
        same = columns.same_index(live, declared, orders=has_orders(context, declared))
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


def _differs_by_server(
    context: MigrationContext, found: Column[Any], declared: Column[Any], found_type: Any
) -> bool | None:
    """Whether the server writes the two types in different ways; None where that is for Alembic to say.

    A length or a precision that only the database has is no difference: entities that were made from it lack some.
    """
    definitions = definitions_of(context)
    if definitions is None:
        return None
    declared_sql = _type_sql(context, declared)
    known = not isinstance(found_type, NullType)  # else one such as point, which nothing else compares
    if known and declared_sql == str(found_type.compile(dialect=context.dialect)):
        return False
    normal = definitions.normal_column(declared_sql, None)
    live = definitions.column_type(plain(context, found.table.schema, found.table.name), found.name)
    if normal is None or live is None:
        return None
    if normal[0] == live:
        return False
    wanted, held = (re.sub(r"\(.*?\)", "", text) for text in (normal[0], live))
    if has_new_type(context, declared) or (wanted == held and "(" in normal[0]):
        return True
    return None if known else wanted != held


def differs_unknown(context: MigrationContext, found: Column[Any], declared: Column[Any]) -> bool:
    """Whether a column is of another type than a declared one, where SQLAlchemy has no name for that of the former."""
    columns = columns_of(context)
    if columns:
        return columns.same_type(found, declared) is False
    return bool(_differs_by_server(context, found, declared, found.type))


def _type_sql(context: MigrationContext, column: Column[Any]) -> str:
    compiler: Any = context.dialect.type_compiler_instance
    return str(compiler.process(column.type, type_expression=column))


def same_by_server(
    context: MigrationContext, column: Column[Any], declared: str | None, found: str | None
) -> bool | None:
    """Whether the server writes the declared default as the one that it has; None where it cannot tell."""
    definitions = definitions_of(context)
    if definitions is None or (column.primary_key and column is column.table._autoincrement_column):
        return None
    live = definitions.default(plain(context, column.table.schema, column.table.name), column.name)
    if live is None and found is not None:  # it is the domain's; or the column is not there by this name yet
        return True if declared is None else None
    if declared is None:
        return True if _is_numbered_by(context, column, live or "") else None
    make: Any = context.dialect.ddl_compiler
    text = unescaped(context, str(make(context.dialect, None).get_column_default_string(column)))
    if live == text:
        return True
    normal = definitions.normal_column(_type_sql(context, column), text)
    if normal is not None:
        return normal[1] == live
    # Its type or its sequence is not there yet, or no table can be made. Alembic would compare by "=", which fails.
    return live is not None and normalized(text) == normalized(live)


def _is_numbered_by(context: MigrationContext, column: Column[Any], live: str) -> bool:
    """Whether the default is the next number of the sequence that SQLAlchemy takes the values of the column from."""
    sequence = column.default
    if not isinstance(sequence, Sequence):
        return False
    names = [named_sequence(context, name) for name in sequences_in(live)]
    return names == [plain(context, sequence.schema, sequence.name)]


def unescaped(context: MigrationContext, statement: str) -> str:
    """Compiled SQL without the doubled percent signs of a driver that takes single ones for parameters."""
    doubled = getattr(context.dialect.identifier_preparer, "_double_percents", False)
    return statement.replace("%%", "%") if doubled else statement


def _same_by_text(
    context: MigrationContext, found_column: Column[Any], column: Column[Any], declared: str | None, found: str | None
) -> bool | None:
    if declared is not None and not isinstance(getattr(column.server_default, "arg", None), str):
        declared = unescaped(context, declared)
    decided = _same_default(column, declared, found, context.dialect)
    columns = None if decided else columns_of(context)
    same = columns.same_default(found_column, column) if columns else None
    return decided if same is None else same


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
