"""Types of columns that change on PostgreSQL: the file casts the values, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Text,
    Time,
    Uuid,
    text,
    types,
)
from sqlalchemy.dialects.postgresql import INET, INTERVAL, JSONB
from support.copying import role
from support.databases import Database, MakeDatabase
from support.declaring import Declared
from support.declaring_tables import Declaring

from framefox_tasks import Target, check_migration, create, create_migration, upgrade

pytestmark = pytest.mark.server


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("postgresql", "pg_types")


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declaring:
    return Declaring(tmp_path / "declared", database)


# A column as it was and as it becomes, with the value of a row that was written before, as text.
CHANGES: dict[str, tuple[Any, Any, str]] = {
    "number": (Text(), Integer(), "7"),
    "flag": (Integer(), Boolean(), "1"),
    "document": (String(50), JSONB(), '{"a": 1}'),
    "moment": (String(40), DateTime(timezone=True), "2024-05-06 07:08:09+00"),
    "day": (DateTime(), Date(), "2024-05-06"),
    "clock": (Text(), Time(), "07:08:09"),
    "span": (Text(), Interval(), "1 day"),
    "key": (String(36), Uuid(), "8c2d0d2a-6d0a-4a0e-9d2f-6f1d5b1f0a11"),
    "price": (Text(), Numeric(10, 2), "1.50"),
    "wide": (Integer(), BigInteger(), "5"),
    "long": (String(10), String(20), "abc"),
    "address": (Text(), INET(), "10.0.0.1"),
    "many": (ARRAY(Text()), ARRAY(Integer()), "{1,2}"),
    "order": (Float(53), Text(), "1.5"),
    "bytes": (Text(), LargeBinary(), "abc"),
}


def test_values_are_cast_both_ways(project: Declaring, database: Database) -> None:
    project.set_up(*(Column(name, before) for name, (before, _, _) in CHANGES.items()))
    columns = ", ".join(f'"{name}"' for name in CHANGES)
    values = ", ".join(f"'{value}'" for _, _, value in CHANGES.values())
    database.execute(f"INSERT INTO item (id, {columns}) VALUES (1, {values})")
    rows = database.execute("SELECT * FROM item")
    written = project.round_trip(*(Column(name, after) for name, (_, after, _) in CHANGES.items()))
    assert "postgresql_using='CAST(number AS INTEGER)'" in written
    assert (
        'postgresql_using=\'CAST("order"' not in written.split("def downgrade")[0]
    )  # to a text every type goes by itself
    project.down()
    assert [row[:11] for row in database.execute("SELECT * FROM item")] == [row[:11] for row in rows]


def test_defaults_are_set_anew(project: Declaring, database: Database) -> None:
    project.set_up(Column("a", Text, server_default="1"), Column("b", Integer, server_default=text("0")))
    project.round_trip(Column("a", Integer, server_default="1"), Column("b", Boolean, server_default=text("false")))
    database.execute("INSERT INTO item (id) VALUES (1)")
    assert database.execute("SELECT a, b FROM item") == [(1, False)]
    project.round_trip(Column("a", JSONB, server_default="[]"), Column("b", Boolean))


def test_where_there_is_no_cast_it_is_said_when_the_file_is_written(project: Declaring) -> None:
    project.set_up(Column("a", Integer))
    project.declare(Column("a", INET))
    made = create_migration(project.target)
    assert made.operations == (
        "modify type item.a (no cast from integer to inet: by its text, correct the expression if need be)",
    )
    project.up()


def test_a_length_that_is_added_is_a_change(project: Declaring) -> None:
    project.set_up(Column("a", String()))
    project.round_trip(Column("a", String(20)))


class Vector(types.UserDefinedType[Any]):
    """As an extension's type would be: PostgreSQL alone knows whether it has changed."""

    cache_ok = True

    def __init__(self, size: int) -> None:
        self.size = size

    def get_col_spec(self, **_: Any) -> str:
        return f"NUMERIC({self.size})"


def test_the_size_of_a_type_of_the_projects(project: Declaring, database: Database) -> None:
    project.apply(Column("place", Vector(3)))
    project.declare(Column("place", Vector(4)))
    made = create_migration(project.target)
    assert made.operations == ("modify type item.place",)
    assert made.proof
    assert made.proof.older == ()
    project.up()
    query = "SELECT numeric_precision FROM information_schema.columns WHERE column_name = 'place'"
    assert database.execute(query) == [(4,)]
    check_migration(project.target)
    project.down()
    assert database.execute(query) == [(3,)]


def sequences(database: Database) -> list[tuple[str, int]]:
    found = database.execute("SELECT data_type::text, max_value FROM pg_sequences")
    return [(str(kind), int(largest)) for kind, largest in found]


def test_the_sequence_of_a_number_gets_its_type(tmp_path: Path, database: Database) -> None:
    entity = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column({}, primary_key=True)
"""
    project = Declared(tmp_path / "project", database)
    project.set_up(entity.format("Integer"))
    database.execute("INSERT INTO item DEFAULT VALUES")
    project.migrate(entity.format("BigInteger"))
    assert sequences(database) == [("bigint", 2**63 - 1)]
    project.downgrade()
    assert sequences(database) == [("integer", 2**31 - 1)]
    database.execute("INSERT INTO item DEFAULT VALUES")
    assert database.execute("SELECT id FROM item ORDER BY id") == [(1,), (2,)]


def test_a_schema_that_is_there_is_made_in_a_new_database(
    tmp_path: Path, database: Database, make_database: MakeDatabase
) -> None:
    entity = """
class Shop(Base):
    __tablename__ = "shop"
    __table_args__ = {"schema": "sales"}
    id: Mapped[int] = mapped_column(primary_key=True)


class Item(Base):
    __tablename__ = "item"
    __table_args__ = {"schema": "sales"}
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("sales.shop.id"))
"""
    project = Declared(tmp_path / "project", database)
    database.execute("CREATE SCHEMA sales")
    project.migrate(entity)
    project.migrate(entity.replace('"sales.shop.id"', '"sales.shop.id", ondelete="CASCADE"'))
    proof = project.written.proof
    assert proof
    assert (proof.proven, proof.reason) == (True, "")
    assert project.written.operations[-1] == "add fk fk_item_shop_id_shop on sales.item"
    new = Target(make_database("postgresql", "pg_types_new").url, project.target.project)
    create(new)
    assert len(upgrade(new).steps) == 2

    # A user who may create no schema, in a database where somebody else has.
    other = make_database("postgresql", "types_other")
    with role(f"{other.name}_user") as url:
        user = f"{other.name}_user"
        create(Target(other.url, project.target.project))
        other.execute(f"CREATE SCHEMA sales AUTHORIZATION {user}; GRANT ALL ON SCHEMA public TO {user}")
        assert len(upgrade(Target(url + other.name, project.target.project)).steps) == 2
        other.execute(f"DROP OWNED BY {user}")


class Place(types.UserDefinedType[Any]):
    """A type that SQLAlchemy has no name for."""

    cache_ok = True

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def get_col_spec(self, **_: Any) -> str:
        return self.sql


@pytest.mark.parametrize(
    ("dialect", "before", "after", "shown"),
    [
        ("postgresql", Place("BOX"), Place("POINT"), ["box", "point"]),
        ("postgresql", Place("POINT"), Text(), ["point", "text"]),
        ("postgresql", INTERVAL(fields="DAY TO SECOND"), Interval(), ["interval", "interval"]),
        ("mysql", Place("POINT"), Place("GEOMETRY"), ["point", "geometry"]),
    ],
)
def test_types_that_sqlalchemy_does_not_compare(
    dialect: str, before: Any, after: Any, shown: list[str], tmp_path: Path, make_database: MakeDatabase
) -> None:
    database = make_database(dialect, "pg_types_more")
    schema = "current_schema()" if dialect == "postgresql" else "DATABASE()"
    query = f"SELECT data_type FROM information_schema.columns WHERE column_name = 'place' AND table_schema = {schema}"
    project = Declaring(tmp_path / "more", database)
    project.set_up(Column("place", before))
    found = [database.execute(query)[0][0]]
    assert create_migration(project.target).path is None
    project.declare(Column("place", after))
    made = create_migration(project.target)
    assert [text.partition(" (")[0] for text in made.operations] == ["modify type item.place"]
    assert made.proof
    assert made.proof.older == ()
    project.up()
    found.append(database.execute(query)[0][0])
    assert found == shown
    check_migration(project.target)
    project.down()
    assert database.execute(query) == [(shown[0],)]
