"""How it writes SQL, names and types."""

from __future__ import annotations

from dataclasses import replace

from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import Type, Written, type_parts

_TYPES = {
    "integer": Type(Kind.INTEGER, 4),
    "bigint": Type(Kind.INTEGER, 8),
    "float": Type(Kind.FLOAT, 8),
    "boolean": Type(Kind.BOOLEAN),
    "varchar": Type(Kind.TEXT),
    "char": Type(Kind.TEXT, fixed=True),
    "text": Type(Kind.TEXT),
    "json": Type(Kind.JSON),
    "blob": Type(Kind.BYTES),
    "date": Type(Kind.DATE),
    "time": Type(Kind.TIME),
    "datetime": Type(Kind.TIMESTAMP),
}
_NAMES = {type_.kind: name for name, type_ in reversed(_TYPES.items())} | {Kind.TEXT: "text"}


class ToyDialect(Dialect):
    reserved_prefix = "sqlite_"
    constraints_with_table = True
    numbers = " PRIMARY KEY AUTOINCREMENT"
    numbers_make_key = True
    has_booleans = False
    has_truth_words = False
    like_folds = True
    like_folds_in_copy = True
    char_length = "length"
    octet_length = ""
    exact_digits = 15

    def read(self, native: str) -> Type | None:
        name, numbers, _ = type_parts(native.lower())
        if name == "numeric":
            return Type.numeric(numbers)
        found = _TYPES.get(name)
        return replace(found, size=numbers[0]) if found and numbers else found

    def write(self, type_: Type) -> Written:
        if type_.kind is Kind.NUMERIC and type_.size and type_.size <= self.exact_digits:
            return Written(f"numeric({type_.size}, {type_.scale or 0})")
        if type_.kind is Kind.TEXT and type_.size:
            return Written.sized("char" if type_.fixed else "varchar", type_.size)
        if type_.kind is Kind.INTEGER:
            return Written("integer" if (type_.size or 8) <= 4 and not type_.unsigned else "bigint")
        if type_.kind in _NAMES:
            return Written(_NAMES[type_.kind])
        return Written("text", reason=f"Toy has no {type_.kind}")

    def refused_numbers(self, column: str, key: tuple[str, ...], *, another: bool) -> str:  # noqa: ARG002 - implied
        return "" if key == (column,) else "Toy has them only in a primary key of one column"

    def numbered(self, written: Written) -> Written:
        return replace(written, native="integer")  # no other is the number of a row
