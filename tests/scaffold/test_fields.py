"""How the fields of a new entity are typed, and what is refused."""

from __future__ import annotations

import pytest

from framefox_tasks import ConfigError
from framefox_tasks.scaffold.fields import parse_fields, snake
from framefox_tasks.scaffold.known import plural


def test_fields_are_read_with_spaces_or_commas_between_them() -> None:
    for text in (
        "name:str(100) price:decimal(10,2) tags:many(tag)",
        " name:str(100),price:decimal( 10 , 2 ), tags:many( tag )",
    ):
        name, price, tags = parse_fields(text)
        assert (name.name, name.kind, name.arguments) == ("name", "str", (100,))
        assert (price.kind, price.arguments) == ("decimal", (10, 2))
        assert (tags.kind, tags.entity) == ("many", "tag")
    assert parse_fields("") == ()


@pytest.mark.parametrize(
    ("text", "nullable", "unique", "index", "default"),
    [
        ("sku:str", False, False, False, None),
        ("sku:str?", True, False, False, None),
        ("sku:str!unique?", True, True, False, None),
        ("sku:str?:unique", True, True, False, None),
        ("sku:str(8)!index!default(a 'b', c)", False, False, True, "\"a 'b', c\""),
        ("sku:int!default(-7)", False, False, False, "-7"),
        ("sku:bool!default(TRUE)", False, False, False, "True"),
        ("sku:decimal(4,2)!default(12.5)", False, False, False, 'Decimal("12.5")'),
        ("sku:datetime!default(now)", False, False, False, "dt.datetime.now"),
        ("sku:str!unique!index", False, True, False, None),
    ],
)
def test_what_follows_a_type(text: str, nullable: bool, unique: bool, index: bool, default: str | None) -> None:
    (field,) = parse_fields(text)
    assert (field.nullable, field.unique, field.index, field.default) == (nullable, unique, index, default)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name", "'name' is not a field"),
        ("name:", "is not a field"),
        ("name:str(", "is not a field"),
        ("name:str(5)unique", "is not a field"),
        (":str", "must be of a-z"),
        ("Name:str", "Did you mean name?"),
        ("1st:str", "must be of a-z"),
        ("naïve:str", "must be of a-z"),
        ("class:str", "a keyword of Python"),
        ("metadata:str", "SQLAlchemy reserves it"),
        ("id:int", "as its primary key"),
        ("str:str", "the generated code uses it"),
        ("a" * 64 + ":int", "longer than 63"),
        ("name:strng", "Did you mean str? There are str, text"),
        ("name:varchar(20)", "Did you mean str? There are str, text"),
        ("at:timestamp", "Did you mean datetime? There are str, text"),
        ("name:varchar", "there is no type 'varchar'"),
        ("name:str(0)", "from 1 to 4000"),
        ("name:str(x)", "str does not take (x)"),
        ("name:str(1,2)", "str does not take (1,2)"),
        ("name:int(5)", "int does not take (5)"),
        ("name:decimal(2,3)", "more than the precision"),
        ("name:str=x", "A default is !default(value)."),
        ("name:str!uniqe", "There are ?, !unique, !index and !default(value)"),
        ("name:str!default", "There are ?, !unique, !index and !default(value)"),
        ("name:str!unique(1)", "There are ?, !unique, !index and !default(value)"),
        ("name:text!unique", "not every database takes that as a key"),
        ("name:str(769)!unique", "too long for a key"),
        ("name:str(3)!default(four)", "'four' is no default of str"),
        ("name:int!default(1.5)", "'1.5' is no default of int"),
        ("name:smallint!default(32768)", "is no default of smallint"),
        ("name:decimal(3,1)!default(100)", "is no default of decimal"),
        ("name:bool!default(maybe)", "is no default of bool"),
        ("name:date!default(tomorrow)", "is no default of date"),
        ("name:uuid!default(1)", "is no default of uuid"),
        ("name:ref", "needs the entity"),
        ("name:ref()", "needs the entity"),
        ("name_id:ref(x)", "Write name:ref(x); its column is called name_id"),
        ("name:ref(x)!default(1)", "ref cannot be !default"),
        ("name:many(x)?", "many cannot be ?"),
        ("name:many(x)!unique", "many cannot be !unique"),
        ("name:str name:int", "stands there twice"),
        ("shelf:ref(shelf) shelf_id:int", "is the column of shelf:ref(shelf)"),
    ],
)
def test_what_is_no_field_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_fields(text)
    assert says in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "singular", "several"),
    [
        ("OrderLine", "order_line", "order_lines"),
        ("HTTPHeader", "http_header", "http_headers"),
        ("category", "category", "categories"),
        ("day", "day", "days"),
        ("box", "box", "boxes"),
        ("branch", "branch", "branches"),
    ],
)
def test_names(name: str, singular: str, several: str) -> None:
    assert snake(name) == singular
    assert plural(singular) == several
