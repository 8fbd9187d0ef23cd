"""A value that the target cannot hold stops the copy: the message names the table, the column and the row."""

from __future__ import annotations

import pytest
from support.copying import copy, made, target_of
from support.databases import MakeDatabase

from framefox_tasks.errors import CopyError
from framefox_tasks.model import CopyOptions

REFUSED = [
    ("postgresql", "mysql", "double precision", "'NaN'"),
    ("postgresql", "sqlite", "double precision", "'NaN'"),
    ("postgresql", "mysql", "double precision", "'-Infinity'"),
    ("postgresql", "mysql", "numeric(10,2)", "'NaN'"),
    ("postgresql", "sqlite", "numeric(10,2)", "'NaN'"),
    ("postgresql", "mysql", "timestamp", "'infinity'"),
    ("postgresql", "mysql", "date", "'0044-03-15 BC'"),
    ("mysql", "postgresql", "date", "'0000-00-00'"),
    ("mysql", "postgresql", "datetime", "'2026-02-00 00:00:00'"),
    ("mysql", "postgresql", "text", r"'a\0b'"),
    ("sqlite", "postgresql", "text", "'a' || char(0) || 'b'"),
    ("sqlite", "postgresql", "date", "'yesterday'"),
    ("sqlite", "mysql", "datetime", "'2026-02-30 00:00:00'"),
    ("sqlite", "postgresql", "boolean", "7"),
    ("sqlite", "mysql", "double", "9e999"),
]


@pytest.mark.parametrize(("source", "target", "kind", "value"), REFUSED, ids=lambda part: part)
def test_a_value_that_the_target_has_not(
    make_database: MakeDatabase, source: str, target: str, kind: str, value: str
) -> None:
    lenient = ["SET sql_mode = ''"] if source == "mysql" else []
    database = made(
        make_database(source),
        *lenient,
        f"CREATE TABLE odd_one (id integer NOT NULL PRIMARY KEY, held {kind})",
        "INSERT INTO odd_one VALUES (1, NULL), (2, NULL)",
        f"INSERT INTO odd_one VALUES (17, {value})",
        "INSERT INTO odd_one VALUES (18, NULL)",
    )
    other = make_database(target, "copy")
    with pytest.raises(CopyError) as caught:
        copy(target_of(database), target_of(other))
    message = caught.value.message
    assert "odd_one" in message, message
    assert "17" in message, message
    assert "held" in message, message
    assert caught.value.hint
    assert not other.exists()
    copy(target_of(database), target_of(other), options=CopyOptions(where=(("odd_one", "id <> 17"),)))
    assert other.execute("SELECT count(*) FROM odd_one") == [(3,)]
