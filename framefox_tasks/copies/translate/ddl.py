"""The statements that make the tables of a copy.

SQLAlchemy could write them too. They are written here as those of the indexes are, since all types, defaults and
conditions are SQL already, and importing SQLAlchemy would take a third of the time that passes before the first row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from framefox_tasks.copies.translate.indexes import Indexes
from framefox_tasks.copies.translate.tables import Made, MadeTable, Making
from framefox_tasks.databases.rows import Kind, Statement
from framefox_tasks.databases.schema import Check
from framefox_tasks.databases.sql import Translator


class Statements:
    """The statements of a copy's tables; what cannot be said in them is added to what the tables lose."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._dialect = making.dialect
        self._translator = Translator(making.source, making.dialect)
        self._indexes = Indexes(making, self._translator)
        self.tables = [Statement(self._created(made), f"table {made.name}") for made in making.tables]
        self.indexes = [tuple(self._indexes.of(made)) for made in making.tables]

    def _created(self, made: MadeTable) -> str:
        parts = [self._column(made, one) for one in made.columns.values()]
        if self._has_inline_key(made):
            parts.append(f"PRIMARY KEY ({self._dialect.listed(made.names(made.table.primary_key))})")
        if self._dialect.constraints_with_table:
            parts += [sql for _, sql in self._checks(made)]
            parts += self._uniques(made)
            parts += [sql for _, sql in self._foreign_keys(made)]
        listed = ",\n\t".join(parts)
        sql = f"CREATE TABLE {self._dialect.quoted(made.name)} (\n\t{listed}\n)"
        comment = made.table.comment if self._dialect.comments == "with the table" else None
        return sql + (f" COMMENT={self._dialect.literal(comment)}" if comment else "") + self._dialect.table_suffix

    def _column(self, made: MadeTable, one: Made) -> str:
        sql = self._dialect.column_type(one.column.type, one.written.native, numbered=one.numbered)
        if one.default and not one.numbered:
            sql += f" DEFAULT {one.default}"
        if not one.column.nullable or one.column.name in made.table.primary_key:
            sql += " NOT NULL"
        elif self._dialect.says_null:
            sql += " NULL"
        if one.column.comment and self._dialect.comments == "with the table":
            sql += f" COMMENT {self._dialect.literal(one.column.comment)}"
        return f"{self._dialect.quoted(one.name)} {sql}"

    def _has_inline_key(self, made: MadeTable) -> bool:
        if not made.table.primary_key or self._dialect.key_after_rows:
            return False
        return not (self._dialect.numbers_make_key and any(one.numbered for one in made.columns.values()))

    def _uniques(self, made: MadeTable) -> Iterator[str]:
        for index in made.table.indexes:
            if self._indexes.is_constraint(index) and self._indexes.can_have(made, index):
                yield f"{self._named(index.name)}UNIQUE ({self._dialect.listed(made.names(index.columns or ()))})"

    def _named(self, name: str | None) -> str:
        return f"CONSTRAINT {self._dialect.quoted(name)} " if name else ""

    def types(self) -> Iterator[Statement]:
        """The enum types."""
        for name, values in self._making.enums.items():
            yield Statement(
                f"CREATE TYPE {self._dialect.quoted(name)} AS ENUM ({self._labels(values)})", f"type {name}"
            )

    def _labels(self, values: Iterable[str]) -> str:
        return ", ".join(map(self._dialect.literal, values))

    def _checks(self, made: MadeTable) -> Iterator[tuple[str, str]]:
        """The checks that mean the same in the copy: what to call each, and the constraint."""
        for check in made.table.checks:
            if _is_boolean(check, made):
                continue
            sql = self._translator.expression(check.sql, made.renamed, made.booleans)
            if sql:
                name = self._making.names.constraint(check.name, made.name) if check.name else None
                yield name or sql, f"{self._named(name)}CHECK ({sql})"
            else:
                made.lost.append(f"check {check.name or check.sql} of {made.table.name}")
        for name, one in made.columns.items():
            for domain in one.column.checks:
                sql = self._translator.expression(domain, {"VALUE": one.name})
                if sql:
                    yield sql, f"CHECK ({sql})"
                else:
                    made.lost.append(f"check {domain} of the domain of {made.table.name}.{name}")
            if one.column.type.kind is Kind.ENUM and not (one.written.lists or self._dialect.has_enum_types):
                sql = f"{self._dialect.quoted(one.name)} IN ({self._labels(one.column.type.values)})"
                yield sql, f"CHECK ({sql})"

    def checks(self) -> Iterator[Statement]:
        """The checks, where they can be made when the rows are there.

        After the foreign keys: MySQL takes only one of the two for some columns, and a key says more.
        """
        for made in [] if self._dialect.constraints_with_table else self._making.tables:
            for what, sql in self._checks(made):
                yield self._added(made, sql, f"check {what}")

    def _added(self, made: MadeTable, constraint: str, what: str) -> Statement:
        sql = f"ALTER TABLE {self._dialect.quoted(made.name)} ADD {constraint}"
        return Statement(sql, f"{what} of {made.name}", optional=True)

    def _foreign_keys(self, made: MadeTable) -> Iterator[tuple[str, str]]:
        """What to call each, and the constraint."""
        for reference in made.references:
            other = self._making.by_name(reference.table)
            columns, referred = made.names(reference.columns), other.names(reference.referred)
            name = self._making.names.constraint(reference.name, made.name) if reference.name else None
            sql = f"{self._named(name)}FOREIGN KEY ({self._dialect.listed(columns)})"
            sql += f" REFERENCES {self._dialect.quoted(other.name)} ({self._dialect.listed(referred)})"
            for event, action in (("DELETE", reference.ondelete), ("UPDATE", reference.onupdate)):
                sql += f" ON {event} {action}" if action else ""
            if reference.deferrable:
                sql += f" DEFERRABLE{' INITIALLY DEFERRED' if reference.deferred else ''}"
            yield name or ", ".join(columns), sql

    def foreign_keys(self) -> Iterator[Statement]:
        """The foreign keys, where they are made when all tables are there."""
        for made in [] if self._dialect.constraints_with_table else self._making.tables:
            for what, sql in self._foreign_keys(made):
                yield self._added(made, sql, f"foreign key {what}")

    def numbers(self) -> Iterator[Statement]:
        """Set each column's next number past the highest value, and not below what the source would give next."""
        for made in self._making.tables:
            for one in made.columns.values():
                following = self._dialect.next_number(made.name, one.name, one.column.following) if one.numbered else ()
                yield from (Statement(sql, f"numbers of {made.name}.{one.name}") for sql in following)

    def comments(self) -> Iterator[Statement]:
        """The comments, where they do not stand in the table."""
        for made in self._making.tables:
            columns = [one for one in made.columns.values() if one.column.comment]
            if self._dialect.comments == "none" and (made.table.comment or columns):
                made.lost.append(f"comments of {made.table.name}")
            if self._dialect.comments != "statement":
                continue
            owner = self._dialect.quoted(made.name)
            if made.table.comment:
                yield self._comment(f"TABLE {owner}", made.table.comment, made.name)
            for one in columns:
                name = f"COLUMN {owner}.{self._dialect.quoted(one.name)}"
                yield self._comment(name, one.column.comment or "", f"{made.name}.{one.name}")

    def _comment(self, named: str, comment: str, what: str) -> Statement:
        return Statement(f"COMMENT ON {named} IS {self._dialect.literal(comment)}", f"comment of {what}")


def _is_boolean(check: Check, made: MadeTable) -> bool:
    """Whether a check says no more than that a boolean is one."""
    words = check.sql.replace('"', "").replace("`", "").replace(" ", "").strip("()").casefold()
    return any(
        one.column.type.kind is Kind.BOOLEAN and words == f"{name.casefold()}in(0,1"
        for name, one in made.columns.items()
    )
