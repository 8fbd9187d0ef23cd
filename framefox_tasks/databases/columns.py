"""The comparison of a declared column with the one that is there, by their server's own words for both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Column, Index, UniqueConstraint


class ColumnComparison(ABC):
    """Compares columns, each as it is in a table with the one that the entities declare.

    What says whether two are the same gives None where the server cannot be asked.

    Attributes:
        generated_not_null: Whether a generated column can be NOT NULL.
        renumbered: The columns that get automatic numbers or lose them, as they are and as declared.
    """

    def __init__(self, *, generated_not_null: bool) -> None:
        self.generated_not_null = generated_not_null
        self.renumbered: list[tuple[Column[Any], Column[Any]]] = []

    def note_numbering(self, live: Column[Any], declared: Column[Any]) -> None:
        """Compare whether the two have automatic numbers, where the declared one says so."""
        counts = live.autoincrement is True
        if isinstance(declared.autoincrement, bool) and declared.primary_key and counts != declared.autoincrement:
            self.renumbered.append((live, declared))

    @abstractmethod
    def same_type(self, live: Column[Any], declared: Column[Any]) -> bool | None:
        """Whether the two types are the same to the server."""

    @abstractmethod
    def same_default(self, live: Column[Any], declared: Column[Any]) -> bool | None:
        """Whether the two defaults are the same to the server, and what an update sets."""

    @abstractmethod
    def reflect(self, table: Any, column: dict[str, Any]) -> None:
        """Correct what SQLAlchemy has reflected of a column."""

    @abstractmethod
    def same_index(self, live: Index, declared: Index, *, orders: bool = True) -> bool:
        """Whether two indexes of the same columns are the same.

        Args:
            live: The one that is there.
            declared: The one that is declared.
            orders: Whether the order of a column counts where none is declared.
        """

    @abstractmethod
    def refused_parts(self, index: Index | UniqueConstraint) -> list[str]:
        """The columns that a declared index cannot have without a length."""

    @abstractmethod
    def reflect_index(self, index: Index) -> None:
        """Correct what SQLAlchemy has reflected of an index."""

    @abstractmethod
    def native_type(self, table: Any, column: str) -> str | None:
        """The type of a column of a table that is there."""

    @abstractmethod
    def written(self, table: Any, column: str) -> str | None:
        """A column of a table that is there, as it stands in CREATE TABLE."""

    @abstractmethod
    def specification(self, column: Column[Any]) -> str:
        """A declared column, as it stands in CREATE TABLE."""
