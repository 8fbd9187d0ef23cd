"""What a foreign key of SQLAlchemy's refers to, also where a name holds a dot."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ForeignKey
from sqlalchemy.exc import SQLAlchemyError


class ReferredColumn(NamedTuple):
    """The column that a foreign key refers to.

    Attributes:
        schema: None for the default one.
        table: Its table.
        column: Its name.
    """

    schema: str | None
    table: str
    column: str

    @property
    def key(self) -> str:
        """The table with its schema."""
        return f"{self.schema}.{self.table}" if self.schema else self.table

    @property
    def is_dotted(self) -> bool:
        """Whether a name in it holds a dot, so that no text with dots between can tell what is meant."""
        return "." in self.table or "." in self.column


def reference_of(key: ForeignKey) -> ReferredColumn:
    """What a foreign key refers to; as it was written, where the table is not there."""
    try:
        column = key.column
    except SQLAlchemyError:
        given: Any = key  # SQLAlchemy 2.1 tells the parts, before it they are split at the dots
        parts = given.target_tokens if hasattr(given, "target_tokens") else given._column_tokens
        schema, table, name = parts
        return ReferredColumn(schema, str(table), str(name))
    return ReferredColumn(column.table.schema, str(column.table.name), str(column.name))
