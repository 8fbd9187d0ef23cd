"""A generated column whose expression changes: dropped and added, which loses nothing."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import CheckConstraint, Column, Computed, Index, Integer
from support.databases import Database
from support.declaring_tables import Declaring

from framefox_tasks import create_migration


def parts(expression: str, *more: CheckConstraint) -> list[Column[int] | Index | CheckConstraint]:
    area = Column("area", Integer, Computed(expression, persisted=True))
    return [Column("width", Integer), area, Column("height", Integer), Index("by_area", "area"), *more]


def test_another_expression(tmp_path: Path, database: Database) -> None:
    project = Declaring(tmp_path / "project", database)
    project.set_up(*parts("width * 2"))
    database.execute("INSERT INTO item (id, width, height) VALUES (1, 3, 4)")
    project.declare(*parts("width * height"))
    made = create_migration(project.target)
    assert made.proven
    assert made.destructive == ()
    assert made.by_hand == ()
    assert made.renames == ()
    assert made.operations == (
        "drop index by_area on item",
        "drop column item.area",
        "add column item.area",
        "add index by_area on item",
    )
    project.up()
    assert list(database.execute("SELECT width, height, area FROM item")) == [(3, 4, 12)]
    assert create_migration(project.target).path is None
    project.down()
    assert list(database.execute("SELECT area FROM item")) == [(6,)]


def test_one_that_a_constraint_uses_is_written_by_hand(tmp_path: Path, database: Database) -> None:
    project = Declaring(tmp_path / "project", database)
    project.set_up(*parts("width * 2", CheckConstraint("area > 0", name="positive")))
    project.declare(*parts("width * height", CheckConstraint("area > 0", name="positive")))
    made = create_migration(project.target)
    assert made.by_hand == ("expression of item.area",)
    assert made.path is None
