"""What strict masks name is taken: random columns are masked by their hints until none is left, and then copied."""

from __future__ import annotations

import random
import re

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions, Mask

pytestmark = pytest.mark.server
DIRECTIONS = [(kind, onto) for kind in DIALECTS for onto in DIALECTS]
NAMES = [
    "email", "work_mail", "phone", "zip", "birthdate", "dob", "birthDay", "salary", "street", "iban", "bic", "ssn",
    "firstName", "surname", "password", "token", "passport_no", "address", "fax", "nick_name", "secret",
]  # fmt: skip
COMMON = {
    "varchar(3)": "'a'", "varchar(40)": "'a@b.org'", "char(5)": "'ab'", "text": "'x'", "bigint": "7", "smallint": "7",
    "integer": "7", "numeric(9, 2)": "1.5", "double precision": "1.5", "date": "'2000-02-29'", "boolean": "TRUE",
}  # fmt: skip
TYPES = {
    "sqlite": COMMON | {"": "'x'", "json": "'{}'", "blob": "x'00'", "char(32)": "'6f1c9b2e00004000800000000000abcd'"},
    "postgresql": COMMON | {
        "citext": "'A@b.org'", "mail": "'A@b.org'", "jsonb": "'{}'", "bytea": "'x'", "text[]": "'{a}'", "inet": "'::1'",
        "uuid": "'6f1c9b2e-0000-4000-8000-00000000abcd'", "timestamptz": "'2000-01-01'", "interval": "'1 day'",
        "bit(3)": "B'101'",
    },
    "mysql": COMMON | {
        "varbinary(9)": "'x'", "binary(16)": "'x'", "longblob": "'x'", "json": "'{}'", "enum('x', 'y')": "'x'",
        "set('x', 'y')": "'x'", "bit(3)": "b'101'", "year": "2000", "datetime(6)": "'2000-01-01'", "time": "'10:00'",
        "tinyint unsigned": "7", "bigint unsigned": "7",
    },
}  # fmt: skip
BEFORE = {"postgresql": ["CREATE EXTENSION citext", "CREATE DOMAIN mail AS citext"]}
KEYED = ("varchar", "integer", "smallint", "bigint", "numeric", "date", "uuid", "citext", "mail", "char", "varbinary")


def tables(kind: str, chance: random.Random) -> list[str]:
    """A table of columns that look personal, some of them unique and never NULL, and one that refers to some."""
    names = chance.sample(NAMES, 14)
    types = {name: chance.choice(list(TYPES[kind])) for name in names}
    columns = [f"{name} {type_}{' NOT NULL' * (chance.random() < 0.3)}" for name, type_ in types.items()]
    unique = [name for name in names if types[name].startswith(KEYED) and chance.random() < 0.4][:3]
    values = ", ".join(TYPES[kind][type_] for type_ in types.values())
    uniques = [f"UNIQUE ({name})" for name in unique]
    return [
        *BEFORE.get(kind, ()),
        f"CREATE TABLE p (id integer PRIMARY KEY, {', '.join([*columns, *uniques])})",
        f"INSERT INTO p VALUES (1, {values})",
        f"CREATE TABLE c (id integer PRIMARY KEY{''.join(f', {name} {types[name]}' for name in unique)}"
        f"{''.join(f', FOREIGN KEY ({name}) REFERENCES p ({name})' for name in unique)})",
        f"INSERT INTO c (id{''.join(f', {name}' for name in unique)}) "
        f"VALUES (5{''.join(f', {TYPES[kind][types[name]]}' for name in unique)})",
    ]


def masked_by_hints(source: Database, target: Database) -> tuple[Mask, ...]:
    """What the hints say, one after the other, until nothing looks personal any more."""
    masks: dict[str, Mask] = {}
    for _ in range(60):
        options = CopyOptions(strict_masks=True, masks=tuple(masks.values()), salt="s")
        try:
            plan = plan_copy(target_of(source), target_of(target), options=options)
        except ConfigError as exc:
            if "look personal" not in exc.message:
                raise
            named = re.findall(r"--mask=([\w.]+)=(\w+)(?::(\w+))?", exc.hint or "")
            if len(named) > 1:  # the last is that it may stay
                named = named[:-1]
            assert not masks.keys() & {column for column, *_ in named}
            masks |= {column: Mask(column, kind, value) for column, kind, value in named}
        else:
            assert plan.refused == ()
            return tuple(masks.values())
    raise AssertionError("it has no end")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("kind", "onto"), DIRECTIONS)
def test_a_hint_names_no_mask_that_is_refused(make_database: MakeDatabase, kind: str, onto: str, seed: int) -> None:
    source = made(make_database(kind), *tables(kind, random.Random(f"{kind} {onto} {seed}")))  # noqa: S311 - the same each time
    target = make_database(onto, "copy")
    masks = masked_by_hints(source, target)
    assert masks
    copy(target_of(source), target_of(target), options=CopyOptions(strict_masks=True, masks=masks, salt="s"))


def test_types_of_letters_alone_and_numbers_look_personal(make_database: MakeDatabase) -> None:
    source = made(
        make_database("postgresql"),
        *BEFORE["postgresql"],
        "CREATE TABLE t (id integer PRIMARY KEY, address_id bigint, email_count integer, email_sent_at timestamptz, "
        "email citext, owner mail, note citext, phone bigint, birthday timestamptz, is_email boolean)",
        "INSERT INTO t (id, note) VALUES (1, 'Ann@Example.org')",
    )
    target = make_database("postgresql", "copy")
    with pytest.raises(ConfigError, match=r"have no mask: t\.email, t\.note, t\.phone, t\.birthday\."):
        plan_copy(target_of(source), target_of(target), options=CopyOptions(strict_masks=True))
    masks = (Mask("t.email", "email"), Mask("t.note", "email"), Mask("t.phone", "hash"), Mask("t.birthday", "date"))
    copy(target_of(source), target_of(target), options=CopyOptions(strict_masks=True, masks=masks))
    assert target.execute("SELECT note LIKE '%@example.com' FROM t") == [(True,)]


@pytest.mark.parametrize("kind", DIALECTS)
def test_a_hint_needs_no_second_connection(make_database: MakeDatabase, kind: str) -> None:
    source = made(
        make_database(kind),
        "CREATE TABLE t (id integer PRIMARY KEY, phone smallint NOT NULL, UNIQUE (phone))",
        "INSERT INTO t VALUES (1, 7)",
    )
    target = make_database(kind, "copy")
    with pytest.raises(ConfigError, match=r"have no mask: t\.phone\."):
        plan_copy(target_of(source), target_of(target), options=CopyOptions(strict_masks=True, jobs=1))
