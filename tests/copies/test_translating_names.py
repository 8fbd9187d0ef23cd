"""Names that another database cannot have: too long, taken, alike but for capital letters, in another schema."""

from __future__ import annotations

import pytest
from support.copying import made
from support.databases import MakeDatabase
from support.translating import build, inspected, plan_of, translated

from framefox_tasks.databases.rows import Name


@pytest.mark.server
@pytest.mark.parametrize("target", ["sqlite", "mysql"])
def test_schemas_become_part_of_the_name(target: str, make_database: MakeDatabase) -> None:
    source = made(
        make_database("postgresql"),
        "CREATE SCHEMA shop",
        "CREATE TABLE item (id integer PRIMARY KEY)",
        "CREATE TABLE shop.item (id integer PRIMARY KEY REFERENCES item)",
        "CREATE TABLE shop_item (id integer PRIMARY KEY)",
        "CREATE TABLE shop.other (item integer REFERENCES shop.item)",
    )
    schema = translated(source, target)
    copy = make_database(target)
    assert build(schema, copy) == []
    assert copy.tables() == {"item", "shop_item", "shop_item_2", "shop_other"}
    assert plan_of(schema, "shop.item").source.name == Name("item", "shop")
    assert plan_of(schema, "shop.item").target.name == Name("shop_item_2")
    assert plan_of(schema, "shop.item").changes == ("is named shop_item_2",)
    [key] = inspected(copy).get_foreign_keys("shop_other")
    assert key["referred_table"] == "shop_item_2"


@pytest.mark.server
@pytest.mark.parametrize("target", ["sqlite", "mysql"])
def test_names_that_differ_in_capital_letters_are_told_apart(target: str, make_database: MakeDatabase) -> None:
    source = made(
        make_database("postgresql"),
        'CREATE TABLE "Item" (id integer, "Word" text, word text)',
        "CREATE TABLE item (id integer)",
    )
    schema = translated(source, target)
    copy = make_database(target)
    assert build(schema, copy) == []
    assert copy.tables() == {"item", "Item_2"}
    assert plan_of(schema, "item").changes == ()
    assert set(plan_of(schema, "Item").changes) == {"is named Item_2", "Word: is named Word_2"}
    assert [field.name for field in plan_of(schema, "Item").target.fields] == ["id", "Word_2", "word"]


@pytest.mark.server
def test_long_names_are_shortened_and_stay_unlike(make_database: MakeDatabase) -> None:
    long = "ж" * 40
    source = made(
        make_database("mysql"),
        f"CREATE TABLE {long}1 (id int PRIMARY KEY, {long}a int, {long}b int, KEY {long}k ({long}a))",
        f"CREATE TABLE {long}2 (id int, CONSTRAINT {long}f FOREIGN KEY (id) REFERENCES {long}1 (id))",
    )
    schema = translated(source, "postgresql")
    copy = make_database("postgresql")
    assert build(schema, copy) == []
    tables = {plan.label: plan.target.name.name for plan in schema.tables}
    assert copy.tables() == set(tables.values())
    assert all(name.startswith("ж" * 27 + "_") for name in tables.values())
    assert f"is named {tables[long + '1']}" in plan_of(schema, f"{long}1").changes
    assert len(inspected(copy).get_foreign_keys(tables[f"{long}2"])) == 1
    assert len({field.name for field in plan_of(schema, f"{long}1").target.fields}) == 3


@pytest.mark.server
@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_index_names_that_mysql_has_once_a_table_become_unlike(target: str, make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE a (x int, KEY idx (x))",
        "CREATE TABLE b (x int, KEY idx (x), KEY a (x))",
    )
    schema = translated(source, target)
    copy = make_database(target)
    assert build(schema, copy) == []
    names = {index["name"] for table in ("a", "b") for index in inspected(copy).get_indexes(table)}
    assert names == {"idx", "b_idx", "b_a"}
    assert set(plan_of(schema, "b").changes) == {"index idx is named b_idx", "index a is named b_a"}


@pytest.mark.parametrize("target", ["postgresql", "mysql"])
def test_odd_names_are_quoted(target: str, make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        'CREATE TABLE "a.b ""c% :x" ("x.y %s" integer PRIMARY KEY, "order" text, "it\'s" int CHECK ("it\'s" > 1))',
        'CREATE TABLE "select" (id int REFERENCES "a.b ""c% :x" ("x.y %s"))',
        'CREATE INDEX "an index" ON "a.b ""c% :x" ("order", "x.y %s")',
    )
    schema = translated(source, target)
    copy = make_database(target)
    assert build(schema, copy) == []
    assert copy.tables() == {'a.b "c% :x', "select"}
    assert {column["name"] for column in inspected(copy).get_columns('a.b "c% :x')} == {"x.y %s", "order", "it's"}
    assert len(inspected(copy).get_foreign_keys("select")) == 1
