"""Checks that stand within a column, or that name a column which is added, are written by a migration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared

pytestmark = pytest.mark.slow

BEFORE = "class Item(Base):\n    __tablename__ = 'item'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
WITHIN = (
    BEFORE
    + """
    price: Mapped[int | None] = mapped_column(Integer, CheckConstraint('price > 0'))
    state: Mapped[str | None] = mapped_column(Enum('a', 'b', name='state', native_enum=False, create_constraint=True))
"""
)
BESIDE = (
    WITHIN + "    top: Mapped[int | None]\n    __table_args__ = (CheckConstraint('top > price', name='top_price'),)\n"
)


def refused(database: Database, values: str) -> bool:
    try:
        database.execute(f"INSERT INTO item {values}")
    except Exception as exc:
        if re.search("check|constraint", str(exc), re.IGNORECASE):
            return True
        raise
    return False


def test_a_check_within_a_column_is_made_with_its_table(database: Database, tmp_path: Path) -> None:
    project = Declared(tmp_path / "project", database)
    text = project.migrate(WITHIN)
    assert text.count("price > 0") == 1
    assert refused(database, "(id, price) VALUES (1, 0)")
    assert not refused(database, "(id, price, state) VALUES (2, 1, 'a')")


@pytest.mark.parametrize("after", [WITHIN, BESIDE])
def test_checks_come_and_go_with_their_columns(database: Database, tmp_path: Path, after: str) -> None:
    project = Declared(tmp_path / "project", database)
    project.set_up(BEFORE)
    project.migrate(after)
    assert project.written.proven, project.written.not_proven
    assert refused(database, "(id, price) VALUES (1, 0)")
    assert refused(database, "(id, state) VALUES (1, 'c')")
    project.downgrade()
    project.upgrade()
    project.migrate(BEFORE)
    project.downgrade()
    assert refused(database, "(id, price) VALUES (1, 0)")
    assert project.written.proven
