"""The statements that read and move the revision, which SQLAlchemy need not compile each time."""

from __future__ import annotations

from functools import cache

from alembic.runtime.migration import HeadMaintainer, MigrationContext
from alembic.util import CommandError
from sqlalchemy import literal_column
from sqlalchemy.engine import Connection

from framefox_tasks.databases import reuse

_TEXTS = "framefox_tasks_version_update"


def prepare_update(context: MigrationContext) -> None:
    """Have a context that runs on a connection move its revision by text: the same statement that it would send."""
    if context.as_sql or context.connection is None:
        return
    _know_texts()
    context.opts[_TEXTS] = _Texts(context)


@cache
def _know_texts() -> None:
    """Have Alembic ask for the text wherever it moves the revision of a context; once in a process."""
    original = HeadMaintainer._update_version

    def update(self: HeadMaintainer, from_: str, to_: str) -> None:
        texts, connection = self.context.opts.get(_TEXTS), self.context.connection
        text = texts.text(from_, to_) if texts is not None and texts.context is self.context else None
        if text is None or connection is None:
            original(self, from_, to_)
            return
        self.heads.remove(from_)
        self.heads.add(to_)
        found = connection.exec_driver_sql(text).rowcount
        if found != 1 and self.context.dialect.supports_sane_rowcount:
            raise CommandError(
                f"Online migration expected to match one row when updating '{from_}' to '{to_}' in "
                f"'{self.context.version_table}'; {found} found"
            )

    HeadMaintainer._update_version = update  # type: ignore[method-assign]


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
        if connection is None or context._start_from_rev or _translates(connection):
            return original()
        if not is_there and not context._has_version_table():
            return ()
        table = connection.dialect.identifier_preparer.format_table(context._version)
        rows = connection.exec_driver_sql(f"SELECT version_num FROM {table}")  # noqa: S608 - quoted
        return tuple(row[0] for row in rows)

    context.get_current_heads = read  # type: ignore[method-assign]


def _translates(connection: Connection) -> bool:
    """Whether SQLAlchemy puts other schemas into the statements of a connection."""
    return bool(connection.get_execution_options().get("schema_translate_map"))


class _Texts:
    """The text of the statement around the two revisions."""

    def __init__(self, context: MigrationContext) -> None:
        self.context = context
        self._parts: tuple[str, str, str] | None = None

    def text(self, from_: str, to_: str) -> str | None:
        """The statement; None where a revision holds what a driver might read, or SQLAlchemy puts schemas in."""
        if to_ == from_ or any(mark in to_ + from_ for mark in "%:\\?'"):
            return None
        connection = self.context.connection
        if connection is None or _translates(connection):
            return None
        if self._parts is None:
            self._parts = self._kept(from_, to_)
        head, middle, tail = self._parts
        return f"{head}{to_}{middle}{from_}{tail}" if head else None

    def _kept(self, from_: str, to_: str) -> tuple[str, str, str]:
        """What is around them; a thread that works on many databases of one dialect compiles it once."""
        if not reuse.is_reusing():
            return self._found(from_, to_)
        table = self.context._version
        key = (_TEXTS, self.context.dialect, table.schema, table.name)
        parts: tuple[str, str, str] = reuse.kept(key, lambda: self._found(from_, to_))
        return parts

    def _found(self, from_: str, to_: str) -> tuple[str, str, str]:
        table = self.context._version
        moved = table.update().values(version_num=literal_column(f"'{to_}'"))
        statement = moved.where(table.c.version_num == literal_column(f"'{from_}'"))
        compiled = str(statement.compile(dialect=self.context.dialect))
        head, found, rest = compiled.partition(f"'{to_}'")
        middle, also, tail = rest.partition(f"'{from_}'")
        if not found or not also or "%" in compiled:
            return "", "", ""
        return f"{head}'", f"'{middle}'", f"'{tail}"
