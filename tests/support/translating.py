"""What the tests of the translation of schemas share: a source that is made, and a target that its statements make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from framefox_tasks.copies.translate import translate
from framefox_tasks.copies.translate.measure import measure_of
from framefox_tasks.databases import database_named, database_of
from framefox_tasks.databases.drivers import sqlalchemy_url
from framefox_tasks.databases.rows import CopySchema, Name, TablePlan
from support.copying import made, open_source, target_of
from support.databases import Database

DIRECTIONS = [
    (source, target)
    for source in ("sqlite", "postgresql", "mysql")
    for target in ("sqlite", "postgresql", "mysql")
    if source != target
]
NUMBERED = {
    "sqlite": "integer PRIMARY KEY AUTOINCREMENT",
    "postgresql": "serial PRIMARY KEY",
    "mysql": "int AUTO_INCREMENT PRIMARY KEY",
}


def translated(
    source: Database,
    dialect: str,
    tables: Callable[[Name], bool] | None = None,
    *,
    onto: Database | None = None,
) -> CopySchema:
    """The schema for a copy of a source in another kind of database."""
    made = database_named(dialect)
    target = target_of(source)
    with open_source(target) as opened, opened.inspect(tables, digits=made.dialect.exact_digits) as find:
        return translate(find, made.dialect_of(target_of(onto)) if onto else made.dialect, measure_of(opened))


def build(schema: CopySchema, target: Database) -> list[str]:
    """Run all statements in a new database; gives what it refused and may refuse."""
    made(target)
    refused = []
    connection = target.connect()
    cursor = connection.cursor()
    statements = [*schema.before, *(one for listed in schema.after for one in listed), *schema.last]
    for statement in statements:
        try:
            cursor.execute(statement.sql)
        except Exception as exc:
            if not statement.optional:
                raise AssertionError(f"{statement.sql}: {exc}") from exc
            refused.append(f"{statement.about}: {exc}")
    connection.commit()
    connection.close()
    return refused


def inspected(database: Database) -> Any:
    """SQLAlchemy's inspector of a database."""
    target = target_of(database)
    return inspect(create_engine(sqlalchemy_url(target, database_of(target)), poolclass=NullPool))


def plan_of(schema: CopySchema, label: str) -> TablePlan:
    """The plan of one table."""
    return next(plan for plan in schema.tables if plan.label == label)


def natives(schema: CopySchema, label: str) -> dict[str, str]:
    """The types of a table's columns in the copy."""
    return {field.name: field.native for field in plan_of(schema, label).target.fields}
