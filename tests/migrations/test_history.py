"""The history of migrations beside what of it is applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.databases import Database
from support.histories import CREATE, DROP, Written, forked
from support.projects import MiniProject

from framefox_tasks import MigrationError, Project, Target, history, upgrade

LONG = "a description that is much longer than what fits into a line of a terminal of eighty columns"


@pytest.fixture
def branches(tmp_path: Path) -> Written:
    return forked(tmp_path)


def shown(target: Target, revision: str | None = None) -> list[str]:
    return [entry.migration.revision.revision for entry in history(target, revision=revision).entries]


def states(target: Target) -> dict[str, str]:
    return {entry.migration.revision.revision: entry.migration.state for entry in history(target).entries}


def test_it_is_newest_first_with_what_is_applied(project: MiniProject, database: Database) -> None:
    for revision, down in (("aaa", None), ("bbb", "aaa"), ("ccc", "bbb")):
        project.migration(revision, down, upgrade=CREATE.format(revision), downgrade=DROP.format(revision))
    target = Target(database.url, Project(root=project.path))
    assert states(target) == {"ccc": "PENDING", "bbb": "PENDING", "aaa": "PENDING"}
    assert not database.exists()
    database.create()
    upgrade(target, revision="bbb")
    assert list(states(target).items()) == [("ccc", "PENDING"), ("bbb", "CURRENT"), ("aaa", "APPLIED")]
    assert shown(target, "current") == ["bbb"]
    assert shown(target, "current:") == ["ccc", "bbb"]
    assert shown(target, ":current") == ["bbb", "aaa"]
    assert shown(target, "+1") == ["ccc"]
    assert shown(target, "-1") == ["aaa"]


def test_an_entry_has_all_that_the_file_says(branches: Written) -> None:
    branches.add("sto1", depends_on="acc2", labels="stock")
    (entry,) = history(branches.target(), revision="stock@head").entries
    assert entry.labels == ("stock",)
    assert entry.depends_on == ("acc2",)
    assert entry.created == "2026-01-12 10:15:00+00:00"
    assert entry.docstring.startswith("migration sto1")
    assert entry.migration.is_head
    (entry,) = history(branches.target(), revision="bil2").entries
    assert entry.migration.revision.down_revisions == ("bil1",)
    assert entry.labels == ("billing",)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("acc1", ["acc1"]),
        ("acc2-1", ["acc1"]),
        ("heads", ["acc2", "bil2"]),
        ("base", []),
        ("aaaa:acc2", ["acc2", "acc1", "aaaa"]),
        ("acc1:accounts@head", ["acc2", "acc1"]),
        (":bil1", ["bil1", "aaaa"]),
        ("acc1:", ["acc2", "acc1"]),
    ],
)
def test_a_revision_or_a_range_is_chosen(branches: Written, given: str, expected: list[str]) -> None:
    assert sorted(shown(branches.target(), given)) == sorted(expected)


@pytest.mark.parametrize("given", ["acc2:aaaa", "zzz:", "a:b:c", "acc2:bil1"])
def test_what_is_no_range_is_told(branches: Written, given: str) -> None:
    with pytest.raises(MigrationError):
        history(branches.target(), revision=given)


def test_a_server_that_does_not_answer_is_part_of_it(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.env["DATABASE_URL"] = "postgresql://me:s3cret-word@127.0.0.1:1/shop"
    out = shop.ok("database_history")
    assert "UNKNOWN" in out
    assert "The database cannot be asked: " in out
    assert max(map(len, out.splitlines())) <= 80
    assert "s3cret-word" not in out
    assert "cannot be asked" in shop.fails("database_history", "--revision=current:")
    found = json.loads(shop.ok("database_history", "--format=json"))
    assert found["database"]["error"]
    assert [item["status"] for item in found["migrations"]] == ["UNKNOWN"]


def test_the_task_shows_it_in_eighty_columns(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    text = shop.read("migrations/versions/aaa_by_hand.py")
    doc = f'"""{LONG}\n\nRevision ID: aaa\nCreate Date: 2026-01-12 10:15:00\n\nWhy: {LONG}.\n\n- one\n"""'
    text = text.replace('"""migration aaa"""', doc).replace("branch_labels = None", "branch_labels = ('stock',)")
    shop.write("migrations/versions/aaa_by_hand.py", text)
    out = shop.ok("database_history")
    assert "The database does not exist." in out
    assert "stock" in out
    assert not (shop.path / "shop.db").exists()
    verbose = shop.ok("database_history", "--verbose")
    for part in ("status     PENDING (head)", "file       migrations/versions/aaa_by_hand.py", "branch     stock"):
        assert f"  {part}\n" in verbose
    assert "  written    2026-01-12 10:15:00\n" in verbose
    assert "    - one\n" in verbose
    assert "Revision ID" not in verbose
    lines = [line for line in (out + verbose).splitlines() if not line.startswith("The database does not exist.")]
    assert max(map(len, lines)) <= 80
    shop.ok("database_upgrade")
    assert "CURRENT (head)" in shop.ok("database_history", "--revision=head")
    assert "--revision is empty" in shop.fails("database_history", "--revision=")
    found = json.loads(shop.ok("database_history", "--format=json"))
    assert found["up_to_date"] is True
    (item,) = found["migrations"]
    assert item["labels"] == ["stock"]
    assert item["created"] == "2026-01-12 10:15:00"
    assert item["kept"] is False


def test_it_is_empty_without_migrations(shop: MiniProject) -> None:
    assert "The database does not exist." in shop.ok("database_history")
    shop.ok("database_create")
    assert "There are no migrations yet." in shop.ok("database_history", "-v")
