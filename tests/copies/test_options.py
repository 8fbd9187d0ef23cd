"""What of a database is copied: tables, rows, masks; within each dialect, and from one to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.copying import copy, made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks import copies
from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import ConfigError, CopyError, TargetNotEmptyError
from framefox_tasks.model import CopyOptions, Mask
from framefox_tasks.results import Copied

PAIRS = [
    ("sqlite", "sqlite"),
    ("postgresql", "postgresql"),
    ("mysql", "mysql"),
    ("sqlite", "postgresql"),
    ("postgresql", "mysql"),
    ("mysql", "sqlite"),
]
SCHEMA = (
    "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)",
    "CREATE TABLE customer (id integer NOT NULL PRIMARY KEY, email varchar(60) NOT NULL UNIQUE, name varchar(40))",
    "CREATE TABLE purchase (id integer NOT NULL PRIMARY KEY, customer_id integer NOT NULL, total numeric(10,2), "
    "FOREIGN KEY (customer_id) REFERENCES customer (id))",
    "CREATE TABLE purchase_line (purchase_id integer NOT NULL, number integer NOT NULL, "
    "PRIMARY KEY (purchase_id, number), FOREIGN KEY (purchase_id) REFERENCES purchase (id))",
    "CREATE TABLE review (id integer NOT NULL PRIMARY KEY, purchase_id integer, answers integer, "
    "FOREIGN KEY (purchase_id) REFERENCES purchase (id) ON DELETE SET NULL, "
    "FOREIGN KEY (answers) REFERENCES review (id))",
    "CREATE TABLE audit_log (id integer NOT NULL PRIMARY KEY, note varchar(40))",
)
ROWS = (
    "INSERT INTO alembic_version VALUES ('1a2b3c4d5e6f')",
    "INSERT INTO customer VALUES (1, 'ann@shop.test', 'Ann'), (2, 'bob@shop.test', NULL)",
    "INSERT INTO purchase VALUES (1, 1, 10.00), (2, 2, 20.50), (3, 2, 99.99)",
    "INSERT INTO purchase_line VALUES (1, 1), (2, 1), (2, 2), (3, 1)",
    "INSERT INTO review VALUES (1, 1, NULL), (2, 3, NULL), (3, NULL, 2)",
    "INSERT INTO audit_log VALUES (1, 'secret'), (2, 'secret')",
)


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest, make_database: MakeDatabase) -> tuple[Database, Database]:
    source, target = (
        make_database(dialect, name) for dialect, name in zip(request.param, ("shop", "copy"), strict=True)
    )
    return made(source, *SCHEMA, *ROWS), target


def copied(pair: tuple[Database, Database], options: CopyOptions = CopyOptions()) -> Copied:  # noqa: B008 - frozen
    source, target = pair
    return copy(target_of(source), target_of(target), options=options)


def rows(result: Copied) -> dict[str, int]:
    return {table.name: table.rows for table in result.tables}


def test_a_whole_database(pair: tuple[Database, Database]) -> None:
    result = copied(pair, CopyOptions(verify=True))
    assert rows(result) == {
        "alembic_version": 1,
        "customer": 2,
        "purchase": 3,
        "purchase_line": 4,
        "review": 3,
        "audit_log": 2,
    }
    assert {table.verified for table in result.tables} == {"values"}
    assert pair[1].revision() == ["1a2b3c4d5e6f"]
    assert pair[1].execute("SELECT count(*) FROM purchase_line") == [(4,)]
    with pytest.raises(TargetNotEmptyError, match="holds 6 tables") as caught:
        copied(pair)
    assert "--overwrite" in str(caught.value)
    pair[0].execute("DELETE FROM audit_log")
    assert rows(copied(pair, CopyOptions(overwrite=True)))["audit_log"] == 0


def test_chosen_tables_and_the_version(pair: tuple[Database, Database]) -> None:
    result = copied(pair, CopyOptions(tables=("purchase*",)))
    assert rows(result) == {"alembic_version": 1, "purchase": 3, "purchase_line": 4}
    assert pair[1].tables() == {"alembic_version", "purchase", "purchase_line"}
    assert any("customer" in phrase for phrase in result.not_carried)
    with pytest.raises(ConfigError, match="custmer") as caught:
        copied(pair, CopyOptions(tables=("custmer",), overwrite=True))
    assert "customer" in str(caught.value)


def test_an_excluded_table_is_empty(pair: tuple[Database, Database]) -> None:
    options = CopyOptions(exclude=("audit_*",))
    source, target = map(target_of, pair)
    planned = {table.name: table for table in plan_copy(source, target, options=options).tables}
    assert "its rows are left out" in planned["audit_log"].changes
    result = copied(pair, options)
    assert rows(result)["audit_log"] == 0
    assert rows(result)["customer"] == 2
    assert pair[1].execute("SELECT count(*) FROM audit_log") == [(0,)]


def test_the_schema_alone_keeps_the_revision(pair: tuple[Database, Database]) -> None:
    result = copied(pair, CopyOptions(schema_only=True))
    assert {name: count for name, count in rows(result).items() if count} == {"alembic_version": 1}
    assert pair[1].revision() == ["1a2b3c4d5e6f"]
    assert pair[1].tables() == {statement.split()[2] for statement in SCHEMA}
    assert pair[1].execute("SELECT count(*) FROM customer") == [(0,)]


def test_rows_alone_go_into_the_tables_that_are_there(pair: tuple[Database, Database]) -> None:
    made(pair[1], *SCHEMA, "INSERT INTO alembic_version VALUES ('its own')")
    copied(pair, CopyOptions(data_only=True, verify=True))
    assert pair[1].revision() == ["its own"]
    assert pair[1].execute("SELECT id, total FROM purchase ORDER BY id")[2][0] == 3
    with pytest.raises(TargetNotEmptyError, match="holds rows"):
        copied(pair, CopyOptions(data_only=True))
    pair[1].execute("UPDATE customer SET name = 'changed'")
    copied(pair, CopyOptions(data_only=True, overwrite=True))
    assert pair[1].execute("SELECT name FROM customer ORDER BY id") == [("Ann",), (None,)]


def test_rows_alone_that_fail_change_nothing(pair: tuple[Database, Database]) -> None:
    # SQLite holds a text of any length in any column, so it gets a check.
    short = "text CHECK (length(note) < 4)" if pair[1].dialect == "sqlite" else "varchar(3)"
    made(pair[1], *(statement.replace("note varchar(40)", f"note {short}") for statement in SCHEMA))
    with pytest.raises(CopyError, match="audit_log") as caught:
        copies.copy(*map(target_of, pair), options=CopyOptions(data_only=True))  # no plan looks at the target's checks
    assert "id=1" in str(caught.value)
    assert pair[1].execute("SELECT count(*) FROM customer") == [(0,)]


def test_a_subset_keeps_foreign_keys_whole(pair: tuple[Database, Database]) -> None:
    result = copied(pair, CopyOptions(where=(("purchase", "total < 50 AND id IN (SELECT id FROM purchase)"),)))
    assert rows(result) == {
        "alembic_version": 1,
        "customer": 2,
        "purchase": 2,
        "purchase_line": 3,
        "review": 3,
        "audit_log": 2,
    }
    assert pair[1].execute("SELECT id, purchase_id, answers FROM review ORDER BY id") == [
        (1, 1, None),
        (2, None, None),
        (3, None, 2),
    ]
    with pytest.raises(ConfigError, match="purchas"):
        copied(pair, CopyOptions(where=(("purchas", "total < 50"),), overwrite=True))
    with pytest.raises(CopyError, match="totl"):
        copied(pair, CopyOptions(where=(("purchase", "totl < 50"),), overwrite=True))
    assert pair[1].execute("SELECT count(*) FROM purchase") == [(2,)]


def test_masked_values_are_not_those_of_the_source(pair: tuple[Database, Database]) -> None:
    masks = (
        Mask("customer.email", "email"),
        Mask("customer.name", "name"),
        Mask("audit_log.note", "fixed", "gone"),
    )
    result = copied(pair, CopyOptions(masks=masks, salt="pepper", verify=True))
    assert rows(result)["customer"] == 2
    (ann, name), (bob, nothing) = pair[1].execute("SELECT email, name FROM customer ORDER BY id")
    assert ann != bob
    assert ann.endswith((".com", ".org", ".net"))
    assert name not in (None, "Ann")
    assert nothing is None
    assert pair[1].execute("SELECT DISTINCT note FROM audit_log") == [("gone",)]
    copied(pair, CopyOptions(masks=masks, salt="pepper", overwrite=True))
    assert pair[1].execute("SELECT email FROM customer ORDER BY id") == [(ann,), (bob,)]
    copied(pair, CopyOptions(masks=masks, salt="other", overwrite=True))
    assert pair[1].execute("SELECT email FROM customer ORDER BY id")[0] != (ann,)
    if pair[1].path:
        assert b"ann@shop.test" not in Path(pair[1].path).read_bytes()
        assert b"secret" not in Path(pair[1].path).read_bytes()


def test_masked_keys_still_join(pair: tuple[Database, Database]) -> None:
    masks = (Mask("customer.id", "hash"), Mask("purchase.customer_id", "hash"))
    copied(pair, CopyOptions(masks=masks, salt="pepper"))
    assert pair[1].execute("SELECT count(*) FROM purchase JOIN customer ON customer.id = customer_id") == [(3,)]
    assert pair[1].execute("SELECT count(*) FROM customer WHERE id IN (1, 2)") == [(0,)]
    with pytest.raises(ConfigError, match=r"purchase\.customer_id"):
        copied(pair, CopyOptions(masks=masks[:1], salt="pepper", overwrite=True))


SHAPES = {
    "postgresql": (
        "CREATE DOMAIN digits AS int[]",
        "CREATE TABLE one (id int PRIMARY KEY, numbers int[], more digits, price money, at inet)",
        "INSERT INTO one VALUES (1, '{1,2}', '{3}', 1.5, '10.0.0.1'), (2, NULL, NULL, NULL, NULL)",
    ),
    "mysql": (
        "CREATE TABLE one (id int PRIMARY KEY, place point, name varchar(9))",
        "INSERT INTO one VALUES (1, ST_GeomFromText('POINT(1 2)'), 'a'), (2, NULL, NULL)",
    ),
}


@pytest.mark.parametrize("dialect", SHAPES)
def test_rows_alone_arrive_in_another_kind_of_database_as_those_of_a_whole_copy(
    dialect: str, make_database: MakeDatabase
) -> None:
    pair = made(make_database(dialect, "shop"), *SHAPES[dialect]), make_database("sqlite", "copy")
    copied(pair)
    whole = pair[1].execute("SELECT * FROM one ORDER BY id")
    copied(pair, CopyOptions(data_only=True, overwrite=True, verify=True))
    assert pair[1].execute("SELECT * FROM one ORDER BY id") == whole
    if dialect == "postgresql":
        assert whole == [(1, "[1,2]", "[3]", 1.5, "10.0.0.1"), (2, None, None, None, None)]
