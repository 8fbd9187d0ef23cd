"""A subset of a database is as though the other rows had been deleted, whatever its foreign keys look like."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from support.databases import DIALECTS, MakeDatabase, connect_server

from framefox_tasks.copies.subset import conditions, orphan_statements
from framefox_tasks.databases import database_named
from framefox_tasks.databases.rows import CopySchema, Field, ForeignKeyPlan, Kind, Name, Side, TablePlan, quoted

TYPES = {Kind.INTEGER: "integer", Kind.TEXT: "varchar(20)"}
QUOTES = {"sqlite": '"', "postgresql": '"', "mysql": "`"}


@dataclass
class Made:
    """A schema with rows, and which of them are wanted."""

    plans: list[TablePlan]
    rows: dict[str, list[tuple[Any, ...]]]
    where: dict[str, str]

    @property
    def schema(self) -> CopySchema:
        return CopySchema(tuple(self.plans))


def named(number: int, dialect: str) -> Name:
    """Odd names, and on PostgreSQL the same ones in two schemas."""
    if dialect == "postgresql" and number % 2:
        return Name(f'the "order" {number - 1}', "other one")
    return Name(f'the "order" {number}')


def key_of(table: int) -> list[Field]:
    first = Field("id", "integer", Kind.INTEGER, nullable=False)
    return [first, Field("the `code`", "varchar(20)", Kind.TEXT, nullable=False)] if table % 3 == 2 else [first]


def foreign_key(chance: random.Random, parent: int, nth: int, dialect: str) -> tuple[ForeignKeyPlan, list[Field]]:
    nullable = chance.random() < 0.7
    fields = [Field(f"to{nth}_{one.name}", one.native, one.kind, nullable) for one in key_of(parent)]
    referred = tuple(one.name for one in key_of(parent))
    action = chance.choice(["SET NULL", "CASCADE", "", "RESTRICT"])
    return ForeignKeyPlan(tuple(one.name for one in fields), named(parent, dialect), referred, action), fields


def made(seed: int, dialect: str) -> Made:
    chance = random.Random(seed)  # noqa: S311 - the same schema in each run
    count = chance.randint(2, 6)
    plans = []
    for table in range(count):
        fields, keys = [*key_of(table), Field("n", "integer", Kind.INTEGER)], []
        for nth in range(chance.randint(0, 3)):
            # Mostly to tables before it; now and then to itself and to later ones, so that there are circles.
            parent = chance.randrange(table) if table and chance.random() < 0.7 else chance.randrange(count)
            key, more = foreign_key(chance, parent, nth, dialect)
            keys.append(key)
            fields += more
        name = named(table, dialect)
        target = Name(f"copy of {name.name}", name.schema)
        renamed = tuple(Field(f"{one.name}_", one.native, one.kind, one.nullable) for one in fields)
        primary = tuple(one.name for one in key_of(table))
        plans.append(
            TablePlan(
                Side(name, tuple(fields)),
                Side(target, renamed),
                primary,
                (),
                tuple(keys),
                None,
                (),
                chance.random() < 0.1,
            )
        )
    where = {plan.label: "n < 6 -- a few" for plan in plans if chance.random() < 0.4}
    return Made(plans, rows_of(chance, plans), where)


def rows_of(chance: random.Random, plans: list[TablePlan]) -> dict[str, list[tuple[Any, ...]]]:
    keys = {
        plan.source.name: [
            (number, "abc"[number % 3])[: len(plan.primary_key)] for number in range(chance.randint(0, 25))
        ]
        for plan in plans
    }
    found: dict[str, list[tuple[Any, ...]]] = {}
    for plan in plans:
        found[plan.label] = []
        for own in keys[plan.source.name]:
            row = [*own, chance.randrange(10)]
            fields = plan.source.fields[len(row) :]
            for key in plan.foreign_keys:
                mine, fields = fields[: len(key.columns)], fields[len(key.columns) :]
                parents = keys[key.table]
                reference: list[Any] = list(chance.choice(parents)) if parents else [None] * len(mine)
                if mine[0].nullable and chance.random() < 0.3:
                    reference[chance.randrange(len(reference))] = None
                row += reference
            if all(value is not None or field.nullable for value, field in zip(row, plan.source.fields, strict=True)):
                found[plan.label].append(tuple(row))
    return without_orphans(plans, found)


def without_orphans(plans: list[TablePlan], rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Where a row could not be made because it needs a parent that there is none of, its children go too."""
    while True:
        kept = {plan.label: [row for row in rows[plan.label] if not orphan(plan, row, rows)] for plan in plans}
        if kept == rows:
            return kept
        rows = kept


def orphan(plan: TablePlan, row: tuple[Any, ...], rows: Mapping[str, list[tuple[Any, ...]]]) -> bool:
    values = dict(zip((field.name for field in plan.source.fields), row, strict=True))
    for key in plan.foreign_keys:
        reference = tuple(values[column] for column in key.columns)
        if None not in reference and reference not in {one[: len(reference)] for one in rows[str(key.table)]}:
            return True
    return False


def create(side: Side, quote: str, more: str = "") -> str:
    columns = ", ".join(
        f"{quoted(field.name, quote)} {TYPES[field.kind]}{'' if field.nullable else ' NOT NULL'}"
        for field in side.fields
    )
    return f"CREATE TABLE {side.name.quoted(quote)} ({columns}{more})"


def insert(cursor: Any, side: Side, quote: str, rows: list[tuple[Any, ...]], mark: str) -> None:
    marks = ", ".join([mark] * len(side.fields))
    for row in rows:
        cursor.execute(f"INSERT INTO {side.name.quoted(quote)} VALUES ({marks})", row)


def read(cursor: Any, side: Side, quote: str, where: str = "") -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT * FROM {side.name.quoted(quote)}{f' WHERE {where}' if where else ''}")
    return sorted((tuple(row) for row in cursor.fetchall()), key=repr)


def deleted(found: Made) -> dict[str, list[tuple[Any, ...]]]:
    """What is left when SQLite deletes the rows that are not wanted."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        names = {plan.source.name: Name(plan.label) for plan in found.plans}
        for plan in found.plans:
            more = f", PRIMARY KEY ({', '.join(quoted(column, chr(34)) for column in plan.primary_key)})"
            for key in plan.foreign_keys:
                fields = [field for field in plan.source.fields if field.name in key.columns]
                nulls = key.ondelete == "SET NULL" and all(field.nullable for field in fields)
                here, there = (
                    ", ".join(quoted(one, '"') for one in columns) for columns in (key.columns, key.referred)
                )
                action = "SET NULL" if nulls else "CASCADE"
                more += (
                    f", FOREIGN KEY ({here}) REFERENCES {names[key.table].quoted(chr(34))} ({there}) ON DELETE {action}"
                )
            side = Side(names[plan.source.name], plan.source.fields)
            connection.execute(create(side, '"', more))
            insert(connection, side, '"', found.rows[plan.label], "?")
        connection.execute("PRAGMA foreign_keys = ON")
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
        for plan in found.plans:
            wanted = "0" if plan.empty else found.where.get(plan.label, "1")
            connection.execute(f"DELETE FROM {Name(plan.label).quoted(chr(34))} WHERE NOT coalesce({wanted}\n, 0)")
        return {plan.label: read(connection.cursor(), Side(Name(plan.label), ()), '"') for plan in found.plans}


@pytest.mark.server
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_subset_is_as_though_the_other_rows_had_been_deleted(dialect: str, make_database: MakeDatabase) -> None:
    quote, mark = QUOTES[dialect], "?" if dialect == "sqlite" else "%s"
    database = None if dialect == "sqlite" else make_database(dialect)
    if database:
        server = connect(None, dialect)
        server.cursor().execute(f"CREATE DATABASE {quoted(database.name, quote)}")
        server.close()
    lost = nulled = rounds = 0
    for seed in range(150 if dialect == "sqlite" else 25):
        found = made(seed, dialect)
        with closing(connect(database, dialect)) as connection:
            cursor = connection.cursor()
            if dialect == "postgresql":
                cursor.execute('CREATE SCHEMA IF NOT EXISTS "other one"')
            for plan in found.plans:
                cursor.execute(create(plan.source, quote))
                cursor.execute(create(plan.target, quote))
                insert(cursor, plan.source, quote, found.rows[plan.label], mark)
            wanted = conditions(found.schema, found.where, quote)
            for plan in found.plans:
                insert(cursor, plan.target, quote, read(cursor, plan.source, quote, wanted.get(plan.label, "")), mark)
            rounds = max(rounds, pruned(cursor, orphan_statements(found.schema, found.where, database_named(dialect))))
            subset = {plan.label: read(cursor, plan.target, quote) for plan in found.plans}
            for plan in found.plans:
                cursor.execute(f"DROP TABLE {plan.source.name.quoted(quote)}")
                cursor.execute(f"DROP TABLE {plan.target.name.quoted(quote)}")
        assert subset == deleted(found), f"seed {seed}"
        lost += sum(len(found.rows[label]) > len(rows) > 0 for label, rows in subset.items())
        nulled += sum(not set(rows) <= set(found.rows[label]) for label, rows in subset.items())
    assert lost > 10  # else the schemas were of no use
    assert nulled > 2
    assert rounds > 2


def pruned(cursor: Any, statements: list[str]) -> int:
    for number in range(100):
        changed = 0
        for statement in statements:
            cursor.execute(statement)
            changed += max(cursor.rowcount, 0)
        if not changed:
            return number
    raise AssertionError("the statements go on changing rows")


def connect(database: Any, dialect: str) -> Any:
    if dialect == "sqlite":
        return sqlite3.connect(":memory:", isolation_level=None)
    return connect_server(dialect, database.name if database else None)
