"""What is found in a source, in words that no database owns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from framefox_tasks.databases.rows import Kind, Name

Chosen = Callable[[Name], bool] | None
_NATIVE = re.compile(r"([^(]*?)\s*(?:\(\s*(.*?)\s*\)\s*(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Type:
    """What a column can hold.

    Attributes:
        kind: How its values travel.
        size: Of an integer or a float its bytes; of a number its digits; of text, bytes and bits their greatest length;
            of times the digits of a second. None where there is no limit, or nobody says.
        scale: Of a number, the digits behind the point.
        unsigned: Whether an integer is never negative, and holds twice as much.
        fixed: Whether text, bytes or bits have always their length.
        values: Of an enum.
        name: Of an enum, where it has one.
        narrow: Whether the numbers that are there have so few digits that a double tells them exactly.
        hidden: What the source calls it, where the kind does not say everything: `integer[]`, `set('a','b')`.
        own: How its values travel to another database of this kind, where that is not `kind`: NATIVE for what only this
            kind of database writes and reads exactly.
    """

    kind: Kind
    size: int | None = None
    scale: int | None = None
    unsigned: bool = False
    fixed: bool = False
    values: tuple[str, ...] = ()
    name: str = ""
    narrow: bool = False
    hidden: str = ""
    own: Kind | None = None

    @classmethod
    def numeric(cls, numbers: tuple[int, ...]) -> Type:
        """A number with the digits, and those of them behind the point, that stand in the parentheses of its type."""
        return cls(Kind.NUMERIC, numbers[0], numbers[1] if len(numbers) > 1 else 0) if numbers else cls(Kind.NUMERIC)


def type_parts(native: str) -> tuple[str, tuple[int, ...], str]:
    """A type's name without what is in parentheses, the numbers in them, and what they hold as it is written."""
    match = _NATIVE.fullmatch(native.strip())
    if match is None:
        return native, (), ""
    inner = match[2] or ""
    numbers = tuple(int(number) for number in re.findall(r"-?\d+", inner)) if "'" not in inner else ()
    return " ".join(f"{match[1]} {match[3] or ''}".split()), numbers, inner


@dataclass(frozen=True)
class Written:
    """A type as a database writes it.

    Attributes:
        native: In small letters, but for those of SQLite.
        length: The greatest number of characters, or of bytes; None where there is no limit.
        reason: Why it is another type than the source's; None where it is what one expects of it.
        lists: Whether it takes only the values of an enum.
        digits: Whether it keeps numbers as texts, which compare in another way.
    """

    native: str
    length: int | None = None
    reason: str | None = None
    lists: bool = False
    digits: bool = False

    @classmethod
    def sized(cls, name: str, size: int | None, reason: str | None = None) -> Written:
        """A type whose length stands behind its name."""
        return cls(f"{name}({size})" if size else name, size, reason)


@dataclass(frozen=True)
class LiveColumn:
    """A column of the source.

    Attributes:
        native: Its type as the source writes it, in small letters.
        default: SQL of the source.
        generated: SQL of the source, where its values are computed.
        numbered: Whether the source gives it numbers of its own: identity, serial, auto_increment.
        following: The number that it would give next, where that is known.
        checks: SQL of the source in which VALUE is the column: what its domain demands.
        lost: What else it has that no copy will: a phrase each.
        chosen: The type that a user has chosen for it in the copy; empty where none was.
    """

    name: str
    native: str
    type: Type
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    numbered: bool = False
    following: int | None = None
    comment: str | None = None
    checks: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    chosen: str = ""


@dataclass(frozen=True)
class IndexPart:
    """A part of an index: a column, or an expression in SQL of the source."""

    column: str | None
    expression: str | None = None
    descending: bool = False
    prefix: int | None = None


@dataclass(frozen=True)
class LiveIndex:
    """An index, or a unique constraint, which every database keeps as an index."""

    name: str | None
    parts: tuple[IndexPart, ...]
    unique: bool = False
    constraint: bool = False
    where: str | None = None
    method: str = ""
    lost: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Its columns, where it has nothing but whole columns."""
        names = tuple(part.column for part in self.parts if part.column and not part.prefix)
        return names if len(names) == len(self.parts) else None


@dataclass(frozen=True)
class Reference:
    """A foreign key, with the rules as SQL writes them.

    Attributes:
        whole: Whether it is one of all rows, to all rows. One of some partitions alone is followed by subsets and
            masks, and no other database can have it.
    """

    name: str | None
    columns: tuple[str, ...]
    table: Name
    referred: tuple[str, ...]
    ondelete: str = ""
    onupdate: str = ""
    deferrable: bool = False
    deferred: bool = False
    whole: bool = True
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiveCheck:
    """A check, in SQL of the source."""

    name: str | None
    sql: str


@dataclass(frozen=True)
class LiveTable:
    """A table of the source."""

    name: Name
    columns: tuple[LiveColumn, ...]
    primary_key: tuple[str, ...] = ()
    primary_name: str | None = None
    indexes: tuple[LiveIndex, ...] = ()
    references: tuple[Reference, ...] = ()
    checks: tuple[LiveCheck, ...] = ()
    comment: str | None = None
    rows: int | None = None
    lost: tuple[str, ...] = ()

    def column(self, name: str) -> LiveColumn:
        """One of its columns."""
        return next(column for column in self.columns if column.name == name)

    @property
    def uniques(self) -> tuple[tuple[str, ...], ...]:
        """The columns of what is unique, without expressions and conditions."""
        found = (index.columns for index in self.indexes if index.unique and not index.where)
        return tuple(dict.fromkeys(columns for columns in found if columns))


@dataclass(frozen=True)
class LiveSchema:
    """A source: its tables, and what no other database can have."""

    dialect: str
    tables: tuple[LiveTable, ...]
    not_carried: tuple[str, ...] = field(default=())
