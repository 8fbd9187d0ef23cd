"""SQLAlchemy's inspector of a database as it is when tables and columns have other names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine.reflection import Inspector

Name = tuple[str | None, str]
_KINDS = (
    "columns",
    "pk_constraint",
    "foreign_keys",
    "indexes",
    "unique_constraints",
    "check_constraints",
    "table_comment",
    "table_options",
)


@dataclass(frozen=True)
class Renamed:
    """New names.

    Attributes:
        tables: Of tables, by the schema and the name that they have.
        columns: Of columns, by the same of their table.
    """

    tables: Mapping[Name, str]
    columns: Mapping[Name, Mapping[str, str]]

    def new(self, schema: str | None, table: str) -> str:
        """What a table is called afterwards."""
        return self.tables.get((schema, table), table)

    def old(self, schema: str | None, table: str) -> str:
        """What a table is called in the database."""
        return next((old for (of, old), new in self.tables.items() if (of, new) == (schema, table)), table)

    def found(self, schema: str | None, table: str, item: Any) -> Any:
        """What the database says of a table, with the new names in it."""
        if isinstance(item, list):
            return [self.found(schema, table, one) for one in item]
        if not isinstance(item, dict):
            return item
        names = self.columns.get((schema, table), {})
        changed = dict(item)
        if "type" in item and item["name"] in names:
            changed["name"] = names[item["name"]]
            if str(item.get("default") or "").startswith(f"nextval('{table}_{item['name']}_seq'"):
                changed["default"] = None  # Alembic knows the sequence of a column by the column's name
        for key in ("column_names", "constrained_columns", "include_columns", "expressions"):
            if item.get(key):
                changed[key] = [names.get(name, name) for name in item[key]]
        if item.get("column_sorting"):
            changed["column_sorting"] = {names.get(name, name): how for name, how in item["column_sorting"].items()}
        if "referred_table" in item:
            referred = (item.get("referred_schema"), item["referred_table"])
            theirs = self.columns.get(referred, {})
            changed["referred_table"] = self.new(*referred)
            changed["referred_columns"] = [theirs.get(name, name) for name in item["referred_columns"]]
        return changed


@contextmanager
def renamed_inspector(connection: Connection, renamed: Renamed) -> Iterator[None]:
    """A context in which what inspects a connection finds the new names."""
    dialect: Any = connection.dialect
    base: type[Inspector] = getattr(dialect, "inspector", Inspector)
    dialect.inspector = _subclass(base, renamed)
    try:
        yield
    finally:
        del dialect.inspector


def _subclass(base: type[Inspector], renamed: Renamed) -> type[Inspector]:
    def get_table_names(self: Any, schema: str | None = None, **options: Any) -> list[str]:
        return [renamed.new(schema, name) for name in base.get_table_names(self, schema, **options)]

    members: dict[str, Any] = {"get_table_names": get_table_names}
    for kind in _KINDS:
        members[f"get_{kind}"] = _of_one(getattr(base, f"get_{kind}"), renamed)
        members[f"get_multi_{kind}"] = _of_several(getattr(base, f"get_multi_{kind}"), renamed)
    return type("RenamedInspector", (base,), members)


def _of_one(theirs: Callable[..., Any], renamed: Renamed) -> Callable[..., Any]:
    def get(self: Any, table_name: str, schema: str | None = None, **options: Any) -> Any:
        old = renamed.old(schema, table_name)
        return renamed.found(schema, old, theirs(self, old, schema, **options))

    return get


def _of_several(theirs: Callable[..., Any], renamed: Renamed) -> Callable[..., Any]:
    def get(self: Any, schema: str | None = None, filter_names: Any = None, **options: Any) -> Any:
        wanted = [renamed.old(schema, name) for name in filter_names] if filter_names else filter_names
        found = theirs(self, schema, wanted, **options)
        return {(of, renamed.new(of, name)): renamed.found(of, name, item) for (of, name), item in found.items()}

    return get
