"""Expressions whose words another database knows in another way: carried only where they mean the same."""

from __future__ import annotations

import pytest

from framefox_tasks.databases import database_named
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.sql import Translator

KINDS = {"price": Kind.NUMERIC, "number": Kind.INTEGER, "name": Kind.TEXT, "size": Kind.ENUM, "open": Kind.BOOLEAN}
KEPT = [
    ("postgresql", "((price > (0)::numeric))", '(price) > (0)'),
    ("postgresql", "(price > (number)::numeric)", "price > (number)"),
    ("postgresql", "((number)::bigint > 5)", "(number) > 5"),
    ("postgresql", "((name)::text <> ''::text)", "(name) <> ''"),
    ("postgresql", "(lower((name)::text) = (name)::text)", "lower((name)) = (name)"),
    ("postgresql", "((name)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))", "IN"),
    ("postgresql", "(number > '-1'::integer)", "number > '-1'"),
    ("sqlite", "number == 3", "number = 3"),
    ("sqlite", "name IS NOT NULL", "name IS NOT NULL"),
    ("mysql", "`open` is true", "IS"),
]  # fmt: skip
LOST = [
    ("postgresql", "((price)::integer = 5)"),
    ("postgresql", "((price)::numeric(5,1) = 5.4)"),
    ("postgresql", "((price * 2)::bigint > 5)"),
    ("postgresql", "((number)::smallint > 5)"),
    ("postgresql", "((number)::text = '5'::text)"),
    ("postgresql", "((name)::character varying(3) = 'abc')"),
    ("postgresql", "((name)::integer > 5)"),
    ("postgresql", "(price > (5.4)::integer)"),
    ("postgresql", "((open)::integer = 1)"),
    ("postgresql", "(lower(name))::bytea = 'a'"),
    ("sqlite", "name IS price"),
]  # fmt: skip

EVERYWHERE = [
    ("sqlite", "number IS 3", {"postgresql": "number IS NOT DISTINCT FROM 3", "mysql": "number <=> 3"}),
    ("sqlite", "number IS NOT 3", {"sqlite": "NOT (number IS 3)", "mysql": "NOT (number <=> 3)"}),
    ("mysql", "`number` <=> 3", {"sqlite": "number IS 3", "postgresql": "number IS NOT DISTINCT FROM 3"}),
    ("mysql", "`number` <=> NULL", {"sqlite": "number IS NULL", "postgresql": "number IS NULL"}),
    ("postgresql", "(number IS DISTINCT FROM 3)", {"sqlite": "NOT (number IS 3)", "mysql": "NOT (number <=> 3)"}),
    ("postgresql", "((name)::text !~~ 'a%'::text)", {"mysql": "(name) NOT LIKE 'a%'", "sqlite": None}),
    ("postgresql", "((name)::text <> ALL (ARRAY['a'::text, 'b'::text]))", {"mysql": "(name) NOT IN ('a', 'b')"}),
    ("mysql", "`number` % 2 = 0", {"sqlite": "number % 2 = 0", "postgresql": "number % 2 = 0"}),
    ("mysql", "`open` in (0,1)", {"postgresql": "open IN (FALSE, TRUE)", "sqlite": "open IN (0, 1)"}),
    ("mysql", "`open` > 0", {"postgresql": None, "sqlite": "open > 0"}),
    ("mysql", "`number` = 1 = `open`", {"postgresql": None, "sqlite": None}),
    ("mysql", r"`name` = 'a\nb'", {"postgresql": None, "sqlite": None}),
    ("mysql", r"`name` = 'it\'s'", {"postgresql": "name = 'it''s'"}),
    ("postgresql", r"(name = E'a\\b'::text)", {"sqlite": "name = 'a\\b'", "mysql": "name = 'a\\\\b'"}),
    ("postgresql", "(name > 'a'::text)", {"sqlite": None, "mysql": None}),
    ("postgresql", "((price * 1.1) > 5.5)", {"sqlite": None, "mysql": "(price * 1.1) > 5.5"}),
    ("postgresql", "((number / 2) = 1)", {"sqlite": None, "mysql": None}),
    ("postgresql", "(octet_length(name) < 5)", {"sqlite": None, "mysql": "octet_length(name) < 5"}),
    ("sqlite", "number", {"mysql": "number", "postgresql": None}),
    ("sqlite", "number > 3) OR (1", {"mysql": None, "postgresql": None}),
    ("sqlite", "name IN (SELECT name FROM other)", {"mysql": None}),
    ("sqlite", "number > 3 -- at least", {"mysql": "number > 3"}),
    ("postgresql", "(number > 99999999999999999999)", {"sqlite": None}),
]  # fmt: skip


def expression(source: str, target: str, sql: str) -> str | None:
    translator = Translator(database_named(source).dialect, database_named(target).dialect)
    found = translator.expression(sql, {name: name for name in KINDS}, KINDS, condition=True)
    return found and found.replace('"', "").replace("`", "")


@pytest.mark.parametrize(("source", "sql", "wanted"), KEPT)
@pytest.mark.parametrize("target", ["sqlite", "postgresql", "mysql"])
def test_what_means_the_same_is_kept(source: str, target: str, sql: str, wanted: str) -> None:
    found = expression(source, target, sql)
    assert found is not None
    assert wanted.removeprefix("(").split(")")[0] in found.removeprefix("(")
    assert "::" not in found


@pytest.mark.parametrize(("source", "sql"), LOST)
@pytest.mark.parametrize("target", ["sqlite", "postgresql", "mysql"])
def test_what_may_mean_something_else_is_not_carried(source: str, target: str, sql: str) -> None:
    assert expression(source, target, sql) is None


@pytest.mark.parametrize(("source", "sql", "wanted"), EVERYWHERE, ids=[f"{one[0]}: {one[1]}" for one in EVERYWHERE])
def test_each_database_has_it_in_its_own_words(source: str, sql: str, wanted: dict[str, str | None]) -> None:
    assert {target: expression(source, target, sql) for target in wanted} == wanted


def test_the_name_of_a_unique_column_is_found() -> None:
    from framefox_tasks.databases.sqlite.create_table import CreateTable

    text = CreateTable(
        'CREATE TABLE "t, (x" (id INTEGER, "e mail" TEXT CONSTRAINT uq_email UNIQUE ON CONFLICT FAIL, '
        'a NUMERIC(5, 2) DEFAULT (1 + 2) CONSTRAINT "uq a" UNIQUE, b TEXT UNIQUE, -- c TEXT CONSTRAINT no UNIQUE\n'
        "CONSTRAINT both UNIQUE (a, b), CHECK (a <> 'CONSTRAINT z UNIQUE'))"
    )
    assert text.unique_names() == {("a", "b"): "both", ("e mail",): "uq_email", ("a",): "uq a"}
