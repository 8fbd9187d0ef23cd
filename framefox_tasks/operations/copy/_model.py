r"""What the parts of a copy share: tables, the text that rows travel in, and what each database does for a copy.

Rows travel as lines of tab-separated UTF-8 text, which PostgreSQL's COPY and MySQL's LOAD DATA read as they are. A
field that is NULL is `\N`. In every other a backslash, a tab, a line feed and a carriage return are written `\\`, `\t`,
`\n` and `\r`, and any other character is itself, a null character too. Every line ends in a line feed, and a block
holds whole lines, up to some 256 KB of them (more only where one line is longer).

The text of a value follows from the Kind of its column, and is the same whatever database it comes from:

- INTEGER: digits, with a minus in front.
- NUMERIC: digits with a point, no exponent; NaN, Infinity, -Infinity.
- FLOAT: the fewest digits that give the same double (or single) again, in any usual notation; NaN, Infinity, -Infinity.
- BOOLEAN: 1 or 0.
- TEXT, JSON, ENUM, OTHER: the text.
- BYTES: `\x` and hexadecimal digits, so that in a line it is `\\x0aff`, what PostgreSQL reads and writes.
- DATE: YYYY-MM-DD. TIME: HH:MM:SS.ffffff. TIMESTAMP: both with a space between. TIMESTAMPTZ: the same, in UTC.
- INTERVAL: an ISO 8601 duration.
- UUID: 36 characters, small letters.
- BITS: a digit, 0 or 1, for each bit.
- NATIVE: what the database itself writes, and reads again. Only between two databases of one kind.

A value that has no such text, as an infinite date, travels as its database writes it: the target's check refuses it
where it cannot hold it, and the error names the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target


class Kind(StrEnum):
    """What a column holds, whatever its database calls it."""

    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    JSON = "json"
    ENUM = "enum"
    OTHER = "other"
    BYTES = "bytes"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INTERVAL = "interval"
    UUID = "uuid"
    BITS = "bits"
    NATIVE = "native"


@dataclass(frozen=True)
class Name:
    """The name of a table; the schema only on PostgreSQL, and None there where it is `public`."""

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        """As a user writes it."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True)
class Field:
    """A column on one side of a copy.

    Attributes:
        name: Its name in that database.
        native: Its type as that database writes it, in small letters, such as `character varying(20)`,
            `int(10) unsigned`, `datetime(6)`; as declared on SQLite.
        kind: How its values travel. Both sides of a copy have the same kind here, but not always the same type: a UUID
            may go into a char(32), and a reader or loader looks at `native` to know.
        nullable: Whether it may be NULL.
        length: The greatest number of characters or, of bytes, of bytes; None where there is no limit.
    """

    name: str
    native: str
    kind: Kind
    nullable: bool = True
    length: int | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: columns of this table, and the columns of another that they refer to."""

    columns: tuple[str, ...]
    table: Name
    referred: tuple[str, ...]
    ondelete: str = ""
    name: str | None = None


@dataclass(frozen=True)
class Side:
    """A table on one side of a copy, with the columns that are copied: generated ones are not among them."""

    name: Name
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class TablePlan:
    """A table, and how it is copied.

    Attributes:
        source: It in the source.
        target: It in the copy; its fields stand in the order of the source's.
        primary_key: The names of the source's columns.
        uniques: The column names of each unique constraint and index of the source, without expressions and conditions.
        foreign_keys: The foreign keys of the source's table.
        rows: About how many rows it has, from the database's statistics; None where it does not know.
        changes: What is not the same in the copy, a phrase each, such as `price: money becomes numeric(19,2)`.
        empty: Whether its rows are left out.
    """

    source: Side
    target: Side
    primary_key: tuple[str, ...] = ()
    uniques: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    rows: int | None = None
    changes: tuple[str, ...] = ()
    empty: bool = False

    @property
    def label(self) -> str:
        """What to call it: its name in the source."""
        return str(self.source.name)


@dataclass(frozen=True)
class Statement:
    """A statement for the copy's database.

    Attributes:
        sql: One statement, or several where the database takes that; nothing is to be filled in.
        about: What it makes, for a message: `index order_created_at of order`.
        optional: Where the target may refuse it: the copy goes on without, and tells.
    """

    sql: str
    about: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Schema:
    """Everything that a copy makes.

    Attributes:
        tables: In the order of their foreign keys as far as there is one: a table after those that it refers to.
        before: What is run before the rows come: schemas, types, functions, tables, bare of what can wait.
        after: What is run when the rows are there, each list in its order and beside the other lists: the primary key
            and the indexes of one table.
        last: What is run after all of these, in this order: foreign keys, sequences, views, triggers.
        placed: What can only be run when the copy has its name.
        not_carried: What of the source the copy will not have, a phrase each.
    """

    tables: tuple[TablePlan, ...]
    before: tuple[Statement, ...] = ()
    after: tuple[tuple[Statement, ...], ...] = ()
    last: tuple[Statement, ...] = ()
    placed: tuple[Statement, ...] = ()
    not_carried: tuple[str, ...] = ()


class BadRowError(CopyError):
    """A row that the target cannot hold, or the source cannot tell.

    Attributes:
        table: The table's label.
        reason: What is wrong with it, and in which column where that is known.
        number: Which row of the stream it is, from 1; None where `row` says it.
        row: What tells the row from others, such as `id=5` or `rowid 17`; empty where only the number is known.
    """

    def __init__(self, table: str, reason: str, *, number: int | None = None, row: str = "") -> None:
        super().__init__(f"{table}{f', {row}' if row else ''}: {reason}")
        self.table = table
        self.reason = reason
        self.number = number
        self.row = row


class Reader(Protocol):
    """A connection to the source that sees its snapshot. For one thread at a time."""

    def lines(self, table: Side, *, where: str = "") -> Iterator[bytes]:
        """Blocks of lines: the rows of a table, its fields in their order and with the text of their kinds.

        Twice the same call gives the same rows in the same order. Closing the iterator early is fine.

        Args:
            table: The table.
            where: A SQL condition for the database; all rows if empty.

        Raises:
            BadRowError: A value cannot be told as its kind; names the row.
            CopyError: The condition is not valid SQL.
            ConnectionLostError: The connection ended.
        """

    def count(self, table: Name) -> int:
        """How many rows a table has."""


class Source(Protocol):
    """A database that is read, at one point of time, and never written to."""

    @property
    def target(self) -> Target:
        """The database."""

    @property
    def most_readers(self) -> int | None:
        """How many readers can share the snapshot; None for any number."""

    def reader(self) -> AbstractContextManager[Reader]:
        """One more connection that sees the same snapshot. May be called from any thread."""

    def schema(self, tables: Iterable[Name] | None = None) -> Schema:
        """Everything that a copy in the same kind of database needs, written as this database writes it.

        Args:
            tables: The tables to copy, where it is not all; a foreign key to another table is then not carried.
        """


class Loader(Protocol):
    """A connection to the database that is made. For one thread at a time."""

    def execute(self, statement: Statement) -> str | None:
        """Run a statement and commit it. Gives why the database refused it, where it is optional; else None.

        Raises:
            CopyError: The database refused it; names what it is about.
        """

    def load(self, table: Side, blocks: Iterable[bytes]) -> int:
        """Put lines into a table, and commit them. Gives how many rows the database says it took.

        Raises:
            BadRowError: The database cannot hold a row. Without `row`, the number of the line is set.
            ConnectionLostError: The connection ended.
        """

    def count(self, table: Name) -> int:
        """How many rows a table has."""


class Place(Protocol):
    """Where a copy is made, and how it gets its name when it is complete.

    A context manager: on entering it finds that no other copy to this target is running, removes what a killed one
    left, and makes an empty database beside the target; on leaving that is removed unless it was put in place. So the
    target is as it was until `put`, and is then replaced at once.
    """

    @property
    def staging(self) -> Target:
        """The database that is filled."""

    @property
    def how(self) -> str:
        """In a few words, for the plan: `loaded beside it and renamed`."""

    def check(self) -> None:
        """Look at the target, change nothing, and say what would hinder the copy. Called before the rest.

        Raises:
            TargetNotEmptyError: It holds tables, and may not be overwritten.
            DatabaseInUseError: Others use it, and it would be replaced; or another copy to it is running.
            PermissionDeniedError: The user may not do what is needed.
        """

    def __enter__(self) -> Place: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def loader(self) -> AbstractContextManager[Loader]:
        """A connection to the staging database. May be called from any thread."""

    def reader(self) -> AbstractContextManager[Reader]:
        """A connection to the staging database that reads, to verify what was loaded."""

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Give the staging database its name, and run what could not be run before.

        Returns:
            What there is to tell of it.

        Raises:
            DatabaseInUseError: Others are connected to the target.
        """
