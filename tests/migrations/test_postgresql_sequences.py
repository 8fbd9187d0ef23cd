"""Sequences and domains of PostgreSQL: made before the tables that use them, dropped after those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, Sequence, String, Table, text
from sqlalchemy.dialects.postgresql import DOMAIN
from support.databases import Database, MakeDatabase
from support.declaring_tables import Declaring, described

from framefox_tasks import check_migration, upgrade

pytestmark = pytest.mark.server


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("postgresql", "pg_sequences")


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declaring:
    return Declaring(tmp_path / "declared", database)


def numbered(**options: Any) -> MetaData:
    metadata = MetaData()
    numbers = Sequence("item_no", metadata=metadata, **options)
    unbound = Sequence("Odd no", schema="store", data_type=Integer)
    Table(
        "item",
        metadata,
        Column("id", Integer, Sequence("item_key"), primary_key=True),
        Column("no", BigInteger, numbers, server_default=numbers.next_value()),
        Column("odd", Integer, server_default=unbound.next_value()),
        schema=None,
    )
    Table("shelf", metadata, Column("id", Integer, primary_key=True), schema="store")
    return metadata


def test_they_live_and_die_with_the_tables(project: Declaring, database: Database) -> None:
    project.round_trip(metadata=numbered(start=1000))
    sequences = [row[1] for row in described(database) if row[0] == "sequence"]
    assert sequences == ["item_key", "item_no", 'store."Odd no"', "store.shelf_id_seq"]
    database.execute("INSERT INTO item (id) VALUES (nextval('item_key'))")
    assert database.execute("SELECT * FROM item") == [(1, 1000, 1)]


def test_options_that_change_are_changed(project: Declaring, database: Database) -> None:
    project.set_up(metadata=numbered(start=1000))
    project.round_trip(metadata=numbered(start=5, increment=-2, minvalue=-100, maxvalue=5000, cache=3))
    assert ("sequence", "item_no", "bigint 5 -2 -100 5000 3 f") in described(database)
    project.round_trip(metadata=numbered())


def test_one_that_is_no_longer_declared_goes_if_it_is_ours(project: Declaring, database: Database) -> None:
    project.set_up(metadata=numbered())
    database.execute("CREATE SEQUENCE of_others")
    shelf = Table("shelf", MetaData(), Column("id", Integer, primary_key=True), schema="store")
    project.round_trip(metadata=shelf.metadata)
    sequences = [row[1] for row in described(database) if row[0] == "sequence"]
    assert sequences == ["of_others", "store.shelf_id_seq"]


def test_a_serial_column_that_is_no_key_agrees(project: Declaring, database: Database) -> None:
    text_of = 'revision = "made"\ndown_revision = None\n\n\ndef upgrade() -> None:\n    pass\n'
    (project.path / "migrations/versions/made.py").write_text(text_of)
    upgrade(project.target)
    database.execute("CREATE TABLE item (id serial PRIMARY KEY, n serial, m serial)")
    project.declare(
        Column("n", Integer, nullable=False, server_default=text("nextval('item_n_seq'::regclass)")),
        Column(
            "m", Integer, Sequence("item_m_seq"), nullable=False, server_default=Sequence("item_m_seq").next_value()
        ),
    )
    check_migration(project.target)


def test_a_domain_is_created_and_dropped(project: Declaring) -> None:
    price = DOMAIN("price", Integer, check=text("VALUE > 0"), default=text("7"))
    code = DOMAIN("Code", String(3), schema="store", not_null=True)
    project.round_trip(Column("price", price), Column("other", Integer))
    shelf = MetaData()
    Table("item", shelf, Column("id", Integer, primary_key=True), Column("price", price), Column("second", price))
    Table("shelf", shelf, Column("code", code), schema="store")
    project.round_trip(metadata=shelf)
