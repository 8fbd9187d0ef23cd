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


KEYS = {
    "sqlite": [
        ("BLOB", "x'00ff'"), ("BLOB", "'text'"), ("DATETIME", "'2020-01-01T10:00:00Z'"), ("TIME", "'10:00'"),
        ("BOOLEAN", "'t'"), ("UUID", "'6F1C9B2E00004000800000000000ABCD'"), ("", "5"), ("DECIMAL(9, 2)", "1.10"),
        ("REAL", "0.1"), ("BIGINT", "9223372036854775807"), ("TEXT", "'a''b\\'"),
    ],
    "postgresql": [
        ("bytea", "'\\x00ff5c'"), ("real", "0.1"), ("double precision", "0.1"), ("numeric", "1.500"), ("money", "1.5"),
        ("timestamptz", "'2020-01-01 10:00:00.5+02'"), ("bit(4)", "B'0101'"), ("boolean", "true"), ("bigint", "-7"),
        ("uuid", "'6f1c9b2e-0000-4000-8000-00000000abcd'"), ("text", "E'a\\\\b''c\\t'"),
        ("integer[]", "'{1,NULL,-3}'"), ("text[]", "ARRAY['a b', 'c\"d', '\\', 'x,y']"), ("inet", "'10.0.0.1/8'"),
        ("interval", "'1 mon 2 days 03:04:05.6'"), ("jsonb", "'{\"a\": [1.50, null]}'"), ("int4range", "'[1,5)'"),
        ("pair", "ROW(1, 'a \"b')"), ("mood[]", "'{\"so so\",well}'"), ("char(5)", "'ab'"), ("date", "'2020-02-29'"),
        ("citext", "'Äb'"), ("timetz", "'10:00:00.5+05:30'"), ("oid", "4294967295"), ("macaddr", "'08:00:2b:01:02:03'"),
    ],
    "mysql": [
        ("binary(16)", "x'00112233445566778899aabbccddee5c'"), ("varbinary(9)", "x'5c27'"), ("bit(4)", "b'0101'"),
        ("float", "0.1"), ("double", "0.1"), ("bigint unsigned", "18446744073709551615"), ("decimal(9,3)", "1.500"),
        ("datetime(6)", "'2020-01-01 10:00:00.5'"), ("timestamp NULL", "'2020-01-01 10:00:00'"), ("year", "2020"),
        ("enum('a','b''c')", "'b''c'"), ("varchar(9)", "'a\\\\b''c\\t'"),
    ],
}  # fmt: skip


BEFORE = {
    "postgresql": [
        "CREATE EXTENSION citext",
        "CREATE TYPE pair AS (a integer, b text)",
        "CREATE TYPE mood AS ENUM ('so so', 'well')",
    ]
}


@pytest.mark.server
@pytest.mark.parametrize("onto", DIALECTS)
@pytest.mark.parametrize("kind", DIALECTS)
def test_keys_of_every_type_are_found_again(make_database: MakeDatabase, kind: str, onto: str) -> None:
    statements = BEFORE.get(kind, [])[:]
    for number, (type_, value) in enumerate(KEYS[kind]):
        never = type_.removesuffix(" NULL") + " NOT NULL"
        statements += [
            f"CREATE TABLE one{number} (k {never} PRIMARY KEY)",
            f"CREATE TABLE two{number} (k {never}, n integer NOT NULL, PRIMARY KEY (k, n))",
            f"CREATE TABLE child{number} (id integer PRIMARY KEY, k {type_}, n integer, "
            f"FOREIGN KEY (k) REFERENCES one{number} (k), FOREIGN KEY (k, n) REFERENCES two{number} (k, n))",
            f"INSERT INTO one{number} VALUES ({value})",
            f"INSERT INTO two{number} VALUES ({value}, 1), ({value}, 2)",
            f"INSERT INTO child{number} VALUES (1, {value}, 1), (2, NULL, NULL)",
        ]
    source, target = made(make_database(kind), *statements), make_database(onto, "copy")
    where = tuple((f"child{number}", "id = 1") for number in range(len(KEYS[kind])))
    done = copy(target_of(source), target_of(target), options=CopyOptions(where=where, only_related="0", verify=True))
    assert [(table.name, table.rows) for table in done.tables if table.rows != 1] == []
    options = CopyOptions(sample="100%", overwrite=True)
    done = copy(target_of(source), target_of(target), options=options)
    rows = {(table.name.rstrip("0123456789"), table.rows) for table in done.tables}
    assert rows == {("one", 1), ("two", 1), ("child", 2)}  # what no child needs is not there


def test_tables_in_a_cycle_are_sampled_too(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE team (id integer PRIMARY KEY, lead integer REFERENCES member (id))",
        "CREATE TABLE member (id integer PRIMARY KEY, team integer REFERENCES team (id), town integer REFERENCES town)",
        "CREATE TABLE town (id integer PRIMARY KEY)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
        "INSERT INTO town SELECT i FROM n",
        "INSERT INTO team SELECT id, NULL FROM town",
        "INSERT INTO member SELECT id, id, id FROM town",
        "UPDATE team SET lead = id",
    )
    target = make_database("sqlite", "copy")
    done = copy(target_of(source), target_of(target), options=CopyOptions(sample="10%"))
    rows = {table.name: table.rows for table in done.tables}
    assert 10 <= rows["team"] == rows["member"] == rows["town"] <= 20


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
