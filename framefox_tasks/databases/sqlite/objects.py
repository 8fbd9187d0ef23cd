"""The objects of a SQLite database, as sqlite_master tells them, and which of them a copy can have."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from framefox_tasks.databases.rows import Name, Statement
from framefox_tasks.databases.schema import Chosen

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_TELLS_SHADOWS = (3, 37)
_SHADOWS = "_(?:data|idx|content|docsize|config|segments|segdir|stat|node|parent|rowid)"
"""Where the modules of SQLite keep the rows of a virtual table: an older library does not tell."""
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\b", re.IGNORECASE)


class Object(NamedTuple):
    """A row of sqlite_master: a table, index, view or trigger."""

    type: str
    name: str
    table: str
    sql: str

    @property
    def statement(self) -> Statement:
        """What makes it."""
        about = f"{self.type} {self.name}"
        return Statement(self.sql, about if self.name == self.table else f"{about} of {self.table}")

    def mentions(self, names: set[str]) -> bool:
        """Whether one of some names, in small letters, stands in its SQL, if only as a word of a text."""
        words = set(re.findall(r"\w+", self.sql.lower()))
        return any(name in words if name.isidentifier() else name in self.sql.lower() for name in names)


@dataclass(frozen=True)
class Objects:
    """All that a database holds, and which of its tables are chosen."""

    connection: sqlite3.Connection
    chosen: Chosen = None
    all: tuple[Object, ...] = field(init=False)

    def __post_init__(self) -> None:
        rows = self.connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid")
        found = tuple(Object(*row) for row in rows if row[3] and not row[1].startswith("sqlite_"))
        object.__setattr__(self, "all", found)

    def of(self, *types: str) -> Iterator[Object]:
        """Those of some types."""
        return (one for one in self.all if one.type in types)

    @cached_property
    def virtual(self) -> list[Object]:
        """The virtual tables."""
        return [one for one in self.of("table") if _VIRTUAL.match(one.sql)]

    @cached_property
    def tables(self) -> list[Object]:
        """The chosen tables that hold rows of their own, and not those of a virtual one."""
        return [one for one in self._users if one not in self.virtual and self._is_chosen(one)]

    @cached_property
    def _users(self) -> list[Object]:
        """The tables without those in which a virtual one keeps its rows."""
        if not self.virtual:
            return list(self.of("table"))
        shadows = self._shadows()
        return [one for one in self.of("table") if one.name not in shadows]

    def _shadows(self) -> set[str]:
        if sqlite3.sqlite_version_info >= _TELLS_SHADOWS:
            query = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
            return {name for (name,) in self.connection.execute(query)}
        owners = "|".join(re.escape(one.name) for one in self.virtual)
        named = re.compile(f"(?:{owners}){_SHADOWS}", re.IGNORECASE)
        return {one.name for one in self.of("table") if named.fullmatch(one.name)}

    def _is_chosen(self, one: Object) -> bool:
        return self.chosen is None or self.chosen(Name(one.name))

    @cached_property
    def left_out(self) -> dict[str, Object]:
        """What is not chosen, and the views and triggers that use it; by the names in small letters."""
        found = {one.name.lower(): one for one in self._users if not self._is_chosen(one)}
        while True:
            more = {
                one.name.lower(): one
                for one in self.of("view", "trigger")
                if found and one.name.lower() not in found and one.mentions(set(found))
            }
            if not more:
                return found
            found |= more

    def carried(self, *types: str) -> list[Object]:
        """The indexes, views or triggers that can be had."""
        kept = {one.name.lower() for one in (*self.tables, *self.of("view"), *self.virtual)} - set(self.left_out)
        return [one for one in self.of(*types) if one.name.lower() not in self.left_out and _owner(one) in kept]


def _owner(one: Object) -> str:
    return one.table.lower() if one.type in ("index", "trigger") else one.name.lower()


def told_by_text(connection: Connection) -> set[str]:
    """The tables, in small letters, of which SQLAlchemy may not reflect all: with unique constraints, or such indexes.

    It is as quick as can be, and so names too many: an index is one of columns alone if its statement has no more
    than that, by the look of it.
    """
    found = set()
    for type_, table, sql in connection.exec_driver_sql("SELECT type, tbl_name, sql FROM sqlite_master"):
        text = (sql or "").upper()
        words = ("UNIQUE",) if type_ == "table" else ("WHERE", "COLLATE", " DESC")
        if any(word in text for word in words) or (type_ != "table" and text.count("(") > 1):
            found.add(table.lower())
    return found
