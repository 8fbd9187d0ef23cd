"""database_check: what is wrong between migrations, database and entities, and in which form it is told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.databases import Database
from support.declaring import Declared
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationNeededError, Project, Target


def target_of(shop: MiniProject, **options: bool) -> Target:
    return Target("sqlite:///shop.db", Project(root=shop.path, **options))  # type: ignore[arg-type]


def found(target: Target) -> tuple[str, str]:
    """The check that found something, and what."""
    (finding,) = framefox_tasks.check(target).findings
    assert finding.hint
    return finding.check, finding.message


def test_all_is_well_until_one_thing_is_not(shop: MiniProject) -> None:
    target = target_of(shop)
    assert found(target) == ("revision", "The database shop.db does not exist.")
    framefox_tasks.create(target)
    made = framefox_tasks.create_migration(target, message="shop")
    assert found(target)[0] == "entities"
    framefox_tasks.upgrade(target)
    assert framefox_tasks.check(target).findings == ()
    assert made.path
    text = made.path.read_text()
    made.path.write_text(
        text.replace("def upgrade() -> None:\n", "def upgrade() -> None:\n    op.execute('SELECT 1')\n")
    )
    check, message = found(target)
    assert check == "checksums"
    assert "migrations/versions/" in message
    made.path.write_text(text)
    made.path.rename(shop.path / "away.py")
    assert found(target)[0] == "revision"
    (shop.path / "away.py").rename(made.path)
    (head,) = framefox_tasks.status(target).heads
    for revision in ("aaa", "bbb"):
        shop.migration(revision, head)
    check, message = found(target)
    assert check == "heads"
    assert "aaa" in message
    assert found(target_of(shop, all_heads=True))[0] == "entities"


def test_entities_that_have_changed_are_found(shop: MiniProject) -> None:
    target = target_of(shop)
    framefox_tasks.create(target)
    framefox_tasks.create_migration(target, message="shop")
    framefox_tasks.upgrade(target)
    with closing(sqlite3.connect(shop.path / "shop.db")) as connection:
        connection.execute("DROP TABLE review")
    check, message = found(target)
    assert check == "entities"
    assert "review" in message


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_the_task_fails_with_what_to_type(shop: MiniProject, form: str) -> None:
    shop.ok("database_create", "database_create_migration", "-m", "shop")
    result = shop.doit("database_check", f"--format={form}")
    assert result.code == 1
    assert "doit database_upgrade" in result.err
    assert "Traceback" not in result.all
    if form == "json":
        data = json.loads(result.out)
        assert (data["ok"], data["findings"][0]["check"], data["checks"][0]) == (False, "entities", "heads")
    elif form == "github":
        assert result.out.startswith("::error title=database_check entities::")
        assert len(result.out.splitlines()) == 1
        assert "%0A" in result.out
    else:
        assert result.out.splitlines()[1:] == [
            "  heads: ok",
            "  revision: ok",
            "  journal: ok",
            "  checksums: ok",
            "  entities: wrong",
        ]
    shop.ok("database_upgrade")
    out = shop.ok("database_check", f"--format={form}")
    assert json.loads(out)["ok"] if form == "json" else out.endswith("" if form == "github" else "  entities: ok\n")


SHELF = """
class Shelf(Base):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
"""
STATES = {
    "a column more": f"{SHELF}    size: Mapped[int | None]\n",
    "others": f"{SHELF}    size: Mapped[int] = mapped_column(server_default='1')\n",
    "another type": SHELF.replace("String(40)", "String(50)"),
    "an index": SHELF.replace("String(40)", "String(50), index=True"),
    "a constraint": SHELF.replace("String(40)", "String(50), unique=True"),
    "an enum": SHELF.replace("String(40)", "Enum('a', 'b', name='letter')"),
    "a value more": SHELF.replace("String(40)", "Enum('a', 'b', 'c', name='letter')"),
    "a check": f"{SHELF}    size: Mapped[int]\n    __table_args__ = (CheckConstraint('size > 0', name='above'),)\n",
    "a table more": SHELF
    + SHELF.replace("Shelf", "Book").replace('"shelf"', '"book"')
    + "    shelf_id: Mapped[int] = mapped_column(ForeignKey('shelf.id'))\n",
    "a column less": SHELF.replace("    name: Mapped[str] = mapped_column(String(40))\n", ""),
}


def both_say(project: Declared) -> list[str]:
    """The operations that the check finds, which are those that a migration is written of."""
    found: list[str] = []
    try:
        framefox_tasks.check_migration(project.target)
    except MigrationNeededError as exc:
        found = [line.strip() for line in exc.message.splitlines()[1:]]
    project.create(proof=False)
    assert list(project.written.operations) == found
    assert (project.written.path is None) == (not found)
    return found


@pytest.mark.slow
def test_it_finds_what_create_migration_writes(database: Database, tmp_path: Path) -> None:
    project = Declared(tmp_path / "project", database)
    for what, entities in {"a table": SHELF, **STATES}.items():
        project.declare(entities)
        assert both_say(project) or (what, database.dialect) == ("a value more", "sqlite"), what
        project.upgrade()
        assert not both_say(project), what
    database.execute("CREATE TABLE of_others (id INTEGER)", "ALTER TABLE shelf ADD COLUMN of_others INTEGER")
    assert not both_say(project)
    database.execute("DROP TABLE shelf")
    assert both_say(project) == ["add table shelf"]
