"""What a translated schema keeps beside the types: defaults, checks, indexes, and what it tells where it cannot."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.copying import copy, made, target_of
from support.databases import Database, MakeDatabase, connect_server
from support.translating import DIRECTIONS, build, inspected, plan_of, translated

from framefox_tasks.databases.rows import CopySchema

DEFAULTS = (
    "CREATE TABLE item (id integer, size integer DEFAULT -3, price numeric(10,2) DEFAULT 1.50, "
    "paid boolean DEFAULT true, word varchar(40) DEFAULT 'it''s 100% :so', body text DEFAULT 'long', "
    "day date DEFAULT '2020-02-03', made {moment} DEFAULT CURRENT_TIMESTAMP)"
)
MOMENTS = {"sqlite": "datetime", "postgresql": "timestamp", "mysql": "datetime"}


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_defaults_give_the_same_values(source: str, target: str, make_database: MakeDatabase) -> None:
    statement = DEFAULTS.format(moment=MOMENTS[source])
    schema, copy = copied(make_database, source, target, [statement])
    copy.execute("INSERT INTO item (id) VALUES (1)")
    [row] = copy.execute("SELECT size, price, paid, word, body, day, made FROM item")
    assert (row[0], float(row[1]), bool(row[2])) == (-3, 1.5, True)
    assert row[3:5] == ("it's 100% :so", "long")
    assert str(row[5]) == "2020-02-03"
    assert row[6] is not None
    assert plan_of(schema, "item").changes == ()


@pytest.mark.server
def test_the_default_of_a_moment_has_the_digits_of_its_column(make_database: MakeDatabase) -> None:
    """MySQL refuses another number of digits; MariaDB takes it, and cuts what the column has room for."""
    columns = "a timestamp DEFAULT now(), b timestamp(3) DEFAULT now(), c timestamp(0) DEFAULT now()"
    _, copy = copied(make_database, "postgresql", "mysql", [f"CREATE TABLE item ({columns})"])
    found = copy.execute(
        "SELECT column_name, lower(column_type), lower(column_default) FROM information_schema.columns "
        f"WHERE table_schema = '{copy.name}' ORDER BY 1"
    )
    assert [(*row[:2], row[2].removesuffix("()")) for row in found] == [
        ("a", "datetime(6)", "current_timestamp(6)"),
        ("b", "datetime(3)", "current_timestamp(3)"),
        ("c", "datetime", "current_timestamp"),
    ]


@pytest.mark.server
def test_defaults_that_only_the_source_knows_are_told(make_database: MakeDatabase) -> None:
    schema, copy = copied(
        make_database,
        "postgresql",
        "mysql",
        [
            "CREATE TABLE item (id integer, key uuid DEFAULT gen_random_uuid(), doc jsonb DEFAULT '{\"a\": 1}', "
            "tags text[] DEFAULT '{}', word text DEFAULT lower('A'), data bytea DEFAULT '\\x00')"
        ],
    )
    copy.execute("INSERT INTO item (id) VALUES (1)")
    [row] = copy.execute("SELECT length(`key`), doc, tags, word, data FROM item")
    assert row == (32, '{"a": 1}', "[]", None, None)
    assert "word: has no default any more: lower('A'::text)" in plan_of(schema, "item").changes
    assert "data: has no default any more: '\\x00'::bytea" in plan_of(schema, "item").changes


@pytest.mark.parametrize(("source", "target"), DIRECTIONS, ids=["-to-".join(pair) for pair in DIRECTIONS])
def test_checks_that_mean_the_same_are_kept(source: str, target: str, make_database: MakeDatabase) -> None:
    length = "char_length" if source == "mysql" else "length"
    _, copy = copied(
        make_database,
        source,
        target,
        [
            "CREATE TABLE item (id integer, word varchar(20), price integer, paid boolean, "
            "CONSTRAINT some_words CHECK (word IN ('it''s', 'b')), "
            f"CONSTRAINT long_words CHECK ({length}(word) BETWEEN 2 AND 9 OR word IS NULL), "
            "CONSTRAINT paid_price CHECK (NOT (paid AND price < 0)))"
        ],
    )
    copy.execute("INSERT INTO item VALUES (1, 'it''s', -1, false), (2, NULL, 1, true)")
    for row in ("(3, 'c', 1, true)", "(3, 'b', 1, true)", "(3, 'it''s', -1, true)"):
        with pytest.raises(Exception, match=r"(?i)check constraint|CONSTRAINT .* failed"):
            copy.execute(f"INSERT INTO item VALUES {row}")


@pytest.mark.server
def test_checks_that_may_mean_something_else_are_told(make_database: MakeDatabase) -> None:
    schema, _ = copied(
        make_database,
        "postgresql",
        "sqlite",
        [
            "CREATE DOMAIN email AS text CHECK (VALUE ~ '@')",
            "CREATE TABLE item (id integer, word text CONSTRAINT odd CHECK (word ~ '^a'), mail email, "
            "CONSTRAINT alike CHECK (word LIKE 'a%'))",
            "ALTER TABLE item ADD CONSTRAINT late CHECK (id > 0) NOT VALID",
        ],
    )
    told = [phrase for phrase in schema.not_carried if "check" in phrase]
    assert sorted(told) == [
        "NOT VALID check late of item",
        "check (VALUE ~ '@'::text) of the domain of item.mail",
        "check alike of item",
        "check odd of item",
    ]


@pytest.mark.server
def test_a_check_that_the_rows_do_not_hold_is_optional(make_database: MakeDatabase) -> None:
    source = made(make_database("mysql"), "CREATE TABLE item (word varchar(9), CHECK (word IN ('A', 'B')))")
    schema = translated(source, "postgresql")
    [check] = [statement for statement in schema.last if "CHECK" in statement.sql]
    assert check.optional
    assert check.about == "check \"word\" IN ('A', 'B') of item"


@pytest.mark.server
def test_what_has_no_counterpart_is_told(make_database: MakeDatabase) -> None:
    schema, _ = copied(
        make_database,
        "postgresql",
        "mysql",
        [
            "CREATE SEQUENCE spare",
            "CREATE TYPE unused AS ENUM ('a')",
            "CREATE TABLE item (id integer, word text, doc jsonb, span int4range, twice integer "
            "GENERATED ALWAYS AS (id * 2) STORED, EXCLUDE USING gist (span WITH &&))",
            "CREATE VIEW seen AS SELECT 1 AS one",
            "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one",
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
            "CREATE TRIGGER acting BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION act()",
            "CREATE POLICY own ON item",
            "CREATE INDEX lowered ON item (lower(word))",
            "CREATE INDEX documents ON item USING gin (doc)",
            "CREATE UNIQUE INDEX some_ids ON item (id) WHERE id > 5",
        ],
    )
    assert set(schema.not_carried) == {
        "sequence spare",
        "enum type unused",
        "view seen",
        "materialized view kept",
        "function act",
        "trigger acting of item",
        "row policy own of item",
        "exclusion constraint item_span_excl of item",
        "index lowered of item",
        "index documents (gin) of item",
        "index some_ids of item",
    }
    assert "twice: is no longer computed, but holds the values: (id * 2)" in plan_of(schema, "item").changes


@pytest.mark.server
def test_what_has_no_counterpart_in_a_mysql_source_is_told(make_database: MakeDatabase) -> None:
    schema, _ = copied(
        make_database,
        "mysql",
        "sqlite",
        [
            "CREATE TABLE item (id int, word text, made datetime ON UPDATE CURRENT_TIMESTAMP, FULLTEXT found (word)) "
            "COMMENT 'things' COLLATE utf8mb4_bin PARTITION BY HASH (id)".replace(", FULLTEXT found (word)", ""),
            "CREATE TABLE other (word text, FULLTEXT found (word), UNIQUE part (word(9))) COLLATE utf8mb4_general_ci",
            "CREATE VIEW seen AS SELECT 1 AS one",
            "CREATE PROCEDURE act() SELECT 1",
            "CREATE TRIGGER acting BEFORE INSERT ON item FOR EACH ROW SET new.id = 1",
            "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        ],
    )
    assert set(schema.not_carried) == {
        "partitions of item",
        "ON UPDATE CURRENT_TIMESTAMP of item.made",
        "comments of item",
        "index found (fulltext) of other",
        "index part of other",
        "collation utf8mb4_general_ci: the copy tells apart what differs only by case or accent",
        "view seen",
        "procedure act",
        "trigger acting of item",
        "event daily",
    }


@pytest.mark.server
def test_expressions_and_conditions_of_indexes_go_where_they_can(make_database: MakeDatabase) -> None:
    statements = [
        "CREATE TABLE item (id integer, word text, live boolean)",
        "CREATE INDEX lowered ON item (lower(word))",
        "CREATE UNIQUE INDEX live_words ON item (word) WHERE live = 1 AND word IS NOT NULL",
    ]
    schema, copy = copied(make_database, "sqlite", "postgresql", statements)
    assert schema.not_carried == ()
    found = dict(copy.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'item'"))
    assert "lower(word)" in found["lowered"]
    assert found["live_words"].endswith("WHERE ((live = true) AND (word IS NOT NULL))")


@pytest.mark.server
def test_keys_of_long_texts_fit_into_mysql(make_database: MakeDatabase) -> None:
    schema, copy = copied(
        make_database,
        "postgresql",
        "mysql",
        [
            "CREATE TABLE parent (code text PRIMARY KEY, a text, b varchar(2000), c integer, UNIQUE (a, b, c))",
            "CREATE TABLE child (code text REFERENCES parent (code), body text, wide varchar(16000))",
            "CREATE INDEX bodies ON child (body, code)",
        ],
    )
    assert [index["name"] for index in inspected(copy).get_indexes("child") if index["name"] == "bodies"]
    changes = (*plan_of(schema, "parent").changes, *plan_of(schema, "child").changes)
    assert "code: text becomes varchar(768) (a key of MySQL takes 768 characters)" in changes
    assert "index bodies takes the first 383 of body" in changes
    assert copy.execute(
        "SELECT data_type FROM information_schema.columns WHERE column_name = 'body' AND table_schema = DATABASE()"
    ) == [("longtext",)]


@pytest.mark.server
def test_texts_that_differ_by_case_or_accent_or_space_are_unlike_in_mysql(make_database: MakeDatabase) -> None:
    _, copy = copied(make_database, "postgresql", "mysql", ["CREATE TABLE item (word varchar(9) UNIQUE)"])
    copy.execute("INSERT INTO item VALUES ('a'), ('A'), ('á'), ('a ')")
    with pytest.raises(Exception, match="Duplicate entry"):
        copy.execute("INSERT INTO item VALUES ('a')")


def copied(
    make_database: MakeDatabase, source: str, target: str, statements: Sequence[str]
) -> tuple[CopySchema, Database]:
    database = made(make_database(source, "source"), *statements)
    schema, copy = translated(database, target), make_database(target, "target")
    assert build(schema, copy) == []
    return schema, copy


@pytest.mark.server
@pytest.mark.parametrize("onto", ["mysql", "sqlite"])
def test_what_a_unique_key_and_automatic_numbers_have_beside_them_is_told(
    make_database: MakeDatabase, onto: str
) -> None:
    source = made(
        make_database("postgresql"),
        "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5) PRIMARY KEY, "
        "a integer, b integer, CONSTRAINT wide UNIQUE (a) INCLUDE (b), CONSTRAINT late UNIQUE (b) DEFERRABLE)",
        "INSERT INTO t (a, b) VALUES (1, 2), (3, 4)",
    )
    target = make_database(onto, "copy")
    assert sorted(copy(target_of(source), target_of(target)).not_carried) == [
        "DEFERRABLE of index late of t",
        "INCREMENT BY 5 of t.id",
        "included columns b of index wide of t",
    ]
    target.execute("INSERT INTO t (a, b) VALUES (5, 6)")
    assert target.execute("SELECT max(id) FROM t") == [(110,)]


@pytest.mark.server
@pytest.mark.parametrize("onto", ["mysql", "sqlite"])
def test_a_rule_of_some_columns_of_a_key_is_told(make_database: MakeDatabase, onto: str) -> None:
    if connect_server("postgresql").info.server_version < 150_000:
        pytest.skip("it came with PostgreSQL 15")
    source = made(
        make_database("postgresql"),
        "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b))",
        "CREATE TABLE c (a integer, b integer NOT NULL, "
        "CONSTRAINT partly FOREIGN KEY (a, b) REFERENCES p ON DELETE SET NULL (a), "
        "CONSTRAINT plain FOREIGN KEY (a, b) REFERENCES p ON DELETE CASCADE)",
    )
    lost = copy(target_of(source), target_of(make_database(onto, "copy"))).not_carried
    assert lost == ("ON DELETE SET NULL (a) of foreign key partly of c",)
