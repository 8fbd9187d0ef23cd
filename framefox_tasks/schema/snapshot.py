"""The schema as data: what the entities declare or a database holds, and its canonical JSON. Standard library only.

The same schema gives the same bytes: tables, keys, uniques, indexes and checks are sorted, columns stay in their
declared order, and what is at its default is left out. Each column and each constraint is one line, so that a diff of
two snapshots reads like the change of the schema, and merges where the schema does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache, cached_property, lru_cache
from typing import Any, TypeVar

from framefox_tasks.errors import ConfigError
from framefox_tasks.schema.cache import FORMAT

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class EnumType:
    """The values of an enumerated type, and its name where the database gives it one.

    Attributes:
        options: The options that are not at their default: native_enum, length, schema.
    """

    values: tuple[str, ...] = ()
    name: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        type: As SQL says it, such as VARCHAR(32); ENUM for an enumerated type.
        type_on: The type on dialects where it is another, by the dialect's name.
        default: The server's default, as a SQL expression.
        computed: The SQL expression of a generated column.
        options: Further options by name, such as identity, collation or sequence.
    """

    name: str
    type: str
    nullable: bool
    default: str | None = None
    enum: EnumType | None = None
    type_on: Mapping[str, str] = field(default_factory=dict)
    computed: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    comment: str | None = None


@dataclass(frozen=True)
class PrimaryKey:
    """A primary key; no columns where a table has none."""

    columns: tuple[str, ...] = ()
    name: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key.

    Attributes:
        columns: The columns in this table.
        table: The key of the table that it refers to, with the schema where that has one. It may be a table that the
            snapshot does not hold, and so may the columns.
        referred: The columns in that table, in the order of `columns`.
        options: ondelete, onupdate, deferrable, initially and match, where they are set.
    """

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    name: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unique:
    """A unique constraint."""

    columns: tuple[str, ...] = ()
    name: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Index:
    """An index; `columns` may hold SQL expressions, which are listed in `expressions`.

    Attributes:
        expressions: Those of `columns` that are not the name of a column.
        options: Dialect options such as postgresql_where.
    """

    columns: tuple[str, ...] = ()
    name: str | None = None
    unique: bool = False
    expressions: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A check constraint and its SQL condition; or an EXCLUDE constraint of PostgreSQL."""

    sql: str
    name: str | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        package: The package below the entity folder that declares it, dotted; empty at the top, or where not known.
        options: Dialect options such as mysql_engine.
    """

    name: str
    columns: tuple[Column, ...] = ()
    schema: str | None = None
    primary_key: PrimaryKey = PrimaryKey(())
    foreign_keys: tuple[ForeignKey, ...] = ()
    uniques: tuple[Unique, ...] = ()
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    comment: str | None = None
    package: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The table's name with its schema, as in billing.invoice; what a ForeignKey.table holds."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def is_unique(self, columns: tuple[str, ...]) -> bool:
        """Whether no two rows can have the same values in these columns, NULL aside: a key of the table is in them."""
        keys = [self.primary_key.columns, *(unique.columns for unique in self.uniques)]
        keys += [index.columns for index in self.indexes if _is_whole(index)]
        return any(key and set(key) <= set(columns) for key in keys)

    def is_nullable(self, columns: tuple[str, ...]) -> bool:
        """Whether one of these columns may be NULL."""
        return any(column.nullable for column in self.columns if column.name in columns)


def _is_whole(index: Index) -> bool:
    """Whether it is a unique index of plain columns and of all rows."""
    return index.unique and not index.expressions and not any(name.endswith("_where") for name in index.options)


@dataclass(frozen=True)
class Schema:
    """All tables, sorted by key."""

    tables: tuple[Table, ...]

    @cached_property
    def by_key(self) -> Mapping[str, Table]:
        """The tables by their keys."""
        return {table.key: table for table in self.tables}

    def to_json(self) -> str:
        """The canonical JSON, one column or constraint a line, with a newline at the end."""
        return self._json

    @cached_property
    def _json(self) -> str:
        ordered = sorted(self.tables, key=lambda table: table.key)
        # The package first, and so never last: it is taken out as a line where it does not matter.
        first = ({"package": table.package} if table.package else {} for table in ordered)
        tables = {table.key: {**package, **_plain(table)} for package, table in zip(first, ordered, strict=True)}
        return "".join(_lines({"format": FORMAT, "tables": tables})) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """The schema that a snapshot holds.

        Raises:
            ConfigError: It is no snapshot, or one of another format.
        """
        try:
            return _schema(text)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise ConfigError("This is no snapshot of a schema.") from exc


@lru_cache(maxsize=4)
def _schema(text: str) -> Schema:
    """The schema of a snapshot, which a run asks for several times."""
    data = json.loads(text)
    if data["format"] != FORMAT:
        raise ConfigError(f"The snapshot has the format {data['format']}, not {FORMAT}.")
    return Schema(tuple(_table(item) for item in data["tables"].values()))


_NO_KEY = PrimaryKey(())


def _plain(item: Any) -> Any:
    """A dataclass as a dict without what is at its default; its fields in their order."""
    if isinstance(item, tuple):
        return [_plain(part) for part in item]
    if isinstance(item, Mapping):
        return dict(sorted(item.items()))
    if not hasattr(item, "__dataclass_fields__"):
        return item
    values = ((name, getattr(item, name)) for name in item.__dataclass_fields__)
    return {name: _plain(value) for name, value in values if name == "nullable" or (value and value != _NO_KEY)}


_json_text = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each value


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    """JSON with a table's parts on lines of their own, and each of these on one line."""
    deeper = f"{indent}  "
    if isinstance(value, (dict, list)) and value and len(indent) < 8:
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        entries = value.items() if isinstance(value, dict) else [(None, item) for item in value]
        yield opening
        for index, (name, item) in enumerate(entries):
            yield "," if index else ""
            yield f"\n{deeper}"
            yield f"{_json_text(name)}: " if name is not None else ""
            # The options and the primary key of a table are one line each.
            flat = name in ("options", "primary_key")
            yield from [_json_text(item)] if flat else _lines(item, deeper)
        yield f"\n{indent}{closing}"
    else:
        yield _json_text(value)


def _table(data: Mapping[str, Any]) -> Table:
    parts = dict(data)
    parts["columns"] = tuple(_column(item) for item in data.get("columns", ()))
    parts["primary_key"] = _part(PrimaryKey, data["primary_key"]) if "primary_key" in data else PrimaryKey(())
    kinds = {"foreign_keys": ForeignKey, "uniques": Unique, "indexes": Index, "checks": Check}
    for name, kind in kinds.items():
        parts[name] = tuple(_part(kind, item) for item in data.get(name, ()))
    return _checked(Table(**parts))


def _column(data: Mapping[str, Any]) -> Column:
    enum = data.get("enum")
    return _checked(Column(**{**data, "enum": None if enum is None else _part(EnumType, enum)}))


def _part(kind: Any, data: Mapping[str, Any]) -> Any:
    return _checked(kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}))


def _checked(item: _Part) -> _Part:
    """A part of a snapshot, whose values are of the types that its class declares.

    Raises:
        TypeError: One is of another type.
    """
    kind: Any = type(item)
    for name, checks in _checks_of(kind):
        if not all(fits(getattr(item, name)) for fits in checks):
            raise TypeError(name)
    return item


def _is_filled(value: object) -> bool:
    # What must be given and is empty would be left out of the JSON.
    return isinstance(value, bool) or bool(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_text, value))


def _is_text_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


# By the annotation; what is not among them is a part of its own, and checked as such.
_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "str": _is_text,
    "str | None": lambda value: value is None or (isinstance(value, str) and value != ""),
    "bool": lambda value: isinstance(value, bool),
    "tuple[str, ...]": _is_texts,
    "Mapping[str, str]": _is_text_by_name,
}


@cache
def _checks_of(kind: Any) -> tuple[tuple[str, tuple[Callable[[object], bool], ...]], ...]:
    def checks(part: Field[Any]) -> Iterator[Callable[[object], bool]]:
        if part.type in _CHECKS:
            yield _CHECKS[str(part.type)]
        if part.default is MISSING and part.default_factory is MISSING:
            yield _is_filled

    return tuple((part.name, tuple(checks(part))) for part in fields(kind))
