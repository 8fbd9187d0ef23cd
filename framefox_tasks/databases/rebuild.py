"""The rebuild of a table, by which some databases change one: a new one takes its place and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class IndexText:
    """An index as its statement has it.

    Attributes:
        name: Its name.
        unique: Whether it is unique.
        parts: The columns and expressions.
        where: The condition of the rows in it.
        normal: All of it but the name, the same however it was written.
        of_expressions: Whether one of the parts is no column.
    """

    name: str
    unique: bool
    parts: tuple[str, ...]
    where: str | None
    normal: tuple[str, ...]
    of_expressions: bool


class TableDefinition(Protocol):
    """The definition of a table. What is not changed stays as it is."""

    def add_column(self, sql: str) -> None:
        """Add a column behind the last one."""

    def drop_column(self, name: str) -> None:
        """Drop a column, and every constraint that uses it."""

    def order(self, names: Sequence[str]) -> None:
        """Put the columns into an order."""

    def set_nullable(self, name: str, nullable: bool) -> None:
        """Let a column be NULL, or forbid it."""

    def change_type(self, name: str, sql: str) -> None:
        """Give a column the type of another definition of it."""

    def change_default(self, name: str, sql: str) -> None:
        """Give a column the default of another definition of it, or none."""

    def add_constraint(self, sql: str) -> None:
        """Add a constraint of the table."""

    def holds(self, sql: str) -> bool:
        """Whether a constraint of the same words stands there."""

    def drop_named(self, name: str) -> bool:
        """Drop the constraint of a name; False if there is none."""

    def drop_unique(self, columns: Iterable[str]) -> bool:
        """Drop a unique constraint without a name by its columns; False if there is none."""

    def drop_foreign_key(self, columns: Iterable[str], parent: str) -> bool:
        """Drop a foreign key without a name by its columns and parent; False if there is none."""

    def drop_check(self, condition: str) -> bool:
        """Drop a check without a name by its condition; False if there is none."""

    def drop_unnamed_checks(self) -> None:
        """Drop all checks without a name."""

    def drop_key(self) -> bool:
        """Drop the primary key; False if there is none."""

    def number_key(self) -> None:
        """Have the primary key numbered so that no number comes twice."""

    def add_option(self, option: str) -> None:
        """Have an option of the table."""


class TableRebuild(Protocol):
    """The rebuild of one table on a connection."""

    @property
    def definition(self) -> TableDefinition:
        """The definition of the new table."""

    def indexes(self) -> list[IndexText]:
        """The indexes that have statements of their own."""

    def index(self, sql: str) -> IndexText:
        """The index that a statement would make."""

    def unnamed_uniques(self) -> list[tuple[str, ...]]:
        """The columns of each unique constraint without a name."""

    def collation(self, column: str) -> str | None:
        """The collation that a column is declared with."""

    def options(self) -> dict[str, object]:
        """The options of the table, as SQLAlchemy calls them."""

    def rename_column(self, old: str, new: str) -> None:
        """Rename a column at once, and wherever it is used; before the definition is changed."""

    def drop_index(self, name: str) -> bool:
        """Drop an index at once; False if the table has no such index."""

    def run(self, casts: Mapping[str, str]) -> None:
        """Put the new table in the place of the old one, with its rows, indexes and triggers.

        Args:
            casts: The types that values are cast to, by columns.

        Raises:
            MigrationError: Something would be lost, or cannot be made again.
        """

    def lost(self) -> list[str]:
        """What the table does not have any more that it had when this was made."""
