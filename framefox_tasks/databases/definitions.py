"""The definitions of a database as its server writes them, so that they compare with what is declared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

Name = tuple[str | None, str]
"""A schema, None for the connection's default one, and what is in it."""


class Cast(Enum):
    """How the values of a column get another type.

    Attributes:
        ASSIGNMENT: By themselves.
        EXPLICIT: By a cast that must be written.
        TEXT: By way of their text, which both types share.
        NONE: By way of their text, if that happens to fit.
    """

    ASSIGNMENT = "assignment"
    EXPLICIT = "explicit"
    TEXT = "text"
    NONE = "none"


@dataclass(frozen=True)
class ConstraintDefinition:
    """A constraint as the server has it.

    Attributes:
        kind: One letter: check, foreign, primary, unique, x for an exclusion.
        deferrable: Whether it can be checked at the commit.
        deferred: Whether it is, unless a transaction says otherwise.
        match_full: Whether a foreign key must be null in all of its columns or in none.
        text: What follows its name in SQL.
    """

    kind: str
    deferrable: bool
    deferred: bool
    match_full: bool
    text: str


class ServerDefinitions(Protocol):
    """The definitions of a database as its server writes them, and of what is declared as it would write them.

    A schema of None is the connection's default one. What is normalized is None where the server refuses it, or
    refuses to make the table that it takes.

    Attributes:
        refused: Why no such table can be made; None while they can.
        enums: The enum types and their values.
        domains: The domains.
        sequences: The sequences that are not part of an identity column, and their options.
    """

    refused: str | None

    @property
    def enums(self) -> Mapping[Name, tuple[str, ...]]: ...  # noqa: D102

    @property
    def domains(self) -> Collection[Name]: ...  # noqa: D102

    @property
    def sequences(self) -> Mapping[Name, Mapping[str, Any]]: ...  # noqa: D102

    def type_users(self, name: Name) -> list[tuple[str, Name | None, str | None]]:
        """What uses a type: what it is, and where it is a column of a table, that table and the column."""

    def default(self, table: Name, column: str) -> str | None:
        """The default of a column."""

    def column_type(self, table: Name, column: str) -> str | None:
        """The type of a column."""

    def views(self, table: Name, column: str) -> list[str]:
        """What keeps a column from another type and from being dropped: views and rules, as `view totals`."""

    def normal_column(self, type_: str, default: str | None) -> tuple[str, str | None] | None:
        """The type and the default of a column that is declared so."""

    def index(self, schema: str | None, name: str) -> str | None:
        """What an index is, without its name and its table."""

    def index_statement(self, schema: str | None, name: str) -> str:
        """The statement that makes an index again."""

    def normal_index(self, table: Name, statement: str) -> str | None:
        """The same of the index that a statement would make on a table."""

    def repeatable(self, sql: str) -> str:
        """SQL that the server shows, so that it becomes the same again: some of it the server reads in another way."""

    def partition_key(self, table: Name) -> str | None:
        """What a table is partitioned by, as `RANGE (day)`; None where it is not."""

    def constraints(self, table: Name) -> Mapping[str, ConstraintDefinition]:
        """The constraints of a table, by name."""

    def normal_constraint(self, table: Name, clause: str) -> str | None:
        """The text of a constraint that would be added to a table."""

    def cast(self, before: str, after: str) -> Cast:
        """How values of one type get another."""

    def text_type(self, type_: str) -> str:
        """The type of the text of a type: of an array an array of texts."""

    def numbers_by_identity(
        self, table: Name, column: str, sequence: str | None, start: int | None
    ) -> tuple[list[str], list[str]]:
        """What to run before a column becomes an identity, and after: the numbers go on.

        Args:
            table: Its table.
            column: Its name.
            sequence: The one of a serial column, which goes.
            start: Where the identity begins at the least.
        """

    def numbers_by_sequence(self, table: Name, column: str, sequence: str, type_: str) -> list[str]:
        """What makes a column serial that is no longer an identity: the numbers go on."""
