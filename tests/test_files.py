"""Files that are written whole: what stands in their place or beside them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from framefox_tasks import files
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "schema.json"
    path.write_text("old")
    path.chmod(mode)
    assert files.write(Project(tmp_path), path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", mode)
    assert names(tmp_path) == {"schema.json"}


def test_a_new_file_is_as_open_as_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write(Project(tmp_path), tmp_path / "new", "x")
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
        (tmp_path / "new").chmod(0o604)
        files.write(Project(tmp_path), tmp_path / "copy", "x", like=tmp_path / "new")
    finally:
        os.umask(before)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_a_link_beside_it_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letter").write_text("kept")
    monkeypatch.setattr(os, "urandom", lambda count: b"\0" * count)
    planted = tmp_path / f".new.{os.getpid()}.00000000"
    planted.symlink_to("letter")
    with pytest.raises(PermissionDeniedError, match="new cannot be written: File exists"):
        files.write(Project(tmp_path), tmp_path / "new", "x")
    assert (tmp_path / "letter").read_text() == "kept"
    assert planted.is_symlink()
    assert not (tmp_path / "new").exists()


def test_what_a_link_leads_to_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("kept")
    (tmp_path / "schema.json").symlink_to("letter")
    files.write(Project(tmp_path), tmp_path / "schema.json", "new")
    assert ((tmp_path / "letter").read_text(), (tmp_path / "schema.json").read_text()) == ("kept", "new")


def test_nothing_remains_of_what_cannot_be_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "folder/inside").mkdir(parents=True)
    with pytest.raises(PermissionDeniedError):
        files.write(Project(tmp_path), tmp_path / "folder", "x")
    assert names(tmp_path) == {"folder"}
