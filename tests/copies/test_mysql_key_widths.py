"""Texts in the keys of a copy to MySQL or MariaDB: as wide as all keys allow, and as what they hold needs."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions

DIALECT = "mysql"
pytestmark = pytest.mark.server
SOURCES = ["postgresql", "sqlite"]
# The key of `part` alone would take 768 characters, those of `stock` and `sold` 383 of each.
SHOP = (
    "CREATE TABLE part (code text NOT NULL PRIMARY KEY)",
    "CREATE TABLE stock (code text NOT NULL REFERENCES part (code), place text NOT NULL, PRIMARY KEY (code, place))",
    "CREATE TABLE sold (id integer PRIMARY KEY, code text, place text, "
    "FOREIGN KEY (code, place) REFERENCES stock (code, place), UNIQUE (place, id))",
)
TYPES = "SELECT table_name, column_name, column_type FROM information_schema.columns WHERE table_schema = DATABASE()"


def filled(database: Database, code: int, place: int) -> Database:
    return made(
        database,
        *SHOP,
        f"INSERT INTO part VALUES ('{'c' * code}')",
        f"INSERT INTO stock VALUES ('{'c' * code}', '{'é' * place}')",
        f"INSERT INTO sold VALUES (1, '{'c' * code}', '{'é' * place}')",
    )


def widths(target: Database) -> dict[tuple[str, str], str]:
    return {(table, column): type_ for table, column, type_ in target.execute(TYPES) if "varchar" in type_}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_text_of_several_keys_has_one_width(make_database: MakeDatabase, target: Database, kind: str) -> None:
    source = filled(make_database(kind), 10, 20)
    options = CopyOptions(verify=True)
    copy(target_of(source), target_of(target), options=options)
    assert widths(target) == {
        ("part", "code"): "varchar(383)",
        ("stock", "code"): "varchar(383)",
        ("stock", "place"): "varchar(383)",
        ("sold", "code"): "varchar(383)",
        ("sold", "place"): "varchar(383)",
    }


@pytest.mark.parametrize("kind", SOURCES)
def test_what_a_text_holds_decides_on_its_share(make_database: MakeDatabase, target: Database, kind: str) -> None:
    source = filled(make_database(kind), 700, 20)
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    found = widths(target)
    assert {found["part", "code"], found["stock", "code"], found["sold", "code"]} == {"varchar(700)"}
    assert {found["stock", "place"], found["sold", "place"]} == {"varchar(66)"}


def test_what_no_key_takes_is_told_before_anything_is_copied(make_database: MakeDatabase, target: Database) -> None:
    source = filled(make_database("sqlite"), 700, 100)
    plan = plan_copy(target_of(source), target_of(target))
    assert "stock: a key of (code, place) is too long for the copy: code up to 700, place up to 100" in plan.refused
    with pytest.raises(CopyError, match=r"cannot have what .* holds:\n  stock: a key of \(code, place\) is too long"):
        copy(target_of(source), target_of(target))
    assert not target.exists()


@pytest.mark.parametrize("size", [2, 16, 40])
def test_a_key_of_many_columns_is_taken(make_database: MakeDatabase, target: Database, size: int) -> None:
    names = [f"c{number}" for number in range(min(size, 16))]
    columns = ", ".join(f"{name} text NOT NULL" for name in names)
    values = ", ".join(f"'{'x' * (3 + size)}'" for _ in names)
    source = made(
        make_database("sqlite"),
        f"CREATE TABLE t ({columns}, PRIMARY KEY ({', '.join(names)}))",
        f"INSERT INTO t VALUES ({values})",
    )
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert len(target.execute("SELECT * FROM t")[0]) == len(names)
