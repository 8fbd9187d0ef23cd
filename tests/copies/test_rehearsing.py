"""What the tables of a target refuse of the rows that come alone is told before, and the target is left alone."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from support.copying import copy, made, role, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks import copies
from framefox_tasks.copies import plan_copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions, Target

pytestmark = pytest.mark.server
DIRECTIONS = [(kind, onto) for kind in DIALECTS for onto in DIALECTS]
ROWS_ALONE = CopyOptions(data_only=True)
PLAIN = "CREATE TABLE t (id integer PRIMARY KEY, a varchar(20), n integer, code varchar(20))"


def refused(source: Database, target: Database, **chosen: Any) -> list[str]:
    """What the plan refuses; the copy does too, and changes nothing."""
    options = replace(ROWS_ALONE, **chosen)
    plan = plan_copy(target_of(source), target_of(target), options=options)
    with pytest.raises(CopyError):
        copy(target_of(source), target_of(target), options=options)
    return list(plan.refused)


@pytest.mark.parametrize(("kind", "onto"), DIRECTIONS)
def test_checks_and_unique_keys_of_the_target_are_told_with_the_rows(
    make_database: MakeDatabase, kind: str, onto: str
) -> None:
    source = made(
        make_database(kind),
        PLAIN,
        "INSERT INTO t VALUES (1, 'x', 5, 'p'), (2, 'x', -1, 'q'), (3, 'y', -2, 'r'), (4, 'x', 7, ''), (5, '', 8, '')",
    )
    target = made(
        make_database(onto, "copy"),
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(20), n integer, code varchar(20), "
        "CONSTRAINT above CHECK (n > 0), CONSTRAINT once UNIQUE (a))",
    )
    told = refused(source, target)
    assert any(one.startswith("t, id=2: ") and "above" in one and one.endswith(", and 1 more like it") for one in told)
    [again] = [one for one in told if one.startswith("t, id=4: ")]
    assert re.search(r"UNIQUE constraint failed: t.a|duplicate key value|Duplicate entry 'x'", again)
    assert len(told) == 2
    assert target.execute("SELECT count(*) FROM t") == [(0,)]
    source.execute("DELETE FROM t WHERE id IN (2, 3, 4)")
    assert copy(target_of(source), target_of(target), options=ROWS_ALONE).rows == 2


@pytest.mark.parametrize(("kind", "onto"), DIRECTIONS)
def test_keys_of_texts_and_of_chosen_rows_are_looked_at(make_database: MakeDatabase, kind: str, onto: str) -> None:
    source = made(
        make_database(kind),
        "CREATE TABLE p (id integer PRIMARY KEY)",
        PLAIN,
        "INSERT INTO p VALUES (1), (2)",
        "INSERT INTO t VALUES (1, 'x', 1, 'here'), (2, 'y', 2, 'gone'), (3, 'z', NULL, NULL)",
    )
    target = made(
        make_database(onto, "copy"),
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE other (code varchar(20) PRIMARY KEY)",
        "CREATE TABLE t (id integer PRIMARY KEY, a varchar(20), n integer, code varchar(20), "
        "FOREIGN KEY (n) REFERENCES p (id), FOREIGN KEY (code) REFERENCES other (code))",
        "INSERT INTO other VALUES ('here')",
    )
    told = [one.partition(" (foreign key")[0] for one in refused(source, target, tables=("p", "t"))]
    assert told == ["t: 1 row refers to no row of other"]
    source.execute("UPDATE t SET code = 'here' WHERE id = 2")
    where = (("p", "id = 1"),)
    told = [one.partition(" (foreign key")[0] for one in refused(source, target, tables=("p", "t"), where=where)]
    assert told == ["t: 1 row refers to no row of p"]
    copy(target_of(source), target_of(target), options=replace(ROWS_ALONE, tables=("p", "t")))


@pytest.mark.parametrize(("kind", "onto"), [("postgresql", "postgresql"), ("sqlite", "mysql"), ("mysql", "sqlite")])
def test_rows_that_are_left_out_are_told_with_those_of_the_target(
    make_database: MakeDatabase, kind: str, onto: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the rows are written there
    source = made(make_database(kind), PLAIN, "INSERT INTO t VALUES (1, 'x', 5, 'p'), (2, 'y', -1, 'q')")
    target = made(make_database(onto, "copy"), PLAIN.replace("n integer", "n integer CHECK (n > 0)"))
    options = replace(ROWS_ALONE, on_bad_row="skip")
    plan = plan_copy(target_of(source), target_of(target), options=options)
    assert plan.refused == ()
    [told] = plan.rejected
    assert told.startswith("t, id=2: ")
    assert dict(copy(target_of(source), target_of(target), options=options).rejected) == {"t": 1}


def test_no_more_rows_are_looked_for_when_many_are_refused(make_database: MakeDatabase) -> None:
    rows = ", ".join(f"({number}, 'x', -{number}, NULL)" for number in range(1, 31))
    source = made(make_database("sqlite"), PLAIN, f"INSERT INTO t VALUES {rows}")
    target = made(
        make_database("sqlite", "copy"), PLAIN.replace("n integer", "n integer CONSTRAINT above CHECK (n > 0)")
    )
    assert refused(source, target) == [
        "t, id=1: CHECK constraint failed: above, and 19 more like it",
        "t: no more rows were looked at",
    ]


@pytest.mark.parametrize("deferred", ["", " DEFERRABLE INITIALLY DEFERRED"])
def test_partitions_and_late_keys_of_postgresql_are_looked_at(make_database: MakeDatabase, deferred: str) -> None:
    source = made(
        make_database("sqlite"),
        PLAIN,
        "INSERT INTO t VALUES (1, 'x', 5, 'p'), (2, 'y', 15, 'q'), (3, 'z', NULL, 'p')",
    )
    target = made(
        make_database("postgresql", "copy"),
        "CREATE TABLE t (id integer, a varchar(20), n integer, code varchar(20)) PARTITION BY RANGE (n)",
        "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (10) PARTITION BY LIST (a)",
        "CREATE TABLE low_x PARTITION OF low FOR VALUES IN ('x')",
    )
    assert refused(source, target) == ["t: 2 rows belong to no partition of the target"]
    target.execute("DROP TABLE t")
    target.execute(PLAIN.replace("code varchar(20)", f"code varchar(20) CONSTRAINT once UNIQUE{deferred}"))
    [told] = refused(source, target)
    assert "duplicate key value" in told


@pytest.mark.parametrize(
    "constraint", ["UNIQUE (n) DEFERRABLE", "EXCLUDE USING btree (n WITH =) DEFERRABLE INITIALLY DEFERRED"]
)
def test_late_keys_of_partitions_are_kept_by_the_copy(make_database: MakeDatabase, constraint: str) -> None:
    source = made(make_database("sqlite"), PLAIN, "INSERT INTO t VALUES (1, 'x', 5, 'p'), (2, 'y', 5, 'q')")
    target = made(
        make_database("postgresql", "copy"),
        f"{PLAIN.replace('PRIMARY KEY', '')} PARTITION BY LIST (n)",
        "CREATE TABLE rest PARTITION OF t DEFAULT",
        f"ALTER TABLE rest ADD CONSTRAINT late {constraint}",
    )
    with pytest.raises(CopyError, match="would break late: Key "):
        copies.copy(target_of(source), target_of(target), options=ROWS_ALONE)
    assert target.execute("SELECT count(*) FROM t") == [(0,)]
    source.execute("UPDATE t SET n = id")
    assert copies.copy(target_of(source), target_of(target), options=ROWS_ALONE).rows == 2


def test_nothing_of_the_target_is_changed_not_even_a_sequence(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (5), (6)")
    target = made(
        make_database("postgresql", "copy"),
        "CREATE SEQUENCE counting",
        "CREATE TABLE t (id serial PRIMARY KEY, n integer NOT NULL DEFAULT nextval('counting'))",
    )
    assert plan_copy(target_of(source), target_of(target), options=ROWS_ALONE).refused == ()
    assert target.execute("SELECT last_value, is_called FROM counting") == [(1, False)]
    assert target.execute("SELECT last_value, is_called FROM t_id_seq") == [(1, False)]
    copy(target_of(source), target_of(target), options=ROWS_ALONE)
    assert target.execute("SELECT id, n FROM t ORDER BY id") == [(5, 1), (6, 2)]


def test_who_may_make_no_temporary_table_is_told_what_is_seen_without(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), PLAIN, "INSERT INTO t VALUES (1, 'x', -5, 'p')")
    target = made(make_database("postgresql", "copy"), PLAIN.replace("n integer", "n integer CHECK (n > 0)"))
    with role("rows_only") as start:
        target.execute(f'REVOKE TEMP ON DATABASE "{target.name}" FROM PUBLIC')
        target.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO rows_only")
        held = Target(f"{start}{target.name}", target_of(target).project)
        assert plan_copy(target_of(source), held, options=ROWS_ALONE).refused == ()
        target.execute("DROP OWNED BY rows_only")


def test_indexes_and_partitions_of_mariadb_hinder_no_rehearsal(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), PLAIN, "INSERT INTO t VALUES (1, 'x', 5, 'p'), (2, 'x', 5, 'q')")
    target = made(
        make_database("mysql", "copy"),
        f"{PLAIN.removesuffix(')')}, FULLTEXT (a), KEY (n))",
    )
    assert plan_copy(target_of(source), target_of(target), options=ROWS_ALONE).refused == ()
    target.execute("ALTER TABLE t DROP KEY a, ADD UNIQUE (n, id)")
    target.execute("ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 3")
    assert plan_copy(target_of(source), target_of(target), options=ROWS_ALONE).refused == ()
    target.execute("ALTER TABLE t REMOVE PARTITIONING")
    target.execute("ALTER TABLE t ADD UNIQUE (a)")
    [told] = refused(source, target)
    assert "Duplicate entry 'x'" in told
