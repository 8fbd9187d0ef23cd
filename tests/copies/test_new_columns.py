"""A masked copy tells the columns that the one before it had not yet, and nobody has said how to mask."""

from __future__ import annotations

import pytest
from support.copying import made, target_of
from support.databases import Database, MakeDatabase

from framefox_tasks.copies import copy, plan_copy
from framefox_tasks.model import CopyOptions, Mask

EMAIL = Mask("person.email", "email")


def told(source: Database, target: Database, *masks: Mask, **more: bool) -> list[str]:
    plan = plan_copy(target_of(source), target_of(target), options=CopyOptions(masks=masks, **more))  # type: ignore[arg-type]
    return [change for table in plan.tables for change in table.changes if "is new" in change]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_a_column_that_is_new_in_the_source_is_told(dialect: str, make_database: MakeDatabase) -> None:
    source, target = make_database("sqlite"), make_database(dialect, "copy")
    made(source, "CREATE TABLE person (id integer PRIMARY KEY, email text)", "CREATE TABLE log (n integer)")
    assert told(source, target, EMAIL, overwrite=True) == []
    copy(target_of(source), target_of(target), options=CopyOptions(masks=(EMAIL,)))
    assert told(source, target, EMAIL, overwrite=True) == []
    source.execute("ALTER TABLE person ADD COLUMN phone text")
    source.execute("ALTER TABLE log ADD COLUMN address text")
    assert told(source, target, EMAIL, overwrite=True) == [
        "phone: is new since the copy that this one replaces, and has no mask",
        "address: is new since the copy that this one replaces, and has no mask",
    ]
    said = [Mask("Person.phone", "phone"), Mask("log.address", "keep")]
    assert told(source, target, EMAIL, *said, overwrite=True) == []
    assert told(source, target, overwrite=True) == []  # nothing is masked


def test_the_plan_of_a_file_says_that_it_skips_no_rows(make_database: MakeDatabase) -> None:
    source = made(make_database("sqlite"), "CREATE TABLE t (id integer)")
    target = target_of(make_database("sqlite", "copy"))
    for skip in (True, False):
        options = CopyOptions(on_bad_row="skip" if skip else "stop")
        assert (
            "--on-bad-row=skip leaves none out" in plan_copy(target_of(source), target, options=options).how
        ) is skip
