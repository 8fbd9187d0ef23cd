"""What a copy in SQLite needs of a SQLite database: its tables, and the statements that make everything again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from framefox_tasks.databases.plan import plans_of
from framefox_tasks.databases.rows import CopySchema, Name, Statement, TablePlan
from framefox_tasks.databases.schema import Chosen, LiveTable
from framefox_tasks.databases.sqlite.inspect import last_numbers, tables_of
from framefox_tasks.databases.sqlite.objects import Objects


def read_schema(connection: sqlite3.Connection, chosen: Chosen = None) -> CopySchema:
    """Everything that a copy in SQLite needs; see Source.schema."""
    objects = Objects(connection, chosen)
    tables = {table.name: table for table in tables_of(objects)}
    plans = plans_of(list(tables.values()), str.lower)
    by_name = {one.name: one for one in objects.tables}
    virtual = [one for one in objects.virtual if one.name.lower() not in objects.left_out]
    indexes = _indexes(objects)
    return CopySchema(
        tables=tuple(plans),
        before=(*(by_name[plan.label].statement for plan in plans), *(one.statement for one in virtual)),
        after=tuple(tuple(indexes[plan.label.lower()]) for plan in plans if plan.label.lower() in indexes),
        last=(*_sequences(connection, plans), *(one.statement for one in objects.carried("view", "trigger"))),
        not_carried=tuple(_not_carried(objects, [tables[plan.source.name] for plan in plans])),
    )


def _indexes(objects: Objects) -> dict[str, list[Statement]]:
    """Those of each table, by its name in small letters."""
    found: dict[str, list[Statement]] = {}
    for one in objects.carried("index"):
        found.setdefault(one.table.lower(), []).append(one.statement)
    return found


def _sequences(connection: sqlite3.Connection, plans: list[TablePlan]) -> Iterator[Statement]:
    """The numbers that AUTOINCREMENT has given, which rows that were deleted may have had."""
    labels = {plan.label for plan in plans}
    for name, number in last_numbers(connection).items():
        if name in labels:
            text = "'" + name.replace("'", "''") + "'"
            about = f"numbers of {name}"
            yield Statement(f"DELETE FROM sqlite_sequence WHERE name = {text}", about)  # noqa: S608 - quoted
            yield Statement(f"INSERT INTO sqlite_sequence (name, seq) VALUES ({text}, {number})", about)  # noqa: S608


def _not_carried(objects: Objects, tables: Sequence[LiveTable]) -> Iterator[str]:
    names = {table.name for table in tables}
    for one in objects.left_out.values():
        if one.type == "view" or (one.type == "trigger" and Name(one.table) in names):
            yield f"{one.statement.about}, which uses a table that is not copied"
    for one in objects.virtual:
        if one.name.lower() not in objects.left_out:
            yield f"rows of the virtual table {one.name}"
    for table in tables:
        for parent in sorted({str(key.table) for key in table.references if key.table not in names}):
            yield f"foreign key of {table.name} to {parent}"
