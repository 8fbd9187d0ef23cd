"""The comparison of a declared column with the one that is there, by their server's own words for both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Column


class ColumnComparison(ABC):
    """Compares columns, each as it is in a table with the one that the entities declare.

    Both methods give None where the server cannot be asked.
    """

    @abstractmethod
    def same_type(self, live: Column[Any], declared: Column[Any]) -> bool | None:
        """Whether the two types are the same to the server."""

    @abstractmethod
    def same_default(self, live: Column[Any], declared: Column[Any]) -> bool | None:
        """Whether the two defaults are the same to the server, and what an update sets."""

    @abstractmethod
    def reflect(self, table: Any, column: dict[str, Any]) -> None:
        """Correct what SQLAlchemy has reflected of a column."""
