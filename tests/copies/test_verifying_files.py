"""SQLite to SQLite: the same pages are the same values, and where they differ the rows are compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from framefox_tasks.copies import copy
from framefox_tasks.databases.sqlite.pages import are_same
from framefox_tasks.databases.sqlite.whole import whole_copy
from framefox_tasks.errors import VerificationError
from framefox_tasks.model import CopyOptions, Project, Target


@pytest.fixture
def source(tmp_path: Path) -> Target:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", ((n, f"note {n}") for n in range(5000)))
        connection.commit()
    return Target("sqlite:///app.db", Project(tmp_path))


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target("sqlite:///copy.db", Project(tmp_path))


@pytest.fixture
def log(source: Target) -> Iterator[None]:
    """A connection that keeps pages in the file beside the source's."""
    with closing(sqlite3.connect(source.file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE t SET note = 'new' WHERE id = 7")
        connection.commit()
        yield


def test_the_pages_of_a_copy_are_those_of_its_source_until_one_byte_differs(source: Target, target: Target) -> None:
    copy(source, target, options=CopyOptions(verify=True))
    assert are_same(source.file, target.file)
    content = bytearray(target.file.read_bytes())
    place = content.index(b"note 4321")
    content[place] = ord("N")
    target.file.write_bytes(content)
    assert not are_same(source.file, target.file)
    target.file.write_bytes(source.file.read_bytes()[:-4096])
    assert not are_same(source.file, target.file)


def test_a_value_that_differs_is_found_by_its_page_and_told_by_its_row(source: Target, target: Target) -> None:
    with whole_copy(source, target) as whole, whole.staging():
        whole.copy(lambda *_: None)
        assert whole.is_same()
        whole._staging.connection.execute("UPDATE t SET note = 'changed' WHERE id = 4321")
        assert not whole.is_same()
        with pytest.raises(VerificationError, match='table t, "id"=4321'):
            whole.compare("t", "", None)


@pytest.mark.usefixtures("log")
def test_pages_that_are_not_in_the_file_are_compared_by_their_rows(source: Target, target: Target) -> None:
    with whole_copy(source, target) as whole, whole.staging():
        whole.copy(lambda *_: None)
        assert not whole.is_same()
    result = copy(source, target, options=CopyOptions(verify=True))
    assert [table.verified for table in result.tables] == ["values"]
