"""Constraints that the entities give no name, on a table that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, inspect
from support.databases import Database, MakeDatabase
from support.evolving_modules import Evolution

from framefox_tasks import upgrade
from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_url

pytestmark = pytest.mark.slow

PLAIN = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
LINKED = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(String(9), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
"""


CHECKED = """
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    active: Mapped[bool] = mapped_column(Boolean(create_constraint=True), server_default=true())
    colour: Mapped[str | None] = mapped_column(Enum("red", "it's", native_enum=False, create_constraint=True))
"""
CONVENTION = 'Base.metadata.naming_convention = {"uq": "unique_%(table_name)s_%(column_0_name)s"}\n'
LONG = "a" * 55


@pytest.fixture
def evolution(tmp_path: Path, database: Database) -> Evolution:
    return Evolution(tmp_path / "project", database)


@pytest.fixture(params=["postgresql", "mysql"])
def on_server(request: pytest.FixtureRequest, tmp_path: Path, make_database: MakeDatabase) -> Evolution:
    return Evolution(tmp_path / "project", make_database(request.param))


def names(evolution: Evolution) -> set[str]:
    """The names of the constraints and indexes of the table item."""
    engine = create_engine(sqlalchemy_url(evolution.target, database_of(evolution.target)), poolclass=NullPool)
    found = inspect(engine)
    lists = (found.get_unique_constraints("item"), found.get_foreign_keys("item"), found.get_check_constraints("item"))
    return {str(item["name"]) for items in lists for item in items}


def test_those_of_new_columns_get_names(evolution: Evolution) -> None:
    evolution.set_up(PLAIN)
    evolution.migrate(LINKED)
    assert names(evolution) == {"uq_item_code", "fk_item_parent_id_item"}
    assert not evolution.said.unnamed
    evolution.downgrade()
    assert names(evolution) == set()
    upgrade(evolution.target)
    assert names(evolution) == {"uq_item_code", "fk_item_parent_id_item"}
    evolution.agrees()


def test_the_convention_of_the_metadata_wins(evolution: Evolution) -> None:
    evolution.set_up(PLAIN)
    evolution.migrate(CONVENTION + LINKED)
    assert names(evolution) == {"unique_item_code", "fk_item_parent_id_item"}
    evolution.downgrade()
    assert names(evolution) == set()


def test_checks_of_types_get_names(evolution: Evolution) -> None:
    evolution.set_up(PLAIN)
    evolution.migrate(CHECKED)
    wanted = {"ck_item_colour"} if evolution.database.dialect == "postgresql" else {"ck_item_colour", "ck_item_active"}
    assert names(evolution) == wanted
    with pytest.raises(Exception, match=r"(?i)ck_item_colour|constraint"):
        evolution.database.execute("INSERT INTO item (id, colour) VALUES (1, 'blue')")
    evolution.database.execute("INSERT INTO item (id, colour) VALUES (1, 'it''s')")
    evolution.downgrade()
    assert names(evolution) == set()
    upgrade(evolution.target)
    assert names(evolution) == wanted


def test_a_long_name_is_cut_and_told_apart(evolution: Evolution) -> None:
    evolution.set_up(PLAIN)
    columns = "".join(f"    {LONG}{end}: Mapped[int | None] = mapped_column(unique=True)\n" for end in "xy")
    evolution.migrate(PLAIN + columns)
    cut = names(evolution)
    assert len(cut) == 2
    assert all(name.startswith("uq_item_aaa") and len(name) == 63 for name in cut)
    evolution.downgrade()
    assert names(evolution) == set()


def test_a_name_that_is_taken_is_told_apart(evolution: Evolution) -> None:
    taken = """
class Other(Base):
    __tablename__ = "other"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(String(9))
    __table_args__ = (UniqueConstraint("code", name="uq_item_code"),)
"""
    evolution.set_up(PLAIN + taken)
    evolution.migrate(LINKED + taken)
    (name,) = names(evolution) - {"fk_item_parent_id_item"}
    assert re.fullmatch(r"uq_item_code_[0-9a-f]{8}", name)


def test_those_that_the_server_has_named_are_dropped(on_server: Evolution) -> None:
    on_server.set_up(LINKED)
    named = names(on_server)
    on_server.migrate(LINKED.replace(", unique=True", "").replace('ForeignKey("item.id")', ""))
    assert names(on_server) == set()
    on_server.downgrade()
    assert names(on_server) == named
    upgrade(on_server.target)
    assert names(on_server) == set()


def test_a_changed_rule_of_a_foreign_key(on_server: Evolution) -> None:
    on_server.set_up(LINKED)
    named = names(on_server)
    on_server.migrate(LINKED.replace('"item.id"', '"item.id", ondelete="CASCADE"'))
    assert "fk_item_parent_id_item" in names(on_server)
    on_server.downgrade()
    assert names(on_server) == named


def test_a_name_given_later_is_made_once(on_server: Evolution) -> None:
    on_server.set_up(PLAIN)
    on_server.set_up(LINKED)
    on_server.migrate(
        LINKED.replace(", unique=True", "") + '    __table_args__ = (UniqueConstraint("code", name="one"),)\n'
    )
    assert "one" in names(on_server)
    assert "uq_item_code" not in names(on_server)
    on_server.downgrade()
    assert "uq_item_code" in names(on_server)
