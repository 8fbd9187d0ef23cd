"""What PostgreSQL 18 has: keys without overlaps, constraints that nobody checks, computed columns that are not kept."""

from __future__ import annotations

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase, connect_server

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.model import CopyOptions

pytestmark = pytest.mark.server
CONSTRAINTS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""


@pytest.fixture
def source(make_database: MakeDatabase) -> Database:
    with connect_server("postgresql") as connection:
        if connection.info.server_version < 180_000:
            pytest.skip("takes PostgreSQL 18; give one with TEST_POSTGRESQL_URL")
    return made(
        make_database("postgresql"),
        "CREATE EXTENSION btree_gist",
        "CREATE TABLE a (id integer, r tsrange, PRIMARY KEY (id, r WITHOUT OVERLAPS))",
        "INSERT INTO a VALUES (1, '[2024-01-01,2024-02-01)'), (1, '[2024-02-01,2024-03-01)')",
        "CREATE TABLE f (id integer, r tsrange, "
        "CONSTRAINT period FOREIGN KEY (id, PERIOD r) REFERENCES a (id, PERIOD r))",
        "INSERT INTO f VALUES (1, '[2024-01-05,2024-02-05)')",
        "CREATE TABLE b (id integer PRIMARY KEY, n integer)",
        "INSERT INTO b VALUES (1, 5), (2, NULL)",
        "ALTER TABLE b ADD CONSTRAINT given NOT NULL n NOT VALID",
        "CREATE TABLE c (id integer PRIMARY KEY, n integer, CONSTRAINT positive CHECK (n > 0) NOT ENFORCED)",
        "INSERT INTO c VALUES (1, -1)",
        "CREATE TABLE d (id integer PRIMARY KEY, b integer CONSTRAINT loose REFERENCES b NOT ENFORCED)",
        "INSERT INTO d VALUES (1, 77)",
        "CREATE TABLE g (n integer, v integer GENERATED ALWAYS AS (n * 2) VIRTUAL)",
        "INSERT INTO g VALUES (2)",
    )


@pytest.mark.parametrize("onto", ["postgresql", "mysql", "sqlite"])
def test_it_arrives_or_is_listed(source: Database, make_database: MakeDatabase, onto: str) -> None:
    target = make_database(onto, "copy")
    plan = plan_copy(target_of(source), target_of(target))
    result = copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert (plan.refused, result.notes, result.not_carried) == ((), (), plan.not_carried)
    assert {table.verified for table in result.tables} == {"values"}
    assert target.execute("SELECT n, v FROM g") == [(2, 4)]
    if onto == "postgresql":
        assert plan.not_carried == ()
        assert target.execute(CONSTRAINTS) == source.execute(CONSTRAINTS)
        return
    assert {
        "WITHOUT OVERLAPS of a_pkey of a",
        "NOT VALID NOT NULL given of b",
        "NOT ENFORCED check positive of c",
        "foreign key period of f: 1 row refers to no row of a",
        "foreign key loose of d: 1 row refers to no row of b",
    } <= {*plan.not_carried}
