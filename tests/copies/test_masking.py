"""Masked values cannot be recognised, are the same for the same value, and fit where they stand."""

from __future__ import annotations

import hmac
import re
import sqlite3
import tracemalloc
from collections.abc import Sequence
from uuid import UUID

import pytest

from framefox_tasks.copies.mask import Secret, cell_function, mask_lines, masks_of
from framefox_tasks.databases.rows import CopySchema, Field, Kind, Name, Side, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Mask

SECRET = Secret("a secret")


def table(*fields: Field, name: str = "user", unique: tuple[str, ...] = (), rows: int | None = None) -> TablePlan:
    side = Side(Name(name), fields)
    return TablePlan(side, side, ("id",), tuple((column,) for column in unique), rows=rows)


def text(name: str, length: int | None = None, native: str = "text") -> Field:
    return Field(name, native, Kind.TEXT, length=length)


def masked(plan: TablePlan, lines: bytes, *masks: Mask, secret: Secret = SECRET) -> bytes:
    found = masks_of(CopySchema((plan,)), masks)
    return b"".join(mask_lines(plan, found, secret)([lines]))


def one(field: Field, value: str, kind: str, *, unique: bool = False, secret: Secret = SECRET, fixed: str = "") -> str:
    plan = table(field, unique=(field.name,) if unique else ())
    line = masked(plan, value.encode() + b"\n", Mask(f"user.{field.name}", kind, fixed), secret=secret)
    return line.decode().removesuffix("\n")


def test_only_the_masked_columns_change_and_null_stays_null() -> None:
    plan = table(text("a"), text("b"), text("c"), text("d"))
    lines = b"1\tx\ty\t\\\\z\n2\t\\N\t\\N\t\\N\n"
    first, second = masked(plan, lines, Mask("user.b", "hash"), Mask("user.c", "null")).splitlines()
    assert re.fullmatch(rb"1\t[0-9a-f]{32}\t\\N\t\\\\z", first)
    assert second == b"2\t\\N\t\\N\t\\N"


@pytest.mark.slow
def test_masking_many_rows_takes_no_more_memory_than_few() -> None:
    plan = table(text("a"))
    function = mask_lines(plan, masks_of(CopySchema((plan,)), [Mask("user.a", "hash")]), SECRET)
    blocks = (b"".join(b"%090d\n" % number for number in range(start, start + 100)) for start in range(0, 60_000, 100))
    tracemalloc.start()
    try:
        assert sum(block.count(b"\n") for block in function(blocks)) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_the_digest_is_the_hmac_of_the_text_and_not_of_its_escapes() -> None:
    expected = hmac.digest(b"a secret", b"a\tb\\c\nd\re\0", "sha256").hex()[:32]
    assert one(text("a"), "a\\tb\\\\c\\nd\\re\0", "hash") == expected
    long = "long " * 20
    assert one(text("a"), "x", "hash", secret=Secret(long)) == hmac.digest(long.encode(), b"x", "sha256").hex()[:32]


def test_another_secret_gives_other_values_and_none_gives_new_ones_each_time() -> None:
    results = {one(text("a"), "x", "hash", secret=Secret(salt)) for salt in ("1", "2", b"3", None, None)}
    assert len(results) == 5
    with pytest.raises(ConfigError, match="salt of the masks is empty"):
        Secret("")


def test_the_same_value_becomes_the_same_in_every_table_and_on_every_call() -> None:
    assert one(text("a"), "Jane", "name") == one(text("b", 100, "varchar(100)"), "Jane", "name")
    # A padded text of PostgreSQL is the text of others.
    assert one(text("a", 9, "character(9)"), "Jane     ", "hash") == one(text("b", 9, "varchar(9)"), "Jane", "hash")
    upper, lower = (one(Field("u", "uuid", Kind.UUID), value * 16, "hash") for value in ("0A", "0a"))
    assert upper == lower


def test_an_address_is_one_of_a_domain_that_is_nobodys() -> None:
    assert re.fullmatch(r"user_[0-9a-f]{20}@example\.com", one(text("a"), "jane@doe.org", "email"))
    assert re.fullmatch(r"user_[0-9a-f]{8}@example\.com", one(text("a", 25, "varchar(25)"), "jane@doe.org", "email"))


def test_names_are_made_up_and_told_apart_where_they_must_be() -> None:
    values = [f"person {number}" for number in range(3000)]
    names = [one(text("a"), value, "name") for value in values[:300]]
    assert all(re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", name) for name in names)
    assert len(set(names)) > 250
    apart = masked(table(text("a"), unique=("a",)), "\n".join([*values, ""]).encode(), Mask("user.a", "name"))
    assert len(set(apart.splitlines())) == 3000
    assert re.fullmatch(rb"[A-Z][a-z]+ [A-Z][a-z]+ [0-9a-f]{16}", apart.splitlines()[0])
    assert all(len(one(text("a", 5, "varchar(5)"), value, "name")) <= 5 for value in values[:50])
    assert all(len(one(text("a", 20, "varchar(20)"), value, "name", unique=True)) <= 20 for value in values[:50])


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("(415) 867-5309", r"\([2-9]\d\d\) 555-01\d\d"),
        ("+1 415 867 5309", r"\+1 [2-9]\d\d 555 01\d\d"),
        ("4158675309", r"[2-9]\d\d55501\d\d"),
        ("+49 30 1234567", r"\+1[2-9]\d\d55501\d\d"),
        ("none", r"\+1[2-9]\d\d55501\d\d"),
    ],
)
def test_a_number_is_one_that_is_kept_for_fiction_in_the_shape_that_it_had(value: str, shape: str) -> None:
    assert re.fullmatch(shape, one(text("a"), value, "phone"))
    assert re.fullmatch(r"55501\d\d", one(text("a", 7, "varchar(7)"), value, "phone"))


def test_numbers_are_told_apart_where_they_must_be() -> None:
    values = "\n".join([*(f"+49 {number}" for number in range(20_000)), ""]).encode()
    apart = masked(table(text("a", 20), unique=("a",)), values, Mask("user.a", "phone")).splitlines()
    assert len(set(apart)) == 20_000
    assert all(re.fullmatch(rb"\+999\d{16}", number) for number in apart)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("native", "values"),
    [
        ("tinyint(4)", range(-128, 128)),
        ("tinyint(3) unsigned", range(256)),
        ("smallint", range(-32768, 32768)),
        ("mediumint(8) unsigned", range(0, 1 << 24, 99)),
        ("integer", range(20_000)),
        ("int(11)", [*range(-1000, 1000), *range(2**31 - 500, 2**31), -(2**31)]),
        ("int(10) unsigned", range(2**32 - 5000, 2**32)),
        ("bigint", [*range(3000), *range(2**63 - 500, 2**63), *range(-(2**63), -(2**63) + 500)]),
        ("bigint(20) unsigned", range(2**64 - 500, 2**64)),
    ],
)
def test_integers_stay_in_the_range_of_their_type_and_apart(native: str, values: Sequence[int]) -> None:
    plan = table(Field("id", native, Kind.INTEGER, nullable=False))
    lines = "\n".join([*map(str, values), ""]).encode()
    results = list(map(int, masked(plan, lines, Mask("user.id", "hash")).split()))
    assert len(set(results)) == len(values)
    bits = {"t": 8, "s": 16, "m": 24, "i": 32, "b": 64}[native[0]]
    low, high = (0, 2**bits) if "unsigned" in native else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    assert all(low <= result < high for result in results)
    assert sum(result == value for result, value in zip(results, values, strict=True)) < max(10, len(values) / 50)
    if min(values) >= 0 and max(values) < 2**30:
        assert max(results) < 2 ** (bits - 2 + ("unsigned" in native)) or bits == 8 or max(values) > 2 ** (bits - 2)


def test_integers_of_all_types_from_int_on_become_the_same() -> None:
    natives = ("integer", "int(10) unsigned", "bigint", "")
    results = {one(Field("a", native, Kind.INTEGER), "123456", "hash") for native in natives}
    assert len(results) == 1


def test_hashes_are_values_of_their_kinds() -> None:
    uuid = one(Field("a", "uuid", Kind.UUID), "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a", "hash")
    assert str(UUID(uuid)) == uuid
    assert UUID(uuid).version == 4
    assert re.fullmatch(r"\\\\x[0-9a-f]{64}", one(Field("a", "bytea", Kind.BYTES), r"\\x00ff", "hash"))
    assert re.fullmatch(r"\\\\x[0-9a-f]{20}", one(Field("a", "blob", Kind.BYTES, length=10), r"\\x00ff", "hash"))
    assert re.fullmatch(r"\\\\x[0-9a-f]{80}", one(Field("a", "binary(40)", Kind.BYTES, length=40), r"\\x", "hash"))
    assert re.fullmatch(r"[0-9a-f]{3}", one(text("a", 3), "abc", "hash"))


FIXED = [
    (Kind.TEXT, "varchar(5)", "a\tb\\", "a\\tb\\\\"),
    (Kind.INTEGER, "smallint", " 7", "7"),
    (Kind.NUMERIC, "numeric", "1e3", "1000"),
    (Kind.FLOAT, "double", "1.5", "1.5"),
    (Kind.BOOLEAN, "boolean", "True", "1"),
    (Kind.JSON, "json", "[1]", "[1]"),
    (Kind.ENUM, "enum('a','it''s')", "it's", "it's"),
    (Kind.BYTES, "bytea", r"\x0AFF", r"\\x0aff"),
    (Kind.BYTES, "blob", "hi", r"\\x6869"),
    (Kind.DATE, "date", "2000-01-31", "2000-01-31"),
    (Kind.TIMESTAMP, "datetime", "2000-01-31T10:00", "2000-01-31 10:00:00"),
    (Kind.TIMESTAMPTZ, "timestamptz", "2000-01-31 10:00+02:00", "2000-01-31 08:00:00"),
    (Kind.INTERVAL, "interval", "P1DT2H", "P1DT2H"),
    (Kind.UUID, "uuid", "0A" * 16, "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"),
    (Kind.BITS, "bit(3)", "101", "101"),
]


@pytest.mark.parametrize(("kind", "native", "value", "expected"), FIXED)
def test_a_fixed_value_travels_as_its_kind(kind: Kind, native: str, value: str, expected: str) -> None:
    assert one(Field("a", native, kind, length=5 if "5" in native else None), "1", "fixed", fixed=value) == expected
    assert one(Field("a", native, kind), r"\N", "fixed", fixed=value) == r"\N"


CELLS: list[tuple[Field, str, object, str]] = [
    (text("a"), "hash", "ü\t\\", "ü\\t\\\\"),
    (text("a"), "email", 5, "5"),
    (text("a"), "name", b"Jane", "Jane"),
    (text("a"), "phone", "(415) 867-5309", "(415) 867-5309"),
    (text("a"), "fixed", "x", "x"),
    (text("a"), "null", "x", "x"),
    (Field("a", "integer", Kind.INTEGER), "hash", 5, "5"),
    (Field("a", "integer", Kind.INTEGER), "hash", -5.0, "-5"),
    (Field("a", "integer", Kind.INTEGER), "fixed", 5, "5"),
    (Field("a", "blob", Kind.BYTES), "hash", b"\0\xff", r"\\x00ff"),
    (Field("a", "varchar(36)", Kind.UUID), "hash", str(UUID(int=7)), str(UUID(int=7))),
]


@pytest.mark.parametrize(("field", "kind", "cell", "written"), CELLS)
def test_a_value_inside_sqlite_becomes_what_it_becomes_in_a_line(
    field: Field, kind: str, cell: object, written: str
) -> None:
    plan = table(field)
    mask = Mask("user.a", kind, "42")
    function = cell_function(masks_of(CopySchema((plan,)), [mask])["user"][0], SECRET)
    expected = masked(plan, written.encode() + b"\n", mask).decode().removesuffix("\n")
    with sqlite3.connect(":memory:") as connection:
        connection.create_function("mask", 1, function, deterministic=True)
        result, null = connection.execute("SELECT mask(?), mask(NULL)", (cell,)).fetchone()
    assert null is None
    if isinstance(result, bytes):
        assert "\\\\x" + result.hex() == expected
    else:
        assert (r"\N" if result is None else str(result)) == expected
        assert result is None or type(result) is (int if field.kind is Kind.INTEGER else str)


def test_a_uuid_inside_sqlite_keeps_its_form_and_what_is_none_is_masked_all_the_same() -> None:
    plan = table(Field("u", "char(32)", Kind.UUID), Field("n", "integer", Kind.INTEGER))
    found = masks_of(CopySchema((plan,)), [Mask("user.u", "hash"), Mask("user.n", "hash")])["user"]
    uuid, number = (cell_function(mask, SECRET) for mask in found)
    forms = [uuid(str(UUID(int=9))), uuid(UUID(int=9).hex), uuid(UUID(int=9).bytes)]
    assert forms == [str(UUID(str(forms[0]))), UUID(str(forms[0])).hex, UUID(str(forms[0])).bytes]
    for function in (uuid, number):
        assert re.fullmatch(r"[0-9a-f]{64}", str(function("my secret")))
