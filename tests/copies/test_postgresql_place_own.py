"""A copy by a user of PostgreSQL who may make no database: into an empty one of his own, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.copying import made, role, target_of
from support.databases import Database, MakeDatabase, connect_server, drop_database

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.errors import CopyError, PermissionDeniedError, TargetNotEmptyError
from framefox_tasks.model import CopyOptions

DIALECT = "postgresql"
pytestmark = pytest.mark.server
SHOP = (
    "CREATE TABLE region (id serial PRIMARY KEY, name text UNIQUE)",
    "CREATE TABLE sold (id serial PRIMARY KEY, region_id integer REFERENCES region (id), price numeric(9,2))",
    "CREATE INDEX by_price ON sold (price)",
    "CREATE VIEW dear AS SELECT * FROM sold WHERE price > 2",
    "GRANT SELECT ON sold TO PUBLIC",
    "INSERT INTO region (name) VALUES ('north'), ('south')",
    "INSERT INTO sold (region_id, price) SELECT 1 + n % 2, n FROM generate_series(1, 500) n",
)


@pytest.fixture
def hosted(target: Database) -> Iterator[Database]:
    """An empty database whose owner may make no other, as that owner reaches it."""
    name = f"{target.name}_owner"
    with role(name) as url:
        with connect_server("postgresql") as connection:
            connection.execute(f'CREATE DATABASE "{target.name}" OWNER "{name}"')
        yield Database("postgresql", url + target.name, target.name)
        drop_database("postgresql", target.name)


def test_an_empty_database_is_filled_itself(source: Database, target: Database, hosted: Database) -> None:
    made(source, *SHOP)
    plan = plan_copy(target_of(source), target_of(hosted))
    assert (plan.refused, plan.jobs) == ((), 1)
    assert plan.how.startswith("made in it, in one transaction")
    assert target.tables() == set()
    result = copy(target_of(source), target_of(hosted), options=CopyOptions(verify=True))
    assert [(table.name, table.rows) for table in result.tables] == [("region", 2), ("sold", 500)]
    assert target.execute("SELECT count(*) FROM dear") == [(498,)]
    assert target.execute("SELECT nextval('sold_id_seq')") == [(501,)]
    assert target.execute("SELECT has_table_privilege('public', 'sold', 'SELECT')") == [(True,)]
    with pytest.raises(TargetNotEmptyError):
        copy(target_of(source), target_of(hosted))
    with pytest.raises(PermissionDeniedError) as caught:
        copy(target_of(source), target_of(hosted), options=CopyOptions(overwrite=True))
    assert "--data-only" in str(caught.value.hint)
    copy(target_of(source), target_of(hosted), options=CopyOptions(overwrite=True, data_only=True, tables=("sold",)))


@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_a_database_of_another_kind_fills_it_too(
    make_database: MakeDatabase, target: Database, hosted: Database, kind: str
) -> None:
    source = made(
        make_database(kind),
        "CREATE TABLE t (id integer PRIMARY KEY, name varchar(20) UNIQUE, CHECK (id > 0))",
        "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
    )
    copy(target_of(source), target_of(hosted), options=CopyOptions(verify=True))
    assert target.execute("SELECT * FROM t ORDER BY id") == [(1, "a"), (2, "b")]


def test_a_copy_that_fails_leaves_it_empty(make_database: MakeDatabase, target: Database, hosted: Database) -> None:
    source = made(
        make_database("sqlite"), "CREATE TABLE t (id integer PRIMARY KEY, d date)", "INSERT INTO t VALUES (1, 'soon')"
    )
    with pytest.raises(CopyError):
        copy(target_of(source), target_of(hosted))
    assert target.tables() == set()


def test_a_database_that_is_not_there_is_told_with_all_ways_out(source: Database, make_database: MakeDatabase) -> None:
    made(source, *SHOP)
    missing = make_database("postgresql", "none")
    with role(f"{missing.name}_user") as url, pytest.raises(PermissionDeniedError) as caught:
        copy(target_of(source), target_of(Database("postgresql", url + missing.name, missing.name)))
    hint = str(caught.value.hint)
    assert all(part in hint for part in ("CREATEDB", "an empty database of that name", "--data-only"))
