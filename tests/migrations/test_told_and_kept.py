"""What stays though nothing but a name speaks for it, and what is told in our own words."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import MakeDatabase
from support.declaring import Declared
from support.warned import nothing_raw

from framefox_tasks import check_migration

PARENT = """
class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    b: Mapped[int]
    __table_args__ = (UniqueConstraint("id", "b", name="uq_parent"),)
"""
CHILD = """

class Child(Base):
    __tablename__ = "child"
    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[int | None]
    b: Mapped[int | None]
    __table_args__ = (
        ForeignKeyConstraint(["a", "b"], ["parent.id", "parent.b"], name="fk_full", match="FULL", deferrable=True),
    )
"""


@pytest.mark.parametrize(
    "more",
    ["deferrable=True", "ondelete='SET NULL', onupdate='CASCADE', deferrable=True, initially='DEFERRED'"],
    ids=["one option", "all options"],
)
@pytest.mark.parametrize("gone", ["table", "key"])
@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def test_a_key_that_matches_in_full_comes_back_so(
    dialect: str, gone: str, more: str, tmp_path: Path, make_database: MakeDatabase
) -> None:
    project = Declared(tmp_path / "project", make_database(dialect))
    project.set_up(PARENT + CHILD.replace("deferrable=True", more))
    without = CHILD[: CHILD.index("    __table_args__")]
    project.migrate(PARENT if gone == "table" else PARENT + without)
    project.downgrade()
    query = "SELECT sql FROM sqlite_master WHERE name = 'child'"
    if dialect == "postgresql":
        query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'fk_full'"
    ((found,),) = project.database.execute(query)
    assert "MATCH FULL" in found
    assert "DEFERRABLE" in found
    assert ("ON DELETE SET NULL" in found) == ("ondelete" in more)
    assert ("INITIALLY DEFERRED" in found) == ("initially" in more)


@pytest.fixture
def postgresql(tmp_path: Path, make_database: MakeDatabase) -> Declared:
    return Declared(tmp_path / "project", make_database("postgresql"))


@pytest.mark.server
def test_types_that_sqlalchemy_does_not_know_warn_of_nothing(
    postgresql: Declared, caplog: pytest.LogCaptureFixture
) -> None:
    postgresql.database.execute(
        "CREATE EXTENSION cube",
        "CREATE TABLE of_others (id INTEGER PRIMARY KEY, place POINT, body CUBE)",
    )
    column = """
class Place(types.UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **kw):
        return "POINT"


class Parent(Base):
    __tablename__ = "parent"
    id: Mapped[int] = mapped_column(primary_key=True)
    place = mapped_column(Place())
"""
    with nothing_raw():
        postgresql.migrate(column)
        assert postgresql.written.left_alone == ("of_others",)
        assert postgresql.written.warnings == ()
        assert check_migration(postgresql.target).warnings == ()
    assert "recognize" not in caplog.text


@pytest.mark.server
@pytest.mark.parametrize(
    "user",
    [
        "CREATE VIEW uses AS SELECT 'a'::state_kind AS state",
        "CREATE MATERIALIZED VIEW uses AS SELECT 1 AS one WHERE 'a'::state_kind = 'b'::state_kind",
        "CREATE FUNCTION uses(state_kind) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE DOMAIN uses AS state_kind CHECK (VALUE <> 'b')",
        "CREATE TABLE uses (state state_kind)",
    ],
    ids=["view", "materialized view", "function", "domain", "table"],
)
def test_an_enum_that_something_else_uses_is_no_difference(user: str, postgresql: Declared) -> None:
    state = "    state: Mapped[str | None] = mapped_column(Enum('a', 'b', name='state_kind'))\n"
    postgresql.set_up(PARENT.replace("    b:", f"{state}    b:"))
    postgresql.database.execute(user)
    postgresql.migrate(PARENT)
    assert postgresql.database.execute("SELECT 1 FROM pg_type WHERE typname = 'state_kind'") == [(1,)]
