"""Python's warnings reach the user as a line with the project's own file, never with a path of a library."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationError, Project, Target

ITEM = "class Item(Base):\n    __tablename__ = 'item'\n    id: Mapped[int] = mapped_column(primary_key=True{})\n"
WARNING = 'import warnings; warnings.warn("old\\nstyle", {})'


@pytest.fixture
def declared(tmp_path: Path, database: Database) -> Declared:
    return Declared(tmp_path / "project", database)


@pytest.mark.filterwarnings("error")
def test_a_comment_that_goes_warns_of_nothing(declared: Declared) -> None:
    declared.set_up(ITEM.format(", comment='key'"))
    declared.create(ITEM.format(""))
    declared.upgrade()
    assert declared.written.warnings == ()
    declared.downgrade()


def test_a_warning_of_a_migration_is_told_with_its_line(project: MiniProject) -> None:
    project.migration("aaa", None, upgrade=WARNING.format("UserWarning"), downgrade=WARNING.format("FutureWarning"))
    assert "Warning: migrations/versions/aaa_by_hand.py, line 13: UserWarning: old style\n" in project.ok(
        "database_upgrade"
    )
    assert "Warning: migrations/versions/aaa_by_hand.py, line 17: FutureWarning: old style\n" in project.ok(
        "database_downgrade"
    )
    project.migration("bbb", "aaa", upgrade="raise ValueError('too old')")
    error = project.fails("database_upgrade")
    assert "Warning: migrations/versions/aaa_by_hand.py, line 13: UserWarning: old style\n" in error
    assert "The migration bbb (migration bbb) failed." in error


def test_a_warning_of_a_library_names_the_migration_that_called_it(shop: MiniProject) -> None:
    call = "op.get_bind().execute(sa.select(sa.table('a', sa.column('x')), sa.table('b', sa.column('y'))))"
    made = "op.execute('CREATE TABLE a (x INTEGER)'); op.execute('CREATE TABLE b (y INTEGER)'); "
    shop.migration("aaa", None, upgrade=made + call)
    result = shop.doit("database_upgrade")
    assert result.code == 0
    assert "site-packages" not in result.all
    assert (
        "Warning: migrations/versions/aaa_by_hand.py, line 13: SAWarning: SELECT statement has a cartesian"
        in result.out
    )


def test_the_results_have_them(tmp_path: Path, database: Database) -> None:
    declared = Declared(tmp_path / "project", database)
    declared.create(ITEM.format(""), proof=False)
    path = declared.written.path
    assert path is not None
    text = path.read_text(encoding="utf-8").replace(
        "    op.create_table", f"    {WARNING.format('UserWarning')}\n    op.create_table", 1
    )
    path.write_text(text, encoding="utf-8")
    (told,) = framefox_tasks.upgrade(declared.target).warnings
    assert told.startswith(f"migrations/versions/{path.name}, line ")
    assert told.endswith("UserWarning: old style")


def test_the_error_of_a_run_that_fails_has_them(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.write("migrations/env.py", f"{WARNING.format('UserWarning')}\nraise ValueError('no env')\n")
    target = Target("sqlite:///shop.db", Project(root=shop.path))
    framefox_tasks.create(target)
    with pytest.raises(MigrationError, match="no env") as caught:
        framefox_tasks.upgrade(target)
    assert caught.value.warnings == ("UserWarning: old style",)
