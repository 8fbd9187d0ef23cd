"""The statements that make the tables of a copy, as SQLAlchemy writes them for the copy's database."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import AddConstraint, CreateTable, DDLElement, SetColumnComment, SetTableComment
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import UserDefinedType

from framefox_tasks.operations.copy._model import Kind, Statement
from framefox_tasks.operations.copy._translating._expressions import Translator
from framefox_tasks.operations.copy._translating._indexes import Indexes
from framefox_tasks.operations.copy._translating._shapes import Check
from framefox_tasks.operations.copy._translating._tables import Made, MadeTable, Making

# Texts differ where their bytes do, as in the other databases, and be it by a space at the end. Each of the two servers
# reads the comment that is meant for it.
_MYSQL_TABLE = (
    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    " /*!80017 COLLATE=utf8mb4_0900_bin */ /*M!100200 COLLATE=utf8mb4_nopad_bin */"
)
_SERIAL = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}


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
        self._indexes = Indexes(making, self._translator)
        self._metadata = MetaData()
        self._tables = {made.table.name: self._table(made) for made in making.tables}
        self._keys = [key for made in making.tables for key in self._foreign_keys(made)]
        self.tables = [Statement(self._created(made), f"table {made.name}") for made in making.tables]
        self.indexes = [tuple(self._indexes.of(made)) for made in making.tables]

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
        # Always quoted: SQLAlchemy does not know every keyword.
        table = Table(quoted_name(made.name, quote=True), self._metadata, *columns, comment=made.table.comment)
        if self._has_inline_key(made):
            table.append_constraint(PrimaryKeyConstraint(*made.names(made.table.primary_key)))
        if self._inline:
            for constraint in self._checks(made):
                table.append_constraint(constraint)
            for index in made.table.indexes:
                if self._indexes.is_constraint(index) and self._indexes.can_have(made, index):
                    table.append_constraint(UniqueConstraint(*made.names(index.columns or ()), name=index.name))
        return table

    def _has_inline_key(self, made: MadeTable) -> bool:
        key = made.table.primary_key
        if not key or self._dialect == "postgresql":
            return False
        return self._dialect == "mysql" or not any(one.numbered for one in made.columns.values())

    def _column(self, made: MadeTable, one: Made) -> Column[object]:
        sql = one.written.native
        if one.column.type.name and self._has_enums and sql != "text":
            sql = self.quoted(one.column.type.name)  # it may be a keyword
        if one.numbered and self._dialect == "postgresql":
            sql = _SERIAL[sql]
        elif one.numbered:
            sql += " AUTO_INCREMENT" if self._dialect == "mysql" else " PRIMARY KEY AUTOINCREMENT"
        nullable = one.column.nullable and one.column.name not in made.table.primary_key
        default = _raw(one.default) if one.default and not one.numbered else None
        return Column(
            quoted_name(one.name, quote=True),
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
            if _is_boolean(check, made):
                continue
            sql = self._translator.expression(check.sql, made.renamed, made.booleans)
            if sql:
                yield CheckConstraint(_raw(sql), name=self._check_name(check, made))
            else:
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

    def checks(self) -> Iterator[Statement]:
        """The checks, where they can be made when the rows are there.

        After the foreign keys: MySQL takes only one of the two for some columns, and a key says more.
        """
        for made in [] if self._inline else self._making.tables:
            for check in self._checks(made):
                self._tables[made.table.name].append_constraint(check)
                what = f"check {check.name or check.sqltext} of {made.name}"
                yield Statement(self._sql(AddConstraint(check)), what, optional=True)

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
