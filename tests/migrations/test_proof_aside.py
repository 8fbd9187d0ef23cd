"""What the entities declare is made on PostgreSQL where the history has run, in a transaction that is rolled back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.databases import MakeDatabase
from support.declaring import Declared

from framefox_tasks.databases.server import ServerVerbs
from framefox_tasks.model import Target
from framefox_tasks.results import Proof

pytestmark = pytest.mark.server

FIRST = """
class Kind(enum.Enum):
    NEW = "new"
    OLD = "old"

class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind]
"""
SECOND = """
class Part(Base):
    __tablename__ = "part"
    __table_args__ = {"schema": "store"}
    id: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(ForeignKey("item.id"))
"""
COMMITS = """
@event.listens_for(Base.metadata, "after_create")
def commit(_, connection, **__):
    connection.exec_driver_sql("COMMIT")
"""


@pytest.fixture
def declared(tmp_path: Path, make_database: MakeDatabase) -> Declared:
    return Declared(tmp_path / "project", make_database("postgresql"))


@pytest.fixture
def scratches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the databases that are connected to from now on, each once."""
    found: list[str] = []
    connected = ServerVerbs._connected

    def noted(verbs: ServerVerbs, target: Target, *rest: Any) -> Any:
        if "_scratch_" in target.name and target.name not in found:
            found.append(target.name)
        return connected(verbs, target, *rest)

    monkeypatch.setattr(ServerVerbs, "_connected", noted)
    return found


def test_one_scratch_database_is_enough(declared: Declared, scratches: list[str]) -> None:
    declared.migrate(FIRST)
    scratches.clear()
    declared.create(FIRST + SECOND)
    assert declared.written.proof == Proof(proven=True)
    assert len(scratches) == 1


def test_what_a_hook_of_the_projects_commits_is_made_in_another_one(declared: Declared, scratches: list[str]) -> None:
    declared.migrate(FIRST)
    scratches.clear()
    declared.create("from sqlalchemy import event\n" + FIRST + SECOND + COMMITS)
    assert declared.written.proof == Proof(proven=True)
    assert len(scratches) == 3


def test_what_an_event_trigger_would_see_is_made_in_another_one(declared: Declared, scratches: list[str]) -> None:
    declared.migrate(FIRST)
    trigger = (
        "op.execute('CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$')\n"
        "    op.execute('CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION seen()')\n"
    )
    text = declared.create(FIRST, empty=True)
    path = declared.written.path
    assert path
    assert "    pass" in text
    path.write_text(text.replace("pass", trigger, 1))
    declared.upgrade()
    scratches.clear()
    declared.create(FIRST + SECOND)
    assert declared.written.proof == Proof(proven=True)
    assert len(scratches) == 2


def test_what_differs_is_found_as_in_another_one(declared: Declared) -> None:
    """The history makes the table otherwise: what the entities declare is not taken from there."""
    declared.migrate(FIRST)
    declared.database.execute("ALTER TABLE item ADD COLUMN more TEXT")
    text = declared.create(FIRST + SECOND)
    assert "more" not in text
    assert declared.written.proof == Proof(proven=True)
