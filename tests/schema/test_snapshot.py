"""The snapshot of a schema: what it holds, that it is canonical, and that it reads back."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
    types,
)
from sqlalchemy.dialects import mysql, postgresql
from support.databases import Database
from support.projects import MiniProject

from framefox_tasks import ConfigError, live_schema
from framefox_tasks.schema.from_metadata import schema_of
from framefox_tasks.schema.snapshot import Schema


class Status(enum.Enum):
    NEW = 1
    OLD = 2


class Money(types.TypeDecorator[int]):
    impl = Numeric(12, 2)
    cache_ok = True


class Document(types.TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(postgresql.JSONB() if dialect.name == "postgresql" else Text())


class Point(types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "POINT"


def column(*arguments: Any, **options: Any) -> dict[str, Any]:
    """How a column stands in the snapshot."""
    data = snapshot(Table("t", MetaData(), Column("c", *arguments, **options)))
    found: dict[str, Any] = data["t"]["columns"][0]
    assert found.pop("name") == "c"
    return found


def snapshot(*tables: Table) -> dict[str, Any]:
    """The tables of a snapshot, after it was read back."""
    metadata = {id(table.metadata): table.metadata for table in tables}
    written = schema_of(metadata.values()).to_json()
    assert Schema.from_json(written).to_json() == written
    found: dict[str, Any] = json.loads(written)["tables"]
    return found


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (Integer(), "INTEGER"),
        (BigInteger(), "BIGINT"),
        (String(20), "VARCHAR(20)"),
        (String(20, collation="C"), 'VARCHAR(20) COLLATE "C"'),
        (Text(), "TEXT"),
        (Numeric(10, 2), "NUMERIC(10, 2)"),
        (Float(), "FLOAT"),
        (Float(53), "FLOAT(53)"),
        (Boolean(), "BOOLEAN"),
        (DateTime(), "DATETIME"),
        (DateTime(timezone=True), "DATETIME WITH TIME ZONE"),
        (Interval(), "INTERVAL"),
        (Uuid(), "UUID"),
        (ARRAY(String(3)), "VARCHAR(3)[]"),
        (ARRAY(Integer, dimensions=2), "INTEGER[][]"),
        (Money(), "NUMERIC(12, 2)"),
        (Point(), "POINT"),
        (postgresql.JSONB(), "JSONB"),
        (postgresql.TSTZRANGE(), "TSTZRANGE"),
        (postgresql.TIMESTAMP(timezone=True), "TIMESTAMP WITH TIME ZONE"),
        (mysql.INTEGER(unsigned=True), "INTEGER UNSIGNED"),
        (mysql.TINYINT(1), "TINYINT(1)"),
        (mysql.DATETIME(fsp=6), "DATETIME(6)"),
    ],
    ids=repr,
)
def test_a_type_is_told_as_sql(type_: Any, expected: str) -> None:
    found = column(type_)
    assert found["type"] == expected
    assert found.get("type_on", {}).items() <= {"postgresql": "NUMERIC(12, 2)"}.items()


def test_what_a_dialect_has_instead_is_told() -> None:
    assert column(Document())["type_on"] == {"postgresql": "JSONB"}
    varied = String(10).with_variant(mysql.TINYTEXT(), "mysql")
    assert column(varied) == {"type": "VARCHAR(10)", "nullable": True, "type_on": {"mysql": "TINYTEXT"}}
    other = String(10).with_variant(String(7), "mariadb").with_variant(Integer(), "of_a_package_that_is_not_here")
    assert column(other)["type_on"] == {"mariadb": "VARCHAR(7)", "of_a_package_that_is_not_here": "INTEGER"}


def test_enumerated_types_have_their_values() -> None:
    assert column(Enum(Status))["enum"] == {"values": ["NEW", "OLD"], "name": "status"}
    assert column(Enum("a", "b", name="letter"))["enum"] == {"values": ["a", "b"], "name": "letter"}
    assert column(ARRAY(Enum("a", "b", name="letter")))["type"] == "ENUM[]"
    assert column(mysql.SET("x", "y"))["enum"] == {"values": ["x", "y"]}


@pytest.mark.parametrize(
    ("default", "expected"),
    [("it's", "'it''s'"), ("0", "'0'"), (text("0"), "0"), (func.now(), "now()"), (text("now()"), "now()")],
    ids=str,
)
def test_defaults_of_the_server_are_sql(default: Any, expected: str) -> None:
    assert column(Integer, server_default=default)["default"] == expected


def test_what_python_alone_fills_in_is_no_part_of_the_schema() -> None:
    assert column(Integer, default=7, onupdate=8, info={"x": 1}, doc="x") == {"type": "INTEGER", "nullable": True}


def test_computed_identity_and_sequence() -> None:
    assert column(Integer, Computed("a + 1", persisted=True)) == {
        "type": "INTEGER",
        "nullable": True,
        "computed": "a + 1",
        "options": {"computed": "STORED"},
    }
    found = column(Integer, Identity(always=True, start=5), nullable=False)
    assert found["options"] == {"identity": "ALWAYS", "identity_start": "5"}
    assert column(Integer, Sequence("ids"))["options"] == {"sequence": "ids"}


def test_comments() -> None:
    table = Table("t", MetaData(), Column("c", Integer, comment="über\nzwei"), comment="of the table")
    assert snapshot(table)["t"]["comment"] == "of the table"
    assert snapshot(table)["t"]["columns"][0]["comment"] == "über\nzwei"


def test_keys_and_constraints() -> None:
    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"})
    Table("b", metadata, Column("x", Integer, primary_key=True), Column("y", Integer, primary_key=True))
    a = Table(
        "a",
        metadata,
        Column("z", Integer, CheckConstraint("z > 0", name="positive")),
        Column("y", Integer),
        Column("x", Integer, unique=True),
        PrimaryKeyConstraint("y", "x"),
        ForeignKeyConstraint(["x", "y"], ["b.x", "b.y"], ondelete="CASCADE", deferrable=True, name="to_b"),
        UniqueConstraint("z", "y", name="uq"),
    )
    found = snapshot(a)["a"]
    assert [item["name"] for item in found["columns"]] == ["z", "y", "x"]
    assert found["primary_key"] == {"columns": ["y", "x"], "name": "pk_a"}
    assert found["foreign_keys"] == [
        {
            "columns": ["x", "y"],
            "table": "b",
            "referred": ["x", "y"],
            "name": "to_b",
            "options": {"deferrable": "True", "ondelete": "CASCADE"},
        }
    ]
    assert found["uniques"] == [{"columns": ["x"]}, {"columns": ["z", "y"], "name": "uq"}]
    assert found["checks"] == [{"sql": "z > 0", "name": "ck_a_positive"}]


def test_indexes_with_expressions_and_options() -> None:
    table = Table("t", MetaData(), Column("a", String), Column("b", String))
    Index("ix_lower", func.lower(table.c.a), table.c.b, unique=True)
    Index("ix_part", table.c.b, postgresql_where=table.c.a == "x", postgresql_using="gin")
    lower, part = snapshot(table)["t"]["indexes"]
    assert lower == {"columns": ["lower(a)", "b"], "name": "ix_lower", "unique": True, "expressions": ["lower(a)"]}
    assert part["options"] == {"postgresql_using": "gin", "postgresql_where": "a = 'x'"}
    assert not Schema.from_json(schema_of([table.metadata]).to_json()).tables[0].is_unique(("b",))


def test_schemas_odd_names_and_a_foreign_key_to_nowhere() -> None:
    metadata = MetaData()
    Table("my.table", metadata, Column("a.b", Integer, primary_key=True), schema="s 1")
    Table(
        'say "x"',
        metadata,
        Column("é|\n", Integer, ForeignKey(metadata.tables["s 1.my.table"].c["a.b"]), key="another"),
        Column("gone", Integer, ForeignKey("gone.id")),
    )
    found = snapshot(*metadata.tables.values())
    assert set(found) == {"s 1.my.table", 'say "x"'}
    keys = {key["columns"][0]: (key["table"], key["referred"]) for key in found['say "x"']["foreign_keys"]}
    assert keys == {"é|\n": ("s 1.my.table", ["a.b"]), "gone": ("gone", ["id"])}


def test_a_table_without_columns_or_key() -> None:
    bare = Table("bare", MetaData(naming_convention={"pk": "pk_%(table_name)s"}))
    assert snapshot(bare) == {"bare": {"name": "bare"}}


def test_each_part_of_a_table_is_one_line() -> None:
    table = Table("t", MetaData(), Column("a", Enum("x", "y", name="e"), primary_key=True), mysql_engine="InnoDB")
    assert schema_of([table.metadata]).to_json().splitlines()[3:-2] == [
        '    "t": {',
        '      "name": "t",',
        '      "columns": [',
        '        {"name": "a", "type": "ENUM", "nullable": false, "enum": {"values": ["x", "y"], "name": "e"}}',
        "      ],",
        '      "primary_key": {"columns": ["a"]},',
        '      "options": {"mysql_engine": "InnoDB"}',
        "    }",
    ]


@pytest.mark.parametrize("written", ["", "{}", "[]", "null", '{"format": 1}', '{"format": 99, "tables": {}}', "<<<<"])
def test_what_is_no_snapshot_is_refused(written: str) -> None:
    with pytest.raises(ConfigError):
        Schema.from_json(written)


def test_the_bytes_do_not_depend_on_the_hash_seed(shop: MiniProject) -> None:
    texts = set()
    for seed in ("0", "1", "2"):
        shop.env["PYTHONHASHSEED"] = seed
        shop.ok("database_clear_metadata", "database_metadata")
        texts.add(shop.read(".framefox_tasks/metadata.json"))
    assert len(texts) == 1


LIVE_TYPES: dict[str, Callable[[], list[Column[Any]]]] = {
    "sqlite": lambda: [Column("a", Integer), Column("b", String(9), server_default="x")],
    "postgresql": lambda: [Column("a", postgresql.JSONB), Column("b", DateTime(timezone=True)), Column("c", Uuid)],
    "mysql": lambda: [Column("a", mysql.INTEGER(unsigned=True)), Column("b", mysql.SET("x", "y"), comment="two")],
}


def test_a_live_schema_has_the_types_of_its_dialect(project: MiniProject, database: Database) -> None:
    project.ok("database_create")
    from sqlalchemy import create_engine

    from framefox_tasks.databases import database_of
    from framefox_tasks.databases.drivers import sqlalchemy_url
    from framefox_tasks.settings import load_settings

    target = load_settings(project.path, environ={"DATABASE_URL": database.url}).target
    metadata = MetaData()
    parent = Table("parent", metadata, Column("id", Integer, primary_key=True), mysql_engine="InnoDB")
    columns = LIVE_TYPES[database.dialect]()
    Table("child", metadata, Column("id", Integer, ForeignKey(parent.c.id), primary_key=True), *columns)
    metadata.create_all(engine := create_engine(sqlalchemy_url(target, database_of(target))))
    engine.dispose()
    child, found_parent = live_schema(target).tables
    types_of = {item.name: item.type for item in child.columns}
    expected = {
        "sqlite": {"a": "INTEGER", "b": "VARCHAR(9)"},
        "postgresql": {"a": "JSONB", "b": "TIMESTAMP WITH TIME ZONE", "c": "UUID"},
        "mysql": {"a": "INTEGER(10) UNSIGNED", "b": "SET('x','y')"},
    }
    assert types_of.items() >= expected[database.dialect].items()
    assert found_parent.primary_key.columns == ("id",)
    assert child.foreign_keys[0].table == "parent"
    assert child.is_unique(("id",))


class Picky(types.TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        if dialect.name != "postgresql":
            raise ValueError("only for PostgreSQL")
        return dialect.type_descriptor(postgresql.JSONB())


class Nameless(types.UserDefinedType[str]):
    cache_ok = True

    def __init__(self, thing: object) -> None:
        self.thing = thing


def test_a_type_that_raises_or_has_no_sql_is_told_all_the_same() -> None:
    assert column(Picky())["type_on"] == {"postgresql": "JSONB"}
    assert column(Nameless(object()))["type"] == "Nameless"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Enum("a", "b", name="e"), Enum("a", "b", name="e", native_enum=False)),
        (Enum("a", "b", name="e"), Enum("a", "b", name="e", length=9)),
        (Enum("a", "b", name="e"), Enum("a", "b", name="e", schema="s")),
        (Uuid(), Uuid(native_uuid=False)),
        (Interval(), Interval(native=False)),
        (ARRAY(String(3)), ARRAY(String(3).with_variant(postgresql.CITEXT(), "postgresql"))),
        (String(9), String(9, collation="C")),
    ],
)
def test_types_that_make_another_column_are_told_apart(one: Any, other: Any) -> None:
    assert column(one) != column(other)


def test_constraints_that_differ_are_told_apart() -> None:
    def keys(*constraints: Any) -> dict[str, Any]:
        table = Table("t", MetaData(), Column("a", Integer), Column("b", postgresql.INT4RANGE), *constraints)
        found: dict[str, Any] = snapshot(table)["t"]
        return found

    plain = keys(UniqueConstraint("a"))
    assert keys(UniqueConstraint("a", deferrable=True)) != plain
    assert keys(UniqueConstraint("a", postgresql_nulls_not_distinct=True)) != plain
    excluded = keys(postgresql.ExcludeConstraint(("b", "&&"), name="no_overlap"))
    assert excluded["checks"] == [{"sql": "CONSTRAINT no_overlap EXCLUDE USING gist (b WITH &&)", "name": "no_overlap"}]
