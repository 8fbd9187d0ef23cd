"""Checks with a name that are added, changed and taken away."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import CheckViolation
from pymysql.err import IntegrityError, OperationalError
from support.databases import Database
from support.declaring import Declared


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Declared:
    return Declared(tmp_path / "project", database)


def item(*checks: str, more: str = "") -> str:
    return f"""
class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int | None]
    state: Mapped[str | None] = mapped_column(String(9))
{more}
    __table_args__ = ({"".join(f"{check}, " for check in checks)})
"""


BIG = "CheckConstraint('size > 5', name='ck_size')"
HUGE = "CheckConstraint('size > 50 AND size < 1000', name='ck_size')"
STATES = """CheckConstraint("state IN ('new', '5%', 'it''s')", name='ck state')"""


def refused(project: Declared, size: int, state: str = "new") -> bool:
    try:
        project.database.execute(f"INSERT INTO item (size, state) VALUES ({size}, '{state}')")
    except (sqlite3.IntegrityError, CheckViolation, IntegrityError, OperationalError) as exc:
        return "constraint" in str(exc).lower()
    project.database.execute("DELETE FROM item")
    return False


def test_they_come_change_and_go(project: Declared) -> None:
    project.set_up(item())
    project.migrate(item(BIG, STATES))
    assert len(project.written.operations) == 2
    assert not project.written.by_hand
    assert (refused(project, 3), refused(project, 7), refused(project, 7, "old")) == (True, False, True)
    project.migrate(item(HUGE, STATES))
    assert (refused(project, 7), refused(project, 70)) == (True, False)
    project.downgrade()
    assert (refused(project, 3), refused(project, 7)) == (True, False)
    project.upgrade()
    project.migrate(item())
    assert (refused(project, 3), refused(project, 7, "old")) == (False, False)
    project.downgrade()
    assert (refused(project, 7), refused(project, 70, "5%")) == (True, False)


def test_one_of_a_new_column_is_made_once(project: Declared) -> None:
    project.set_up(item())
    more = "    top: Mapped[int | None]"
    text = project.migrate(item("CheckConstraint('top > size', name='ck_top')", more=more))
    assert text.split("def downgrade")[0].count("ck_top") == 1


def test_that_rows_can_break_it_is_told(project: Declared) -> None:
    project.set_up(item())
    project.create(item(BIG), proof=False)
    risk: Any = project.written.risks
    assert risk == ("item gets the check ck_size: this fails where a row does not meet it. Look for such.",)


def states(*values: str, native: bool = False, length: int = 9) -> str:
    listed = ", ".join(map(repr, values))
    return f"""
Base.metadata.naming_convention = {{"ck": "ck_%(table_name)s_%(constraint_name)s"}}


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int | None] = mapped_column(CheckConstraint("size > 5", name="size"))
    done: Mapped[bool | None] = mapped_column(Boolean(create_constraint=True, name="done"))
    state: Mapped[str | None] = mapped_column(
        Enum({listed}, name="state", native_enum={native}, length={length}, create_constraint=True)
    )
"""


def test_that_of_an_enum_gets_its_values(project: Declared) -> None:
    project.migrate(states("new", "old"))
    assert (refused(project, 7), refused(project, 7, "gone")) == (False, True)
    project.migrate(states("new", "gone"))
    assert not project.written.by_hand
    assert (refused(project, 7, "gone"), refused(project, 7, "old")) == (False, True)
    project.migrate(states("new", "gone", "gone for ever", length=13))
    assert (refused(project, 7, "gone for ever"), refused(project, 7, "old")) == (False, True)
    project.downgrade()
    assert (refused(project, 7, "gone"), refused(project, 7, "old")) == (False, True)
    project.downgrade()
    assert (refused(project, 7, "old"), refused(project, 7, "gone")) == (False, True)


def test_the_values_of_a_native_enum_are_in_its_type(project: Declared) -> None:
    project.migrate(states("new", "old", native=True))
    project.migrate(states("new", "old", "gone", native=True))
    of_others = ("enum values of item.state",) if project.database.path else ()
    assert project.written.by_hand == of_others


def test_one_beside_a_column_of_another_type_changes_with_it(project: Declared) -> None:
    project.set_up(item(BIG))
    plain = "size: Mapped[int | None]"
    project.migrate(item(HUGE).replace(plain, f"{plain} = mapped_column(BigInteger)"))
    assert not project.written.by_hand
    assert (refused(project, 7), refused(project, 70)) == (True, False)
    project.downgrade()
    assert (refused(project, 3), refused(project, 7)) == (True, False)
