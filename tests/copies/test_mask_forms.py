"""Masks of dates, numbers, UUIDs, addresses, accounts, patterns and documents, and those of a project's own."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, strategies as st
from support.copying import made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.copies.mask import MASKS, Secret
from framefox_tasks.copies.mask.contract import ColumnMask
from framefox_tasks.databases.rows import Kind
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions, Mask

SECRET = Secret("salt")


def masked(name: str, text: str, *, value: str = "", holds: Kind = Kind.TEXT, length: int | None = None) -> str:
    function = MASKS[name].function(ColumnMask(0, "c", MASKS[name], holds, length, value=value), SECRET)
    assert function is not None
    assert function(text.encode()) == function(text.encode())
    return function(text.encode()).decode()


@given(st.dates(date(1000, 1, 1), date(9000, 1, 1)), st.dates(date(1000, 1, 1), date(9000, 1, 1)))
def test_all_dates_move_by_as_many_days(one: date, other: date) -> None:
    found = [date.fromisoformat(masked("date", str(day), holds=Kind.DATE)) for day in (one, other)]
    assert found[0] - one == found[1] - other
    assert found[0] != one
    assert masked("date", f"{one} 01:02:03.5") == f"{found[0]} 01:02:03.5"


@pytest.mark.parametrize("text", ["infinity", "0000-00-00", "44-03-15 BC", "9999-12-31", "0001-01-01"])
def test_what_is_no_day_does_not_go_unmasked(text: str) -> None:
    assert masked("date", text) != text or text == "0001-01-01"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.integers(1, 100))
def test_a_number_keeps_its_sign_its_range_and_its_digits(number: Decimal, percent: int) -> None:
    found = Decimal(masked("number", format(number, "f"), value=str(percent), holds=Kind.NUMERIC))
    assert found == 0 or (found > 0) == (number > 0)
    assert abs(found - number) <= abs(number) * percent / 100 + Decimal("0.001")
    assert found.adjusted() <= number.adjusted() or not number


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_is_never_farther_from_zero(number: int) -> None:
    assert abs(int(masked("number", str(number), value="50", holds=Kind.INTEGER))) <= abs(number)


@given(st.uuids())
def test_a_uuid_becomes_the_same_other_one_in_each_spelling(value: UUID) -> None:
    other = UUID(masked("uuid", str(value)))
    assert other.version == 4
    assert other != value
    assert masked("uuid", value.hex) == masked("uuid", value.hex.upper(), length=32) == other.hex
    assert masked("uuid", str(value).upper(), length=36) == str(other)
    assert len(masked("uuid", "x", length=35)) == 32


def test_forms_are_those_of_the_real_ones() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", masked("uuid", "x"))
    assert re.fullmatch(r"\d+ \w+ Street, 0000\d \w+", masked("address", "x"))
    assert len(masked("address", "x", length=9)) == 9
    iban = masked("iban", "x")
    digits = "".join(str(int(one, 36)) for one in iban[4:] + iban[:4])
    assert (len(iban), int(digits) % 97) == (22, 1)
    assert re.fullmatch(r"[A-Z]{2}-[a-z]\d{20}\.", masked("pattern", "x", value="AA-a99999999999999999999."))
    assert len({masked("pattern", str(number), value="AA99") for number in range(200)}) > 150


def test_a_document_keeps_all_but_what_its_paths_name() -> None:
    document = {"email": "a@b.c", "keep": "x", "lines": [{"name": "n", "n": 5}, {"name": "m"}], "deep": {"a": [1, "t"]}}
    found = json.loads(masked("json", json.dumps(document), value="$.email, $.lines[*].name,$.deep.a[1],$.none.x"))
    assert found["keep"] == "x"
    assert found["lines"][0]["n"] == 5
    assert found["deep"]["a"][0] == 1
    assert "a@b.c" not in json.dumps(found)
    assert {found["email"], found["lines"][0]["name"], found["deep"]["a"][1]}.isdisjoint({"n", "t"})
    assert masked("json", "no document", value="$.a") == "null"


@pytest.fixture
def people(make_database: MakeDatabase) -> Database:
    return made(
        make_database("sqlite"),
        "CREATE TABLE person (id integer PRIMARY KEY, "
        "EMail text, born date, contact text, note text, pay numeric(9,2))",
        "INSERT INTO person VALUES (1, 'a@b.org', '2000-01-02', 'c@d.org', 'hello', 10.5), "
        "(2, NULL, NULL, NULL, 'x', 3)",
    )


def test_a_project_makes_a_mask_of_its_own(people: Database, make_database: MakeDatabase) -> None:
    target = make_database("sqlite", "copy")
    masks = (
        Mask("person.note", "python", "textwrap:dedent"),
        Mask("person.born", "date"),
        Mask("person.pay", "number", "9"),
    )
    copy(target_of(people), target_of(target), options=CopyOptions(masks=masks, salt="s"))
    (note, born, pay), _ = target.execute("SELECT note, born, pay FROM person")
    assert note == "hello"
    assert born != "2000-01-02"
    assert 9.5 < pay < 11.5
    wrong = CopyOptions(masks=(Mask("person.note", "python", "textwrap:none"),))
    with pytest.raises(ConfigError, match=r"it takes a function as package\.module:function"):
        plan_copy(target_of(people), target_of(make_database("sqlite", "more")), options=wrong)


def test_what_looks_personal_needs_a_mask_or_a_word(people: Database, make_database: MakeDatabase) -> None:
    target = target_of(make_database("sqlite", "copy"))
    strict = CopyOptions(strict_masks=True)
    with pytest.raises(ConfigError) as caught:
        plan_copy(target_of(people), target, options=strict)
    assert caught.value.message.endswith("have no mask: person.EMail, person.contact.")
    assert "--mask=person.EMail=email" in str(caught.value.hint)
    masks = (Mask("person.email", "email"), Mask("person.contact", "keep"))
    copy(target_of(people), target, options=CopyOptions(strict_masks=True, masks=masks))


def test_a_short_key_is_judged_by_the_rows_that_are_there(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE t (code varchar(6) PRIMARY KEY)", "INSERT INTO t VALUES ('a')")
    options = CopyOptions(masks=(Mask("t.code", "hash"),))
    plan_copy(target_of(source), target_of(make_database("sqlite", "copy")), options=options)
    source.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO t SELECT i FROM n"
    )
    with pytest.raises(ConfigError, match="too few different values with 6 characters for 901 rows"):
        plan_copy(target_of(source), target_of(make_database("sqlite", "more")), options=options)
