"""MySQL keeps the indexes and the types that a foreign key needs: migrations change them all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.evolving_modules import Evolution

PARENT = """
class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(String(20), unique=True)
"""
CHILD = """
class Child(Base):
    __tablename__ = "child"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parent.id"), index=True)
    other_id: Mapped[int | None] = mapped_column(ForeignKey("parent.id", name="fk_other", ondelete="SET NULL"))
    code: Mapped[str | None] = mapped_column(ForeignKey("parent.code"))
    number: Mapped[int | None]
"""
BOTH = PARENT + CHILD
CHANGES = {
    "the index of a key": BOTH.replace(", index=True", ""),
    "a unique constraint in its place": BOTH.replace(", index=True", ", unique=True"),
    "an index that begins with it": BOTH.replace(", index=True", "")
    + '    __table_args__ = (Index("ix_both", "parent_id", "number"),)\n',
    "the type on both sides": BOTH.replace(
        "Mapped[int] = mapped_column(", "Mapped[int] = mapped_column(BigInteger, "
    ).replace('mapped_column(ForeignKey("parent.id", name', 'mapped_column(BigInteger, ForeignKey("parent.id", name'),
    "the length of what is referred to": BOTH.replace("String(20)", "String(30)"),
    "an unnamed key": BOTH.replace('ForeignKey("parent.id"), index=True', "index=True"),
    "a named key": BOTH.replace('ForeignKey("parent.id", name="fk_other", ondelete="SET NULL")', ""),
    "the rule of a key": BOTH.replace("SET NULL", "CASCADE"),
    "the column of a key": "".join(line for line in BOTH.splitlines(True) if "other_id" not in line),
    "the key and what it refers to": PARENT.replace(", unique=True", "")
    + CHILD.replace('ForeignKey("parent.code")', "String(20)"),
    "an index instead of the unique constraint": PARENT.replace("unique", "index") + CHILD,
}


@pytest.fixture
def evolution(tmp_path: Path, make_database: MakeDatabase) -> Evolution:
    return Evolution(tmp_path / "project", make_database("mysql"))


@pytest.mark.server
@pytest.mark.parametrize("change", CHANGES)
def test_it_is_dropped_or_changed(evolution: Evolution, change: str) -> None:
    assert CHANGES[change] != BOTH
    evolution.there_and_back(BOTH, CHANGES[change])


@pytest.mark.server
@pytest.mark.parametrize("change", CHANGES)
def test_it_is_added_or_changed_back(evolution: Evolution, change: str) -> None:
    evolution.there_and_back(CHANGES[change], BOTH)
