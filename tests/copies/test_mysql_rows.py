"""Rows alone into a MariaDB or MySQL database that has its tables: all of them, or none."""

from __future__ import annotations

import pytest
from support.copying import copy, made, open_place, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks import copies
from framefox_tasks.errors import CopyError, DatabaseInUseError, DatabaseNotFoundError, TargetNotEmptyError
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import Copied

DIALECT = "mysql"

TABLES = [
    "CREATE TABLE team (id int AUTO_INCREMENT PRIMARY KEY, name varchar(9) UNIQUE, whole varchar(9) AS (UPPER(name)))",
    "CREATE TABLE member (id int PRIMARY KEY, team_id int, boss_id int, "
    "CONSTRAINT fk_boss FOREIGN KEY (boss_id) REFERENCES member (id), "
    "CONSTRAINT fk_team FOREIGN KEY (team_id) REFERENCES team (id) ON DELETE CASCADE)",
]
ROWS = [
    "INSERT INTO team (id, name) VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO member VALUES (10, 1, NULL), (11, 2, 10), (12, NULL, 11)",
]


@pytest.fixture
def source(source: Database) -> Database:
    return made(source, *TABLES, *ROWS)


@pytest.fixture
def target(target: Database) -> Database:
    return made(target, *TABLES)


ALONE = CopyOptions(data_only=True)


def fill(source: Database, target: Database, **options: object) -> Copied:
    chosen = CopyOptions(data_only=True, **options)  # type: ignore[arg-type]
    return copy(target_of(source), target_of(target), options=chosen)


def test_rows_arrive_in_any_order_of_the_columns(source: Database, target: Database) -> None:
    target.execute("ALTER TABLE member MODIFY team_id int AFTER boss_id, ADD since int DEFAULT 5")
    target.execute("CREATE TRIGGER tr BEFORE INSERT ON team FOR EACH ROW SET @inserted = 1")
    result = fill(source, target, verify=True)
    assert result.notes == ("team: its triggers ran for the rows that were copied",)
    assert target.execute("SELECT id, team_id, boss_id, since FROM member ORDER BY id") == [
        (10, 1, None, 5),
        (11, 2, 10, 5),
        (12, None, 11, 5),
    ]
    assert target.execute("SELECT whole FROM team ORDER BY id") == [("A",), ("B",)]


def test_tables_that_hold_rows_are_refused_or_emptied(source: Database, target: Database) -> None:
    target.execute("INSERT INTO team (id, name) VALUES (7, 'old')")
    with pytest.raises(TargetNotEmptyError, match=r"team of the target copy_.* holds rows"):
        fill(source, target)
    assert target.execute("SELECT id FROM team") == [(7,)]
    fill(source, target, overwrite=True)
    assert target.execute("SELECT id FROM team ORDER BY id") == [(1,), (2,)]
    assert target.execute("SELECT COUNT(*) FROM member") == [(3,)]


def test_a_row_that_refers_to_none_is_an_error(source: Database, target: Database) -> None:
    with pytest.raises(
        CopyError, match=r"member of .* a row with team_id=\d, which team does not have \(foreign key fk_team"
    ):
        fill(source, target, tables=("member",))
    assert target.execute("SELECT * FROM member") == []
    target.execute("INSERT INTO team (id, name) VALUES (1, 'x'), (2, 'y')")
    fill(source, target, tables=("member",))
    # A table whose rows are replaced may be referred to by one that is not copied.
    source.execute("DELETE FROM member WHERE team_id = 2 AND id = 12 OR boss_id = 11")
    source.execute("DELETE FROM member WHERE id = 11")
    source.execute("DELETE FROM team WHERE id = 2")
    with pytest.raises(CopyError, match="foreign key fk_team"):
        fill(source, target, tables=("team",), overwrite=True)
    assert target.execute("SELECT name FROM team ORDER BY id") == [("x",), ("y",)]


def test_what_fails_is_undone(source: Database, target: Database) -> None:
    source.execute("ALTER TABLE team MODIFY name varchar(9) COLLATE utf8mb4_bin")
    source.execute("INSERT INTO team (name) VALUES ('A')")
    with pytest.raises(CopyError, match="Duplicate entry 'A'"):
        copies.copy(target_of(source), target_of(target), options=ALONE)  # no plan sees what hinders it
    assert target.execute("SELECT * FROM team") == []
    source.execute("DELETE FROM team WHERE name = 'A'")
    target.execute("ALTER TABLE member DROP FOREIGN KEY fk_boss, DROP FOREIGN KEY fk_team")
    target.execute("ALTER TABLE member ENGINE = MyISAM")
    with pytest.raises(CopyError, match=r"member of .* engine without transactions"):
        copies.copy(target_of(source), target_of(target), options=ALONE)  # no plan sees what hinders it
    assert target.execute("SELECT * FROM team") == []


def test_the_target_has_to_be_there_and_free(target: Database, make_database: MakeDatabase) -> None:
    missing = open_place(target_of(make_database("mysql")), overwrite=False, data_only=True, force_disconnect=False)
    with pytest.raises(DatabaseNotFoundError):
        missing.check()
    one, other = (
        open_place(target_of(target), overwrite=False, data_only=True, force_disconnect=False) for _ in range(2)
    )
    with one, pytest.raises(DatabaseInUseError, match="Another copy"):
        other.check()
    other.check()
