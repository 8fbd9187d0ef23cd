"""How PostgreSQL writes SQL, names and types."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.postgresql import takes, types
from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.schema import Type, Written

_SERIAL = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}
_GREATEST = 2**63 - 1


class PostgreSQLDialect(Dialect):
    """The SQL of PostgreSQL."""

    names_in_bytes = True
    folds_names = False
    constraint_names_per_table = True
    has_empty_tables = True
    key_after_rows = True
    expression_indexes = True
    partial_indexes = True
    not_indexed = ("json",)  # is kept as its text, which nothing is compared with
    comments = "statement"
    parser = "postgres"
    read = staticmethod(types.read)
    write = staticmethod(types.write)
    refuses = staticmethod(takes.refuses)

    @staticmethod
    def exact(sql: str) -> str:
        """With the collation of bytes; of another type than text its text."""
        return f'({sql})::text COLLATE "C"'

    def implied_names(self, table: str, columns: Collection[str]) -> Iterable[str]:
        """Those of its primary key and its sequences."""
        return (f"{table}_pkey", *(f"{table}_{column}_seq" for column in columns))

    def column_type(self, type_: Type, native: str, *, numbered: bool) -> str:
        """A serial, or an enum, quoted since its name may be a keyword."""
        if numbered:
            return _SERIAL[native]
        return self.quoted(type_.name) if type_.name and native != "text" else native

    def refused_numbers(self, column: str, key: tuple[str, ...], *, another: bool) -> str:  # noqa: ARG002 - none are
        """Every column can have numbers."""
        return ""

    def numbered(self, written: Written) -> Written:
        """A sequence ends with a bigint."""
        return Written("bigint", reason="") if written.native == "numeric(20,0)" else written

    def next_number(self, table: str, column: str, following: int | None) -> Iterator[str]:
        """Set the sequence."""
        quoted, name = self.quoted(table), self.quoted(column)
        sequence = f"pg_get_serial_sequence({self.literal(quoted)}, {self.literal(column)})"
        highest = f"(SELECT max({name}) FROM {quoted})"  # noqa: S608 - quoted
        # The last number that was given, and not the next: there is none after the greatest that a column holds.
        last = f"greatest({highest}, {min(following or 1, _GREATEST) - 1})"
        yield f"SELECT setval({sequence}, greatest({last}, 1), {last} > 0)"

    def narrowed(self, parts: Sequence[Written], held: Sequence[int]) -> list[Written]:  # noqa: ARG002 - any length
        """JSON in a key has the type whose values can be compared."""
        jsonb = Written("jsonb", reason="a key compares it")
        return [jsonb if written.native == "json" else written for written in parts]

    def rewrites(self, field: Field) -> bool:
        """Documents that are parsed, and intervals."""
        return field.native in ("jsonb", "interval")

    def key_field(self, field: Field) -> Field:
        """As the server writes it, and reads it again: an array travels to another kind of database as JSON."""
        return replace(field, kind=field.own) if field.own else field

    def key_value(self, field: Field, text: str) -> str:
        """In quotes: a number without them would be of another type, and NaN a name.

        The server takes it for one of the column, but for a row that is not compared with others.
        """
        return f"{self.literal(text)}::{field.native}" if field.kind is Kind.NATIVE else self.literal(text)

    def uuid(self, written: Written) -> str:  # noqa: ARG002 - takes any number of characters
        """The server's own, which is of both types."""
        return "gen_random_uuid()"
