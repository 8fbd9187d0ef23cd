"""Rows and tables that are out of the ordinary arrive as they are, or it is told which do not."""

from __future__ import annotations

import time

import pytest
from support.copying import made, target_of
from support.databases import DIALECTS, Database, MakeDatabase

from framefox_tasks.copies import copy
from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import CopyProgress

LONG = {"sqlite": "text", "postgresql": "text", "mysql": "longtext"}


@pytest.mark.parametrize("target", DIALECTS)
@pytest.mark.parametrize("source", DIALECTS)
def test_a_database_without_tables_has_a_copy(source: str, target: str, make_database: MakeDatabase) -> None:
    copied = make_database(target, "copy")
    result = copy(target_of(made(make_database(source))), target_of(copied), options=CopyOptions(verify=True))
    assert result.tables == ()
    assert (copied.exists(), copied.tables()) == (True, set())


@pytest.mark.server
@pytest.mark.parametrize("target", DIALECTS)
def test_a_long_text_of_many_lines_takes_no_longer_than_another(target: str, make_database: MakeDatabase) -> None:
    source = made(make_database("mysql"), f"CREATE TABLE log (id int PRIMARY KEY, t {LONG['mysql']})")
    special = "CONCAT(REPEAT(CHAR(10), {0}), REPEAT(CHAR(9), {0}), REPEAT(CHAR(92), {0}), REPEAT(CHAR(13), {0}), 'é')"
    for number, length in enumerate((255, 257, 150_000)):
        source.execute(f"INSERT INTO log VALUES ({number}, {special.format(length)}), ({number + 10}, '\\\\1\\\\0')")
    started = time.monotonic()
    copied = make_database(target, "copy")
    copy(target_of(source), target_of(copied), options=CopyOptions(verify=True))
    assert time.monotonic() - started < 10
    assert texts(copied) == texts(source)


@pytest.mark.server
@pytest.mark.parametrize("change", ["TRUNCATE TABLE later", "DROP TABLE later", "ALTER TABLE later MODIFY n bigint"])
def test_a_table_that_is_changed_as_a_whole_while_it_is_copied_is_named(
    make_database: MakeDatabase, change: str
) -> None:
    source = made(
        make_database("mysql"),
        "CREATE TABLE first (id int PRIMARY KEY, t varchar(90))",
        "INSERT INTO first SELECT seq, REPEAT('x', 80) FROM seq_1_to_20000",
        "CREATE TABLE later (id int PRIMARY KEY, n int)",
        "INSERT INTO later VALUES (1, 1)",
    )
    target = make_database("mysql", "copy")
    changed: list[str] = []

    def alter(_: CopyProgress) -> None:
        if not changed:
            source.execute(change)
            changed.append(change)

    with pytest.raises(CopyError, match=r"later of .* was changed as a whole while it was copied"):
        copy(target_of(source), target_of(target), options=CopyOptions(jobs=1), on_progress=alter)
    assert not target.exists()


@pytest.mark.server
@pytest.mark.parametrize("condition", ["nothing = 1", "id >", "nothing(id)"])
def test_a_condition_that_cannot_be_used_is_told_with_its_table(make_database: MakeDatabase, condition: str) -> None:
    source, target = made(make_database("mysql"), "CREATE TABLE one (id int)"), make_database("mysql", "copy")
    with pytest.raises(CopyError, match="The condition of one cannot be used") as caught:
        copy(target_of(source), target_of(target), options=CopyOptions(where=(("one", condition),)))
    assert caught.value.hint == f"Correct it; behind WHERE stands: ({condition})"
    assert not target.exists()


def texts(database: Database) -> list[tuple[object, ...]]:
    return database.execute("SELECT id, t FROM log ORDER BY id")
