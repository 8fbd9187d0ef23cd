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
    ("sqlite", "number IS NOT 3"),
    ("sqlite", "number IS 3"),
    ("sqlite", "name IS price"),
    ("mysql", "`number` <=> 3"),
    ("mysql", "`number` <=> NULL"),
]  # fmt: skip


def expression(source: str, target: str, sql: str) -> str | None:
    translator = Translator(database_named(source).dialect, database_named(target).dialect)
    found = translator.expression(sql, {name: name for name in KINDS}, KINDS)
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


def test_the_name_of_a_unique_column_is_found() -> None:
    from framefox_tasks.databases.sqlite.create_table import CreateTable

    text = CreateTable(
        'CREATE TABLE "t, (x" (id INTEGER, "e mail" TEXT CONSTRAINT uq_email UNIQUE ON CONFLICT FAIL, '
        'a NUMERIC(5, 2) DEFAULT (1 + 2) CONSTRAINT "uq a" UNIQUE, b TEXT UNIQUE, -- c TEXT CONSTRAINT no UNIQUE\n'
        "CONSTRAINT both UNIQUE (a, b), CHECK (a <> 'CONSTRAINT z UNIQUE'))"
    )
    assert text.unique_names() == {("a", "b"): "both", ("e mail",): "uq_email", ("a",): "uq a"}
