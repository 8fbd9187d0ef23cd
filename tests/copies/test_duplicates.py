"""Keys that SQLite tells apart and the copy does not: one value in two spellings."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions

pytestmark = pytest.mark.server
SERVERS = ["postgresql", "mysql"]
SPELLINGS = {
    "datetime": ("'2024-01-01'", "'2024-01-01 00:00:00'"),
    "timestamp": ("'2024-01-01T10:00:00'", "'2024-01-01 10:00:00'"),
    "timestamptz": ("'2024-01-01 10:00:00+02:00'", "'2024-01-01 08:00:00+00:00'"),
    "time": ("'10:00'", "'10:00:00'"),
    "boolean": ("'t'", "1"),
    "char(32)": ("'6F1C9B2E00004000800000000000ABCD'", "'6f1c9b2e00004000800000000000abcd'"),
    "": ("'1'", "1"),
}


@pytest.mark.parametrize("onto", SERVERS)
@pytest.mark.parametrize(("type_", "values"), SPELLINGS.items(), ids=lambda one: str(one or "untyped"))
def test_one_value_in_two_spellings_is_told_before_the_copy(
    make_database: MakeDatabase, onto: str, type_: str, values: tuple[str, str]
) -> None:
    source = made(
        make_database("sqlite"),
        f"CREATE TABLE t (id integer PRIMARY KEY, n integer, a {type_}, UNIQUE (n, a))",
        f"INSERT INTO t VALUES (1, 5, {values[0]}), (2, 5, {values[1]}), (3, NULL, {values[0]}), (4, 6, {values[0]})",
    )
    target = make_database(onto, "copy")
    [refused] = plan_copy(target_of(source), target_of(target)).refused
    assert refused.startswith("t: 1 row has the same n, a as another in the copy, the first: 5, ")
    for options in (CopyOptions(), CopyOptions(on_bad_row="skip")):
        with pytest.raises(CopyError):
            copy(target_of(source), target_of(target), options=options)
    options = CopyOptions(where=(("t", "id <> 2"),))
    assert copy(target_of(source), target_of(target), options=options).rows == 3


@pytest.mark.parametrize("onto", SERVERS)
def test_values_in_many_spellings_that_are_all_different_are_copied(make_database: MakeDatabase, onto: str) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE t (a datetime NOT NULL PRIMARY KEY, b boolean, c numeric(5, 2), UNIQUE (b, c))",
        "INSERT INTO t VALUES ('2024-01-01', 1, 1), ('2024-01-01 10:00:00', 't', '2.0'), "
        "('2024-01-01T10:00:00.5', 0, 1.0)",
    )
    target = make_database(onto, "copy")
    assert copy(target_of(source), target_of(target), options=CopyOptions(verify=True)).rows == 3
