"""The plan looks at the rows and at what the target takes: all that would make the copy fail, in one list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.copying import copy, made, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks.copies import plan_copy
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


@pytest.mark.parametrize("types", [(), (("n.a", "decimal(10,2)"),)])
def test_numbers_of_a_thousand_digits_that_say_little_are_taken_or_told(
    make_database: MakeDatabase, types: tuple[tuple[str, str], ...]
) -> None:
    source = made(
        make_database("postgresql"),
        "CREATE TABLE n (id integer PRIMARY KEY, a numeric(1000,500), b numeric)",
        f"INSERT INTO n VALUES (1, 1.5, 0.{'0' * 70}), (2, NULL, NULL)",
    )
    target = make_database("mysql", "copy")
    options = CopyOptions(types=types)
    if types:
        assert "of a does not take" in plan_copy(target_of(source), target_of(target), options=options).refused[0]
        with pytest.raises(CopyError, match="id=1"):
            copy(target_of(source), target_of(target), options=options)
        return
    copy(target_of(source), target_of(target), options=options)
    assert target.execute("SELECT a * 10, b * 10, a IS NULL FROM n ORDER BY id") == [(15, 0, 0), (None, None, 1)]


def test_a_number_that_is_the_greatest_has_none_after_it(make_database: MakeDatabase) -> None:
    greatest = 2**63 - 1
    source = made(
        make_database("sqlite"),
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        f"INSERT INTO t VALUES (0), ({greatest})",
    )
    target = make_database("postgresql", "copy")
    copy(target_of(source), target_of(target))
    assert target.execute("SELECT id FROM t ORDER BY id") == [(0,), (greatest,)]
    with pytest.raises(Exception, match="maximum value"):
        target.execute("INSERT INTO t DEFAULT VALUES")


def test_keys_within_postgresql_whose_rows_refer_to_none_are_told_and_not_validated(
    make_database: MakeDatabase,
) -> None:
    source = made(
        make_database("postgresql"),
        "CREATE SCHEMA other",
        "CREATE TABLE p (id integer PRIMARY KEY)",
        'CREATE TABLE other."c d" (id integer PRIMARY KEY, p_id integer CONSTRAINT "to p" REFERENCES p DEFERRABLE, '
        "fine integer CONSTRAINT fine REFERENCES p)",
        "CREATE TABLE parts (id integer, p_id integer CONSTRAINT of_parts REFERENCES p) PARTITION BY LIST (id)",
        "CREATE TABLE part PARTITION OF parts DEFAULT",
        "SET session_replication_role = replica",
        "INSERT INTO p VALUES (1)",
        'INSERT INTO other."c d" VALUES (1, 1, 1), (2, 8, 1), (3, 9, NULL)',
        "INSERT INTO parts VALUES (1, 7)",
    )
    target = make_database("postgresql", "copy")
    lost = plan_copy(target_of(source), target_of(target)).not_carried
    assert sorted(lost) == [
        "foreign key of_parts of parts: 1 row refers to no row of p",
        "validity of foreign key to p of other.c d: 2 rows refer to no row of p",
    ]
    copy(target_of(source), target_of(target), options=CopyOptions(verify=True))
    assert target.execute("SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1") == [
        ("fine", True),
        ("to p", False),
    ]
    with pytest.raises(Exception, match="to p"):
        target.execute('INSERT INTO other."c d" VALUES (4, 5, NULL)')
    options = CopyOptions(where=(("other.c d", "p_id IS DISTINCT FROM 8"),), overwrite=True)
    lost = plan_copy(target_of(source), target_of(target), options=options).not_carried
    assert "validity of foreign key to p of other.c d: 1 row refers to no row of p" in lost
    assert copy(target_of(source), target_of(target), options=options).rows == 4


KEYS = (
    "CREATE TABLE p (id integer PRIMARY KEY)",
    "CREATE TABLE c (id integer PRIMARY KEY, p_id integer, FOREIGN KEY (p_id) REFERENCES p (id))",
)


@pytest.mark.parametrize("kind", DIALECTS)
@pytest.mark.parametrize("onto", DIALECTS)
def test_what_the_tables_of_a_target_do_not_take_is_told_for_rows_alone(
    make_database: MakeDatabase, kind: str, onto: str
) -> None:
    source = made(
        make_database(kind),
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE c (id integer PRIMARY KEY, p_id integer)",
        "INSERT INTO p VALUES (1), (2)",
        "INSERT INTO c VALUES (1, 1), (2, NULL), (3, 3), (4, 4)",
    )
    target = made(make_database(onto, "copy"), *KEYS, "INSERT INTO p VALUES (7), (3)", "INSERT INTO c VALUES (1, 7)")
    options = CopyOptions(data_only=True)

    def refused(**chosen: Any) -> list[str]:
        with pytest.raises(CopyError):
            copy(target_of(source), target_of(target), options=replace(options, **chosen))
        plan = plan_copy(target_of(source), target_of(target), options=replace(options, **chosen))
        return [what.partition(" (foreign key")[0] for what in plan.refused]

    assert refused() == [
        "the target holds rows of c, p, and they are kept without --overwrite",
        "c: 2 rows refer to no row of p",
    ]
    assert refused(overwrite=True) == ["c: 2 rows refer to no row of p"]
    assert refused(overwrite=True, tables=("c",)) == ["c: 2 rows refer to no row of p"]  # but for 3, which it holds
    assert refused(overwrite=True, tables=("p",)) == ["c: 1 row refers to no row of p"]  # those that it holds
    assert target.execute("SELECT id FROM p ORDER BY id") == [(3,), (7,)]
    source.execute("INSERT INTO p VALUES (3), (4)")
    copy(target_of(source), target_of(target), options=replace(options, overwrite=True))
    assert target.execute("SELECT count(*) FROM c") == [(4,)]


@pytest.mark.parametrize("onto", ["postgresql", "mysql"])
def test_rows_that_would_be_left_out_do_not_make_a_copy_fail(
    make_database: MakeDatabase, onto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the rows are written there
    source = made(make_database("sqlite"), *BAD["sqlite"])
    plan = plan_copy(target_of(source), target_of(make_database(onto, "copy")), options=CopyOptions(on_bad_row="skip"))
    told = TOLD["sqlite", "postgresql"]
    assert (plan.refused, list(plan.rejected)) == ((), told if onto == "postgresql" else told[:1])
    done = copy(target_of(source), target_of(make_database(onto, "copy")), options=CopyOptions(on_bad_row="skip"))
    assert dict(done.rejected) == ({"a": 1, "b": 1} if onto == "postgresql" else {"a": 1})
    options = CopyOptions(on_bad_row="skip", where=(("a", "colour = 1"),))
    with pytest.raises(CopyError, match="no such column"):
        copy(target_of(source), target_of(make_database(onto, "copy")), options=options)
