"""What a SQLite database holds: its tables as they are to be copied, and the statements that make them again."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from framefox_tasks.databases.order import in_order
from framefox_tasks.databases.rows import CopySchema, Field, ForeignKeyPlan, Name, Side, Statement, TablePlan
from framefox_tasks.databases.sqlite.types import kind_of, length_of, named

_COUNTED = 1_000_000
"""From how many rows on what ANALYZE found is good enough."""
_SHADOWS = "_(?:data|idx|content|docsize|config|segments|segdir|stat|node|parent|rowid)"
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\b", re.IGNORECASE)

Chosen = Callable[[Name], bool] | None


@dataclass(frozen=True)
class Object:
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
        virtual = {one.name for one in self.virtual}
        return [
            one
            for one in self.of("table")
            if one.name not in virtual and not self._is_shadow(one.name) and self._is_chosen(one)
        ]

    def _is_shadow(self, name: str) -> bool:
        """Whether a virtual table keeps its rows there."""
        return any(re.fullmatch(re.escape(one.name) + _SHADOWS, name, re.IGNORECASE) for one in self.virtual)

    def _is_chosen(self, one: Object) -> bool:
        return self.chosen is None or self.chosen(Name(one.name))

    @cached_property
    def left_out(self) -> dict[str, Object]:
        """What is not chosen, and the views and triggers that use it; by the names in small letters."""
        found = {
            one.name.lower(): one
            for one in self.of("table")
            if not self._is_shadow(one.name) and not self._is_chosen(one)
        }
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


def read_schema(connection: sqlite3.Connection, chosen: Chosen = None) -> CopySchema:
    """Everything that a copy in SQLite needs; see Source.schema."""
    objects = Objects(connection, chosen)
    plans = in_order([_Reading(connection, one, objects).plan() for one in objects.tables])
    by_name = {one.name: one for one in objects.tables}
    virtual = [one for one in objects.virtual if one.name.lower() not in objects.left_out]
    indexes = {plan.label: tuple(_indexes(objects, plan.label)) for plan in plans}
    return CopySchema(
        tables=tuple(plans),
        before=(*(by_name[plan.label].statement for plan in plans), *(one.statement for one in virtual)),
        after=tuple(statements for statements in indexes.values() if statements),
        last=(*_sequences(connection, plans), *(one.statement for one in objects.carried("view", "trigger"))),
        not_carried=tuple(_not_carried(objects, plans, connection)),
    )


def _indexes(objects: Objects, table: str) -> Iterator[Statement]:
    return (one.statement for one in objects.carried("index") if one.table.lower() == table.lower())


def _sequences(connection: sqlite3.Connection, plans: list[TablePlan]) -> Iterator[Statement]:
    """The numbers that AUTOINCREMENT has given, which rows that were deleted may have had."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        return
    labels = {plan.label for plan in plans}
    for name, number in connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
        if name in labels and isinstance(number, int):
            text = "'" + name.replace("'", "''") + "'"
            about = f"numbers of {name}"
            yield Statement(f"DELETE FROM sqlite_sequence WHERE name = {text}", about)  # noqa: S608 - quoted
            yield Statement(f"INSERT INTO sqlite_sequence (name, seq) VALUES ({text}, {number})", about)  # noqa: S608


def _not_carried(objects: Objects, plans: list[TablePlan], connection: sqlite3.Connection) -> Iterator[str]:
    tables = {plan.label for plan in plans}
    for one in objects.left_out.values():
        if one.type == "view" or (one.type == "trigger" and one.table in tables):
            yield f"{one.statement.about}, which uses a table that is not copied"
    for one in objects.virtual:
        if one.name.lower() not in objects.left_out:
            yield f"rows of the virtual table {one.name}"
    for plan in plans:
        for parent in sorted({row[2] for row in _keys(connection, plan.label)}):
            if parent.lower() not in {name.lower() for name in tables}:
                yield f"foreign key of {plan.label} to {parent}"


def _keys(connection: sqlite3.Connection, table: str) -> list[tuple[int, int, str, str, str | None, str, str]]:
    return connection.execute(
        'SELECT id, seq, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) '
        "ORDER BY id DESC, seq",  # SQLite tells the last that is written first
        (table,),
    ).fetchall()


class _Reading:
    """The reading of one table."""

    def __init__(self, connection: sqlite3.Connection, table: Object, objects: Objects) -> None:
        self._connection = connection
        self._table = table
        self._names = {one.name.lower(): one.name for one in objects.tables}

    def plan(self) -> TablePlan:
        infos = self._infos(self._table.name)
        key = _primary(infos)
        side = Side(Name(self._table.name), tuple(_field(info, key) for info in infos if not info[5]))
        return TablePlan(side, side, key, tuple(self._uniques()), tuple(self._foreign_keys()), self._rows())

    def _infos(self, table: str) -> list[tuple[str, str, int, str | None, int, int]]:
        query = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
        return self._connection.execute(query, (table,)).fetchall()

    def _uniques(self) -> Iterator[tuple[str, ...]]:
        query = "SELECT name FROM pragma_index_list(?) WHERE \"unique\" AND NOT partial AND origin <> 'pk' ORDER BY seq"
        for (index,) in self._connection.execute(query, (self._table.name,)).fetchall():
            parts = self._connection.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,))
            columns = tuple(name for (name,) in parts)
            if None not in columns:
                yield columns

    def _foreign_keys(self) -> Iterator[ForeignKeyPlan]:
        keys: dict[int, list[tuple[int, int, str, str, str | None, str, str]]] = {}
        for row in _keys(self._connection, self._table.name):
            keys.setdefault(row[0], []).append(row)
        for rows in keys.values():
            parent = self._names.get(rows[0][2].lower())
            if parent:
                infos = self._infos(parent)
                known = {info[0].lower(): info[0] for info in infos}
                referred = tuple(known.get(row[4].lower(), row[4]) for row in rows if row[4]) or _primary(infos)
                ondelete = rows[0][6] if rows[0][6] != "NO ACTION" else ""
                yield ForeignKeyPlan(tuple(row[3] for row in rows), Name(parent), referred, ondelete)

    def _rows(self) -> int:
        """About how many rows; counting would read all pages of a large table."""
        owner = named(self._table.name)
        try:
            highest = self._connection.execute(f"SELECT max(rowid) FROM {owner}").fetchone()[0] or 0  # noqa: S608
        except sqlite3.OperationalError:  # WITHOUT ROWID
            highest = None
        if highest is None or highest > _COUNTED:
            about = self._known() or highest
            if about is not None:
                return int(about)
        return int(self._connection.execute(f"SELECT count(*) FROM {owner}").fetchone()[0])  # noqa: S608

    def _known(self) -> int | None:
        """What ANALYZE found."""
        if not self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone():
            return None
        query = "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?"
        found = self._connection.execute(query, (self._table.name,)).fetchone()[0]
        return None if found is None else int(found)


def _primary(infos: list[tuple[str, str, int, str | None, int, int]]) -> tuple[str, ...]:
    return tuple(info[0] for info in sorted((info for info in infos if info[4]), key=lambda info: info[4]))


def _field(info: tuple[str, str, int, str | None, int, int], key: tuple[str, ...]) -> Field:
    name, declared, notnull, default, _, _ = info
    kind = kind_of(declared)
    numbered = key == (name,) and declared.upper() == "INTEGER"
    nullable = not notnull and name not in key
    return Field(name, declared.lower(), kind, nullable, length_of(declared, kind), default is not None or numbered)
