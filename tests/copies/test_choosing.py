"""Which tables a user means with --tables, --exclude and --where."""

from __future__ import annotations

import pytest

from framefox_tasks.copies.subset import conditions, orphan_statements
from framefox_tasks.copies.table_names import TableFilter, empty_table_filter
from framefox_tasks.databases import database_named
from framefox_tasks.databases.rows import CopySchema, Field, ForeignKeyPlan, Kind, Name, Side, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions

NAMES = [Name("user"), Name("order"), Name("order_line"), Name("log", "audit"), Name("alembic_version")]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((), NAMES),
        (("order*",), [Name("order"), Name("order_line"), Name("alembic_version")]),
        (("public.user", "audit.*"), [Name("user"), Name("log", "audit"), Name("alembic_version")]),
        (("alembic_version",), [Name("alembic_version")]),
    ],
)
def test_tables_are_chosen_by_globs_and_the_version_table_goes_along(
    patterns: tuple[str, ...], expected: list[Name]
) -> None:
    assert list(filter(TableFilter(CopyOptions(tables=patterns), "alembic_version"), NAMES)) == expected


def test_rows_are_left_out_by_globs_but_those_of_the_version_table() -> None:
    wanted = empty_table_filter(NAMES, CopyOptions(exclude=("audit.log", "a*n")), "public.alembic_version")
    assert list(filter(wanted, NAMES)) == [Name("log", "audit")]
    assert (
        list(filter(empty_table_filter(NAMES, CopyOptions(schema_only=True), "alembic_version"), NAMES)) == NAMES[:-1]
    )


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("Orders", "Did you mean order or order_line?"),
        ("log", "Did you mean audit.log?"),
        ("zzz*", "There are alembic_version, audit.log, order, order_line, user."),
    ],
)
def test_a_glob_that_matches_no_table_is_refused_with_those_that_are_near(pattern: str, hint: str) -> None:
    tables = TableFilter(CopyOptions(tables=("user", pattern)), "alembic_version")
    assert list(filter(tables, NAMES)) == [Name("user"), Name("alembic_version")]
    with pytest.raises(ConfigError, match="matches no table") as caught:
        tables.check()
    assert caught.value.hint == hint
    with pytest.raises(ConfigError, match="matches no table"):
        empty_table_filter(NAMES, CopyOptions(exclude=(pattern,)), "alembic_version")


def plan(name: str, *parents: str, empty: bool = False) -> TablePlan:
    fields = (Field("id", "integer", Kind.INTEGER, nullable=False), Field("n", "integer", Kind.INTEGER))
    side = Side(
        Name(name), fields + tuple(Field(parent, "integer", Kind.INTEGER, nullable=False) for parent in parents)
    )
    keys = tuple(ForeignKeyPlan((parent,), Name(parent), ("id",)) for parent in parents)
    return TablePlan(side, side, ("id",), (), keys, empty=empty)


def test_a_table_may_be_named_in_other_letters_but_not_twice_and_not_wrongly() -> None:
    schema = CopySchema((plan("User"), plan("order", "User")))
    assert set(conditions(schema, {"user": "n = 1"}, '"')) == {"User", "order"}
    with pytest.raises(ConfigError, match="twice for User"):
        conditions(schema, {"user": "n = 1", "public.User": "n = 2"}, '"')
    with pytest.raises(ConfigError) as caught:
        orphan_statements(schema, {"orders": "n = 1"}, database_named("sqlite"))
    assert caught.value.hint == "Did you mean order?"


def test_what_no_condition_touches_is_read_whole() -> None:
    schema = CopySchema((plan("user"), plan("order", "user"), plan("log", empty=True)))
    assert conditions(schema, {"order": "n = 1"}, '"') == {"order": "(n = 1\n)", "log": "1 = 0"}
    assert orphan_statements(schema, {"order": "n = 1"}, database_named("sqlite")) == []
    assert conditions(CopySchema(schema.tables[:2]), {}, '"') == {}


def test_a_condition_that_would_ask_for_too_many_tables_leaves_the_rest_to_the_copy() -> None:
    # Each table refers to all before it: the ways from the last to the first double with each.
    names = [f"t{number}" for number in range(12)]
    schema = CopySchema(tuple(plan(name, *names[:number]) for number, name in enumerate(names)))
    written = conditions(schema, {"t0": "n = 1"}, '"')
    assert written["t4"].count("EXISTS") == 15
    assert all(condition.count("EXISTS") <= 32 for condition in written.values())
    assert orphan_statements(schema, {"t0": "n = 1"}, database_named("sqlite"))
