"""Copies in all nine directions: every type, and a schema of cycles, composite keys and odd names."""

from __future__ import annotations

import pytest
from support.copy_types import BEFORE, VALUES, Value
from support.copying import copy, made, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import Copied

DIRECTIONS = [(source, target) for source in DIALECTS for target in DIALECTS]
ODD = {"sqlite": 'a "b` %s: c', "postgresql": 'a "b` %s: c', "mysql": 'a "b` %s: c'}


def quote(database: Database, name: str) -> str:
    mark = "`" if database.dialect == "mysql" else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


@pytest.fixture(params=DIRECTIONS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def pair(request: pytest.FixtureRequest, make_database: MakeDatabase) -> tuple[Database, Database]:
    source, target = request.param
    return make_database(source), make_database(target, "copy")


def copied(pair: tuple[Database, Database]) -> Copied:
    source, target = pair
    return copy(target_of(source), target_of(target), options=CopyOptions(verify=True))


def column(value: Value, database: Database) -> str:
    return f"{quote(database, value.name)} {value.type}"


def read(value: Value, database: Database) -> str:
    """The column; MariaDB shows no more than six digits of a float unless it is a double."""
    name = quote(database, value.name)
    return f"{name} * 1e0" if value.name == "single_whole" and database.dialect == "mysql" else name


def test_every_type_arrives(pair: tuple[Database, Database]) -> None:
    source, target = pair
    values = VALUES[source.dialect]
    columns = ", ".join(column(value, source) for value in values)
    names = ", ".join(quote(source, value.name) for value in values)
    nulls = ", ".join("NULL" for _ in values)
    made(
        source,
        *BEFORE[source.dialect],
        f"CREATE TABLE every_type (id integer PRIMARY KEY, {columns})",
        f"INSERT INTO every_type (id, {names}) VALUES (1, {', '.join(value.sql for value in values)})",
        f"INSERT INTO every_type (id, {names}) VALUES (2, {nulls})",
    )
    result = copied(pair)
    assert [(table.name, table.rows, table.verified) for table in result.tables] == [("every_type", 2, "values")]
    names = ", ".join(read(value, target) for value in values)
    row, empty = target.execute(f"SELECT {names} FROM every_type ORDER BY id")
    found = {
        value.name: value.read(cell) if cell is not None else None for value, cell in zip(values, row, strict=True)
    }
    assert found == {value.name: value.expected for value in values}
    assert empty == tuple(None for _ in values)
    plan = plan_copy(*map(target_of, pair), options=CopyOptions(overwrite=True))
    assert [(table.name, table.rows) for table in plan.tables] in ([("every_type", 2)], [("every_type", None)])


def graph(database: Database) -> list[str]:
    """A composite key that refers to itself, a cycle of two tables, and names that have to be quoted."""
    odd, select = quote(database, ODD[database.dialect]), quote(database, "select")
    statements = [
        "CREATE TABLE node (a integer NOT NULL, b varchar(20) NOT NULL, parent_a integer, parent_b varchar(20), "
        "PRIMARY KEY (a, b), CONSTRAINT fk_parent FOREIGN KEY (parent_a, parent_b) REFERENCES node (a, b))",
        "CREATE TABLE team (id integer PRIMARY KEY, lead_id integer)",
        "CREATE TABLE member (id integer PRIMARY KEY, team_id integer NOT NULL, "
        "CONSTRAINT fk_team FOREIGN KEY (team_id) REFERENCES team (id) ON DELETE CASCADE)",
        f"CREATE TABLE {odd} (id integer PRIMARY KEY, {select} integer DEFAULT 7 NOT NULL, "
        f"CONSTRAINT one_only UNIQUE ({select}))",
        "CREATE INDEX by_parent ON node (parent_b, parent_a)",
        "INSERT INTO node VALUES (1, 'x', NULL, NULL), (1, 'y', 1, 'x'), (2, 'X ', 1, 'y')",
        "INSERT INTO team VALUES (1, NULL), (2, NULL)",
        "INSERT INTO member VALUES (10, 1), (20, 2)",
        f"INSERT INTO {odd} VALUES (1, 1), (2, 2)",
        "UPDATE team SET lead_id = id * 10",
    ]
    if database.dialect == "sqlite":
        statements[1] = "CREATE TABLE team (id integer PRIMARY KEY, lead_id integer REFERENCES member (id))"
    else:
        cycle = "ALTER TABLE team ADD CONSTRAINT fk_lead FOREIGN KEY (lead_id) REFERENCES member (id)"
        statements.append(cycle)
    return statements


def test_keys_cycles_and_odd_names_arrive(pair: tuple[Database, Database]) -> None:
    from sqlalchemy import inspect

    from framefox_tasks.databases import database_of
    from framefox_tasks.databases.drivers import sqlalchemy_engine

    source, target = pair
    made(source, *graph(source))
    result = copied(pair)
    odd = ODD[target.dialect]
    assert {table.name: table.rows for table in result.tables} == {"node": 3, "team": 2, "member": 2, odd: 2}
    assert target.execute("SELECT a, b, parent_b FROM node ORDER BY a, b") == [
        (1, "x", None),
        (1, "y", "x"),
        (2, "X ", "y"),
    ]
    copy_of = target_of(target)
    inspector = inspect(sqlalchemy_engine(copy_of, database_of(copy_of)))
    keys = {
        name: sorted((key["constrained_columns"], key["referred_table"]) for key in inspector.get_foreign_keys(name))
        for name in inspector.get_table_names()
    }
    assert keys == {
        "node": [(["parent_a", "parent_b"], "node")],
        "team": [(["lead_id"], "member")],
        "member": [(["team_id"], "team")],
        odd: [],
    }
    assert inspector.get_foreign_keys("member")[0]["options"].get("ondelete") == "CASCADE"
    assert inspector.get_pk_constraint("node")["constrained_columns"] == ["a", "b"]
    assert ["parent_b", "parent_a"] in [index["column_names"] for index in inspector.get_indexes("node")]
    unique = [item["column_names"] for item in inspector.get_unique_constraints(odd)]
    assert ["select"] in unique
    target.execute(f"INSERT INTO {quote(target, odd)} (id) VALUES (3)")
    assert target.execute(f"SELECT {quote(target, 'select')} FROM {quote(target, odd)} WHERE id = 3") == [(7,)]
