"""A schema in another kind of database: tables, keys, numbers."""

from __future__ import annotations

import pytest
from support.copying import made
from support.databases import Database, MakeDatabase
from support.translating import DIRECTIONS, NUMBERED, build, inspected, plan_of, translated

SHOP = (
    "CREATE TABLE region (country varchar(2), code varchar(10), PRIMARY KEY (country, code))",
    "CREATE TABLE customer (id {numbered}, name varchar(40) NOT NULL, country varchar(2), code varchar(10), "
    "friend_id integer, favourite_id integer, CONSTRAINT uq_customer_name UNIQUE (name, country), "
    "CONSTRAINT fk_region FOREIGN KEY (country, code) REFERENCES region (country, code) ON DELETE CASCADE, "
    "CONSTRAINT fk_friend FOREIGN KEY (friend_id) REFERENCES customer (id) ON DELETE SET NULL)",
    "CREATE TABLE product (id {numbered}, owner_id integer NOT NULL, "
    "CONSTRAINT fk_owner FOREIGN KEY (owner_id) REFERENCES customer (id))",
    "CREATE INDEX ix_customer_code ON customer (code, name)",
    "CREATE TABLE note (body varchar(20))",
)
CYCLE = "ALTER TABLE customer ADD CONSTRAINT fk_favourite FOREIGN KEY (favourite_id) REFERENCES product (id)"
CYCLE_INLINE = "CONSTRAINT fk_favourite FOREIGN KEY (favourite_id) REFERENCES product (id), CONSTRAINT fk_region"


def shop(database: Database) -> Database:
    statements = [statement.format(numbered=NUMBERED[database.dialect]) for statement in SHOP]
    if database.dialect == "sqlite":
        return made(database, *(one.replace("CONSTRAINT fk_region", CYCLE_INLINE) for one in statements))
    return made(database, *statements, CYCLE)


@pytest.fixture(params=DIRECTIONS, ids="-to-".join)
def direction(request: pytest.FixtureRequest, make_database: MakeDatabase) -> tuple[Database, Database]:
    source, target = request.param
    return make_database(source, "source"), make_database(target, "target")


def test_the_keys_of_a_schema_with_cycles_are_those_of_its_source(direction: tuple[Database, Database]) -> None:
    source, target = direction
    schema = translated(shop(source), target.dialect)
    assert build(schema, target) == []
    found = inspected(target)
    assert set(found.get_table_names()) == {"customer", "note", "product", "region"}
    assert found.get_pk_constraint("region")["constrained_columns"] == ["country", "code"]
    assert found.get_pk_constraint("note")["constrained_columns"] == []
    keys = {
        key["name"]: (key["constrained_columns"], key["referred_table"], key["options"].get("ondelete"))
        for key in found.get_foreign_keys("customer")
    }
    assert keys == {
        "fk_region": (["country", "code"], "region", "CASCADE"),
        "fk_friend": (["friend_id"], "customer", "SET NULL"),
        "fk_favourite": (["favourite_id"], "product", None),
    }
    assert ["name", "country"] in [unique["column_names"] for unique in found.get_unique_constraints("customer")]
    assert ["code", "name"] in [index["column_names"] for index in found.get_indexes("customer")]
    nullable = {column["name"]: column["nullable"] for column in found.get_columns("customer")}
    assert not nullable["id"]
    assert not nullable["name"]
    assert nullable["code"]


def test_a_plan_tells_the_keys_of_the_source(direction: tuple[Database, Database]) -> None:
    source, target = direction
    schema = translated(shop(source), target.dialect)
    labels = [plan.label for plan in schema.tables]
    assert sorted(labels) == ["customer", "note", "product", "region"]
    assert labels.index("region") < labels.index("customer")
    plan = plan_of(schema, "customer")
    assert plan.primary_key == ("id",)
    assert ("name", "country") in plan.uniques
    assert {(key.columns, key.table.name, key.referred) for key in plan.foreign_keys} == {
        (("country", "code"), "region", ("country", "code")),
        (("friend_id",), "customer", ("id",)),
        (("favourite_id",), "product", ("id",)),
    }
    assert [field.name for field in plan.source.fields] == [field.name for field in plan.target.fields]
    assert [field.kind for field in plan.source.fields] == [field.kind for field in plan.target.fields]
    assert schema.not_carried == () or source.dialect == "mysql"


def test_numbers_go_on_where_the_source_would_go_on(direction: tuple[Database, Database]) -> None:
    source, target = direction
    numbered = NUMBERED[source.dialect]
    made(source, f"CREATE TABLE item (id {numbered}, a integer)", "INSERT INTO item (a) VALUES (1), (2), (3)")
    source.execute("DELETE FROM item WHERE a = 3")
    schema = translated(source, target.dialect)
    assert build(schema, target) == []
    target.execute("INSERT INTO item (a) VALUES (5)")
    assert target.execute("SELECT id FROM item") == [(4,)]


def test_numbers_go_on_past_the_rows_that_came_meanwhile(direction: tuple[Database, Database]) -> None:
    source, target = direction
    made(source, f"CREATE TABLE item (id {NUMBERED[source.dialect]}, a integer)")
    schema = translated(source, target.dialect)
    made(target)
    for statement in schema.before:
        target.execute(statement.sql)
    target.execute("INSERT INTO item (id, a) VALUES (41, 0)")
    for statement in (*(one for listed in schema.after for one in listed), *schema.last):
        target.execute(statement.sql)
    target.execute("INSERT INTO item (a) VALUES (5)")
    assert target.execute("SELECT id FROM item WHERE a = 5") == [(42,)]


def test_a_foreign_key_to_a_table_that_is_not_chosen_is_told(direction: tuple[Database, Database]) -> None:
    source, target = direction
    schema = translated(shop(source), target.dialect, lambda name: name.name in ("customer", "note"))
    assert build(schema, target) == []
    assert [plan.label for plan in schema.tables] == ["customer", "note"]
    assert {key.table.name for key in plan_of(schema, "customer").foreign_keys} == {"customer"}
    assert "foreign key fk_region of customer: region is not copied" in schema.not_carried
    assert "foreign key fk_favourite of customer: product is not copied" in schema.not_carried


def test_the_same_source_gives_the_same_statements(direction: tuple[Database, Database]) -> None:
    source, target = direction
    shop(source)
    assert translated(source, target.dialect) == translated(source, target.dialect)


@pytest.mark.server
def test_foreign_keys_of_two_types_get_one(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE parent (id bigint unsigned AUTO_INCREMENT PRIMARY KEY)",
        "CREATE TABLE child (parent_id bigint unsigned, FOREIGN KEY (parent_id) REFERENCES parent (id))",
    )
    target = make_database("postgresql")
    schema = translated(source, "postgresql")
    assert build(schema, target) == []
    types = {
        column["name"]: str(column["type"])
        for table in ("parent", "child")
        for column in inspected(target).get_columns(table)
    }
    assert types == {"id": "BIGINT", "parent_id": "BIGINT"}
    assert "parent_id: bigint(20) unsigned becomes bigint" in plan_of(schema, "child").changes
