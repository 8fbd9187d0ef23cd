"""Identity columns of PostgreSQL: options that change, and columns that become or cease to be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Table, text
from support.databases import Database, MakeDatabase
from support.declaring_tables import Declaring

pytestmark = pytest.mark.server


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("postgresql", "pg_identity")


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declaring:
    return Declaring(tmp_path / "declared", database)


def key(*arguments: Any, type_: Any = Integer) -> MetaData:
    metadata = MetaData()
    Table("item", metadata, Column("id", type_, *arguments, primary_key=True), Column("a", Integer))
    return metadata


def test_options_change(project: Declaring, database: Database) -> None:
    project.round_trip(metadata=key(Identity(always=True)))
    written = project.round_trip(metadata=key(Identity(always=False)))
    assert "existing_server_default=sa.Identity(always=True)" in written
    project.round_trip(metadata=key(Identity(start=1000, increment=10, maxvalue=5000, cycle=True, cache=5)))
    project.round_trip(metadata=key(Identity(start=3)))
    project.round_trip(metadata=key(Identity()))
    project.round_trip(metadata=key(Identity(always=True), type_=BigInteger))
    database.execute("INSERT INTO item (a) VALUES (1)")


def test_a_serial_key_becomes_an_identity_and_the_numbers_go_on(project: Declaring, database: Database) -> None:
    project.set_up(metadata=key())
    database.execute("INSERT INTO item (a) VALUES (1), (2)")
    project.round_trip(metadata=key(Identity(always=True)))
    assert database.execute("INSERT INTO item (a) VALUES (3) RETURNING id") == [(3,)]
    project.down()
    assert database.execute("INSERT INTO item (a) VALUES (4) RETURNING id") == [(4,)]
    project.up()
    project.round_trip(metadata=key())
    assert database.execute("INSERT INTO item (a) VALUES (5) RETURNING id") == [(5,)]


def test_a_column_with_a_default_or_none_becomes_an_identity(project: Declaring, database: Database) -> None:
    project.set_up(Column("a", Integer), Column("b", Integer, server_default=text("5")), Column("c", Integer))
    project.round_trip(Column("a", Integer, Identity()), Column("b", Integer, Identity(start=7)), Column("c", Integer))
    assert database.execute("INSERT INTO item DEFAULT VALUES RETURNING a, b") == [(1, 7)]
    project.round_trip(
        Column("a", Integer, server_default=text("3")), Column("b", Integer, nullable=False), Column("c", Integer)
    )
