"""The statements that make the tables of a copy, as SQLAlchemy writes them for the copy's database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, DDLElement, SetColumnComment, SetTableComment
from sqlalchemy.types import UserDefinedType

from framefox_tasks.operations.copy._model import Kind, Statement
from framefox_tasks.operations.copy._translating import _mysql_limits
from framefox_tasks.operations.copy._translating._expressions import Translator
from framefox_tasks.operations.copy._translating._shapes import Check, Part
from framefox_tasks.operations.copy._translating._shapes import Index as FoundIndex
from framefox_tasks.operations.copy._translating._tables import Made, MadeTable, Making, label

# Texts differ where their bytes do, as in the other databases, and be it by a space at the end. Each of the two servers
# reads the comment that is meant for it.
_MYSQL_TABLE = (
    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    " /*!80017 COLLATE=utf8mb4_0900_bin */ /*M!100200 COLLATE=utf8mb4_nopad_bin */"
)
_SERIAL = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}
_PLAIN_METHODS = {"", "hash"}


class _Type(UserDefinedType[object]):
    """A type that is written already."""

    cache_ok = True

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def get_col_spec(self, **_: object) -> str:
        return self.sql


def _raw(sql: str) -> TextClause:
    return text(sql.replace(":", "\\:"))


class Statements:
    """The statements of a copy's tables; what cannot be said in them is added to what the tables lose."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._dialect = making.dialect
        # No parameters will be filled in: names and texts with a % stand as they are.
        dialects = {"postgresql": postgresql, "mysql": mysql, "sqlite": sqlite}
        self._compiler = dialects[making.dialect].dialect(paramstyle="named")
        self._translator = Translator(making.source, making.dialect)
        self._metadata = MetaData()
        self._tables = {made.table.name: self._table(made) for made in making.tables}
        self._keys = [key for made in making.tables for key in self._foreign_keys(made)]
        self.tables = [Statement(self._created(made), f"table {made.name}") for made in making.tables]
        self.indexes = [self._indexed(made) for made in making.tables]

    @property
    def _inline(self) -> bool:
        """Whether constraints can only be made with their table."""
        return self._dialect == "sqlite"

    def _sql(self, element: DDLElement) -> str:
        return str(element.compile(dialect=self._compiler)).strip()

    def quoted(self, name: str) -> str:
        """A name as the copy's database takes it."""
        return str(self._compiler.identifier_preparer.quote_identifier(name))

    def _table(self, made: MadeTable) -> Table:
        columns = [self._column(made, one) for one in made.columns.values()]
        table = Table(made.name, self._metadata, *columns, comment=made.table.comment)
        if self._has_inline_key(made):
            table.append_constraint(PrimaryKeyConstraint(*made.names(made.table.primary_key)))
        if self._inline:
            for constraint in self._checks(made):
                table.append_constraint(constraint)
            for index in made.table.indexes:
                if self._is_constraint(index) and self._can_have(made, index):
                    table.append_constraint(UniqueConstraint(*made.names(index.columns or ()), name=index.name))
        return table

    def _has_inline_key(self, made: MadeTable) -> bool:
        key = made.table.primary_key
        if not key or self._dialect == "postgresql":
            return False
        return self._dialect == "mysql" or not any(one.numbered for one in made.columns.values())

    def _column(self, made: MadeTable, one: Made) -> Column[object]:
        sql = one.written.native
        if one.numbered and self._dialect == "postgresql":
            sql = _SERIAL[sql]
        elif one.numbered:
            sql += " AUTO_INCREMENT" if self._dialect == "mysql" else " PRIMARY KEY AUTOINCREMENT"
        nullable = one.column.nullable and one.column.name not in made.table.primary_key
        default = _raw(one.default) if one.default and not one.numbered else None
        return Column(
            one.name,
            _Type(sql),
            nullable=nullable,
            server_default=default,
            comment=one.column.comment,
            autoincrement=False,
        )

    def _created(self, made: MadeTable) -> str:
        sql = self._sql(CreateTable(self._tables[made.table.name]))
        return sql + _MYSQL_TABLE if self._dialect == "mysql" else sql

    def types(self) -> Iterator[Statement]:
        """The enum types."""
        for name, values in self._making.enums.items():
            labels = ", ".join(map(self._translator.literal, values))
            yield Statement(f"CREATE TYPE {self.quoted(name)} AS ENUM ({labels})", f"type {name}")

    def _checks(self, made: MadeTable) -> Iterator[CheckConstraint]:
        """The checks that mean the same in the copy."""
        for check in made.table.checks:
            sql = None if _is_boolean(check, made) else self._translator.expression(check.sql, made.renamed)
            if sql:
                yield CheckConstraint(_raw(sql), name=self._check_name(check, made))
            elif not _is_boolean(check, made):
                made.lost.append(f"check {check.name or check.sql} of {made.table.name}")
        for name, one in made.columns.items():
            for domain in one.column.checks:
                sql = self._translator.expression(domain, {"VALUE": one.name})
                if sql:
                    yield CheckConstraint(_raw(sql))
                else:
                    made.lost.append(f"check {domain} of the domain of {made.table.name}.{name}")
            if one.column.type.kind is Kind.ENUM and not one.written.native.startswith("enum") and not self._has_enums:
                labels = ", ".join(map(self._translator.literal, one.column.type.values))
                yield CheckConstraint(_raw(f"{self.quoted(one.name)} IN ({labels})"))

    @property
    def _has_enums(self) -> bool:
        return self._dialect == "postgresql"

    def _check_name(self, check: Check, made: MadeTable) -> str | None:
        return self._making.names.constraint(check.name, made.name) if check.name else None

    def _indexed(self, made: MadeTable) -> tuple[Statement, ...]:
        """What is made when the rows of a table are there: its primary key, indexes and checks."""
        found = []
        key = made.table.primary_key
        if key and self._dialect == "postgresql":
            found.append(Statement(self._primary_key(made), f"primary key of {made.name}"))
        for index in made.table.indexes:
            if not (self._inline and self._is_constraint(index)):
                found += self._index(made, index)
        if not self._inline:
            for check in self._checks(made):
                self._tables[made.table.name].append_constraint(check)
                found.append(Statement(self._sql(AddConstraint(check)), f"check of {made.name}", optional=True))
        return tuple(found)

    def _primary_key(self, made: MadeTable) -> str:
        columns = ", ".join(map(self.quoted, made.names(made.table.primary_key)))
        name = made.table.primary_name
        named = f"CONSTRAINT {self.quoted(self._making.names.index(name, made.name, ()))} " if name else ""
        return f"ALTER TABLE {self.quoted(made.name)} ADD {named}PRIMARY KEY ({columns})"

    def _is_constraint(self, index: FoundIndex) -> bool:
        if not index.unique or index.where or not index.columns:
            return False
        # MySQL does not know one from the other: by their names people do.
        return index.constraint or (self._making.source == "mysql" and not (index.name or "").startswith(("ix", "idx")))

    def _index(self, made: MadeTable, index: FoundIndex) -> Iterator[Statement]:
        parts = self._parts(made, index)
        where = self._translator.expression(index.where, made.renamed) if index.where else None
        if not parts or not self._can_have(made, index) or (index.where and not where and index.unique):
            self._lose(made, index)
            return
        made.lost += [f"{lost} of {label(index, made)}" for lost in index.lost]
        if index.where and (not where or self._dialect == "mysql"):
            where = None
            made.lost.append(f"condition of {label(index, made)}")
        if index.method:
            made.lost.append(f"method of {label(index, made)}")
        name = self._making.names.index(index.name, made.name, [p.column or "expression" for p in index.parts])
        if index.name and name != index.name:
            made.changes.append(f"{label(index, made).rpartition(' of ')[0]} is named {name}")
        plain = not index.where and all(part.column and not part.expression for part in index.parts)
        yield Statement(
            self._constraint(made, index, name)
            if self._is_constraint(index)
            else self._made(made, index, name, parts, where),
            f"index {name} of {made.name}",
            optional=not plain,
        )

    def _lose(self, made: MadeTable, index: FoundIndex) -> None:
        phrase = label(index, made)
        if phrase not in made.lost:
            made.lost.append(phrase)

    def _can_have(self, made: MadeTable, index: FoundIndex) -> bool:
        """Whether the copy's database has such an index, on columns of such types."""
        if index.method not in _PLAIN_METHODS or (index.unique and index.where and self._dialect == "mysql"):
            return False
        if index.unique and any(part.prefix for part in index.parts):
            return False
        if "NULLS NOT DISTINCT" in index.lost:
            return False
        json = self._dialect != "sqlite" and any(
            part.column and made.columns[part.column].written.native == "json" for part in index.parts
        )
        return not json

    def _constraint(self, made: MadeTable, index: FoundIndex, name: str) -> str:
        columns = made.names(index.columns or ())
        constraint = UniqueConstraint(*columns, name=name)
        self._tables[made.table.name].append_constraint(constraint)
        return self._sql(AddConstraint(constraint))

    def _parts(self, made: MadeTable, index: FoundIndex) -> list[str | Part]:
        """The columns and the translated expressions; none where one cannot be told."""
        found: list[str | Part] = []
        for part in index.parts:
            if part.column:
                found.append(part)
                continue
            sql = self._translator.expression(part.expression or "?", made.renamed)
            if sql is None or self._dialect == "mysql":
                return []
            found.append(sql)
        return found

    def _made(self, made: MadeTable, index: FoundIndex, name: str, parts: list[str | Part], where: str | None) -> str:
        table = self._tables[made.table.name]
        elements: list[Any] = []
        for part, found in zip(parts, index.parts, strict=True):
            if isinstance(part, str):
                elements.append(_raw(f"({part}) DESC" if found.descending else f"({part})"))
            else:
                column = table.c[made.columns[str(part.column)].name]
                elements.append(column.desc() if found.descending else column)
        options: dict[str, Any] = {f"{self._dialect}_where": _raw(where)} if where else {}
        if self._dialect == "mysql" and not index.unique:
            options["mysql_length"] = self._prefixes(made, index)
        return self._sql(CreateIndex(Index(name, *elements, unique=index.unique, _table=table, **options)))

    def _prefixes(self, made: MadeTable, index: FoundIndex) -> dict[str, int]:
        ones = [made.columns[str(part.column)] for part in index.parts]
        found = {
            one.name: length
            for one, length in zip(ones, _mysql_limits.prefixes([one.written for one in ones]), strict=True)
            if length
        }
        for name, length in found.items():
            made.changes.append(f"{label(index, made).rpartition(' of ')[0]} takes the first {length} of {name}")
        return found

    def _foreign_keys(self, made: MadeTable) -> Iterator[tuple[MadeTable, ForeignKeyConstraint]]:
        for reference in made.references:
            other = self._making.by_name(reference.table)
            referred = [self._tables[reference.table].c[name] for name in other.names(reference.referred)]
            deferrable = self._dialect != "mysql" and reference.deferrable
            constraint = ForeignKeyConstraint(
                made.names(reference.columns),
                referred,
                name=self._making.names.constraint(reference.name, made.name) if reference.name else None,
                ondelete=reference.ondelete or None,
                onupdate=reference.onupdate or None,
                deferrable=deferrable or None,
                initially="DEFERRED" if deferrable and reference.deferred else None,
                use_alter=not self._inline,
            )
            self._tables[made.table.name].append_constraint(constraint)
            yield made, constraint

    def foreign_keys(self) -> Iterator[Statement]:
        """The foreign keys, where they are made when all tables are there."""
        if self._inline:
            return
        for made, key in self._keys:
            what = f"foreign key {key.name or ', '.join(key.column_keys)} of {made.name}"
            yield Statement(self._sql(AddConstraint(key)), what, optional=True)

    def comments(self) -> Iterator[Statement]:
        """The comments, where they do not stand in the table."""
        for made in self._making.tables:
            table = self._tables[made.table.name]
            if self._dialect == "sqlite" and (table.comment or any(column.comment for column in table.c)):
                made.lost.append(f"comments of {made.table.name}")
            if self._dialect != "postgresql":
                continue
            if table.comment:
                yield Statement(self._sql(SetTableComment(table)), f"comment of {made.name}")
            for column in table.c:
                if column.comment:
                    yield Statement(self._sql(SetColumnComment(column)), f"comment of {made.name}.{column.name}")


def _is_boolean(check: Check, made: MadeTable) -> bool:
    """Whether a check says no more than that a boolean is one."""
    words = check.sql.replace('"', "").replace("`", "").replace(" ", "").strip("()").casefold()
    return any(
        one.column.type.kind is Kind.BOOLEAN and words == f"{name.casefold()}in(0,1"
        for name, one in made.columns.items()
    )
