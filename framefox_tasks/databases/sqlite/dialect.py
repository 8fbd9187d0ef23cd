"""How SQLite writes SQL, names and types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.schema import Written
from framefox_tasks.databases.sqlite import takes, types

_SPELLED = (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.INTERVAL, Kind.UUID)
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
    folds_ascii = True
    char_length = "length"
    length_ends_at_null = True
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

    @staticmethod
    def beyond_ascii(sql: str) -> str:
        """As bytes, of which there are more; also of a text with a null character, where its length ends."""
        return f"length(CAST({sql} AS BLOB)) <> length({sql})"

    @staticmethod
    def has_null_character(sql: str) -> str:
        """By its place."""
        return f"instr({sql}, char(0)) > 0"

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

    def spelling(self, field: Field) -> str:
        """Its sort, its length, its letters, what stands before the time, and its distance from UTC."""
        name = self.quoted(field.name)
        if field.kind in (Kind.BOOLEAN, Kind.OTHER):
            return name
        if field.kind not in _SPELLED:
            return f"typeof({name})" if types.affinity_of(field.native) == "BLOB" else ""
        zone = f"CASE WHEN {name} GLOB '*[+-]??:??' THEN substr({name}, -6) ELSE '' END"
        return f"(typeof({name}) || length({name}) || ({name} = lower({name})) || substr({name}, 11, 1) || {zone})"

    def uuid(self, written: Written) -> str | None:
        """Random digits."""
        return "(lower(hex(randomblob(16))))" if written.length == 32 else None

    def value(self, text: str, kind: Kind, written: Written) -> str:
        """A number of many digits is kept as text: SQLite would make a double of it."""
        return self.literal(text) if written.native.startswith("DECIMAL_TEXT") else super().value(text, kind, written)
