"""A database at a migration whose file is on another branch: which branch has it, and the way back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.databases import Database
from support.histories import CREATE, DROP, Written
from support.projects import MiniProject

from framefox_tasks import (
    MigrationError,
    Project,
    Target,
    clear_metadata,
    create,
    downgrade,
    history,
    status,
    upgrade,
    write_metadata,
)


@pytest.fixture
def away(tmp_path: Path) -> Written:
    """A database that the branch feature/x has brought to fff2; main is checked out, which has aaaa alone."""
    written = Written(tmp_path)
    written.add("aaaa")
    written.git("init", "-q")
    written.commit()
    written.git("switch", "-qc", "feature/x")
    written.add("fff1", "aaaa")
    written.add("fff2", "fff1")
    written.commit()
    create(written.target())
    upgrade(written.target())
    written.git("switch", "-q", "main")
    assert not (tmp_path / "migrations/versions/fff1_by_hand.py").exists()
    return written


def test_an_upgrade_names_the_branch_and_the_way_back(away: Written) -> None:
    with pytest.raises(MigrationError) as error:
        upgrade(away.target())
    assert error.value.message == "The database shop.db is at the revision fff2, whose file is on the branch feature/x."
    assert error.value.hint == (
        "Switch to that branch: git switch feature/x\n"
        "Or revert it, by the file that was kept when it was applied: doit database_downgrade --steps 2"
    )
    assert away.at() == ["fff2"]


def test_a_downgrade_reverts_by_the_kept_files(away: Written) -> None:
    done = downgrade(away.target(), steps=2)
    assert [step.revision.revision for step in done.steps] == ["fff2", "fff1"]
    assert away.at() == ["aaaa"]
    assert away.tables() == {"aaaa"}
    assert upgrade(away.target()).steps == ()
    away.git("switch", "-q", "feature/x")
    upgrade(away.target())
    assert away.tables() == {"aaaa", "fff1", "fff2"}


def test_one_step_back_leaves_the_next_one_to_be_told(away: Written) -> None:
    downgrade(away.target())
    assert away.at() == ["fff1"]
    with pytest.raises(MigrationError, match="at the revision fff1, whose file is on the branch feature/x"):
        upgrade(away.target())
    downgrade(away.target(), revision="aaaa")
    assert away.at() == ["aaaa"]


def test_the_status_and_the_history_tell_the_same(away: Written) -> None:
    found = status(away.target())
    assert found.unknown == ("fff2",)
    assert found.whereabouts
    assert found.whereabouts.branches == ("feature/x",)
    assert found.whereabouts.steps == 2
    entries = history(away.target()).entries
    assert [(entry.migration.revision.revision, entry.migration.state, entry.kept) for entry in entries] == [
        ("fff2", "CURRENT", True),
        ("fff1", "APPLIED", True),
        ("aaaa", "APPLIED", False),
    ]


def test_the_file_counts_as_it_was_when_it_was_applied(away: Written) -> None:
    away.git("switch", "-q", "feature/x")
    downgrade(away.target())
    away.add("fff2", "fff1", upgrade=CREATE.format("another"), downgrade=DROP.format("another"))
    upgrade(away.target())
    away.commit()
    away.git("switch", "-q", "main")
    downgrade(away.target(), revision="aaaa")
    assert away.tables() == {"aaaa"}


def test_without_the_kept_files_the_branch_is_named_and_nothing_is_reverted(away: Written) -> None:
    shutil.rmtree(away.path / ".framefox_tasks")
    for operation in (upgrade, downgrade):
        with pytest.raises(MigrationError, match="whose file is on the branch feature/x") as error:
            operation(away.target())
        assert "git switch feature/x" in str(error.value.hint)
        assert "doit database_stamp --revision=REVISION" in str(error.value.hint)
        assert "database_downgrade" not in str(error.value.hint)
    assert away.at() == ["fff2"]


def test_a_kept_file_that_was_changed_is_none(away: Written) -> None:
    for path in (away.path / ".framefox_tasks/applied").rglob("fff2*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace("drop_table", "f"), encoding="utf-8")
    with pytest.raises(MigrationError, match="whose file is on the branch"):
        downgrade(away.target())


def test_a_remote_branch_and_a_deleted_file_are_told_apart(away: Written, tmp_path: Path) -> None:
    away.git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    away.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    away.git("fetch", "-q", "origin")
    away.git("branch", "-qD", "feature/x")
    with pytest.raises(MigrationError, match=r"on the branch origin/feature/x\.") as error:
        upgrade(away.target())
    assert "git switch feature/x\n" in str(error.value.hint)
    away.git("switch", "-q", "feature/x")
    assert upgrade(away.target()).steps == ()
    (away.path / "migrations/versions/fff2_by_hand.py").unlink()
    with pytest.raises(MigrationError, match="fff2, which has no file in migrations/versions") as error:
        upgrade(away.target())
    assert "git checkout HEAD -- migrations/versions" in str(error.value.hint)


def test_without_git_the_file_is_reverted_as_well(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.add("aaaa")
    lost = written.add("bbbb", "aaaa")
    create(written.target())
    upgrade(written.target())
    lost.unlink()
    with pytest.raises(MigrationError, match="bbbb, which has no file in migrations/versions") as error:
        upgrade(written.target())
    assert str(error.value.hint).endswith("when it was applied: doit database_downgrade")
    downgrade(written.target())
    assert written.at() == ["aaaa"]


def test_a_merge_and_a_dependency_are_reverted_by_the_kept_files(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.add("aaaa")
    lost = [
        written.add("bbb1", "aaaa", labels="books"),
        written.add("bbb2", "aaaa"),
        written.add("cccc", "bbb1", "bbb2"),
        written.add("dddd", depends_on="books"),
    ]
    create(written.target())
    upgrade(written.target(), revision="heads")
    before = written.at()
    for path in lost:
        path.unlink()
    assert before == ["cccc", "dddd"]
    downgrade(written.target(), revision="aaaa")
    assert written.tables() == {"aaaa"}


def test_a_failure_in_a_kept_file_names_its_line(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.add("aaaa")
    written.add("bbbb", "aaaa", downgrade="raise ValueError('on purpose')").rename(tmp_path / "kept_elsewhere.py")
    create(written.target())
    (tmp_path / "kept_elsewhere.py").rename(tmp_path / "migrations/versions/b.py")
    upgrade(written.target())
    (tmp_path / "migrations/versions/b.py").unlink()
    with pytest.raises(MigrationError, match=r"\.framefox_tasks/applied/bbbb-[0-9a-f]+/b\.py, line 19: ValueError"):
        downgrade(written.target())
    assert written.at() == ["bbbb"]


def test_the_cache_keeps_them_out_of_git_and_when_it_is_cleared(away: Written) -> None:
    assert not away.git("status", "--porcelain")
    (away.path / "src/entity").mkdir(parents=True)
    (away.path / "src/entity/thing.py").write_text(
        "import sqlalchemy as sa\n\nmetadata = sa.MetaData()\nThing = sa.Table('thing', metadata)\n", encoding="utf-8"
    )
    write_metadata(away.target())
    clear_metadata(away.target().project)
    assert not (away.path / ".framefox_tasks/metadata.json").exists()
    downgrade(away.target(), steps=2)
    assert away.at() == ["aaaa"]


def test_servers_revert_by_the_kept_files_too(project: MiniProject, database: Database) -> None:
    for revision, down in (("aaa", None), ("bbb", "aaa")):
        project.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    target = Target(database.url, Project(root=project.path))
    create(target)
    upgrade(target)
    (project.path / "migrations/versions/bbb_by_hand.py").unlink()
    downgrade(target)
    assert database.revision() == ["aaa"]
    assert database.tables() == {"alembic_version", "aaa"}


def test_the_tasks_say_it(shop: MiniProject) -> None:
    for revision, down in (("aaa", None), ("bbb", "aaa")):
        shop.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    shop.ok("database_upgrade")
    (shop.path / "migrations/versions/bbb_by_hand.py").unlink()
    assert "doit database_downgrade" in shop.fails("database_upgrade")
    assert "doit database_downgrade" in shop.ok("database_status")
    assert "CURRENT (no file)" in shop.ok("database_history")
    assert "Successfully reverted 1 migration." in shop.ok("database_downgrade")
    assert "-- database_upgrade  at head" not in shop.ok("database_upgrade", "database_status")
