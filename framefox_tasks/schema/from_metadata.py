"""SQLAlchemy's MetaData as a Schema: the same, whether classes declared it or it was reflected from a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    DefaultClause,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    Sequence,
    Table as SQLTable,
    UniqueConstraint,
    types,
)
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect, default
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.elements import ClauseElement

from framefox_tasks.databases import NAMES
from framefox_tasks.schema import snapshot
from framefox_tasks.schema.references import reference_of
from framefox_tasks.schema.snapshot import EnumType, Schema

_GENERIC = default.DefaultDialect()
# The server reports both for every text column of MySQL and MariaDB, also where they are the database's defaults.
_CHARSET = re.compile(r" CHARACTER SET \w+(?: COLLATE \w+)?$")
_LITERAL = {"literal_binds": True, "include_table": False}


def schema_of(
    metadata: Iterable[MetaData], *, packages: Mapping[str, str] | None = None, dialect: Dialect | None = None
) -> Schema:
    """The tables of MetaData objects.

    Args:
        metadata: No table key may be in two of them.
        packages: The package that declares a table, by the table's key.
        dialect: That of the database the tables were reflected from; else types are written as standard SQL.
    """
    reader = _Reader(dialect or _GENERIC, packages or {})
    found = [reader.table(table) for item in metadata for table in item.tables.values()]
    return Schema(tuple(sorted(found, key=lambda table: table.key)))


def computed_sql(column: Column[Any]) -> str | None:
    """The expression of a generated column as the snapshot of an entity has it; None where it is none."""
    return _Reader(_GENERIC, {}).computed(column)


class _Reader:
    def __init__(self, dialect: Dialect, packages: Mapping[str, str]) -> None:
        self._dialect = dialect
        self._packages = packages

    @cached_property
    def _others(self) -> list[Dialect]:
        return [registry.load(name)() for name in NAMES]

    def _own(self, item: object) -> Iterator[Dialect]:
        """The dialect whose own class it is, where it is one's."""
        module = type(item).__module__
        if module.startswith("sqlalchemy.dialects."):
            name = module.split(".")[2]
            yield from (dialect for dialect in self._others if dialect.name == name)

    def _dialects(self, type_: types.TypeEngine[Any] | None = None) -> Iterator[Dialect]:
        """Those to try, in order: only its own dialect writes a type in full."""
        yield from self._own(type_)
        yield self._dialect
        yield from self._others

    def table(self, table: SQLTable) -> snapshot.Table:
        constraints = table.constraints
        of_columns = [item for column in table.columns for item in column.constraints]
        checks = [item for item in (*constraints, *of_columns) if isinstance(item, CheckConstraint)]
        # By name: to import the dialect takes as long as all else here.
        excluded = [item for item in constraints if item.__visit_name__ == "exclude_constraint"]
        return snapshot.Table(
            name=str(table.name),
            schema=table.schema,
            columns=tuple(map(self._column, table.columns)),
            primary_key=self._primary_key(table),
            foreign_keys=_sorted(_foreign_key(item) for item in constraints if isinstance(item, ForeignKeyConstraint)),
            uniques=_sorted(
                snapshot.Unique(tuple(column.name for column in item.columns), _name(item), self._key_options(item))
                for item in constraints
                if isinstance(item, UniqueConstraint)
            ),
            indexes=_sorted(self._index(item) for item in table.indexes),
            checks=_sorted(
                [
                    *(snapshot.Check(self._sql(item.sqltext), _name(item)) for item in checks),
                    *(snapshot.Check(self._exclude(item), _name(item)) for item in excluded),
                ]
            ),
            comment=table.comment,
            package=self._packages.get(table.key, ""),
            options=self._options(table.dialect_kwargs),
        )

    def _column(self, column: Column[Any]) -> snapshot.Column:
        text, type_on = self._type(column.type)
        # Reflected, a primary key of SQLite says that it may be NULL.
        nullable = bool(column.nullable) and not column.primary_key
        return snapshot.Column(
            name=column.name,
            type=text,
            nullable=nullable,
            default=self._default(column),
            enum=_enum(column.type),
            type_on=type_on,
            computed=self.computed(column),
            options=self._column_options(column),
            comment=column.comment,
        )

    def computed(self, column: Column[Any]) -> str | None:
        return self._sql(column.computed.sqltext) if column.computed is not None else None

    def _type(self, type_: types.TypeEngine[Any]) -> tuple[str, Mapping[str, str]]:
        generic = self._type_text(type_)
        item = type_.item_type if isinstance(type_, types.ARRAY) else type_
        # SQLAlchemy's own Interval is one as well: where there is none, it is a DATETIME.
        decorated = isinstance(item, types.TypeDecorator) and not isinstance(item, types.Interval)
        if not decorated and not type_._variant_mapping and not item._variant_mapping:
            return generic, {}
        found = {dialect.name: _compiled(type_, dialect) for dialect in self._others}
        # Of other packages' databases what is written for them, whether or not they are installed here.
        others = {name: variant for name, variant in type_._variant_mapping.items() if name not in found}
        found |= {name: self._type_text(variant) for name, variant in others.items()}
        return generic, {name: text for name, text in sorted(found.items()) if text and text != generic}

    def _type_text(self, type_: types.TypeEngine[Any]) -> str:
        """The type as standard SQL, with what SQLAlchemy's standard dialect would leave out."""
        if isinstance(type_, types.ARRAY):
            return self._type_text(type_.item_type) + "[]" * (type_.dimensions or 1)
        if isinstance(type_, types.Interval):
            return "INTERVAL" if type_.native else "DATETIME as INTERVAL"
        if isinstance(type_, types.TypeDecorator):
            return self._type_text(type_.impl_instance)
        if isinstance(type_, Enum):
            return "ENUM"
        if isinstance(type_, types.Uuid) and type_.native_uuid:
            return "UUID"
        if isinstance(type_, types.NullType):
            return "UNKNOWN"
        found = (_compiled(type_, dialect) for dialect in self._dialects(type_))
        text = next(filter(None, found), type(type_).__name__)
        if getattr(type_, "timezone", False) and "ZONE" not in text:
            return f"{text} WITH TIME ZONE"
        precision = getattr(type_, "precision", None)
        return f"FLOAT({precision})" if text == "FLOAT" and precision else text

    def _default(self, column: Column[Any]) -> str | None:
        clause = column.server_default
        if not isinstance(clause, DefaultClause):
            return None
        if isinstance(clause.arg, str):
            return "'{}'".format(clause.arg.replace("'", "''"))
        return self._sql(clause.arg)

    def _column_options(self, column: Column[Any]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if column.identity is not None:
            found["identity"] = "ALWAYS" if column.identity.always else "BY DEFAULT"
            for name in ("start", "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cache", "cycle"):
                value = getattr(column.identity, name, None)
                if value is not None:
                    found[f"identity_{name}"] = str(value)
        if column.computed is not None and column.computed.persisted is not None:
            found["computed"] = "STORED" if column.computed.persisted else "VIRTUAL"
        if isinstance(column.default, Sequence):
            found["sequence"] = column.default.name
        if column.autoincrement is False and column.primary_key and self._dialect is _GENERIC:
            found["autoincrement"] = "no"
        return {**found, **self._options(column.dialect_kwargs)}

    def _primary_key(self, table: SQLTable) -> snapshot.PrimaryKey:
        key = table.primary_key
        if not len(key.columns):  # SQLAlchemy has one for a table without, too, and may have named it
            return snapshot.PrimaryKey()
        return snapshot.PrimaryKey(tuple(column.name for column in key.columns), _name(key), self._key_options(key))

    def _key_options(self, key: Any) -> Mapping[str, str]:
        names = ("deferrable", "initially")
        found = {name: str(getattr(key, name)) for name in names if getattr(key, name, None) is not None}
        return {**found, **self._options(key.dialect_kwargs)}

    def _exclude(self, constraint: Any) -> str:
        dialect = next(self._own(constraint))
        text = dialect.ddl_compiler(dialect, None).process(constraint)  # type: ignore[arg-type]  # it needs no statement
        return " ".join(text.split())

    def _index(self, index: Any) -> snapshot.Index:
        names = {id(column): column.name for column in index.table.columns}
        columns = [(names.get(id(item)), item) for item in index.expressions]
        texts = [name if name is not None else self._sql(item) for name, item in columns]
        return snapshot.Index(
            tuple(texts),
            _name(index),
            bool(index.unique),
            tuple(text for text, (name, _) in zip(texts, columns, strict=True) if name is None),
            self._options(index.dialect_kwargs),
        )

    def _options(self, options: Mapping[str, Any]) -> Mapping[str, str]:
        return {name: self._sql(value) for name, value in sorted(options.items()) if _is_set(value)}

    def _sql(self, value: Any) -> str:
        """A SQL expression, or another value of an option, as text that is the same on every run."""
        if isinstance(value, ClauseElement):
            for dialect in self._dialects():
                try:
                    text = str(value.compile(dialect=dialect, compile_kwargs=_LITERAL))
                except (CompileError, NotImplementedError):
                    continue
                return " ".join(text.split())
            return type(value).__name__
        if isinstance(value, Mapping):
            return ", ".join(f"{key}: {self._sql(item)}" for key, item in sorted(value.items(), key=str))
        if isinstance(value, (list, tuple)):
            return ", ".join(map(self._sql, value))
        return str(getattr(value, "name", value))


def _compiled(type_: types.TypeEngine[Any], dialect: Dialect) -> str | None:
    try:
        text = type_.compile(dialect=dialect)
    except Exception:  # noqa: BLE001 - a type of another dialect; one of the project's may raise anything
        return None
    return _CHARSET.sub("", text) if dialect is not _GENERIC else text


def _enum(type_: types.TypeEngine[Any]) -> EnumType | None:
    while isinstance(type_, (types.TypeDecorator, types.ARRAY)):
        type_ = type_.impl_instance if isinstance(type_, types.TypeDecorator) else type_.item_type
    if isinstance(type_, Enum):
        usual = max(map(len, type_.enums), default=0)
        found = {
            "native_enum": "" if type_.native_enum else "no",
            "length": str(type_.length) if type_.length not in (None, usual) else "",
            "schema": type_.schema or "",
        }
        return EnumType(tuple(type_.enums), type_.name, {name: value for name, value in found.items() if value})
    values = getattr(type_, "values", None)  # SET of MySQL
    return EnumType(tuple(map(str, values))) if isinstance(values, (list, tuple)) else None


def _name(item: Any) -> str | None:
    return str(item.name) if isinstance(item.name, str) else None


def _foreign_key(constraint: ForeignKeyConstraint) -> snapshot.ForeignKey:
    targets = [_target(element) for element in constraint.elements]
    names = ("ondelete", "onupdate", "deferrable", "initially", "match")
    options = {name: getattr(constraint, name, None) for name in names}
    return snapshot.ForeignKey(
        tuple(element.parent.name for element in constraint.elements),
        targets[0][0],
        tuple(column for _, column in targets),
        _name(constraint),
        {name: str(value) for name, value in sorted(options.items()) if value is not None},
    )


def _target(key: ForeignKey) -> tuple[str, str]:
    """The table's key and the column that it refers to; as they were written, where the table is not there."""
    found = reference_of(key)
    return found.key, found.column


def _is_set(value: Any) -> bool:
    return isinstance(value, ClauseElement) or value not in (None, False, {}, [], ())


def _sorted(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(items, key=lambda item: (item.name or "", repr(item))))


def tables_of(value: object) -> Iterator[SQLTable]:
    """The tables that a module's attribute is, or is mapped to."""
    if isinstance(value, SQLTable):
        yield value
    elif isinstance(value, type):
        table = getattr(value, "__table__", None)
        if isinstance(table, SQLTable):
            yield table
