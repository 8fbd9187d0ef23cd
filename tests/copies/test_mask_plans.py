"""A mask that cannot do its work is refused before a copy begins, and told what would fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framefox_tasks.copies.mask import MASKS, Secret, mask_lines, masks_of
from framefox_tasks.databases.rows import CopySchema, Field, ForeignKeyPlan, Kind, Name, Side, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Mask


def plan(name: Name, fields: tuple[Field, ...], **more: object) -> TablePlan:
    side = Side(name, fields)
    return TablePlan(side, side, ("id",), **more)  # type: ignore[arg-type]


USER = plan(
    Name("User"),
    (
        Field("id", "integer", Kind.INTEGER, nullable=False),
        Field("Email", "varchar(40)", Kind.TEXT, nullable=False, length=40),
        Field("code", "varchar(8)", Kind.TEXT, length=8),
        Field("born", "date", Kind.DATE),
        Field("year", "year(4)", Kind.INTEGER),
        Field("active", "boolean", Kind.BOOLEAN, nullable=False),
        Field("kind", "enum('a','b')", Kind.ENUM),
    ),
    uniques=(("Email",), ("code",)),
)
ORDER = plan(
    Name("order"),
    (
        Field("id", "integer", Kind.INTEGER, nullable=False),
        Field("user_id", "bigint", Kind.INTEGER),
        Field("user_code", "varchar(30)", Kind.TEXT, length=30),
    ),
    foreign_keys=(
        ForeignKeyPlan(("user_id",), Name("User"), ("id",)),
        ForeignKeyPlan(("user_code",), Name("User"), ("code",)),
    ),
)
LOG = plan(Name("User", "audit"), (Field("id", "integer", Kind.INTEGER), Field("email", "text", Kind.TEXT)))
SCHEMA = CopySchema((USER, ORDER, LOG))


def refused(*masks: Mask, schema: CopySchema = SCHEMA) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        masks_of(schema, masks)
    return caught.value


@pytest.mark.parametrize("column", ["User.Email", "user.email", "public.User.Email", "PUBLIC.USER.EMAIL"])
def test_a_column_may_be_written_with_its_schema_and_in_other_letters(column: str) -> None:
    found = masks_of(SCHEMA, [Mask(column, "email"), Mask("audit.user.email", "email")])
    assert {label: [mask.column for mask in masks] for label, masks in found.items()} == {
        "User": ["Email"],
        "audit.User": ["email"],
    }


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("user.emial", "Did you mean User.Email"),
        ("users.email", "Did you mean User.Email"),
        ("email", "Did you mean User.Email or audit.User.email?"),
        ("zzz.qqq", "There are User.Email, User.active"),
    ],
)
def test_a_column_that_is_not_there_is_refused_with_those_that_are_near(column: str, hint: str) -> None:
    error = refused(Mask(column, "email"))
    assert error.message == f"The mask of {column} names nothing that the source has."
    assert error.hint is not None
    assert error.hint.startswith(hint)


def test_a_name_that_may_mean_two_columns_or_comes_twice_is_refused() -> None:
    twins = plan(Name("t"), (Field("A", "text", Kind.TEXT), Field("a", "text", Kind.TEXT)))
    assert "may mean t.A or t.a" in refused(Mask("T.a", "hash"), schema=CopySchema((twins,))).message
    assert masks_of(CopySchema((twins,)), [Mask("t.a", "hash")])["t"][0].index == 1
    assert refused(Mask("User.born", "null"), Mask("user.born", "null")).message == "User.born is masked twice."
    assert refused(Mask("User.born", "blur")).hint == f"Masks are {', '.join(MASKS)}."


@pytest.mark.parametrize(
    ("mask", "message", "hint"),
    [
        (Mask("User.born", "hash"), "of the kind date.", "null, fixed, date, python."),
        (Mask("User.year", "hash"), "of the kind integer.", "null, fixed."),
        (Mask("User.active", "null"), "it may not be NULL.", "fixed, python."),
        (Mask("User.id", "null"), "it may not be NULL.", ": hash, python."),
        (Mask("audit.User.id", "null"), "it may not be NULL.", ": hash, python."),
        (Mask("audit.User.id", "email"), "of the kind integer.", ": hash, python."),
        (
            Mask("User.Email", "fixed", "x"),
            "it is unique, and all its values would be the same.",
            "email, name, phone, hash, uuid, python.",
        ),
        (Mask("User.kind", "name"), "of the kind enum.", "null, fixed, python."),
        (Mask("User.kind", "fixed", "c"), "cannot be 'c': it takes one of a, b.", "of the kind enum."),
        (Mask("User.born", "fixed", "31.1.2000"), "it takes a date, as 2000-12-31.", "of the kind date."),
        (Mask("User.active", "fixed", "maybe"), "it takes true or false.", "of the kind boolean."),
        (Mask("User.year", "fixed", "70000"), "it takes an integer from -32768 to 32767.", "of the kind integer."),
    ],
)
def test_a_mask_that_does_not_fit_its_column_is_refused_with_those_that_do(mask: Mask, message: str, hint: str) -> None:
    error = refused(mask)
    assert error.message.endswith(message)
    assert error.hint is not None
    assert error.hint.endswith(hint)


def test_a_column_of_a_key_must_have_room_for_values_that_stay_apart() -> None:
    alone = CopySchema((replace(USER, foreign_keys=()),))
    error = refused(Mask("User.code", "hash"), schema=alone)
    assert (
        "it is part of a key, and there are too few different values with 8 characters for 10,000 rows" in error.message
    )
    assert error.hint == "Masks that fit User.code: null, python."
    assert "there is only room for 8 characters" in refused(Mask("User.code", "email"), schema=alone).message
    assert masks_of(alone, [Mask("User.Email", "phone")])
    many = CopySchema((replace(USER, rows=5_000_000),))
    assert "for 5,000,000 rows or more" in refused(Mask("User.Email", "phone"), schema=many).message
    assert masks_of(many, [Mask("User.Email", "email")])


def test_both_ends_of_a_foreign_key_are_masked_alike_or_neither() -> None:
    error = refused(Mask("order.user_id", "hash"))
    assert error.message == (
        "order.user_id is masked with hash, but User.id is not masked, and a foreign key joins them."
    )
    assert error.hint == "Mask User.id with hash too: the same value becomes the same on both ends."
    assert "order.user_id is not masked" in refused(Mask("User.id", "hash")).message
    assert "is masked with name" in refused(Mask("order.user_code", "hash"), Mask("User.code", "name")).message
    assert refused(Mask("order.user_id", "null")).message == (
        "order.user_id cannot be masked with null: a foreign key joins it with User.id."
    )
    assert refused(Mask("order.user_id", "fixed", "1")).hint == "Masks that fit order.user_id: hash, python."
    without = CopySchema((replace(USER, empty=True), ORDER))
    assert masks_of(without, [Mask("order.user_id", "hash")])


def test_joins_survive_masks_on_both_ends_whatever_their_types_have_room_for() -> None:
    roomy = replace(
        USER.source, fields=tuple(replace(f, length=f.length and f.length + 10) for f in USER.source.fields)
    )
    schema = CopySchema((replace(USER, source=roomy, target=roomy), ORDER))
    masks = masks_of(
        schema,
        [Mask(f"order.{c}", "hash") for c in ("user_id", "user_code")]
        + [Mask("User.id", "hash"), Mask("User.code", "hash")],
    )
    secret = Secret("salt")
    (users,) = mask_lines(schema.tables[0], masks, secret)([b"70000\te\tab\\tc\t\\N\t1\t1\ta\n"])
    (orders,) = mask_lines(ORDER, masks, secret)([b"1\t70000\tab\\tc\n2\t\\N\t\\N\n"])
    user, order = users.split(b"\t"), orders.split()
    assert (user[0], user[2]) == (order[1], order[2])
    assert len(user[2]) == 18
    assert order[3:] == [b"2", b"\\N", b"\\N"]


def test_joined_names_are_told_apart_on_both_ends_if_on_one() -> None:
    fields = (Field("nick", "text", Kind.TEXT),)
    parent = plan(Name("parent"), fields, uniques=(("nick",),))
    child = plan(Name("child"), fields, foreign_keys=(ForeignKeyPlan(("nick",), Name("parent"), ("nick",)),))
    masks = masks_of(CopySchema((parent, child)), [Mask("parent.nick", "name"), Mask("child.nick", "name")])
    secret = Secret("salt")
    assert list(mask_lines(parent, masks, secret)([b"jo\n"])) == list(mask_lines(child, masks, secret)([b"jo\n"]))


@pytest.mark.parametrize(
    ("kind", "value", "what"),
    [
        (Kind.TIMESTAMPTZ, "0001-01-01 00:00+02:00", "a date and time, as 2000-12-31 23:59:00+00:00"),
        (Kind.NUMERIC, "1,5", "a number"),
        (Kind.FLOAT, "x", "a number"),
        (Kind.JSON, "{", "JSON"),
        (Kind.BYTES, "\\x0", r"bytes, as \x and hexadecimal digits"),
    ],
)
def test_a_fixed_value_that_is_none_of_its_kind_is_refused_with_what_would_be(
    kind: Kind, value: str, what: str
) -> None:
    schema = CopySchema((plan(Name("t"), (Field("a", kind.value, kind),)),))
    error = refused(Mask("t.a", "fixed", value), schema=schema)
    assert error.message == f"The fixed value of t.a cannot be {value!r}: it takes {what}."
