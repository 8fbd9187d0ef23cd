"""The statements that read and move the revision, which SQLAlchemy need not compile each time."""

from __future__ import annotations

from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Update


def prepare_update(context: MigrationContext) -> None:
    """Have a context that runs on a connection send these statements as text: the same that it would send."""
    if context.as_sql or context.connection is None:
        return
    impl, connection = context.impl, context.connection
    original, parts = impl._exec, _Parts(context)

    def execute(construct: Any, *arguments: Any, **keywords: Any) -> Any:
        text = parts.text(construct) if not arguments and not keywords else None
        return original(construct, *arguments, **keywords) if text is None else connection.exec_driver_sql(text)

    impl._exec = execute  # type: ignore[method-assign]


def prepare_reading(context: MigrationContext, *, is_there: bool) -> None:
    """Have a context that runs on a connection read the revisions with the text of the same statement.

    Args:
        context: The context.
        is_there: Whether the version table is known to be there.
    """
    if context.as_sql or context.connection is None:
        return
    original = context.get_current_heads

    def read() -> tuple[str, ...]:
        connection = context.connection
        if connection is None or context._start_from_rev:
            return original()
        if not is_there and not context._has_version_table():
            return ()
        table = connection.dialect.identifier_preparer.format_table(context._version)
        rows = connection.exec_driver_sql(f"SELECT version_num FROM {table}")  # noqa: S608 - quoted
        return tuple(row[0] for row in rows)

    context.get_current_heads = read  # type: ignore[method-assign]


class _Parts:
    """The text of the statement around the two revisions."""

    def __init__(self, context: MigrationContext) -> None:
        self._context = context
        self._parts: tuple[str, str, str] | None = None

    def text(self, construct: Any) -> str | None:
        """A statement as text; None where it is another, or holds what a driver might read."""
        if not isinstance(construct, Update) or construct.table is not self._context._version:
            return None
        try:
            values: Any = construct._values
            (after,), (where,) = values.values(), construct._where_criteria
            to, from_ = str(after.name), str(where.right.name)
        except (AttributeError, TypeError, ValueError):
            return None
        if to == from_ or any(mark in to + from_ for mark in "%:\\?"):
            return None
        if self._parts is None:
            compiled = str(construct.compile(dialect=self._context.dialect))
            head, found, rest = compiled.partition(to)
            middle, also, tail = rest.partition(from_)
            if not found or not also or "%" in compiled:
                return None
            self._parts = head, middle, tail
        head, middle, tail = self._parts
        return f"{head}{to}{middle}{from_}{tail}"
