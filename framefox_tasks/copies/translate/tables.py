"""The tables of a copy: their names, types, automatic numbers and foreign keys, and how they differ from the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from framefox_tasks.copies.translate.defaults import default, is_null
from framefox_tasks.copies.translate.keys import Measure, fit_keys
from framefox_tasks.copies.translate.names import Names
from framefox_tasks.copies.translate.target import TargetColumn, TargetTable
from framefox_tasks.databases import database_named
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind, Name
from framefox_tasks.databases.schema import LiveColumn, LiveSchema, LiveTable, Reference, Type, Written


class Translation:
    """The translation of the tables of a source to the dialect of its copy.

    Attributes:
        refused: Why the copy's database cannot have it, a phrase each.
    """

    def __init__(self, found: LiveSchema, dialect: Dialect, measure: Measure) -> None:
        self.source = database_named(found.dialect).dialect
        self.dialect = dialect
        self.names = Names(dialect, found.tables)
        self.enums: dict[str, tuple[str, ...]] = {}
        self._enums: dict[tuple[str, tuple[str, ...]], str] = {}
        self._found = {table.name: table for table in found.tables}
        self.empty = [table for table in found.tables if not (table.columns or dialect.has_empty_tables)]
        self.tables = [self._table(table) for table in found.tables if table not in self.empty]
        self._match_types()
        self.refused = fit_keys(self.tables, self.by_name, dialect, measure)
        for target in self.tables:
            self._fit_row(target)
        for target in self.tables:
            self._finish(target)

    def by_name(self, name: Name) -> TargetTable:
        """A table of the copy by its name in the source."""
        return next(target for target in self.tables if target.source.name == name)

    def _table(self, table: LiveTable) -> TargetTable:
        names = self.names.columns[table.name]
        target = TargetTable(table, self.names.tables[table.name], {})
        target.lost += table.lost
        target.references = tuple(self._carried(target))
        for column in table.columns:
            type_ = self._named(self._typed(table, column), column, target.name)
            column = replace(column, type=type_)
            written = Written(column.chosen, type_.size, "as chosen") if column.chosen else self.dialect.write(type_)
            if type_.hidden and written.reason is None:
                written = replace(written, reason="")
            target.columns[column.name] = TargetColumn(column, names[column.name], written)
        self._number(target)
        return target

    def _typed(self, table: LiveTable, column: LiveColumn) -> Type:
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

    def _referred(self, table: LiveTable, column: str) -> tuple[Name, str] | None:
        for reference in table.references:
            if column in reference.columns and reference.table in self._found:
                referred = dict(zip(reference.columns, reference.referred, strict=False))
                return (reference.table, referred[column]) if column in referred else None
        return None

    def _named(self, type_: Type, column: LiveColumn, table: str) -> Type:
        """An enum with a name, for the database that has types of their own."""
        if type_.kind is not Kind.ENUM or not self.dialect.has_enum_types:
            return type_
        key = (column.name, type_.values)
        if key not in self._enums:
            self._enums[key] = self.names.type(column.name, table)
            self.enums[self._enums[key]] = type_.values
        return replace(type_, name=self._enums[key])

    def _carried(self, target: TargetTable) -> Iterator[Reference]:
        for reference in target.source.references:
            what = f"foreign key {reference.name or ', '.join(reference.columns)} of {target.source.name}"
            referred = self._found.get(reference.table)
            if referred is None:
                target.lost.append(f"{what}: {reference.table} is not copied")
                continue
            known = {column.name.casefold(): column.name for column in referred.columns}
            columns = reference.referred or referred.primary_key
            if len(columns) != len(reference.columns) or not all(c.casefold() in known for c in columns):
                target.lost.append(f"{what}: {reference.table} has no such columns")
                continue
            reference = replace(reference, referred=tuple(known[column.casefold()] for column in columns))
            keys = (referred.primary_key, *referred.uniques)
            if not reference.whole:
                target.lost.append(f"{what}: it is of some partitions alone, or to one")
            elif not any(sorted(key) == sorted(reference.referred) for key in keys):
                target.lost.append(f"{what}: {', '.join(reference.referred)} of {reference.table} is no key")
            else:
                yield self._allowed(reference, target, what)

    def _allowed(self, reference: Reference, target: TargetTable, what: str) -> Reference:
        """Without what the copy's database refuses."""
        table = target.source
        nullable = all(table.column(c).nullable and c not in table.primary_key for c in reference.columns)
        refused = self.dialect.refused_rules(nullable=nullable)
        if reference.deferrable and (reason := refused.get("DEFERRABLE")):
            target.lost.append(f"DEFERRABLE of {what}: {reason}")
            reference = replace(reference, deferrable=False)
        target.lost += [f"{lost} of {what}" for lost in reference.lost]
        if reason := refused.get(reference.ondelete.upper()):
            target.lost.append(f"ON DELETE {reference.ondelete} of {what}: {reason}")
            reference = replace(reference, ondelete="")
        if reason := refused.get(reference.onupdate.upper()):
            target.lost.append(f"ON UPDATE {reference.onupdate} of {what}: {reason}")
            reference = replace(reference, onupdate="")
        return reference

    def _number(self, target: TargetTable) -> None:
        """Decide which columns get automatic numbers, which not every database allows in the same places."""
        referring = {name for reference in target.source.references for name in reference.columns}
        given = referring if self.source.numbers_implied else ()  # by the row that is referred to
        for name in [column.name for column in target.source.columns if column.numbered and column.name not in given]:
            one = target.columns[name]
            another = any(other.numbered for other in target.columns.values())
            reason = "" if one.source.type.kind is Kind.INTEGER else "it holds no integers"
            if reason := reason or self.dialect.refused_numbers(name, target.source.primary_key, another=another):
                target.lost.append(f"automatic numbers of {target.source.name}.{name}: {reason}")
            else:
                one.numbered = True
                one.written = self.dialect.numbered(one.written)

    def _fit_row(self, target: TargetTable) -> None:
        """Change the types that the copy's database refuses in such a row."""
        in_keys = {name for key in target.keys for name in key}
        referred = {
            name
            for other in self.tables
            for reference in other.references
            if reference.table == target.source.name
            for name in reference.referred
        }
        columns = {name: one.written for name, one in target.columns.items()}
        for name, written in self.dialect.fit_row(columns, in_keys | referred).items():
            target.columns[name].written = written

    def _match_types(self) -> None:
        """Give a column that refers to another the other's type: two that differ are refused, or compared slowly."""
        for _ in self.tables:
            changed = False
            for target in self.tables:
                for reference in target.references:
                    other = self.by_name(reference.table)
                    for mine, theirs in zip(reference.columns, reference.referred, strict=True):
                        changed |= _match_type(target.columns[mine], other.columns[theirs])
            if not changed:
                return

    def _finish(self, target: TargetTable) -> None:
        if target.name != target.source.name.name or target.source.name.schema:
            target.changes.append(f"is named {target.name}")
        for name, one in target.columns.items():
            target.lost += one.source.lost
            target.changes += self._changes(name, one)

    def _changes(self, name: str, one: TargetColumn) -> Iterator[str]:
        column, written = one.source, one.written
        if one.name != name:
            yield f"{name}: is named {one.name}"
        if written.reason is not None and written.native.lower() != column.native.lower():
            yield f"{name}: {column.native or 'no type'} becomes {written.native}" + (
                f" ({written.reason})" if written.reason else ""
            )
        if column.generated:
            yield f"{name}: is no longer computed, but holds the values: {_short(column.generated)}"
        elif column.default and not one.numbered and not is_null(column.default, self.source):
            one.default = default(column, written, self.source, self.dialect)
            if one.default is None:
                yield f"{name}: has no default any more: {_short(column.default)}"


def _short(sql: str) -> str:
    text = re.sub(r"\s+", " ", sql)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _match_type(one: TargetColumn, other: TargetColumn) -> bool:
    if one.numbered or one.written.native == other.written.native or one.source.type.kind is not other.source.type.kind:
        return False
    one.written = replace(other.written, reason="")
    return True
