"""A table that is dropped comes back by the downgrade with all that its text had."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.declaring import Declared

from framefox_tasks import check_migration, create_migration

KEPT = """
class Kept(Base):
    __tablename__ = "kept"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int | None]
"""


@pytest.mark.slow
def test_numbering_collation_and_odd_names_come_back(tmp_path: Path, make_database: MakeDatabase) -> None:
    project = Declared(tmp_path / "project", make_database("sqlite"))
    gone = """
class Gone(Base):
    __tablename__ = "gone"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20, collation="NOCASE"))
    kept: Mapped[int] = mapped_column(ForeignKey("kept.id", deferrable=True, initially="DEFERRED"))
    __table_args__ = (CheckConstraint("id > 0", name='the "first" one\\'s'), {"sqlite_autoincrement": True})
"""
    query = "SELECT sql FROM sqlite_master WHERE name = 'gone'"
    project.set_up(KEPT + gone)
    project.migrate(KEPT)
    project.downgrade()
    ((text,),) = project.database.execute(query)
    parts = ("AUTOINCREMENT", 'COLLATE "NOCASE"', '"the ""first"" one\'s"', "DEFERRABLE INITIALLY DEFERRED")
    assert [part for part in parts if part not in text] == []


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_check_of_an_odd_name_goes_and_comes_back(tmp_path: Path, make_database: MakeDatabase, dialect: str) -> None:
    project = Declared(tmp_path / "project", make_database(dialect))
    check = "    __table_args__ = (CheckConstraint('size > 0', name='the \"first\" one\\'s %s :x'),)\n"
    project.set_up(KEPT + check)
    project.agrees()
    project.migrate(KEPT)
    assert not project.written.by_hand
    project.downgrade()
    names = "SELECT constraint_name FROM information_schema.check_constraints WHERE constraint_name LIKE 'the%'"
    assert len(project.database.execute(names)) == 1


def test_a_table_whose_name_begins_as_that_of_a_part_is_counted_as_one(
    tmp_path: Path, make_database: MakeDatabase
) -> None:
    project = Declared(tmp_path / "project", make_database("sqlite"))
    project.migrate(KEPT)
    project.database.execute('CREATE TABLE "sequence of numbers" (id)')
    assert check_migration(project.target).left_alone == ('"sequence of numbers"',)
    created = create_migration(project.target, drop=("sequence of numbers",))
    assert created.operations == ("drop table sequence of numbers",)
