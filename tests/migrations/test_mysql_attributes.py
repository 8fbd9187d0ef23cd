"""A change of a column on MySQL states all of it: what does not change must not be lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.declaring import Declared
from support.evolving_modules import Evolution

from framefox_tasks import UnprovenError

pytestmark = pytest.mark.server

BEFORE = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(comment="it's 100%", server_default="7")
    touched: Mapped[datetime.datetime] = mapped_column(
        DateTime, server_default=text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP")
    )
    seen: Mapped[datetime.datetime] = mapped_column(
        DateTime, server_default=text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"), comment="seen"
    )
    folded: Mapped[str] = mapped_column(String(20, collation="utf8mb4_bin"), server_default="a")
    document: Mapped[dict] = mapped_column(JSON, comment="a document")
    other: Mapped[dict] = mapped_column(JSON)
    token: Mapped[str] = mapped_column(String(36), server_default=text("(uuid())"))
    doubled: Mapped[int] = mapped_column(Computed("number * 2", persisted=True))
    kept: Mapped[int] = mapped_column(Computed("number * 3"), comment="kept")
    base: Mapped[int]
    made: Mapped[int] = mapped_column(Computed("base + 1"))
    limited: Mapped[int | None]
    __table_args__ = (CheckConstraint("limited > 0", name="ck_limited"),)
"""
AFTER = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, comment="it's 100%", server_default="7")
    touched: Mapped[datetime.datetime | None] = mapped_column(
        DateTime, server_default=text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP")
    )
    seen: Mapped[datetime.datetime] = mapped_column(DateTime, comment="seen")
    folded: Mapped[str | None] = mapped_column(String(20, collation="utf8mb4_bin"), server_default="a")
    document: Mapped[dict | None] = mapped_column(JSON, comment="a document")
    other: Mapped[str | None] = mapped_column(String(50))
    token: Mapped[str] = mapped_column(String(40), server_default=text("(uuid())"))
    doubled: Mapped[int] = mapped_column(BigInteger, Computed("number * 2", persisted=True), comment="twice")
    kept: Mapped[int] = mapped_column(Computed("number * 3"))
    new_base: Mapped[int] = mapped_column(server_default="1")
    new_made: Mapped[int] = mapped_column(Computed("new_base + 1"))
"""
NUMBERED = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, comment="key")
"""
INDEXED = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    __table_args__ = (
        Index("ix_name", "name", mysql_length=10),
        Index("ix_text", "body", "name", mysql_length={"body": 20, "name": 100}),
        Index("ix_words", "body", mysql_prefix="FULLTEXT"),
        Index("ix_number", text("number DESC")),
    )
"""


@pytest.fixture
def evolution(tmp_path: Path, make_database: MakeDatabase) -> Evolution:
    return Evolution(tmp_path / "project", make_database("mysql"))


def test_what_does_not_change_is_kept(evolution: Evolution) -> None:
    evolution.there_and_back(BEFORE, AFTER)
    columns = " ".join(evolution.shown()["item"])
    assert "`id` bigint(20) NOT NULL AUTO_INCREMENT" in columns
    assert "`number` bigint(20) NOT NULL DEFAULT 7 COMMENT 'it''s 100%'" in columns
    assert "`touched` datetime DEFAULT current_timestamp() ON UPDATE current_timestamp()" in columns
    assert "`seen` datetime NOT NULL COMMENT 'seen'" in columns
    assert "`folded` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'a'" in columns
    assert "DEFAULT NULL COMMENT 'a document' CHECK (json_valid(`document`))" in columns
    assert "`doubled` bigint(20) GENERATED ALWAYS AS (`number` * 2) STORED COMMENT 'twice'" in columns
    assert "`kept` int(11) GENERATED ALWAYS AS (`number` * 3) VIRTUAL" in columns


def test_and_the_other_way_round(evolution: Evolution) -> None:
    evolution.there_and_back(AFTER, BEFORE)


def test_automatic_numbers_come_and_go(evolution: Evolution) -> None:
    evolution.there_and_back(NUMBERED, NUMBERED.replace("autoincrement=True", "autoincrement=False"))
    evolution.there_and_back(NUMBERED.replace("autoincrement=True", "autoincrement=False"), NUMBERED)
    assert "`id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'key'" in evolution.shown()["item"]


def test_the_parts_of_an_index(evolution: Evolution) -> None:
    changed = INDEXED.replace("mysql_length=10", "mysql_length=12").replace('{"body": 20, "name": 100}', '{"body": 30}')
    changed = changed.replace(', mysql_prefix="FULLTEXT"', ", mysql_length=5").replace(
        'text("number DESC")', '"number"'
    )
    changed = changed.replace(
        'Index("ix_number", "number")', 'Index("ix_number", "number"), Index("ix_falling", desc("id"))'
    )
    text = evolution.there_and_back(INDEXED, changed)
    for name in ("ix_name", "ix_text", "ix_words", "ix_number"):
        assert f"drop_index('{name}'" in text or f"drop_index(op.f('{name}')" in text, name


def test_an_index_that_needs_a_length_is_told(evolution: Evolution) -> None:
    with pytest.raises(UnprovenError, match=r"key length|Specified key was too long"):
        evolution.generate(INDEXED.replace(', mysql_length={"body": 20, "name": 100}', ""))


def test_a_unique_constraint_that_a_key_refers_to_stays(evolution: Evolution) -> None:
    linked = """
class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(9), unique=True)

class Child(Base):
    __tablename__ = "child"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(ForeignKey("parent.code"))
"""
    evolution.set_up(linked)
    assert evolution.generate(linked.replace(", unique=True", "")) == ""
    told = "The index code of parent stays: the foreign key child_ibfk_1 of child needs it"
    assert any(told in text for text in evolution.said.warnings)


def test_a_comment_that_is_an_option_of_the_table(tmp_path: Path, make_database: MakeDatabase) -> None:
    database = make_database("mysql")
    project = Declared(tmp_path / "project", database)
    entity = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column()
    __table_args__ = (Index("by_size", "size", mysql_using="btree"), {"mysql_comment": "old"})
"""
    comment = (
        "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_NAME = 'item' AND TABLE_SCHEMA = DATABASE()"
    )
    project.set_up(entity)
    project.migrate(entity.replace('"old"', '"new"').replace('"size", mysql_using="btree"', '"size", "id"'))
    assert database.execute(comment) == [("new",)]
    assert not project.written.by_hand
    project.downgrade()
    assert database.execute(comment) == [("old",)]
