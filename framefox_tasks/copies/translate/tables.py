"""What becomes of each table: its names, its types, its numbers, and what there is to tell of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from framefox_tasks.copies.translate.defaults import default, is_null
from framefox_tasks.copies.translate.names import Names
from framefox_tasks.databases import database_named
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind, Name
from framefox_tasks.databases.schema import Column, Found, Index, Reference, Table, Type, Written


@dataclass
class Made:
    """A column of the copy."""

    column: Column
    name: str
    written: Written
    default: str | None = None
    numbered: bool = False


@dataclass
class MadeTable:
    """A table of the copy.

    Attributes:
        columns: By their names in the source.
        references: The foreign keys that can be carried.
        changes: What there is to tell of it, a phrase each.
        lost: What it will not have, a phrase each.
    """

    table: Table
    name: str
    columns: dict[str, Made]
    references: tuple[Reference, ...] = ()
    changes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def names(self, columns: tuple[str, ...]) -> list[str]:
        """The names of columns in the copy."""
        return [self.columns[column].name for column in columns]

    @property
    def renamed(self) -> dict[str, str]:
        """The columns' names in the source, and in the copy."""
        return {name: made.name for name, made in self.columns.items()}

    @property
    def booleans(self) -> set[str]:
        """The columns that are booleans, by their names in the source."""
        return {name for name, made in self.columns.items() if made.column.type.kind is Kind.BOOLEAN}

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """The columns of each key: what must be unlike in every row, or is looked up by a foreign key."""
        return [
            key for key in (self.table.primary_key, *self.table.uniques, *(r.columns for r in self.references)) if key
        ]


class Making:
    """The making of the tables of a copy."""

    def __init__(self, found: Found, dialect: Dialect) -> None:
        self.source = database_named(found.dialect).dialect
        self.dialect = dialect
        self.names = Names(dialect, found.tables)
        self.enums: dict[str, tuple[str, ...]] = {}
        self._enums: dict[tuple[str, tuple[str, ...]], str] = {}
        self._found = {table.name: table for table in found.tables}
        self.empty = [table for table in found.tables if not (table.columns or dialect.has_empty_tables)]
        self.tables = [self._table(table) for table in found.tables if table not in self.empty]
        self._alike()
        fitted = [self._fit(made) for made in self.tables]
        if any(fitted):
            self._alike()
        for made in self.tables:
            self._finish(made)

    def by_name(self, name: Name) -> MadeTable:
        """A table of the copy by its name in the source."""
        return next(made for made in self.tables if made.table.name == name)

    def _table(self, table: Table) -> MadeTable:
        names = self.names.columns[table.name]
        made = MadeTable(table, self.names.tables[table.name], {})
        made.lost += table.lost
        made.references = tuple(self._carried(made))
        for column in table.columns:
            type_ = self._named(self._typed(table, column), column, made.name)
            column = replace(column, type=type_)
            written = self.dialect.write(type_)
            if type_.hidden and written.reason is None:
                written = replace(written, reason="")
            made.columns[column.name] = Made(column, names[column.name], written)
        self._number(made)
        return made

    def _typed(self, table: Table, column: Column) -> Type:
        """The type of a column; of one that refers to another of the same declaration, that one's."""
        seen = {(table.name, column.name)}
        type_ = column.type
        place: tuple[Name, str] | None = self._referred(table, column.name)
        while place is not None and place not in seen:
            seen.add(place)
            referred = self._found[place[0]]
            other = next((c for c in referred.columns if c.name == place[1]), None)
            if other is None or other.native != column.native:
                break
            type_ = other.type
            place = self._referred(referred, other.name)
        return type_

    def _referred(self, table: Table, column: str) -> tuple[Name, str] | None:
        for reference in table.references:
            if column in reference.columns and reference.table in self._found:
                referred = dict(zip(reference.columns, reference.referred, strict=False))
                return (reference.table, referred[column]) if column in referred else None
        return None

    def _named(self, type_: Type, column: Column, table: str) -> Type:
        """An enum with a name, for the database that has types of their own."""
        if type_.kind is not Kind.ENUM or not self.dialect.has_enum_types:
            return type_
        key = (column.name, type_.values)
        if key not in self._enums:
            self._enums[key] = self.names.type(column.name, table)
            self.enums[self._enums[key]] = type_.values
        return replace(type_, name=self._enums[key])

    def _carried(self, made: MadeTable) -> Iterator[Reference]:
        for reference in made.table.references:
            what = f"foreign key {reference.name or ', '.join(reference.columns)} of {made.table.name}"
            referred = self._found.get(reference.table)
            if referred is None:
                made.lost.append(f"{what}: {reference.table} is not copied")
                continue
            known = {column.name.casefold(): column.name for column in referred.columns}
            columns = reference.referred or referred.primary_key
            if len(columns) != len(reference.columns) or not all(c.casefold() in known for c in columns):
                made.lost.append(f"{what}: {reference.table} has no such columns")
                continue
            reference = replace(reference, referred=tuple(known[column.casefold()] for column in columns))
            yield self._allowed(reference, made, what)

    def _allowed(self, reference: Reference, made: MadeTable, what: str) -> Reference:
        """Without what the copy's database refuses."""
        table = made.table
        nullable = all(table.column(c).nullable and c not in table.primary_key for c in reference.columns)
        refused = self.dialect.refused_rules(nullable=nullable)
        if reference.deferrable and (reason := refused.get("DEFERRABLE")):
            made.lost.append(f"DEFERRABLE of {what}: {reason}")
            reference = replace(reference, deferrable=False)
        made.lost += [f"{lost} of {what}" for lost in reference.lost]
        if reason := refused.get(reference.ondelete.upper()):
            made.lost.append(f"ON DELETE {reference.ondelete} of {what}: {reason}")
            reference = replace(reference, ondelete="")
        if reason := refused.get(reference.onupdate.upper()):
            made.lost.append(f"ON UPDATE {reference.onupdate} of {what}: {reason}")
            reference = replace(reference, onupdate="")
        return reference

    def _number(self, made: MadeTable) -> None:
        """Decide which column gets numbers of its own: not every database has them wherever another does."""
        referring = {name for reference in made.table.references for name in reference.columns}
        given = referring if self.source.numbers_implied else ()  # by the row that is referred to
        for name in [column.name for column in made.table.columns if column.numbered and column.name not in given]:
            one = made.columns[name]
            another = any(other.numbered for other in made.columns.values())
            reason = "" if one.column.type.kind is Kind.INTEGER else "it holds no integers"
            if reason := reason or self.dialect.refused_numbers(name, made.table.primary_key, another=another):
                made.lost.append(f"automatic numbers of {made.table.name}.{name}: {reason}")
            else:
                one.numbered = True
                one.written = self.dialect.numbered(one.written)

    def _fit(self, made: MadeTable) -> bool:
        """Change the types that the copy's database refuses in such a row or key; whether there are any."""
        fitted = self.dialect.fit({name: one.written for name, one in made.columns.items()}, made.keys)
        for name, written in fitted.items():
            made.columns[name].written = written
        return bool(fitted)

    def _alike(self) -> None:
        """Give a column that refers to another the other's type: two that differ are refused, or compared slowly."""
        for _ in self.tables:
            changed = False
            for made in self.tables:
                for reference in made.references:
                    other = self.by_name(reference.table)
                    for mine, theirs in zip(reference.columns, reference.referred, strict=True):
                        changed |= _likened(made.columns[mine], other.columns[theirs])
            if not changed:
                return

    def _finish(self, made: MadeTable) -> None:
        if made.name != made.table.name.name or made.table.name.schema:
            made.changes.append(f"is named {made.name}")
        for name, one in made.columns.items():
            made.lost += one.column.lost
            made.changes += self._changes(name, one)

    def _changes(self, name: str, one: Made) -> Iterator[str]:
        column, written = one.column, one.written
        if one.name != name:
            yield f"{name}: is named {one.name}"
        if written.reason is not None and written.native.lower() != column.native.lower():
            yield f"{name}: {column.native or 'no type'} becomes {written.native}" + (
                f" ({written.reason})" if written.reason else ""
            )
        if column.generated:
            yield f"{name}: is no longer computed, but holds the values: {_short(column.generated)}"
        elif column.default and not one.numbered and not is_null(column.default):
            one.default = default(column, written, self.source, self.dialect)
            if one.default is None:
                yield f"{name}: has no default any more: {_short(column.default)}"


def _short(sql: str) -> str:
    text = re.sub(r"\s+", " ", sql)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _likened(one: Made, other: Made) -> bool:
    if one.numbered or one.written.native == other.written.native or one.column.type.kind is not other.column.type.kind:
        return False
    one.written = replace(other.written, reason="")
    return True


def label(index: Index, made: MadeTable) -> str:
    """What to call an index."""
    columns = ", ".join(part.column or part.expression or "?" for part in index.parts)
    method = f" ({index.method})" if index.method else ""
    return f"index {index.name or f'on {columns}'}{method} of {made.table.name}"
