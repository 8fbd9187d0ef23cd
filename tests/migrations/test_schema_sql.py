"""The schema as SQL: it makes what create_all() makes, and is the same for the same schema."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.projects import ROOT, MiniProject

from framefox_tasks import Project, Target, schema_sql
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_engine
from framefox_tasks.migrations.metadata import declared_metadata
from framefox_tasks.seeds.script import statements

ODD = """
from sqlalchemy import CheckConstraint, Column, Enum, ForeignKey, Index, Integer, MetaData, String, Table
from sqlalchemy import UniqueConstraint

metadata = MetaData()
COLUMNS = [
    Column("id", Integer, primary_key=True),
    Column("name", String(20), server_default="a;b -- 'c'", nullable=False),
    Column("other", ForeignKey("second.id", use_alter=True, name="fk_first_other")),
    Column("kind", Enum("x", "y", name="kind_of")),
]
PARTS = [
    UniqueConstraint("name", "id", name="uq_b"),
    UniqueConstraint("name", name="uq_a"),
    CheckConstraint("kind IS NOT NULL", name="ck_b"),
    CheckConstraint("name <> 'x;y'", name="ck_a"),
    Index("ix_b", "name", "kind"),
    Index("ix_a", "kind"),
    Index("ix_c", "kind", "id"),
]
Table("first", metadata, *COLUMNS, *PARTS)
FIRST = Column("first_id", ForeignKey("first.id", name="fk_second"))
Table("second", metadata, Column("id", Integer, primary_key=True), FIRST)
"""


def odd(root: Path, text: str, name: str) -> Project:
    (root / f"{name}.py").write_text(text)
    return Project(root, entities=(), metadata=f"{name}:metadata")


def shop(root: Path, _: str, __: str) -> Project:
    shutil.copytree(ROOT / "src", root / "src")
    return Project(root)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
@pytest.mark.parametrize("make", [shop, odd])
def test_it_makes_what_the_entities_declare(
    dialect: str, make: object, make_database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "project").mkdir()
    project = make(tmp_path / "project", ODD, "oddities")  # type: ignore[operator]
    databases = [make_database(dialect) for _ in range(2)]
    by_script, by_sqlalchemy = (Target(one.url, project) for one in databases)
    script = schema_sql(by_script)
    database = database_of(by_script)
    for one in databases:
        one.create()
    with sqlalchemy_engine(by_script, database).begin() as connection:
        connection.execution_options(no_parameters=True)
        for statement in statements(script, backslash_escapes=database.dialect.backslash_escapes):
            connection.exec_driver_sql(statement)
    for metadata in declared_metadata(by_sqlalchemy):
        metadata.create_all(sqlalchemy_engine(by_sqlalchemy, database))
    made = set(database.facts(by_script))
    assert made
    assert made ^ set(database.facts(by_sqlalchemy)) == set()


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql://me@host/x", "mysql://me@host/x"])
def test_the_order_of_declarations_does_not_count(url: str, tmp_path: Path) -> None:
    straight = schema_sql(Target(url, odd(tmp_path, ODD, "straight")))
    reverse = ODD.replace("*COLUMNS, *PARTS", "*COLUMNS, *reversed(PARTS)")
    assert schema_sql(Target(url, odd(tmp_path, reverse, "reverse"))) == straight
    assert straight.index("uq_a") < straight.index("uq_b")
    assert straight.index("ix_a") < straight.index("ix_b") < straight.index("ix_c")
    assert straight.endswith(";\n")


def test_it_is_a_target_of_the_graph(shop: MiniProject) -> None:
    assert "SQL of 2 tables written to docs/database/schema.sql" in shop.ok("database_schema")
    written = shop.read("docs/database/schema.sql")
    assert "-- database_schema  the schema has not changed" in shop.ok("database_schema")
    shop.write("docs/database/schema.sql", "-- mine\n")
    assert "docs/database/schema.sql was edited by hand" in shop.ok("database_schema")
    assert shop.read("docs/database/schema.sql") == written
    shop.replace("src/entity/product.py", "String(100)", "String(120)")
    shop.ok("docs/database/schema.sql")
    assert "VARCHAR(120)" in shop.read("docs/database/schema.sql")
    shop.env["DATABASE_URL"] = "postgresql://me@host/shop"
    assert "SQL of 2 tables written" in shop.ok("database_schema")
    assert "SERIAL" in shop.read("docs/database/schema.sql")
