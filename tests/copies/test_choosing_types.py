"""The types that a user chooses for the columns of a copy."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions

pytestmark = pytest.mark.server
TYPES = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 't' ORDER BY 1"


@pytest.fixture
def source(make_database: MakeDatabase) -> Database:
    return made(
        make_database("mysql"),
        "CREATE TABLE t (id int PRIMARY KEY, flag tinyint(1) DEFAULT 1, code varchar(5), at datetime)",
        "INSERT INTO t VALUES (1, 5, '12', '2026-01-02 03:04:05'), (2, NULL, '7', NULL)",
    )


def test_columns_have_the_types_that_were_chosen(source: Database, make_database: MakeDatabase) -> None:
    target = make_database("postgresql", "copy")
    types = (("tinyint(1)", "smallint"), ("T.co*", "text"), ("t.code", "integer"), ("*.at", "text"))
    options = CopyOptions(types=types, verify=True)
    plan = plan_copy(target_of(source), target_of(target), options=options)
    assert plan.refused == ()
    assert "code: varchar(5) becomes integer (as chosen)" in plan.tables[0].changes
    copy(target_of(source), target_of(target), options=options)
    assert target.execute(TYPES) == [("at", "text"), ("code", "integer"), ("flag", "smallint"), ("id", "integer")]
    assert target.execute("SELECT * FROM t ORDER BY id") == [(1, 5, 12, "2026-01-02 03:04:05"), (2, None, 7, None)]
    target.execute("INSERT INTO t (id) VALUES (3)")
    assert target.execute("SELECT flag FROM t WHERE id = 3") == [(1,)]


def test_a_type_that_does_not_hold_the_values_is_told(source: Database, make_database: MakeDatabase) -> None:
    source.execute("UPDATE t SET code = 'x'")
    options = CopyOptions(types=(("t.code", "integer"),))
    plan = plan_copy(target_of(source), target_of(make_database("postgresql", "copy")), options=options)
    assert plan.refused == ("t: 2 rows hold what integer of code does not take, the first in id='1': 'x'",)
    assert "flag: tinyint(1) becomes smallint" in plan.tables[0].changes  # it holds 5
    options = CopyOptions(types=(("t.code", "no_such_type"),))
    plan = plan_copy(target_of(source), target_of(make_database("postgresql", "copy")), options=options)
    assert 'type "no_such_type" does not exist' in plan.refused[0]


@pytest.mark.parametrize(
    ("kind", "what", "message"),
    [
        ("postgresql", "t.cod", "t.cod is no column and no type of the source"),
        ("postgresql", "tinyint(2)", "is no column and no type of the source"),
        ("mysql", "t.code", "--type is for a copy that makes tables in another kind of database"),
    ],
)
def test_a_choice_that_chooses_nothing_is_an_error(
    source: Database, make_database: MakeDatabase, kind: str, what: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_copy(
            target_of(source), target_of(make_database(kind, "copy")), options=CopyOptions(types=((what, "text"),))
        )
    assert message in caught.value.message
