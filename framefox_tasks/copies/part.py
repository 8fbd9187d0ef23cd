"""What of a SQLite database is copied, where it is not all: taken out of a copy of the whole, before it is in place."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from framefox_tasks.copies.mask import Secret, cell_function, masks_of
from framefox_tasks.copies.plan import Choice, emptied_schema, planned
from framefox_tasks.copies.subset import conditions, prunings
from framefox_tasks.databases.rows import Schema, TablePlan, quoted
from framefox_tasks.databases.sqlite.backup import Function, Snapshot
from framefox_tasks.databases.sqlite.filter import Filtering
from framefox_tasks.databases.sqlite.read import open_source
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import CopyPlan

_NUMBERS = ("user_version", "application_id")


@dataclass(frozen=True)
class Part:
    """What of the database is copied, where it is not all.

    Attributes:
        tables: Says which tables.
        where: The conditions of the tables' rows.
        prunings: Statements to be repeated until they change nothing.
        masks: What is made of the values of some columns, by table.
    """

    schema: Schema
    tables: Choice | None
    where: dict[str, str]
    prunings: list[str]
    masks: dict[str, dict[str, Function]]

    def planned(self, source: Target, target: Target, options: CopyOptions, how: str) -> CopyPlan:
        """What there is to tell before it is copied."""
        return planned(self.schema, source, target, options, how=how)

    def create(self, snap: Snapshot, staging: Staging) -> None:
        """Make the tables without their pages, and fill those whose rows are wanted: the version table."""
        statements = [*self.schema.before, *(one for some in self.schema.after for one in some), *self.schema.last]
        try:
            for statement in statements:
                staging.connection.execute(statement.sql)
            for plan in self.schema.tables:
                if not plan.empty:
                    _fill(snap, staging, plan)
            for number in _NUMBERS:
                value = snap.connection.execute(f"PRAGMA {number}").fetchone()[0]
                staging.connection.execute(f"PRAGMA {number} = {value}")
        except sqlite3.Error as exc:
            raise staging.translate(exc) from exc

    def filtered(self, staging: Staging) -> list[str]:
        """Take out what is not wanted; gives what there is to tell."""
        if not (self.tables or self.where or self.prunings or self.masks):
            return []
        with Filtering(staging) as filtering:
            if self.tables:
                filtering.keep(self.tables)
            filtering.delete(self.where)
            filtering.prune(self.prunings)
            for table, functions in self.masks.items():
                filtering.mask(table, functions, moved=_unique(self.schema, table))
        return filtering.notes


def part_of(source: Target, options: CopyOptions) -> Part:
    """What the options choose."""
    choice = Choice(options, source.project.version_table) if options.tables else None
    with open_source(source) as opened:
        schema = emptied_schema(opened.schema(choice), options, source)
    if choice:
        choice.check()
    secret, masks = Secret(options.salt), masks_of(schema, options.masks)
    where = dict(options.where)
    return Part(
        schema,
        choice,
        conditions(schema, where, '"'),
        prunings(schema, where, '"'),
        {
            plan.label: {plan.source.fields[mask.index].name: cell_function(mask, secret) for mask in masks[plan.label]}
            for plan in schema.tables
            if plan.label in masks
        },
    )


def _fill(snap: Snapshot, staging: Staging, plan: TablePlan) -> None:
    table = plan.source.name.quoted('"')
    columns = ", ".join(quoted(one.name, '"') for one in plan.source.fields)
    marks = ", ".join("?" for _ in plan.source.fields)
    rows = snap.connection.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - quoted
    staging.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def _unique(schema: Schema, table: str) -> set[str]:
    plan = next(plan for plan in schema.tables if plan.label == table)
    return {column for columns in (plan.primary_key, *plan.uniques) for column in columns}
