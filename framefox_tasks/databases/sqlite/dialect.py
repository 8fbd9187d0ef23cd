"""How SQLite writes SQL, names and types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.schema import Written
from framefox_tasks.databases.sqlite import takes, types

_NUMBERS = (Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT)


class SQLiteDialect(Dialect):
    """The SQL of SQLite."""

    longest_name = 500
    reserved_prefix = "sqlite_"
    constraints_with_table = True
    numbers = " PRIMARY KEY AUTOINCREMENT"
    numbers_make_key = True
    numbers_implied = True
    expression_indexes = True
    partial_indexes = True
    double_quoted_text = True
    binds_values = False
    holds_constraints = False
    refuses = staticmethod(takes.refuses)
    has_booleans = False
    has_truth_words = False
    like_folds = True
    like_folds_in_copy = True
    char_length = "length"
    octet_length = ""
    exact_digits = types.EXACT_DIGITS
    parser = "sqlite"
    null_safe_equal = "IS"
    read = staticmethod(types.read)
    write = staticmethod(types.write)

    @staticmethod
    def exact(sql: str) -> str:
        """With the collation of bytes."""
        return f"{sql} COLLATE BINARY"

    def shortens(self, field: Field) -> bool:
        """Where it makes doubles and integers of them."""
        return types.affinity_of(field.native) != "TEXT"

    def refused_numbers(self, column: str, key: tuple[str, ...], *, another: bool) -> str:  # noqa: ARG002 - implied
        """Only a primary key of one column can have them."""
        return "" if key == (column,) else "SQLite has them only in a primary key of one column"

    def numbered(self, written: Written) -> Written:
        """Only this type is the number of a row."""
        return Written("INTEGER", reason="" if written.native == "DECIMAL_TEXT(20)" else None)

    def next_number(self, table: str, column: str, following: int | None) -> Iterator[str]:  # noqa: ARG002 - of a table
        """Set the highest number; SQLite has a row of its own for it, once it has given one."""
        name = self.literal(table)
        if following and following > 1:
            last = following - 1
            yield (
                f"INSERT INTO sqlite_sequence (name, seq) SELECT {name}, {last} "  # noqa: S608 - quoted
                f"WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {name})"
            )
            yield f"UPDATE sqlite_sequence SET seq = max(seq, {last}) WHERE name = {name}"  # noqa: S608 - quoted

    def key_field(self, field: Field) -> Field:
        """As the text that is there, where one value may be written in several ways."""
        is_text = field.kind not in (*_NUMBERS, Kind.BYTES) or field.native.upper().startswith("DECIMAL_TEXT")
        return replace(field, kind=Kind.TEXT, elsewhere=None) if is_text else field

    def key_column(self, field: Field) -> str:
        """Whatever its values are stored as."""
        stored = {Kind.BYTES: "BLOB", Kind.TEXT: "TEXT"}.get(field.kind)
        name = self.quoted(field.name)
        return f"CAST({name} AS {stored})" if stored else name

    def key_value(self, field: Field, text: str) -> str:
        """Bytes by their own literal."""
        if field.kind is Kind.BYTES:
            return f"X'{text.removeprefix(chr(92) + 'x')}'"
        return super().key_value(field, text)

    def uuid(self, written: Written) -> str | None:
        """Random digits."""
        return "(lower(hex(randomblob(16))))" if written.length == 32 else None

    def value(self, text: str, kind: Kind, written: Written) -> str:
        """A number of many digits is kept as text: SQLite would make a double of it."""
        return self.literal(text) if written.native.startswith("DECIMAL_TEXT") else super().value(text, kind, written)
