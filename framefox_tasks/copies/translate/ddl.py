"""The statements that make the tables of a copy.

SQLAlchemy could write them too. They are written here as those of the indexes are, since all types, defaults and
conditions are SQL already, and importing SQLAlchemy would take a third of the time that passes before the first row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from framefox_tasks.copies.translate.constraints import Constraints
from framefox_tasks.copies.translate.indexes import Indexes
from framefox_tasks.copies.translate.tables import Translation
from framefox_tasks.copies.translate.target import TargetColumn, TargetTable
from framefox_tasks.databases.rows import Kind, Statement
from framefox_tasks.databases.schema import LiveCheck
from framefox_tasks.databases.sql import Translator

_EQUAL_IN_TEXTS = (Kind.TEXT, Kind.INTERVAL, Kind.JSON)
"""What a source may take for equal in several texts, which are different in the copy."""


class Statements:
    """The statements that make the tables of a copy; what they cannot express is added to `lost` of its table."""

    def __init__(self, translation: Translation, constraints: Constraints) -> None:
        self._translation = translation
        self._constraints = constraints
        self._dialect = translation.dialect
        self._translator = Translator(translation.source, translation.dialect)
        self._indexes = Indexes(translation, self._translator, constraints)
        self.tables = [Statement(self._create_table(target), f"table {target.name}") for target in translation.tables]
        self.indexes = [tuple(self._indexes.of(target)) for target in translation.tables]

    def _create_table(self, target: TargetTable) -> str:
        parts = [self._column(target, column) for column in target.columns.values()]
        if self._has_inline_key(target):
            parts.append(f"PRIMARY KEY ({self._dialect.listed(target.names(target.source.primary_key))})")
        if self._dialect.constraints_with_table:
            parts += [sql for _, sql in self._checks(target)]
            parts += self._uniques(target)
            parts += [sql for _, sql in self._foreign_keys(target)]
        listed = ",\n\t".join(parts)
        sql = f"CREATE TABLE {self._dialect.quoted(target.name)} (\n\t{listed}\n)"
        comment = target.source.comment if self._dialect.comments == "with the table" else None
        return sql + (f" COMMENT={self._dialect.literal(comment)}" if comment else "") + self._dialect.table_suffix

    def _column(self, target: TargetTable, column: TargetColumn) -> str:
        sql = self._dialect.column_type(column.source.type, column.written.native, numbered=column.numbered)
        if column.default and not column.numbered:
            sql += f" DEFAULT {column.default}"
        if not column.source.nullable or column.source.name in target.source.primary_key:
            sql += " NOT NULL"
        elif self._dialect.says_null:
            sql += " NULL"
        if column.source.comment and self._dialect.comments == "with the table":
            sql += f" COMMENT {self._dialect.literal(column.source.comment)}"
        return f"{self._dialect.quoted(column.name)} {sql}"

    def _has_inline_key(self, target: TargetTable) -> bool:
        if not target.source.primary_key or self._dialect.key_after_rows:
            return False
        return not (self._dialect.numbers_make_key and any(column.numbered for column in target.columns.values()))

    def _uniques(self, target: TargetTable) -> Iterator[str]:
        for index in target.source.indexes:
            if self._indexes.is_constraint(index) and self._indexes.can_have(target, index):
                yield f"{self._named(index.name)}UNIQUE ({self._dialect.listed(target.names(index.columns or ()))})"

    def _named(self, name: str | None) -> str:
        return f"CONSTRAINT {self._dialect.quoted(name)} " if name else ""

    def types(self) -> Iterator[Statement]:
        """The enum types."""
        for name, values in self._translation.enums.items():
            yield Statement(
                f"CREATE TYPE {self._dialect.quoted(name)} AS ENUM ({self._labels(values)})", f"type {name}"
            )

    def _labels(self, values: Iterable[str]) -> str:
        return ", ".join(map(self._dialect.literal, values))

    def _checks(self, target: TargetTable) -> Iterator[tuple[str, str]]:
        """The checks that mean the same in the copy: a label of each, and the constraint."""
        for check in target.source.checks:
            if _is_boolean(check, target):
                continue
            sql = self._translator.expression(check.sql, target.renamed, target.kinds, condition=True)
            reason = self._broken(target, check.sql) if sql else ""
            if sql and reason is None:
                name = self._translation.names.constraint(check.name, target.name) if check.name else None
                yield name or sql, f"{self._named(name)}CHECK ({sql})"
            else:
                what = f"check {check.name or check.sql} of {target.source.name}"
                target.lost.append(f"{what}: {reason}" if reason else what)
        for name, column in target.columns.items():
            for domain in column.source.checks:
                kinds = {"VALUE": target.kinds[name]}
                sql = self._translator.expression(domain, {"VALUE": column.name}, kinds, condition=True)
                if sql:
                    yield sql, f"CHECK ({sql})"
                else:
                    target.lost.append(f"check {domain} of the domain of {target.source.name}.{name}")
            if column.source.type.kind is Kind.ENUM and not (column.written.lists or self._dialect.has_enum_types):
                sql = f"{self._dialect.quoted(column.name)} IN ({self._labels(column.source.type.values)})"
                yield sql, f"CHECK ({sql})"

    def _broken(self, target: TargetTable, sql: str) -> str | None:
        """Why a check may refuse rows that are there, although its SQL can be carried; None where it does not."""
        if count := self._constraints.break_check(target, sql):
            return f"{_rows(count, 'breaks', 'break')} it where texts are compared by their characters"
        if count := self._constraints.read_otherwise(target, sql):
            return f"{_rows(count, 'holds', 'hold')} texts of which its functions may make something else there"
        return None

    def checks(self) -> Iterator[Statement]:
        """The checks, where they can be added after the rows.

        After the foreign keys: MySQL takes only one of the two for some columns, and a key says more.
        """
        for target in [] if self._dialect.constraints_with_table else self._translation.tables:
            for what, sql in self._checks(target):
                yield self._added(target, sql, f"check {what}")

    def _added(self, target: TargetTable, constraint: str, what: str) -> Statement:
        sql = f"ALTER TABLE {self._dialect.quoted(target.name)} ADD {constraint}"
        return Statement(sql, f"{what} of {target.name}", optional=True)

    def _foreign_keys(self, target: TargetTable) -> Iterator[tuple[str, str]]:
        """A label of each, and the constraint."""
        for reference in target.references:
            other = self._translation.by_name(reference.table)
            broken = self._constraints.break_reference(target, reference)
            if broken:
                what = f"foreign key {reference.name or ', '.join(reference.columns)} of {target.source.name}"
                rows = _rows(broken, "refers", "refer")
                texts = any(target.kinds[column] in _EQUAL_IN_TEXTS for column in reference.columns)
                exact = " with the same characters" if texts else ""
                target.lost.append(f"{what}: {rows} to no row of {reference.table}{exact}")
                continue
            columns, referred = target.names(reference.columns), other.names(reference.referred)
            name = self._translation.names.constraint(reference.name, target.name) if reference.name else None
            sql = f"{self._named(name)}FOREIGN KEY ({self._dialect.listed(columns)})"
            sql += f" REFERENCES {self._dialect.quoted(other.name)} ({self._dialect.listed(referred)})"
            for event, action in (("DELETE", reference.ondelete), ("UPDATE", reference.onupdate)):
                sql += f" ON {event} {action}" if action else ""
            if reference.deferrable:
                sql += f" DEFERRABLE{' INITIALLY DEFERRED' if reference.deferred else ''}"
            yield name or ", ".join(columns), sql

    def foreign_keys(self) -> Iterator[Statement]:
        """The foreign keys, where they can be added after all tables."""
        for target in [] if self._dialect.constraints_with_table else self._translation.tables:
            for what, sql in self._foreign_keys(target):
                yield self._added(target, sql, f"foreign key {what}")

    def numbers(self) -> Iterator[Statement]:
        """Set each column's next number past the highest value, and not below what the source would give next."""
        for target in self._translation.tables:
            for column in target.columns.values():
                if column.numbered:
                    following = self._dialect.next_number(target.name, column.name, column.source.following)
                    yield from (Statement(sql, f"numbers of {target.name}.{column.name}") for sql in following)

    def comments(self) -> Iterator[Statement]:
        """The comments, where they do not stand in the table."""
        for target in self._translation.tables:
            columns = [column for column in target.columns.values() if column.source.comment]
            if self._dialect.comments == "none" and (target.source.comment or columns):
                target.lost.append(f"comments of {target.source.name}")
            if self._dialect.comments != "statement":
                continue
            owner = self._dialect.quoted(target.name)
            if target.source.comment:
                yield self._comment(f"TABLE {owner}", target.source.comment, target.name)
            for column in columns:
                name = f"COLUMN {owner}.{self._dialect.quoted(column.name)}"
                yield self._comment(name, column.source.comment or "", f"{target.name}.{column.name}")

    def _comment(self, named: str, comment: str, what: str) -> Statement:
        return Statement(f"COMMENT ON {named} IS {self._dialect.literal(comment)}", f"comment of {what}")


def _rows(count: int, one: str, more: str) -> str:
    return f"1 row {one}" if count == 1 else f"{count:,} rows {more}"


def _is_boolean(check: LiveCheck, target: TargetTable) -> bool:
    """Whether a check says no more than that a boolean is one."""
    words = check.sql.replace('"', "").replace("`", "").replace(" ", "").strip("()").casefold()
    return any(
        column.source.type.kind is Kind.BOOLEAN and words == f"{name.casefold()}in(0,1"
        for name, column in target.columns.items()
    )
