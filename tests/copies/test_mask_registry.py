"""A mask is a class and a line: settings, plan, safety checks, copies, help and docs all know it from there."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.projects import ROOT, MiniProject

from framefox_tasks import ConfigError, CopyOptions, Mask, Target, copy, load_settings, plan_copy
from framefox_tasks.copies.mask import MASKS, ColumnMask, MaskKind, Secret, mask_lines, parse_mask, usages
from framefox_tasks.copies.mask.contract import Function
from framefox_tasks.databases.rows import Field, Kind, Name, Side, TablePlan
from framefox_tasks.tasks.copies import _COPY

COPIES = (ROOT / "docs/copies.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs/tasks.md").read_text(encoding="utf-8")
TABLES = """
CREATE TABLE person (id INTEGER PRIMARY KEY, nick VARCHAR(20) UNIQUE, city VARCHAR(10), state CHAR(2), age INTEGER);
INSERT INTO person VALUES (1, 'jo', 'Berlin', 'BE', 30), (2, 'al', 'Berlin', 'BE', 40), (3, 'di', NULL, NULL, 50);
CREATE TABLE visit (id INTEGER PRIMARY KEY, city VARCHAR(10), home VARCHAR(10) REFERENCES place (name));
CREATE TABLE place (name VARCHAR(10) PRIMARY KEY);
"""


class CityMask(MaskKind):
    """A numbered city of a country."""

    summary = "a city"
    kinds = (Kind.TEXT,)
    shortest = 5

    @property
    def value_text(self) -> Callable[[Field, str], str]:
        return self._country

    @staticmethod
    def _country(_: Field, value: str) -> str:
        if len(value) != 2:
            raise ValueError("a country of two letters")
        return value.upper()

    def distinct(self, _: Kind, __: int | None, /) -> float:
        return 100

    def function(self, column: ColumnMask, secret: Secret, /) -> Function:
        return lambda text: b"%s-%02d" % (column.value.encode(), int.from_bytes(secret.digest(text), "big") % 100)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A database, where there is a mask more."""
    monkeypatch.setitem(MASKS, "city", CityMask())
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.executescript(TABLES)
    return Target(f"sqlite:///{tmp_path}/a.db")


def target(tmp_path: Path) -> Target:
    return Target(f"sqlite:///{tmp_path}/b.db")


def test_another_mask_is_checked_in_the_settings_and_masks_a_copy(source: Target, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/orm.yaml").write_text(
        'copies: {a: {to: "sqlite:///b.db", verify: true, mask: {person.city: {city: de}, person.age: {fixed: 0}}}}',
        encoding="utf-8",
    )
    named = load_settings(tmp_path, environ={"DATABASE_URL": source.url, "DATABASE_COPY_SALT": "s"}).copies.named("a")
    assert named.options.masks == (Mask("person.city", "city", "de"), Mask("person.age", "fixed", "0"))
    plan = plan_copy(named.source, target(tmp_path), options=named.options)
    assert plan.tables[[table.name for table in plan.tables].index("person")].changes == (
        "city is masked: city",
        "age is masked: fixed",
    )
    copy(named.source, target(tmp_path), options=named.options)
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        rows = connection.execute("SELECT nick, city, age FROM person ORDER BY id").fetchall()
    assert re.fullmatch(r"DE-\d\d", rows[0][1])
    assert rows == [("jo", rows[0][1], 0), ("al", rows[0][1], 0), ("di", None, 0)]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("person.age", "de", "it is of the kind integer."),
        ("person.state", "de", "there is only room for 2 characters."),
        ("person.nick", "de", "part of a key, and there are too few different values with 20 characters for 3 rows"),
        (
            "person.city",
            "France",
            "The city value of person.city cannot be 'France': it takes a country of two letters.",
        ),
        ("visit.home", "de", "but place.name is not masked, and a foreign key joins them."),
    ],
)
def test_another_mask_goes_through_every_check(
    source: Target, tmp_path: Path, column: str, value: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(reason)):
        plan_copy(source, target(tmp_path), options=CopyOptions(masks=(Mask(column, "city", value),)))


def test_another_mask_is_suggested_where_it_fits(source: Target, tmp_path: Path) -> None:
    for column, fitting in (
        ("visit.city", "phone, hash, null, fixed, address, pattern, json, python, city"),
        ("visit.id", "hash, python"),
    ):
        wrong = Mask(column, "email" if column == "visit.city" else "null")
        with pytest.raises(ConfigError) as caught:
            plan_copy(source, target(tmp_path), options=CopyOptions(masks=(wrong,)))
        assert caught.value.hint is not None
        assert caught.value.hint.endswith(f"{fitting}.")
    with pytest.raises(ConfigError) as caught:
        parse_mask("person.city", "town", "--mask")
    assert caught.value.hint == f"Known are {', '.join(usages())}."
    shown = next(option["help"] for option in _COPY if option["name"] == "mask")
    assert f"({', '.join(usages())})" in shown % {"default": []}
    assert usages()[-1] == "city:VALUE"


@pytest.mark.parametrize("member", sorted(MaskKind.__abstractmethods__))
def test_a_mask_that_lacks_a_member_cannot_be_registered(member: str) -> None:
    members = {name: value for name, value in vars(CityMask).items() if name != member}
    incomplete = type("Incomplete", (MaskKind,), members)
    with pytest.raises(TypeError, match=member):
        incomplete()


def test_no_member_of_a_mask_has_a_default() -> None:
    assert {name for name in vars(MaskKind) if not name.startswith("_")} == MaskKind.__abstractmethods__


VALUES = {"number": "50", "pattern": "Aa9-", "json": "$.a", "python": "textwrap:dedent"}
FEW = ("number", "address", "pattern", "json")
"""Masks that two values may become one by."""
TEXTS = {
    **dict.fromkeys((Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT), b"%d\n"),
    **dict.fromkeys((Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ), b"%04d-01-02\n"),
    Kind.JSON: b'{"a": %d}\n',
    Kind.UUID: b"00000000-0000-4000-8000-%012d\n",
    Kind.BYTES: b"\\\\x%06d\n",
}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, mask in MASKS.items() for kind in mask.kinds])
def test_a_mask_makes_what_it_tells_to_the_checks(name: str, kind: Kind) -> None:
    mask = MASKS[name]
    text = TEXTS.get(kind, b'{"a": "value %d"}\n' if name == "json" else b"value %d\n")
    block = b"".join(text % number for number in range(1, 2001))

    def made(length: int | None, *, unique: bool = False) -> list[str]:
        side = Side(Name("t"), (Field("a", "any", kind, length=length),))
        column = ColumnMask(0, "a", mask, kind, length, unique, value=VALUES.get(name, ""))
        masked = mask_lines(TablePlan(side, side), {"t": [column]}, Secret("s"))([block])
        return b"".join(masked).decode().splitlines()

    distinct = mask.distinct(kind, None)
    if name in FEW:
        assert 1 < len(set(made(None))) <= 2000
        assert distinct < 2.0**13  # so that every key refuses it
    else:
        assert len(set(made(None, unique=True))) == min(distinct, 2000) or set(made(None)) == {r"\N"}
    assert (set(made(None)) == {r"\N"}) == (distinct == 0)
    if kind in (Kind.TEXT, Kind.BYTES) and mask.shortest:
        written = 2 if kind is Kind.BYTES else 1
        for length in (mask.shortest, mask.shortest + 2):
            values = [value.removeprefix(r"\\x") for value in made(length)]
            assert max(map(len, values)) <= length * written
            assert min(map(len, values)) > 0


def test_the_pages_show_each_mask_and_what_it_gives() -> None:
    table = COPIES[COPIES.index("| mask | gives |") :].partition("\n\n")[0].splitlines()[2:]
    assert table == [f"| `{usage}` | {mask.summary} |" for usage, mask in zip(usages(), MASKS.values(), strict=True)]
    assert f"({', '.join(f'`{usage}`' for usage in usages())})" in REFERENCE


def test_masks_are_not_imported_before_one_is_written(shop: MiniProject) -> None:
    script = (
        "import sys; from doit.doit_cmd import DoitMain; code = DoitMain().run(sys.argv[1:]); "
        "print('MASKS', 'framefox_tasks.copies.mask' in sys.modules)"
    )
    shop.write("config/orm.yaml", shop.read("config/orm.yaml") + '\ncopies: {a: {to: "sqlite:///b.db", jobs: 2}}\n')
    assert "MASKS False" in shop.run(sys.executable, "-c", script, "list").out
    assert "MASKS True" in shop.run(sys.executable, "-c", script, "help", "database_copy").out
