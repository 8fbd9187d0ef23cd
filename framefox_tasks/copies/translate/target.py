"""A table of the copy, as it is translated."""

from __future__ import annotations

from dataclasses import dataclass, field

from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import LiveColumn, LiveIndex, LiveTable, Reference, Written


@dataclass
class TargetColumn:
    """A column of the copy."""

    source: LiveColumn
    name: str
    written: Written
    default: str | None = None
    numbered: bool = False


@dataclass
class TargetTable:
    """A table of the copy.

    Attributes:
        columns: By their names in the source.
        references: The foreign keys that can be carried.
        changes: What is different in it, a phrase each.
        lost: What it does not have, a phrase each.
    """

    source: LiveTable
    name: str
    columns: dict[str, TargetColumn]
    references: tuple[Reference, ...] = ()
    changes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def names(self, columns: tuple[str, ...]) -> list[str]:
        """The names of columns in the copy."""
        return [self.columns[column].name for column in columns]

    @property
    def renamed(self) -> dict[str, str]:
        """The columns' names in the source, and in the copy."""
        return {name: column.name for name, column in self.columns.items()}

    @property
    def kinds(self) -> dict[str, Kind]:
        """What the columns are compared as, by their names in the source."""
        return {
            name: Kind.OTHER if column.written.digits else column.source.type.kind
            for name, column in self.columns.items()
        }

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """The columns of each key: primary, unique or foreign."""
        return [
            key for key in (self.source.primary_key, *self.source.uniques, *(r.columns for r in self.references)) if key
        ]


def label(index: LiveIndex, target: TargetTable) -> str:
    """The name of an index in messages."""
    columns = ", ".join(part.column or part.expression or "?" for part in index.parts)
    method = f" ({index.method})" if index.method else ""
    return f"index {index.name or f'on {columns}'}{method} of {target.source.name}"
