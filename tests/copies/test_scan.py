"""The plan looks at the rows and at what the target takes: all that would make the copy fail, in one list."""

from __future__ import annotations

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions

pytestmark = pytest.mark.server

BAD = {
    "postgresql": (
        "CREATE TABLE a (id integer PRIMARY KEY, d date, f double precision, n numeric)",
        "INSERT INTO a VALUES (1, 'infinity', 'NaN', 5), (2, '2026-01-01', 2.5, 1e40), (3, '-infinity', NULL, NULL)",
        "CREATE TABLE b (id integer PRIMARY KEY, t timestamptz)",
        "INSERT INTO b VALUES (7, '2026-01-01'), (8, '11000-01-01')",
    ),
    "mysql": (
        "CREATE TABLE a (id int PRIMARY KEY, d date NOT NULL, t datetime)",
        "INSERT INTO a VALUES (1, '0000-00-00', '2026-01-01'), (2, '2026-01-01', '0000-00-00')",
        "CREATE TABLE b (id int PRIMARY KEY, t text)",
        "INSERT INTO b VALUES (8, CONCAT('x', CHAR(0)))",
    ),
    "sqlite": (
        "CREATE TABLE a (id integer PRIMARY KEY, d date, n integer)",
        "INSERT INTO a VALUES (1, '2026-01-01', 5), (2, 'soon', 6)",
        "CREATE TABLE b (id integer PRIMARY KEY, t text)",
        "INSERT INTO b VALUES (8, 'x' || char(0))",
    ),
}
TOLD = {
    ("postgresql", "mysql"): [
        "a: 2 rows hold what date of d does not take, the first in id='1': 'infinity'",
        "a: 1 row holds what double of f does not take, the first in id='1': 'NaN'",
        f"a: 1 row holds what decimal(65,30) of n does not take, the first in id='2': '1{'0' * 39}...'",
        "b: 1 row holds what datetime(6) of t does not take, the first in id='8': '11000-01-01 00:00:00'",
    ],
    ("mysql", "postgresql"): [
        "a: 1 row holds what date of d does not take, the first in id='1': '0000-00-00'",
        "a: 1 row holds what timestamp without time zone of t does not take, the first in id='2': "
        "'0000-00-00 00:00:00'",
        "b: 1 row holds what text of t does not take, the first in id='8': 'x\\x00'",
    ],
    ("sqlite", "postgresql"): [
        "a, id=2: 'soon' in d is no date",
        "b: 1 row holds what text of t does not take, the first in id='8': 'x\\x00'",
    ],
}


@pytest.mark.parametrize(("kind", "onto"), list(TOLD))
def test_all_that_does_not_fit_is_told_at_once(make_database: MakeDatabase, kind: str, onto: str) -> None:
    source, target = made(make_database(kind), *BAD[kind]), make_database(onto, "copy")
    plan = plan_copy(target_of(source), target_of(target))
    assert list(plan.refused) == TOLD[kind, onto]
    assert [table.rows for table in plan.tables] == [
        source.execute("SELECT count(*) FROM a")[0][0],
        source.execute("SELECT count(*) FROM b")[0][0],
    ]
    assert not target.exists()
    assert plan_copy(target_of(source), target_of(target), options=CopyOptions(scan=False)).refused == ()
    with pytest.raises(CopyError):
        copy(target_of(source), target_of(target))


def test_conditions_that_cannot_be_used_are_told_with_the_rest(make_database: MakeDatabase) -> None:
    source = made(make_database("postgresql"), *BAD["postgresql"])
    options = CopyOptions(where=(("b", "colour = 1"),))
    plan = plan_copy(target_of(source), target_of(make_database("mysql", "copy")), options=options)
    assert len(plan.refused) == 4
    assert 'column "colour" does not exist' in plan.refused[-1]


def test_what_the_target_cannot_make_is_told(make_database: MakeDatabase) -> None:
    columns = ", ".join(f"c{number} integer" for number in range(1100))
    source = made(make_database("sqlite"), f"CREATE TABLE wide ({columns})")
    target = make_database("mysql", "copy")
    plan = plan_copy(target_of(source), target_of(target))
    assert "Too many columns" in plan.refused[0]
    assert not target.exists()
    assert target.beside() == set()


def test_masked_columns_and_rows_that_are_left_out_are_not_looked_at(make_database: MakeDatabase) -> None:
    from framefox_tasks.model import Mask

    source = made(make_database("postgresql"), *BAD["postgresql"])
    options = CopyOptions(where=(("a", "id > 9"), ("b", "id = 7")), masks=(Mask("b.t", "null"),))
    target = make_database("mysql", "copy")
    plan = plan_copy(target_of(source), target_of(target), options=options)
    assert (plan.refused, [table.rows for table in plan.tables]) == ((), [0, 1])
    copy(target_of(source), target_of(target), options=options)


@pytest.mark.parametrize("rows", ["'2026-01-01'", "'10000-01-01'"])
def test_rows_alone_are_looked_at_as_well(make_database: MakeDatabase, rows: str) -> None:
    source = made(make_database("postgresql"), "CREATE TABLE t (d date)", f"INSERT INTO t VALUES ({rows}), (NULL)")
    target: Database = made(make_database("mysql", "copy"), "CREATE TABLE t (d date NOT NULL)")
    plan = plan_copy(target_of(source), target_of(target), options=CopyOptions(data_only=True))
    first = rows if "10000" in rows else "NULL"
    count = "2 rows hold" if "10000" in rows else "1 row holds"
    assert list(plan.refused) == [f"t: {count} what date of d does not take, the first: {first}"]


def test_the_rows_of_a_part_of_a_file_are_counted(make_database: MakeDatabase) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE a (id integer PRIMARY KEY)",
        "CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a (id))",
        "INSERT INTO a VALUES (1), (2), (3)",
        "INSERT INTO b VALUES (1, 1), (2, 2), (3, NULL)",
    )
    target = target_of(make_database("sqlite", "copy"))
    plan = plan_copy(target_of(source), target, options=CopyOptions(where=(("a", "id = 1"),)))
    assert [(table.name, table.rows) for table in plan.tables] == [("a", 1), ("b", 2)]
    plan = plan_copy(target_of(source), target, options=CopyOptions(where=(("a", "colour = 1"),)))
    assert any("no such column: colour" in what for what in plan.refused)


@pytest.mark.parametrize("onto", ["postgresql", "mysql"])
def test_every_column_of_sqlite_with_values_of_another_kind_is_in_the_list(
    make_database: MakeDatabase, onto: str
) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b DATE, c VARCHAR(9))",
        "INSERT INTO t VALUES (1, 5, '2024-01-05', 'x'), (2, '', '05/01/2024', 'y'), (3, '', '2024-01-07', 'z'), "
        "(4, 7, '06/01/2024', 'q'), (5, 8, '2024-01-08', x'00')",
        "CREATE TABLE u (id INTEGER PRIMARY KEY, a INTEGER)",
        "INSERT INTO u VALUES (1, 'x'), (2, 3)",
    )
    plan = plan_copy(target_of(source), target_of(make_database(onto, "copy")))
    assert plan.tables[0].rows == 5
    assert list(plan.refused) == [
        "t, id=2: '' in a is no integer, and 1 more like it",
        "t, id=4: '06/01/2024' in b is no date",
        "t, id=5: x'00' in c is no text",
        "u, id=1: 'x' in a is no integer",
    ]
