"""The types of one database in the words of another: what SQLAlchemy's types are in each, and what else there is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Uuid,
    select,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine
from support.copying import made
from support.databases import Database, MakeDatabase
from support.translating import DIRECTIONS, build, inspected, natives, plan_of, translated

DIALECTS = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mysql}
GENERIC: dict[str, TypeEngine[Any]] = {
    "integer": Integer(),
    "small": SmallInteger(),
    "big": BigInteger(),
    "name": String(20),
    "body": Text(),
    "price": Numeric(10, 2),
    "weight": Float(),
    "paid": Boolean(),
    "day": Date(),
    "at": Time(),
    "made": DateTime(),
    "key": Uuid(),
    "doc": JSON(),
    "data": LargeBinary(),
}
SPELLINGS = {
    "float": "double precision",
    "double": "double precision",
    "bool": "boolean",
    "tinyint(1)": "boolean",
    "varchar": "character varying",
    "datetime(6)": "datetime",
    "time(6)": "time",
    "longtext": "text",
    "longblob": "blob",
    "int": "integer",
    "decimal": "numeric",
}


def spelled(native: str) -> str:
    """A type in one spelling, without what a copy must have more room for."""
    plain = native.lower().replace(", ", ",")
    name, bracket, rest = plain.partition("(")
    return SPELLINGS.get(plain) or SPELLINGS.get(name, name) + bracket + rest


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_entities_find_the_types_that_they_would_make(source: str, target: str, make_database: MakeDatabase) -> None:
    table = Table("item", MetaData(), *(Column(name, type_) for name, type_ in GENERIC.items()))
    database = made(
        make_database(source, "source"), str(CreateTable(table).compile(dialect=DIALECTS[source].dialect()))
    )
    schema = translated(database, target)
    assert build(schema, make_database(target, "target")) == []
    found = {name: spelled(native) for name, native in natives(schema, "item").items()}
    dialect = DIALECTS[target].dialect()
    assert found == {name: spelled(type_.compile(dialect=dialect)) for name, type_ in GENERIC.items()}


POSTGRESQL = {
    # type: what it is on SQLite, and on MySQL
    "numeric": ("NUMERIC", "decimal(65,30)"),
    "numeric(40,10)": ("NUMERIC(40, 10)", "decimal(40,10)"),
    "real": ("FLOAT", "float"),
    "character(5)": ("CHAR(5)", "char(5)"),
    "character varying": ("TEXT", "longtext"),
    "timestamp(0) without time zone": ("DATETIME", "datetime"),
    "timestamp with time zone": ("DATETIME", "datetime(6)"),
    "interval": ("TEXT", "varchar(64)"),
    "bit(5)": ("VARCHAR(5)", "bit(5)"),
    "bit varying(9)": ("VARCHAR(9)", "varchar(9)"),
    "jsonb": ("JSON", "json"),
    "money": ("NUMERIC(19, 2)", "decimal(19,2)"),
    "inet": ("TEXT", "longtext"),
    "tsvector": ("TEXT", "longtext"),
    "int4range": ("TEXT", "longtext"),
    "xml": ("TEXT", "longtext"),
    "point": ("TEXT", "longtext"),
    "integer[]": ("JSON", "json"),
    "mood": ("VARCHAR(5)", "enum('so so','well')"),
    "mood[]": ("JSON", "json"),
    "positive": ("INTEGER", "int"),
    "pair": ("TEXT", "longtext"),
}
OWN_TYPES = (
    "CREATE TYPE mood AS ENUM ('so so', 'well')",
    "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
    "CREATE TYPE pair AS (a integer, b text)",
)
MYSQL = {
    # type: what it is on SQLite, and on PostgreSQL
    "tinyint": ("SMALLINT", "smallint"),
    "tinyint(3) unsigned": ("INTEGER", "smallint"),
    "smallint(5) unsigned": ("INTEGER", "integer"),
    "mediumint(9)": ("INTEGER", "integer"),
    "int(10) unsigned": ("BIGINT", "bigint"),
    "bigint(20) unsigned": ("DECIMAL_TEXT(20)", "numeric(20,0)"),
    "float": ("FLOAT", "double precision"),
    "mediumtext": ("TEXT", "text"),
    "binary(16)": ("BLOB", "bytea"),
    "timestamp": ("DATETIME", "timestamp with time zone"),
    "year(4)": ("SMALLINT", "smallint"),
    "bit(5)": ("VARCHAR(5)", "bit(5)"),
    "set('a','b')": ("TEXT", "text"),
    "enum('so so','we''ll')": ("VARCHAR(5)", "c17"),
    "geometry": ("BLOB", "bytea"),
    "uuid": ("CHAR(32)", "uuid"),
    "inet6": ("TEXT", "text"),
}


@pytest.mark.server
@pytest.mark.parametrize("target", ["sqlite", "mysql"])
def test_types_of_postgresql(target: str, make_database: MakeDatabase) -> None:
    check_types(
        "postgresql",
        target,
        list(POSTGRESQL),
        [pair[target == "mysql"] for pair in POSTGRESQL.values()],
        make_database,
        OWN_TYPES,
    )


@pytest.mark.server
@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_types_of_mysql(target: str, make_database: MakeDatabase) -> None:
    expected = [pair[target == "postgresql"] for pair in MYSQL.values()]
    check_types("mysql", target, list(MYSQL), [one.replace("c17", "c13") for one in expected], make_database)


def check_types(
    source: str, target: str, types: list[str], expected: list[str], make: MakeDatabase, before: tuple[str, ...] = ()
) -> None:
    columns = ", ".join(f"c{number} {type_} NULL" for number, type_ in enumerate(types))
    database = made(make(source, "source"), *before, f"CREATE TABLE item ({columns})")
    schema = translated(database, target)
    copy = make(target, "target")
    assert build(schema, copy) == []
    found = natives(schema, "item")
    assert dict(zip(types, found.values(), strict=True)) == dict(zip(types, expected, strict=True))
    assert shown(copy) == {
        name: native.replace("json", "longtext") if target == "mysql" else native for name, native in found.items()
    }
    changed = [change.partition(":")[0] for change in plan_of(schema, "item").changes]
    for number, type_ in enumerate(types):
        if spelled(type_) not in (spelled(expected[number]), "json"):
            assert (f"c{number}" in changed) or type_ in UNTOLD, type_


UNTOLD = {
    "numeric", "numeric(40,10)", "real", "float", "tinyint", "tinyint(3) unsigned", "mediumint(9)", "character(5)",
    "mediumtext", "binary(16)", "timestamp(0) without time zone", "jsonb", "smallint(5) unsigned", "int(10) unsigned",
    "uuid", "character varying",
}  # fmt: skip
"""Types that the other database has under another name, with as much room or more."""


def shown(database: Database) -> dict[str, str]:
    """The types as the database itself writes them: that is what a plan calls them."""
    if database.dialect == "sqlite":
        return {row[1]: row[2] for row in database.execute("PRAGMA table_info(item)")}
    if database.dialect == "postgresql":
        query = (
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'item'::regclass AND attnum > 0"
        )
        return dict(database.execute(query))
    query = (
        "SELECT column_name, REGEXP_REPLACE(column_type, '(int)[(][0-9]+[)]', '\\\\1') FROM information_schema.columns "
        "WHERE table_schema = DATABASE()"
    )
    return dict(database.execute(query))


@pytest.mark.server
def test_enums_of_one_name_and_other_labels_are_two_types(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE a (state enum('x', 'y') DEFAULT 'y')",
        "CREATE TABLE b (state enum('x', 'y'))",
        "CREATE TABLE c (state enum('z'))",
        "CREATE TABLE state (id int)",
    )
    schema = translated(source, "postgresql")
    assert build(schema, make_database("postgresql")) == []
    assert [natives(schema, table)["state"] for table in "abc"] == ["a_state", "a_state", "c_state"]


@pytest.mark.server
def test_an_enum_that_stands_for_a_python_one_stays_text_from_sqlite(make_database: MakeDatabase) -> None:
    table = Table("item", MetaData(), Column("state", Enum("open", "closed", name="state", create_constraint=True)))
    source = made(make_database("sqlite"), str(CreateTable(table).compile(dialect=sqlite.dialect())))
    target = make_database("postgresql")
    schema = translated(source, "postgresql")
    assert build(schema, target) == []
    assert natives(schema, "item") == {"state": "character varying(6)"}
    assert plan_of(schema, "item").changes == ()
    with pytest.raises(Exception, match="violates check constraint"):
        target.execute("INSERT INTO item VALUES ('other')")


@pytest.mark.server
def test_a_uuid_is_what_an_entity_makes_on_the_server_of_the_copy(make_database: MakeDatabase) -> None:
    table = Table("item", MetaData(), Column("id", Integer, primary_key=True), Column("key", Uuid))
    source = made(
        make_database("postgresql"),
        "CREATE TABLE item (id integer PRIMARY KEY, key uuid DEFAULT gen_random_uuid())",
        "CREATE TABLE child (key uuid)",
    )
    copy = make_database("mysql")
    schema = translated(source, "mysql", onto=copy)
    assert build(schema, copy) == []
    engine = inspected(copy).engine
    key = UUID("6f1c9b2e-0000-4000-8000-00000000abcd")
    with engine.begin() as connection:
        connection.execute(table.insert(), {"id": 1, "key": key})
        assert connection.execute(select(table.c.id).where(table.c.key == key)).scalar_one() == 1
    copy.execute("INSERT INTO item (id) VALUES (2)")
    with engine.begin() as connection:
        assert isinstance(connection.execute(select(table.c.key).where(table.c.id == 2)).scalar_one(), UUID)


@pytest.mark.server
def test_json_in_a_key_gets_a_type_that_can_be_compared(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE item (doc json PRIMARY KEY, other json, UNIQUE (other))")
    schema = translated(source, "postgresql")
    assert build(schema, make_database("postgresql")) == []
    assert natives(schema, "item") == {"doc": "jsonb", "other": "jsonb"}
    assert "doc: json becomes jsonb (a key compares it)" in plan_of(schema, "item").changes
