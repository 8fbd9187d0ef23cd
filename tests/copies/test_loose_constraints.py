"""What a source takes that its constraints do not: by letters alone, with checks switched off, in a lenient mode."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import plan_copy
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import Copied

pytestmark = pytest.mark.server
CROSSING = [("mysql", "postgresql"), ("mysql", "sqlite"), ("sqlite", "postgresql"), ("sqlite", "mysql")]
FOLDING = {"sqlite": "COLLATE NOCASE", "mysql": "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"}
OFF = {"sqlite": "PRAGMA foreign_keys = OFF", "mysql": "SET foreign_key_checks = 0"}
VERIFIED = CopyOptions(verify=True)


def copied(source: Database, target: Database) -> Copied:
    """The copy, which lacks what its plan said, and nothing else."""
    plan = plan_copy(target_of(source), target_of(target))
    assert plan.refused == ()
    result = copy(target_of(source), target_of(target), options=VERIFIED)
    assert {table.verified for table in result.tables} == {"values"}
    refused = {note.partition(":")[0] for note in result.notes}
    assert refused <= {phrase.partition(":")[0] for phrase in plan.not_carried}
    assert {*result.not_carried} <= {*plan.not_carried}
    return result


@pytest.mark.parametrize(("kind", "onto"), CROSSING)
def test_a_check_that_holds_by_letters_alone_is_listed_as_not_carried(
    make_database: MakeDatabase, kind: str, onto: str
) -> None:
    text = f"varchar(20) {FOLDING[kind]}"
    source = made(
        make_database(kind),
        f"CREATE TABLE t (id integer PRIMARY KEY, a {text} CHECK (a IN ('new', 'paid')), "
        f"b {text} CHECK (b IN ('x', 'y')), n integer CHECK (n > 0))",
        "INSERT INTO t VALUES (1, 'NEW', 'x', 1), (2, 'paid', 'y', 2), (3, 'Paid', NULL, NULL)",
    )
    target = make_database(onto, "copy")
    (lost,) = [phrase for phrase in copied(source, target).not_carried if phrase.startswith("check")]
    assert lost.endswith("of t: 2 rows break it where texts are compared by their characters")
    assert target.execute("SELECT a FROM t ORDER BY id") == [("NEW",), ("paid",), ("Paid",)]
    for change in ("b = 'X'", "n = -1"):
        with pytest.raises(Exception, match=r"(?i)check|constraint"):
            target.execute(f"UPDATE t SET {change}")


@pytest.mark.parametrize("onto", ["postgresql", "sqlite"])
def test_a_key_that_refers_by_letters_alone_is_listed_as_not_carried(make_database: MakeDatabase, onto: str) -> None:
    source = made(
        make_database("mysql"),
        f"CREATE TABLE p (a varchar(20) {FOLDING['mysql']} PRIMARY KEY)",
        f"CREATE TABLE c (a varchar(20) {FOLDING['mysql']}, CONSTRAINT odd FOREIGN KEY (a) REFERENCES p (a))",
        f"CREATE TABLE d (a varchar(20) {FOLDING['mysql']}, CONSTRAINT plain FOREIGN KEY (a) REFERENCES p (a))",
        "INSERT INTO p VALUES ('Abc'), ('d')",
        "INSERT INTO c VALUES ('abc'), ('Abc'), ('d '), (NULL)",
        "INSERT INTO d VALUES ('Abc'), ('d')",
    )
    lost = copied(source, make_database(onto, "copy")).not_carried
    assert [phrase for phrase in lost if "foreign key" in phrase] == [
        "foreign key odd of c: 2 rows refer to no row of p with the same characters"
    ]


@pytest.mark.parametrize("onto", ["mysql", "sqlite"])
def test_types_and_collations_of_postgresql_that_fold_letters_are_looked_at_too(
    make_database: MakeDatabase, onto: str
) -> None:
    source = made(
        make_database("postgresql"),
        "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE TABLE p (a text COLLATE folding PRIMARY KEY, b text COLLATE folding CHECK (b IN ('new')))",
        "CREATE TABLE c (a text COLLATE folding CONSTRAINT odd REFERENCES p, n integer)",
        "INSERT INTO p VALUES ('Abc', 'NEW')",
        "INSERT INTO c VALUES ('abc', 7), ('Abc', NULL)",
        "ALTER TABLE p ADD CONSTRAINT numbered UNIQUE (b)",
        "CREATE TABLE q (id integer PRIMARY KEY)",
        "ALTER TABLE c ADD CONSTRAINT late FOREIGN KEY (n) REFERENCES q NOT VALID",
    )
    lost = copied(source, make_database(onto, "copy")).not_carried
    assert {
        "foreign key odd of c: 1 row refers to no row of p with the same characters",
        "foreign key late of c: 1 row refers to no row of q",
        "check p_b_check of p: 1 row breaks it where texts are compared by their characters",
    } <= {*lost}


@pytest.mark.parametrize("onto", ["postgresql", "sqlite"])
def test_a_key_of_mysql_that_refers_to_what_is_not_unique_is_listed_as_not_carried(
    make_database: MakeDatabase, onto: str
) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE p (id int PRIMARY KEY, code int, n int, KEY (code), UNIQUE (n, code))",
        "CREATE TABLE c (code int, n int, CONSTRAINT odd FOREIGN KEY (code) REFERENCES p (code), "
        "CONSTRAINT plain FOREIGN KEY (n, code) REFERENCES p (n, code))",
        "INSERT INTO p VALUES (1, 5, 1), (2, 5, 2)",
        "INSERT INTO c VALUES (5, 1)",
    )
    target = make_database(onto, "copy")
    assert [phrase for phrase in copied(source, target).not_carried if "key" in phrase] == [
        "foreign key odd of c: code of p is no key"
    ]
    target.execute("INSERT INTO c VALUES (5, 2)")


@pytest.mark.parametrize(("kind", "onto"), [pair for pair in CROSSING if pair[1] != "sqlite"])
def test_a_key_whose_rows_refer_to_none_is_listed_in_the_plan(
    make_database: MakeDatabase, kind: str, onto: str
) -> None:
    source = made(
        make_database(kind),
        OFF[kind],
        "CREATE TABLE p (id integer PRIMARY KEY, n integer NOT NULL, UNIQUE (id, n))",
        "CREATE TABLE c (id integer PRIMARY KEY, a integer, b integer, p integer, "
        "CONSTRAINT one FOREIGN KEY (p) REFERENCES p (id), CONSTRAINT two FOREIGN KEY (a, b) REFERENCES p (id, n), "
        "CONSTRAINT kept FOREIGN KEY (id) REFERENCES p (id))",
        "INSERT INTO p VALUES (1, 5), (2, 6)",
        "INSERT INTO c VALUES (1, 1, 6, 9), (2, 2, NULL, NULL)",
    )
    target = make_database(onto, "copy")
    found = plan_copy(target_of(source), target_of(target)).not_carried
    assert [phrase for phrase in found if "foreign key" in phrase] == [
        "foreign key one of c: 1 row refers to no row of p",
        "foreign key two of c: 1 row refers to no row of p",
    ]
    assert [note.partition(":")[0] for note in copied(source, target).notes] == [
        "foreign key one of c",
        "foreign key two of c",
    ]


@pytest.mark.parametrize("onto", ["mysql", "postgresql", "sqlite"])
def test_the_empty_text_of_an_enum_that_does_not_list_it_arrives(make_database: MakeDatabase, onto: str) -> None:
    source = made(
        make_database("mysql"),
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (id int PRIMARY KEY, a enum('x', 'y') NOT NULL, b enum('x', '') DEFAULT 'x', c enum('z'))",
        "INSERT INTO t VALUES (1, 'other', '', 'z'), (2, 'y', 'x', ''), (3, '', NULL, NULL)",
    )
    target = make_database(onto, "copy")
    copied(source, target)
    assert target.execute("SELECT * FROM t ORDER BY id") == [(1, "", "", "z"), (2, "y", "x", ""), (3, "", None, None)]
    if onto == "mysql":
        assert target.execute("SELECT a + 0, b + 0, c + 0 FROM t ORDER BY id") == source.execute(
            "SELECT a + 0, b + 0, c + 0 FROM t ORDER BY id"
        )


def test_a_warning_of_another_column_still_ends_a_copy_with_such_an_enum(make_database: MakeDatabase) -> None:
    source = made(
        make_database("mysql"),
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (id int PRIMARY KEY, a enum('x'), n int)",
        "INSERT INTO t VALUES (1, '', 300)",
    )
    target = made(make_database("mysql", "copy"), "CREATE TABLE t (id int PRIMARY KEY, a enum('x'), n tinyint)")
    with pytest.raises(Exception, match="id=1"):
        copy(target_of(source), target_of(target), options=CopyOptions(data_only=True))
    assert target.execute("SELECT * FROM t") == []


@pytest.mark.parametrize("onto", ["postgresql", "sqlite"])
def test_a_truth_value_that_is_2_is_a_number(make_database: MakeDatabase, onto: str) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE t (id int PRIMARY KEY, a tinyint(1), b tinyint(1))",
        "INSERT INTO t VALUES (1, 2, 1), (2, -1, 0), (3, NULL, NULL)",
    )
    target = make_database(onto, "copy")
    copied(source, target)
    assert target.execute("SELECT a, b FROM t ORDER BY id") == [(2, 1), (-1, 0), (None, None)]


@pytest.mark.parametrize("onto", ["postgresql", "mysql"])
def test_null_in_a_key_of_sqlite_is_seen_by_the_plan(make_database: MakeDatabase, onto: str) -> None:
    source = made(
        make_database("sqlite"),
        "CREATE TABLE t (a varchar(9) PRIMARY KEY, b integer)",
        "INSERT INTO t VALUES (NULL, 1), ('x', 2)",
    )
    (refused,) = plan_copy(target_of(source), target_of(make_database(onto, "copy"))).refused
    assert refused.startswith("t: 1 row holds what ")
    assert refused.endswith("of a does not take, the first in a=NULL: NULL")


@pytest.mark.parametrize("onto", ["mysql", "sqlite"])
def test_keys_of_postgresql_whose_values_are_equal_in_two_texts_are_listed(
    make_database: MakeDatabase, onto: str
) -> None:
    source = made(
        make_database("postgresql"),
        "CREATE TABLE p (i interval UNIQUE, j jsonb UNIQUE, n numeric(40,9) UNIQUE, m numeric(40,2) UNIQUE)",
        "CREATE TABLE c (i interval CONSTRAINT i REFERENCES p (i), j jsonb CONSTRAINT j REFERENCES p (j), "
        "n numeric(40,2) CONSTRAINT n REFERENCES p (n), m numeric(40,2) CONSTRAINT m REFERENCES p (m))",
        "INSERT INTO p VALUES ('1 mon', '[1]', 1234567890123456789.5, 1), ('1 day', '[2]', 2, 1234567890123456789.5)",
        "INSERT INTO c VALUES ('30 days', '[1.0]', 1234567890123456789.5, 1), ('1 day', '[2]', 2, 1)",
    )
    lost = copied(source, make_database(onto, "copy")).not_carried
    told = [phrase.partition(": ")[0] for phrase in lost if phrase.startswith("foreign key")]
    assert told == [f"foreign key {name} of c" for name in ("i", "j", *(["n"] if onto == "sqlite" else []))]
