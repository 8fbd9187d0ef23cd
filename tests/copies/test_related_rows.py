"""Small copies: some rows, all that they refer to, and what refers to them as deep as asked; foreign keys whole."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions

# maker <- product <- line -> sold -> customer; a product has a kind, kinds and people are circular; audit has no keys.
SHOP = (
    "CREATE TABLE maker (id integer PRIMARY KEY)",
    "CREATE TABLE kind (code varchar(9), n integer, above varchar(9), above_n integer, PRIMARY KEY (code, n), "
    "FOREIGN KEY (above, above_n) REFERENCES kind (code, n))",
    "CREATE TABLE product (id integer PRIMARY KEY, maker_id integer REFERENCES maker (id), code varchar(9), n integer, "
    "FOREIGN KEY (maker_id) REFERENCES maker (id), FOREIGN KEY (code, n) REFERENCES kind (code, n))",
    "CREATE TABLE customer (id integer PRIMARY KEY)",
    "CREATE TABLE sold (id integer PRIMARY KEY, customer_id integer NOT NULL, "
    "FOREIGN KEY (customer_id) REFERENCES customer (id))",
    "CREATE TABLE line (id integer PRIMARY KEY, sold_id integer, product_id integer, "
    "FOREIGN KEY (sold_id) REFERENCES sold (id), FOREIGN KEY (product_id) REFERENCES product (id))",
    "CREATE TABLE audit (id integer PRIMARY KEY)",
    "INSERT INTO maker VALUES (1), (2), (3)",
    "INSERT INTO kind VALUES ('it''s', 1, NULL, NULL), ('b', 2, 'it''s', 1), ('c', 3, 'b', 2), ('d', 4, NULL, NULL)",
    "UPDATE kind SET above = 'c', above_n = 3 WHERE n = 1",
    "INSERT INTO product VALUES (1, 1, 'b', 2), (2, 2, 'd', 4), (3, NULL, NULL, NULL)",
    "INSERT INTO customer VALUES (1), (2), (3)",
    "INSERT INTO sold VALUES (10, 1), (20, 2), (30, 3)",
    "INSERT INTO line VALUES (100, 10, 1), (101, 10, 2), (200, 20, 2), (300, 30, 3)",
    "INSERT INTO audit VALUES (1)",
)


def copied(source: Database, target: Database, options: CopyOptions) -> dict[str, list[int]]:
    plan = plan_copy(target_of(source), target_of(target), options=options)
    copy(target_of(source), target_of(target), options=options)
    found = {table: [row[0] for row in target.execute(f"SELECT id FROM {table} ORDER BY 1")]
             for table in ("maker", "product", "customer", "sold", "line", "audit")}  # fmt: skip
    found["kind"] = [row[0] for row in target.execute("SELECT n FROM kind ORDER BY 1")]
    assert {table.name: table.rows for table in plan.tables} == {table: len(rows) for table, rows in found.items()}
    return {table: rows for table, rows in found.items() if rows}


@pytest.mark.server
@pytest.mark.parametrize("onto", DIALECTS)
@pytest.mark.parametrize("kind", DIALECTS)
def test_what_rows_need_and_what_hangs_on_them(make_database: MakeDatabase, kind: str, onto: str) -> None:
    source = made(make_database(kind), *SHOP)
    one = (("product", "id = 1"),)
    wanted = {"maker": [1], "kind": [1, 2, 3], "product": [1]}
    assert copied(source, make_database(onto, "none"), CopyOptions(where=one, only_related="0")) == wanted
    wanted |= {"line": [100], "sold": [10], "customer": [1]}
    assert copied(source, make_database(onto, "all"), CopyOptions(where=one, only_related="all", verify=True)) == wanted


def test_as_deep_as_asked(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), *SHOP)
    one = (("customer", "id = 2"),)
    deep = [
        copied(source, make_database("sqlite", f"to{depth}"), CopyOptions(where=one, only_related=str(depth)))
        for depth in range(3)
    ]
    assert deep[0] == {"customer": [2]}
    assert deep[1] == {"customer": [2], "sold": [20]}
    assert deep[2] == {"customer": [2], "sold": [20], "line": [200], "product": [2], "maker": [2], "kind": [4]}


def test_a_sample_is_the_same_each_time_and_whole(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), *SHOP)
    first, again = (copied(source, make_database("sqlite", name), CopyOptions(sample="line=2")) for name in ("a", "b"))
    assert first == again
    assert len(first["line"]) == 2
    half = copied(source, make_database("sqlite", "half"), CopyOptions(sample="50%"))
    assert len(half["line"]) == 2
    assert half["line"] == first["line"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CopyOptions(only_related="1"), "--only-related needs rows to begin with."),
        (CopyOptions(only_related="deep", where=(("line", "id = 1"),)), "--only-related must be a number"),
        (CopyOptions(sample="many"), "--sample must be a share as 5%, or table=1000, not 'many'."),
        (CopyOptions(sample="200%"), "--sample must be a share as 5%"),
        (CopyOptions(sample="lime=3"), "--sample=lime=3 names nothing that the source has."),
    ],
)
def test_what_cannot_be_chosen(make_database: MakeDatabase, options: CopyOptions, message: str) -> None:
    source = made(make_database("sqlite"), *SHOP)
    with pytest.raises(ConfigError) as caught:
        plan_copy(target_of(source), target_of(make_database("sqlite", "copy")), options=options)
    assert message in caught.value.message
