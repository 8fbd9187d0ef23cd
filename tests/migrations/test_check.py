"""database_check: what is wrong between migrations, database and entities, and in which form it is told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import Project, Target


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
