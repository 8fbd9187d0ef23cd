r"""The tables of a copy, and the lines of text that rows travel in.

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
- DATE: YYYY-MM-DD. TIME: HH:MM:SS, with up to six digits behind a point. TIMESTAMP: both with a space between.
  TIMESTAMPTZ: the same, in UTC.
- INTERVAL: an ISO 8601 duration.
- UUID: 36 characters, small letters.
- BITS: a digit, 0 or 1, for each bit.
- NATIVE: what the database itself writes, and reads again: only between two databases of one kind, for what has no
  other kind, as an array or a point.

A value that has no such text, as an infinite date, travels as its database writes it: the target's check refuses it
where it cannot hold it, and the error names the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from framefox_tasks.errors import CopyError

NULL = b"\\N"
BLOCK = 256 * 1024
"""Bytes of a block, or some more."""
_ESCAPED = re.compile(rb"\\(.)")
_MEANT = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}
_WRITTEN = {b"\\": b"\\\\", b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r"}


def unescaped(field: bytes) -> bytes:
    """The text of a field, without its escapes."""
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), field) if b"\\" in field else field


def escaped(text: bytes) -> bytes:
    """A text as it stands in a line."""
    for special, written in _WRITTEN.items():  # the backslash first; faster than a pattern, also where there is none
        text = text.replace(special, written)
    return text


def in_blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same lines in blocks."""
    block: list[bytes] = []
    size = 0
    for some in lines:
        block.append(some)
        size += len(some)
        if size >= BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


class Kind(StrEnum):
    """The kind of a column's values, in no database's words."""

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

    def quoted(self, quote: str) -> str:
        """As SQL takes it, with the quote of a dialect."""
        return ".".join(quoted(part, quote) for part in (self.schema, self.name) if part)


def quoted(name: str, quote: str) -> str:
    """The name of a column or the like, as SQL takes it, with the quote of a dialect."""
    return f"{quote}{name.replace(quote, quote * 2)}{quote}"


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
        default: Whether the database has a value of its own for a row that gives none.
        numbered: Whether the database gives it numbers by itself: AUTO_INCREMENT, identity, a rowid.
        elsewhere: The kind that its values have for another kind of database, where that is not `kind`.
        own: NATIVE where another kind stands for what only its own kind of database writes exactly.
    """

    name: str
    native: str
    kind: Kind
    nullable: bool = True
    length: int | None = None
    default: bool = False
    numbered: bool = False
    elsewhere: Kind | None = None
    own: Kind | None = None


@dataclass(frozen=True)
class ForeignKeyPlan:
    """A foreign key of a table that is copied: its columns, and those of the table that they refer to."""

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
        changes: What is different in the copy, a phrase each, such as `price: money becomes numeric(19,2)`.
        empty: Whether its rows are left out.
    """

    source: Side
    target: Side
    primary_key: tuple[str, ...] = ()
    uniques: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKeyPlan, ...] = ()
    rows: int | None = None
    changes: tuple[str, ...] = ()
    empty: bool = False

    @property
    def label(self) -> str:
        """What to call it: its name in the source."""
        return str(self.source.name)


@dataclass(frozen=True)
class KeyTotals:
    """What tells that the keys of a table arrived, cheaper than comparing them.

    Attributes:
        rows: How many rows there are.
        columns: Of each column the least number, the greatest and the sum; None where it holds none.
    """

    rows: int
    columns: tuple[tuple[int | None, int | None, int | None], ...]

    @classmethod
    def of(cls, row: Sequence[Any]) -> KeyTotals:
        """From the row of a query that has the number of rows first."""
        numbers = [None if value is None else int(value) for value in row]
        return cls(numbers[0] or 0, tuple(zip(numbers[1::3], numbers[2::3], numbers[3::3], strict=True)))


@dataclass(frozen=True)
class Statement:
    """A statement for the copy's database.

    Attributes:
        sql: One statement, or several where the database takes that; nothing is to be filled in.
        about: Its subject, for a message: `index order_created_at of order`.
        optional: Whether the copy goes on where the target refuses it, with a note.
        unvalidated: What is run instead where rows break the constraint that it adds, also with a note; empty for
            nothing.
    """

    sql: str
    about: str = ""
    optional: bool = False
    unvalidated: str = ""

    @property
    def lost(self) -> str:
        """What the copy lacks where the target refuses it."""
        return f"validity of {self.about}" if self.unvalidated else self.about


@dataclass(frozen=True)
class CopySchema:
    """The schema of a copy: its tables, and the statements that make it.

    Attributes:
        tables: In the order of their foreign keys as far as there is one: a table after those that it refers to.
        before: Run before the rows: schemas, types, functions, and tables without constraints and indexes.
        after: Run after the rows, the lists in parallel: the primary key and the indexes of one table each.
        last: Run after these, in order: foreign keys, sequences, views, triggers.
        placed: Run when the copy has its name.
        not_carried: What the copy lacks of the source, a phrase each.
        refused: Why the copy would fail, a phrase each.
        triggers: Those of a target that has its tables, a phrase each.
    """

    tables: tuple[TablePlan, ...]
    before: tuple[Statement, ...] = ()
    after: tuple[tuple[Statement, ...], ...] = ()
    last: tuple[Statement, ...] = ()
    placed: tuple[Statement, ...] = ()
    not_carried: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subset:
    """A subset of a database that is copied as a whole and then reduced.

    Attributes:
        schema: The tables that are copied.
        tables: The filter of the tables; None for all.
        where: The conditions of the tables' rows.
        orphan_statements: Statements that remove orphans, repeated until they change nothing.
        masks: The functions that mask values, by table and column.
    """

    schema: CopySchema
    tables: Callable[[Name], bool] | None
    where: Mapping[str, str]
    orphan_statements: Sequence[str]
    masks: Mapping[str, Mapping[str, Callable[[Any], Any]]]

    def unique(self, table: str) -> set[str]:
        """The columns of a table's keys."""
        plan = next(plan for plan in self.schema.tables if plan.label == table)
        return {column for columns in (plan.primary_key, *plan.uniques) for column in columns}


class BadRowError(CopyError):
    """A row that the target cannot hold, or the source cannot read.

    Attributes:
        table: The table's label.
        reason: What is wrong with it, and in which column where that is known.
        number: Which row of the stream it is, from 1; None where `row` says it.
        row: The key of the row, such as `id=5` or `rowid 17`; empty where only the number is known.
    """

    def __init__(self, table: str, reason: str, *, number: int | None = None, row: str = "") -> None:
        super().__init__(f"{table}{f', {row}' if row else ''}: {reason}")
        self.table = table
        self.reason = reason
        self.number = number
        self.row = row
