"""What PostgreSQL holds beside tables is listed in a copy to another kind of database, and nothing of the server's."""

from __future__ import annotations

import pytest
from support.copying import made, target_of
from support.databases import MakeDatabase

from framefox_tasks.copies import copy, plan_copy

pytestmark = pytest.mark.server


@pytest.mark.parametrize("onto", ["mysql", "sqlite"])
def test_large_objects_are_listed_and_what_a_type_brings_is_not(make_database: MakeDatabase, onto: str) -> None:
    source = made(
        make_database("postgresql"),
        "CREATE TYPE span AS RANGE (subtype = float8)",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE t (id integer PRIMARY KEY, s span, o oid)",
        "INSERT INTO t VALUES (1, '[1.5,2)', lo_from_bytea(0, 'x')), (2, NULL, lo_from_bytea(0, 'y'))",
    )
    target = make_database(onto, "copy")
    plan = plan_copy(target_of(source), target_of(target))
    assert [phrase for phrase in plan.not_carried if not phrase.startswith("type ")] == [
        "function mine",
        "large objects: 2",
    ]
    assert copy(target_of(source), target_of(target)).not_carried == plan.not_carried
    assert target.execute("SELECT s FROM t ORDER BY id") == [("[1.5,2)",), (None,)]
