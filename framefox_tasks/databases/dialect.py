"""The SQL dialect of a database, as a translation from it and to it needs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from framefox_tasks.databases.fits import Refuses
from framefox_tasks.databases.rows import Field, Kind, quoted
from framefox_tasks.databases.schema import Type, Written

if TYPE_CHECKING:
    from framefox_tasks.databases.verbs import Traits

_NUMBERS = (Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT)


class Dialect(ABC):
    """The SQL of a database. A subclass has its types; the rest is here as in the standard, or cautious.

    Attributes:
        longest_name: How long a name may be.
        names_in_bytes: Whether that is counted in bytes, and not in characters.
        folds_names: Whether names that differ only in capital letters are one.
        trims_names: Whether spaces at the end of a name are lost.
        reserved_prefix: What no name may begin with.
        index_names_per_table: Whether two tables may have an index of one name.
        constraint_names_per_table: The same of foreign keys and checks.
        has_empty_tables: Whether there are tables without columns.
        constraints_with_table: Whether constraints are made only in CREATE TABLE.
        key_after_rows: Whether a primary key is better made when the rows are there.
        numbers: What gives a column automatic numbers, behind its type.
        numbers_make_key: Whether that makes it the primary key as well.
        numbers_implied: Whether a primary key of integers has them without a word.
        tells_constraints: Whether unique constraints are known from unique indexes.
        not_indexed: The types that no index takes.
        expression_indexes: Whether an index can have an expression.
        partial_indexes: Whether an index can have a condition.
        comments: How a comment is written: with the table, in a statement of its own, or not at all.
        says_null: Whether a column that may be NULL must say so.
        table_suffix: The SQL behind the columns of a table.
        parser: What sqlglot calls it; empty for SQL that is in many of them.
        null_safe_equal: The operator that takes NULL for a value like others.
        backslash_escapes: Whether a backslash in a text escapes.
        double_quoted_text: Whether what is in double quotes and names no column is a text.
        has_booleans: Whether a boolean is a type of its own, and not compared with numbers.
        has_zero_dates: Whether the year, the month or the day of a date may be zero.
        binds_values: Whether a column holds nothing but values of its type.
        holds_constraints: Whether all rows are sure to keep the constraints, with texts compared by their characters.
        has_truth_words: Whether a condition can hold TRUE and FALSE.
        like_folds: Whether LIKE takes capital and small letters for the same; None where that depends on the column.
        like_folds_in_copy: The same in the tables that a translation makes.
        folds_ascii: Whether lower() and upper() know the letters of ASCII alone.
        char_length: The function that counts a text's characters.
        length_ends_at_null: Whether it counts no further than to a null character.
        octet_length: The function that counts its bytes; empty where there is none.
        length_counts_bytes: Whether `length` does that too.
        exact_digits: How many digits of a number are kept; None for all.
        today: The default that is the current date.
        hour: The default that is the current time of the day.
    """

    longest_name: ClassVar[int] = 63
    names_in_bytes: ClassVar[bool] = False
    folds_names: ClassVar[bool] = True
    trims_names: ClassVar[bool] = False
    reserved_prefix: ClassVar[str] = ""
    index_names_per_table: ClassVar[bool] = False
    constraint_names_per_table: ClassVar[bool] = False
    has_empty_tables: ClassVar[bool] = False
    constraints_with_table: ClassVar[bool] = False
    key_after_rows: ClassVar[bool] = False
    numbers: ClassVar[str] = ""
    numbers_make_key: ClassVar[bool] = False
    numbers_implied: ClassVar[bool] = False
    tells_constraints: ClassVar[bool] = True
    not_indexed: ClassVar[tuple[str, ...]] = ()
    expression_indexes: ClassVar[bool] = False
    partial_indexes: ClassVar[bool] = False
    comments: ClassVar[Literal["with the table", "statement", "none"]] = "none"
    says_null: ClassVar[bool] = False
    table_suffix: ClassVar[str] = ""
    parser: ClassVar[str] = ""
    null_safe_equal: ClassVar[str] = "IS NOT DISTINCT FROM"
    backslash_escapes: ClassVar[bool] = False
    double_quoted_text: ClassVar[bool] = False
    has_booleans: ClassVar[bool] = True
    has_zero_dates: ClassVar[bool] = False
    binds_values: ClassVar[bool] = True
    holds_constraints: ClassVar[bool] = True
    has_truth_words: ClassVar[bool] = True
    like_folds: ClassVar[bool | None] = False
    like_folds_in_copy: ClassVar[bool] = False
    folds_ascii: ClassVar[bool] = False
    char_length: ClassVar[str] = "char_length"
    length_ends_at_null: ClassVar[bool] = False
    octet_length: ClassVar[str] = "octet_length"
    length_counts_bytes: ClassVar[bool] = False
    exact_digits: ClassVar[int | None] = None
    today: ClassVar[str] = "CURRENT_DATE"
    hour: ClassVar[str] = "CURRENT_TIME"

    def __init__(self, traits: Traits) -> None:
        self.name = traits.name
        self.has_enum_types = traits.has_enum_types
        self.quote = traits.quote

    @abstractmethod
    def read(self, native: str) -> Type | None:
        """The type that this database writes so; None where it is not known."""

    @abstractmethod
    def write(self, type_: Type) -> Written:
        """The type of this database for a column of another."""

    def quoted(self, name: str) -> str:
        """A name as SQL."""
        return quoted(name, self.quote)

    def listed(self, names: Iterable[str]) -> str:
        """Names as SQL, with commas between them."""
        return ", ".join(map(self.quoted, names))

    @staticmethod
    def literal(text: str) -> str:
        """A text as SQL."""
        return "'" + text.replace("'", "''") + "'"

    @staticmethod
    def exact(sql: str) -> str:
        """A text that is compared by its characters, whatever its column says."""
        return sql

    @staticmethod
    def beyond_ascii(sql: str) -> str:
        """The condition that a text has a character that is not of ASCII."""
        return f"octet_length({sql}) <> char_length({sql})"

    @staticmethod
    def has_null_character(sql: str) -> str:  # noqa: ARG004 - for those whose texts may have some
        """The condition that a text has a null character."""
        return "1 = 0"

    @staticmethod
    def plain_sql(sql: str) -> str:
        """SQL of the catalogue, without what only a catalogue writes."""
        return sql.strip()

    def implied_names(self, table: str, columns: Collection[str]) -> Iterable[str]:  # noqa: ARG002 - for those that do
        """The names, among those of tables, that the database itself gives to what belongs to a table."""
        return ()

    def column_type(self, type_: Type, native: str, *, numbered: bool) -> str:  # noqa: ARG002 - for those that need it
        """The type of a column as CREATE TABLE takes it, and what gives it automatic numbers."""
        return native + self.numbers * numbered

    def refused_numbers(self, column: str, key: tuple[str, ...], *, another: bool) -> str:  # noqa: ARG002 - the same
        """Why a column cannot have automatic numbers; empty where it can.

        Args:
            column: Its name.
            key: The columns of the primary key.
            another: Whether another column of the table has them.
        """
        return "the copy's database is not known to have any"

    def numbered(self, written: Written) -> Written:
        """The type of a column with automatic numbers, where it would have another without."""
        return written

    def next_number(self, table: str, column: str, following: int | None) -> Iterable[str]:  # noqa: ARG002 - the same
        """Statements that set a column's next number past the highest value, and not below `following`."""
        return ()

    def refused_rules(self, *, nullable: bool) -> Mapping[str, str]:  # noqa: ARG002 - for those that refuse some
        """The actions of a foreign key that are refused, and DEFERRABLE where it is, each with the reason.

        Args:
            nullable: Whether all its columns may be NULL.
        """
        return {}

    def narrowed(self, parts: Sequence[Written], held: Sequence[int]) -> list[Written] | None:  # noqa: ARG002
        """The types of the columns of a key, so that the key is taken; None where what they hold is too long for it.

        Args:
            parts: The types that they would have.
            held: How many characters or bytes the longest value of each has.
        """
        return list(parts)

    def fit_row(self, columns: Mapping[str, Written], in_keys: Collection[str]) -> dict[str, Written]:  # noqa: ARG002
        """The columns of a table that need another type so that its rows are taken.

        Args:
            columns: The types of all columns, by their names.
            in_keys: Those of them that are in keys, and stay.
        """
        return {}

    def refuses(self, field: Field) -> Refuses | None:  # noqa: ARG002 - for those where some are refused
        """The values of a column of a copy that this database does not take; None where it takes all of its kind."""
        return None

    def rewrites(self, field: Field) -> bool:  # noqa: ARG002 - for those that do
        """Whether a column gives values of its kind as other texts than it was given."""
        return False

    def shortens(self, field: Field) -> bool:  # noqa: ARG002 - for those that do
        """Whether a column of numbers never keeps zeros behind the last digit of one."""
        return False

    def spelling(self, field: Field) -> str:  # noqa: ARG002 - for those where it is not always the same
        """SQL for how a value of a column is written, where one value may be written in several ways; else empty."""
        return ""

    def prefixes(self, columns: Sequence[Written]) -> list[int | None]:
        """How much of each column an index takes, where it does not take all: in characters, or in bytes."""
        return [None] * len(columns)

    def now(self, written: Written) -> str:  # noqa: ARG002 - for those where the digits must agree
        """The default of a column that is the current time."""
        return "CURRENT_TIMESTAMP"

    def uuid(self, written: Written) -> str | None:  # noqa: ARG002 - for those that have one
        """The default of a column that is a new UUID, in 36 characters or 32; None where there is none."""
        return None

    def value(self, text: str, kind: Kind, written: Written) -> str:
        """A value as SQL, from the text that it travels in."""
        if kind in _NUMBERS:
            return text
        if kind is Kind.BOOLEAN:
            return {"0": "false", "1": "true"}[text] if self.has_booleans else text
        return f"B{self.literal(text)}" if written.native.startswith("bit") else self.literal(text)

    def key_field(self, field: Field) -> Field:
        """A column of a key as it is to be read, so that `key_condition` finds the same rows again."""
        return field

    def key_condition(self, fields: Sequence[Field], values: Iterable[Sequence[str]]) -> str:
        """The condition of rows that have some values in some columns.

        Args:
            fields: The columns, as `key_field` gave them.
            values: A text for each, as it was read.
        """
        listed = sorted(", ".join(map(self.key_value, fields, texts)) for texts in values)
        if len(fields) == 1:
            return f"{self.key_column(fields[0])} IN ({', '.join(listed)})"
        columns = ", ".join(map(self.key_column, fields))
        return f"({columns}) IN ({', '.join(f'({one})' for one in listed)})"

    def key_column(self, field: Field) -> str:
        """A column of a key in a comparison with key_value."""
        return self.quoted(field.name)

    def key_value(self, field: Field, text: str) -> str:
        """A value of a column of a key as SQL that equals it exactly."""
        return text if field.kind in _NUMBERS else self.literal(text)

    def as_default(self, sql: str, written: Written) -> str:  # noqa: ARG002 - for those where a default must be more
        """An expression as it stands behind DEFAULT."""
        return sql
