"""Partitions and computed columns of PostgreSQL: what they declare alone counts, and what they hold arrives."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect
from support.copying import copy, made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_engine
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions, Mask

DIALECT = "postgresql"
pytestmark = pytest.mark.server

# As of pagila: the partitions have foreign keys, the table has none. The columns stand in another order in one.
PAID = (
    "CREATE TABLE customer (id integer PRIMARY KEY, email varchar(40) UNIQUE)",
    "CREATE TABLE payment (id integer, email varchar(40), customer_id integer NOT NULL, day date NOT NULL) "
    "PARTITION BY RANGE (day)",
    "CREATE TABLE payment_1 PARTITION OF payment FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE payment_2 (day date NOT NULL, customer_id integer NOT NULL, email varchar(40), id integer)",
    "ALTER TABLE payment ATTACH PARTITION payment_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "ALTER TABLE payment_1 ADD CONSTRAINT fk_1 FOREIGN KEY (customer_id) REFERENCES customer (id)",
    "CREATE INDEX only_first ON payment_1 (day)",
    "INSERT INTO customer SELECT n, 'user' || n || '@example.org' FROM generate_series(1, 9) n",
    "INSERT INTO payment (id, customer_id, email, day) SELECT n, 1 + n % 9, 'user' || 1 + n % 9 || '@example.org', "
    "date '2026-01-10' + n % 40 FROM generate_series(1, 100) n",
)
SECOND = "ALTER TABLE payment_2 ADD CONSTRAINT fk_2 FOREIGN KEY (customer_id) REFERENCES customer (id)"
ORPHANS = "SELECT count(*) FROM payment WHERE customer_id NOT IN (SELECT id FROM customer)"


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite"])
def test_a_condition_follows_the_foreign_keys_of_partitions(
    source: Database, make_database: MakeDatabase, kind: str
) -> None:
    made(source, *PAID, SECOND)
    target = make_database(kind, "copy")
    copy(target_of(source), target_of(target), options=CopyOptions(where=(("customer", "id < 3"),), verify=True))
    assert target.execute(ORPHANS) == [(0,)]
    assert target.execute("SELECT count(*) FROM payment") == source.execute(
        "SELECT count(*) FROM payment WHERE customer_id < 3"
    )
    assert foreign_keys(target) == ["customer"]


def foreign_keys(target: Database) -> list[str]:
    """The tables that payments refer to in the copy."""
    of = target_of(target)
    found = inspect(sqlalchemy_engine(of, database_of(of)))
    tables = [name for name in found.get_table_names() if name.startswith("payment")]
    return sorted({key["referred_table"] for name in tables for key in found.get_foreign_keys(name)})


def test_a_key_of_some_partitions_is_followed_and_told_as_not_carried(
    source: Database, make_database: MakeDatabase
) -> None:
    made(source, *PAID)
    target = make_database("sqlite", "copy")
    result = copy(target_of(source), target_of(target), options=CopyOptions(where=(("customer", "id < 3"),)))
    assert "foreign key fk_1 of payment: it is of some partitions alone, or to one" in result.not_carried
    assert "index only_first of payment_1" in result.not_carried
    assert target.execute(ORPHANS) == [(0,)]
    assert foreign_keys(target) == []


def test_a_mask_of_a_key_is_asked_for_in_partitions_too(source: Database, target: Database) -> None:
    made(source, *PAID, "ALTER TABLE payment_2 ADD CONSTRAINT m FOREIGN KEY (email) REFERENCES customer (email)")
    options = CopyOptions(masks=(Mask("customer.email", "email"),))
    with pytest.raises(ConfigError, match=r"payment\.email"):
        plan_copy(target_of(source), target_of(target), options=options)
    both = CopyOptions(masks=(Mask("customer.email", "email"), Mask("payment.email", "email")))
    copy(target_of(source), target_of(target), options=both)
    assert target.execute("SELECT count(*) FROM payment WHERE email LIKE 'user_@%'") == [(0,)]
    assert target.execute("SELECT count(*) FROM payment JOIN customer USING (email)") == [(100,)]


@pytest.mark.parametrize("kind", ["mysql", "sqlite"])
def test_computed_columns_arrive_as_values(source: Database, make_database: MakeDatabase, kind: str) -> None:
    made(
        source,
        "CREATE TABLE area (id integer PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS (a * 2) STORED)",
        "INSERT INTO area (id, a) VALUES (1, 4), (2, NULL)",
    )
    target = make_database(kind, "copy")
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert target.execute("SELECT * FROM area ORDER BY id") == [(1, 4, 8), (2, None, None)]
