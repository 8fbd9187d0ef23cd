"""How MySQL and MariaDB write SQL, names and types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.databases.mysql import limits, takes, types
from framefox_tasks.databases.mysql.certificates import one_ssl_context
from framefox_tasks.databases.mysql.values import base, is_bytes
from framefox_tasks.databases.rows import Field, Kind
from framefox_tasks.databases.schema import Type, Written

if TYPE_CHECKING:
    from framefox_tasks.databases.verbs import Traits, Verbs
    from framefox_tasks.model import Target


class MySQLDialect(Dialect):
    """The SQL of MySQL and MariaDB."""

    longest_name = 64
    trims_names = True
    index_names_per_table = True
    numbers = " AUTO_INCREMENT"
    tells_constraints = False
    not_indexed = ("json",)  # but for its parts
    comments = "with the table"
    says_null = True  # a timestamp is NOT NULL where nothing is said
    # Texts differ where their bytes do, as in the other databases, and be it by a space at the end. Each of the two
    # servers reads the comment that is meant for it.
    table_suffix = (
        " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        " /*!80017 COLLATE=utf8mb4_0900_bin */ /*M!100200 COLLATE=utf8mb4_nopad_bin */"
    )
    backslash_escapes = True
    has_booleans = False
    has_zero_dates = True
    like_folds = None
    holds_constraints = False
    length_counts_bytes = True
    today = "(CURRENT_DATE)"
    hour = "(CURRENT_TIME)"
    parser = "mysql"
    null_safe_equal = "<=>"
    read = staticmethod(types.read)
    literal = staticmethod(types.literal)
    narrowed = staticmethod(limits.narrowed)
    refuses = staticmethod(takes.refuses)
    fit_row = staticmethod(limits.fit_row)
    prefixes = staticmethod(limits.prefixes)

    def __init__(self, traits: Traits, *, has_uuid: bool = False) -> None:
        super().__init__(traits)
        self._has_uuid = has_uuid

    def write(self, type_: Type) -> Written:
        """The type for what a column holds; a server that has one for a UUID has it for entities too."""
        return types.write(type_, has_uuid=self._has_uuid)

    @staticmethod
    def exact(sql: str) -> str:
        """With a collation of characters, in which a space at the end counts; each server reads its own comment."""
        plain = "/*!80017 COLLATE utf8mb4_0900_bin */ /*M!100200 COLLATE utf8mb4_nopad_bin */"
        return f"(CONVERT({sql} USING utf8mb4) {plain})"

    @staticmethod
    def beyond_ascii(sql: str) -> str:
        """In UTF-8: another character set may have them in one byte."""
        return f"length(CONVERT({sql} USING utf8mb4)) <> char_length({sql})"

    @staticmethod
    def has_null_character(sql: str) -> str:
        """By its place."""
        return f"locate(char(0), {sql}) > 0"

    @staticmethod
    def plain_sql(sql: str) -> str:
        """Without character sets: MySQL 8 tells a text with the one it is in, and escapes the whole once more."""
        if re.search(r"\b_\w+\\'", sql):
            sql = re.sub(r"\\(.)", r"\1", sql)
        return re.sub(r"\b_(?:utf8(?:mb[34])?|latin1|ascii)(?=')", "", sql).strip()

    def refused_numbers(self, column: str, key: tuple[str, ...], *, another: bool) -> str:
        """One column of a table can have them, and a key must begin with it."""
        if another:
            return "MySQL has them in one column of a table"
        return "" if key[:1] == (column,) else "MySQL has them only in the first column of a key"

    def next_number(self, table: str, column: str, following: int | None) -> Iterator[str]:  # noqa: ARG002 - of a table
        """Set the table's counter; past the highest value it goes by itself."""
        if following and following > 1:
            yield f"ALTER TABLE {self.quoted(table)} AUTO_INCREMENT = {following}"

    def rewrites(self, field: Field) -> bool:
        """An interval that is a time of hours, minutes and seconds."""
        return field.kind is Kind.INTERVAL

    def refused_rules(self, *, nullable: bool) -> Mapping[str, str]:
        """What MySQL does not do when the other row goes."""
        refused = {"DEFERRABLE": "MySQL checks each row at once", "SET DEFAULT": "MySQL does not have it"}
        return refused if nullable else {**refused, "SET NULL": "one of its columns may not be NULL"}

    def now(self, written: Written) -> str:
        """With as many digits as the column has: others are refused."""
        digits = re.search(r"\((\d)\)", written.native)
        return f"CURRENT_TIMESTAMP({digits[1]})" if digits else "CURRENT_TIMESTAMP"

    def key_value(self, field: Field, text: str) -> str:
        """Bytes and bits by their own literals; a single is not the double of the same digits."""
        if is_bytes(field):
            return f"X'{text.removeprefix(chr(92) + 'x')}'"
        if field.kind is Kind.BITS:
            return f"b'{text}'"
        if base(field) == "float":
            return f"CAST({self.literal(text)} AS FLOAT)"
        return super().key_value(field, text)

    def uuid(self, written: Written) -> str:
        """The server's own, without its hyphens where there is no room for them."""
        return "(replace(uuid(), '-', ''))" if written.length == 32 else "(uuid())"

    def as_default(self, sql: str, written: Written) -> str:
        """A long text and JSON take only an expression."""
        return f"({sql})" if written.native in ("longtext", "longblob", "json") and not sql.startswith("(") else sql


def has_uuid(target: Target, verbs: Verbs) -> bool:
    """Whether an entity with a UUID gets a type of the server's own there, which depends on both."""
    from sqlalchemy import Uuid, create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine(sqlalchemy_url(target, verbs).set(database=""), poolclass=NullPool)
    try:
        with one_ssl_context():
            engine.connect().close()
    except DBAPIError as exc:
        raise verbs.translate(exc.orig, target) from exc
    return Uuid().compile(dialect=engine.dialect).upper() == "UUID"
