"""Files that are no target of a copy, or somebody else's, stay as they are; and who used a file can use its copy."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from framefox_tasks.copies import copy
from framefox_tasks.errors import CopyError, NotADatabaseError
from framefox_tasks.model import CopyOptions, Project, Target

REPLACE = CopyOptions(overwrite=True)


@pytest.fixture
def source(tmp_path: Path) -> Target:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)")
    return target(tmp_path, "app.db")


def target(folder: Path, name: str) -> Target:
    return Target(f"sqlite:///{name}", Project(folder))


def test_what_is_no_regular_file_is_not_replaced(source: Target, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotADatabaseError, match="pipe is not a file"):
        copy(source, target(tmp_path, "pipe"), options=REPLACE)
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_of_another_kind_is_not_replaced_and_told_at_once(source: Target, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader")
    plans: list[object] = []
    with pytest.raises(NotADatabaseError, match="no SQLite database"):
        copy(source, target(tmp_path, "letter.txt"), options=REPLACE, on_plan=plans.append)
    assert plans == []
    assert (tmp_path / "letter.txt").read_text() == "Dear reader"


def test_a_link_that_has_the_name_of_the_staging_file_is_not_followed(source: Target, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader")
    (tmp_path / ".copy.db.copying").symlink_to(tmp_path / "letter.txt")
    with pytest.raises(CopyError, match=r"needs the name \./\.copy\.db\.copying for a while"):
        copy(source, target(tmp_path, "copy.db"))
    assert (tmp_path / "letter.txt").read_text() == "Dear reader"
    assert (tmp_path / ".copy.db.copying").is_symlink()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_the_copy_belongs_to_whom_the_file_belonged_that_it_replaces(source: Target, tmp_path: Path) -> None:
    copy(source, target(tmp_path, "copy.db"))
    os.chown(tmp_path / "copy.db", 4711, 4712)
    (tmp_path / "copy.db").chmod(0o640)
    copy(source, target(tmp_path, "copy.db"), options=REPLACE)
    found = (tmp_path / "copy.db").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (4711, 4712, 0o640)
