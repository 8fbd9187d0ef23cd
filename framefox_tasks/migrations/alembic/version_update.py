"""The statement that moves the version table to the next revision, which SQLAlchemy need not build each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.runtime import migration
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import literal_column


def prepare_update(context: MigrationContext) -> None:
    """Have a context that runs on a connection send this statement as text: the same that it would send."""
    if context.as_sql or context.connection is None:
        return
    original, parts = context.run_migrations, _Parts(context)

    def run_migrations(**keywords: Any) -> None:
        with _maintaining(context, parts):
            original(**keywords)

    context.run_migrations = run_migrations  # type: ignore[method-assign]


@contextmanager
def _maintaining(context: MigrationContext, parts: _Parts) -> Iterator[None]:
    """A context in which Alembic moves the revision of one of its contexts by the text of the statement."""
    theirs = migration.HeadMaintainer

    class Maintainer(theirs):  # type: ignore[misc, valid-type]
        """The heads, and the version table."""

        def _update_version(self, from_: str, to_: str) -> None:
            text = parts.text(from_, to_) if self.context is context else None
            if text is None:
                super()._update_version(from_, to_)
                return
            self.heads.remove(from_)
            self.heads.add(to_)
            assert context.connection is not None  # noqa: S101 - looked at above
            found = context.connection.exec_driver_sql(text).rowcount
            if found != 1 and context.dialect.supports_sane_rowcount:
                raise CommandError(
                    f"Online migration expected to match one row when updating '{from_}' to '{to_}' in "
                    f"'{context.version_table}'; {found} found"
                )

    migration.HeadMaintainer = Maintainer  # type: ignore[misc]
    try:
        yield
    finally:
        migration.HeadMaintainer = theirs  # type: ignore[misc]


class _Parts:
    """The text of the statement around the two revisions."""

    def __init__(self, context: MigrationContext) -> None:
        self._context = context
        self._parts: tuple[str, str, str] | None = None

    def text(self, from_: str, to_: str) -> str | None:
        """The statement; None where a revision holds what a driver might read, or SQLAlchemy puts schemas in."""
        if to_ == from_ or any(mark in to_ + from_ for mark in "%:\\?'"):
            return None
        connection = self._context.connection
        if connection is None or connection.get_execution_options().get("schema_translate_map"):
            return None
        if self._parts is None:
            self._parts = self._found(from_, to_)
        head, middle, tail = self._parts
        return f"{head}{to_}{middle}{from_}{tail}" if head else None

    def _found(self, from_: str, to_: str) -> tuple[str, str, str]:
        table = self._context._version
        moved = table.update().values(version_num=literal_column(f"'{to_}'"))
        statement = moved.where(table.c.version_num == literal_column(f"'{from_}'"))
        compiled = str(statement.compile(dialect=self._context.dialect))
        head, found, rest = compiled.partition(f"'{to_}'")
        middle, also, tail = rest.partition(f"'{from_}'")
        if not found or not also or "%" in compiled:
            return "", "", ""
        return f"{head}'", f"'{middle}'", f"'{tail}"
