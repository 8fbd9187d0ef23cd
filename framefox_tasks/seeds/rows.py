"""Rows of entities in YAML: each is updated where one of its key is there, and inserted where none is."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from uuid import UUID

from framefox_tasks.databases import database_of
from framefox_tasks.errors import SeedError
from framefox_tasks.model import Target
from framefox_tasks.seeds.files import SeedFile

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData, Table
    from sqlalchemy.engine import Connection

_FORM = "Write it as\n  category:\n    - {id: 1, name: Books}"


@dataclass(frozen=True)
class SeedRow:
    """A row.

    Attributes:
        file: The file that it stands in.
        place: Where it stands, as `seeds/shop.yaml: category, row 2`.
        values: Its values, by the names of the columns.
    """

    file: str
    place: str
    values: Mapping[str, Any]


def put_rows(
    target: Target, connection: Connection, metadata: Sequence[MetaData], files: Iterable[SeedFile]
) -> dict[str, int]:
    """Write the rows of files, the tables in the order of their foreign keys; gives how many each file has.

    Raises:
        SeedError: A file has another form, or names what the entities do not have, or a row has no key, or is refused.
    """
    from sqlalchemy.exc import SQLAlchemyError

    counts: dict[str, int] = {}
    wanted: dict[str, list[SeedRow]] = {}
    tables = {table.key: table for one in metadata for table in one.sorted_tables}
    for file in files:
        counts[file.name] = 0
        for table, row in _rows(file, tables):
            wanted.setdefault(table.key, []).append(row)
            counts[file.name] += 1
    for key, table in tables.items():
        for row in wanted.get(key, ()):
            try:
                _put(connection, table, row)
            except SQLAlchemyError as exc:
                raise SeedError(f"{row.place}: {_reason(exc)}", hint="Nothing was written. Correct the row.") from exc
        if key in wanted:
            _number_on(target, connection, table)
    return counts


def _reason(exc: Exception) -> str:
    return " ".join(str(getattr(exc, "orig", None) or exc).split())


def _rows(file: SeedFile, tables: Mapping[str, Table]) -> Iterator[tuple[Table, SeedRow]]:
    import yaml

    try:
        data = yaml.load(file.text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is safe
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise SeedError(f"{file.name}{place} is not valid YAML: {getattr(exc, 'problem', exc)}.", hint=_FORM) from None
    if not isinstance(data, dict) or not all(isinstance(rows, list) for rows in data.values()):
        if data is None:
            return
        raise SeedError(f"{file.name} must hold a list of rows for each entity.", hint=_FORM)
    for name, rows in data.items():
        table = _table(file, str(name), tables)
        for number, row in enumerate(rows, 1):
            place = f"{file.name}: {name}, row {number}"
            if not isinstance(row, dict):
                raise SeedError(f"{place} is no mapping of columns to values.", hint=_FORM)
            yield table, SeedRow(file.name, place, _values(place, table, row))


def _table(file: SeedFile, name: str, tables: Mapping[str, Table]) -> Table:
    plain = {key.replace("_", "").lower(): table for key, table in tables.items()}
    found = tables.get(name)
    if found is None:
        found = plain.get(name.replace("_", "").lower())
    if found is None:
        near = get_close_matches(name, tables, n=1)
        known = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(tables)) or 'none'}."
        raise SeedError(f"{file.name}: there is no entity {name}.", hint=known)
    return found


def _values(place: str, table: Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    columns = {column.name: column for column in table.columns}
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name not in columns:
            near = get_close_matches(str(name), columns, n=1)
            known = f"Did you mean {near[0]}?" if near else f"It has {', '.join(columns)}."
            raise SeedError(f"{place}: {table.name} has no column {name}.", hint=known)
        try:
            found[columns[name].key] = _value(columns[name], value)
        except (ValueError, ArithmeticError, TypeError):
            raise SeedError(f"{place}: {value!r} is no value for {name}, which is {columns[name].type!r}.") from None
    return found


def _value(column: Column[Any], value: Any) -> Any:
    """A value as the column's type takes it; YAML knows neither decimals nor UUIDs."""
    members = getattr(column.type, "enum_class", None)
    if members is not None and value is not None:
        return _member(members, value)
    try:
        python = column.type.python_type
    except NotImplementedError:
        return value
    if python is Decimal and isinstance(value, (int, float, str)):
        return Decimal(str(value))
    if python is UUID and isinstance(value, str):
        return UUID(value)
    if python is dt.datetime and type(value) is dt.date:
        return dt.datetime.combine(value, dt.time())
    if python in (dt.date, dt.datetime, dt.time) and isinstance(value, str):
        return python.fromisoformat(value)
    if python is dt.time and isinstance(value, int):  # what YAML takes 12:30:00 for
        return (dt.datetime.min + dt.timedelta(seconds=value)).time()
    return str(value) if python is str and isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _member(members: type[enum.Enum], value: Any) -> enum.Enum:
    try:
        return members(value)
    except ValueError:
        if value in members.__members__:
            return members[value]
        raise


def _put(connection: Connection, table: Table, row: SeedRow) -> None:
    from sqlalchemy import and_, func, insert, select, update

    key = _key(table, row)
    condition = and_(*(table.c[name] == row.values[name] for name in key))
    if connection.execute(select(func.count()).select_from(table).where(condition)).scalar():
        if rest := {name: value for name, value in row.values.items() if name not in key}:
            connection.execute(update(table).where(condition).values(rest))
    else:
        connection.execute(insert(table).values(dict(row.values)))


def _key(table: Table, row: SeedRow) -> list[str]:
    """The columns by which a row is found: its primary key, else the first unique ones that it has."""
    from sqlalchemy import UniqueConstraint

    uniques = [list(item.columns) for item in table.constraints if isinstance(item, UniqueConstraint)]
    uniques += [list(index.columns) for index in table.indexes if index.unique]
    keys = [list(table.primary_key.columns), *sorted(uniques, key=lambda columns: [column.name for column in columns])]
    for columns in keys:
        if columns and all(row.values.get(column.key) is not None for column in columns):
            return [column.key for column in columns]
    names = " or ".join("+".join(column.name for column in columns) for columns in keys if columns)
    raise SeedError(f"{row.place} has no key, by which it is found again.", hint=f"Give it {names}.")


def _number_on(target: Target, connection: Connection, table: Table) -> None:
    """Let a server that counts apart from the rows go on behind those that were given a number."""
    keys = [column for column in table.primary_key.columns if column is table.autoincrement_column]
    for column in keys:
        quote = connection.dialect.identifier_preparer
        if statement := database_of(target).number_on(quote.format_table(table), column.name, quote.quote(column.name)):
            connection.exec_driver_sql(statement)
