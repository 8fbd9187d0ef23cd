"""The newest migration is written anew while nobody else has it, and is back as it was where that fails."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from support.databases import Database
from support.projects import MiniProject

PRODUCT = "src/entity/product.py"
AMEND = ("database_create_migration", "--amend")


def git(project: MiniProject, *arguments: str) -> None:
    names = ("-c", "user.name=Ada", "-c", "user.email=ada@shop.test", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *names, *arguments], cwd=project.path, check=True, capture_output=True)


def commit(project: MiniProject) -> None:
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Work")


def add_column(project: MiniProject, name: str) -> None:
    project.replace(PRODUCT, "    price:", f"    {name}: Mapped[str | None] = mapped_column(String(40))\n    price:")


def columns(database: Database) -> set[str]:
    if database.path:
        return {row[1] for row in database.execute("PRAGMA table_info(product)")}
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'product'"
    schema = "table_schema = 'public'" if database.dialect == "postgresql" else "table_schema = DATABASE()"
    return {row[0] for row in database.execute(f"{query} AND {schema}")}


def start(project: MiniProject) -> MiniProject:
    """A git repository, with a first migration applied, and a second one that adds a column."""
    project.write(".gitignore", "*.db*\n.doit*\n__pycache__/\n")
    git(project, "init", "-q")
    project.set_up("-m", "first")
    commit(project)
    add_column(project, "colour")
    project.set_up("-m", "add colour")
    return project


@pytest.fixture
def started(project: MiniProject) -> MiniProject:
    """On each dialect in turn."""
    return start(project)


@pytest.fixture
def shop_started(shop: MiniProject) -> MiniProject:
    """On SQLite alone."""
    return start(shop)


def newest(project: MiniProject) -> str:
    """The file that was written last: the names of two that were written in one second do not say it."""
    names = [f"migrations/versions/{name}" for name in project.versions()]
    return max(names, key=lambda name: (project.path / name).stat().st_mtime_ns)


def test_an_applied_migration_is_reverted_and_written_anew(started: MiniProject, database: Database) -> None:
    (before,) = database.revision()
    add_column(started, "size")
    out = started.ok(*AMEND)
    assert f"  {before}  add colour" in out
    assert "add column product.colour" in out
    assert "add column product.size" in out
    assert len(started.versions()) == 2
    assert any(name.endswith("_add_colour.py") for name in started.versions())  # two of one second are in any order
    assert "colour" not in columns(database)
    assert "agree" in started.ok("database_upgrade", "database_create_migration", "--check")
    assert {"colour", "size"} <= columns(database)
    assert database.revision() != [before]
    assert "no changes since" in started.ok("database_create_migration")


def test_what_is_nothing_any_more_leaves_all_as_it_was(shop_started: MiniProject) -> None:
    project = shop_started
    file, text, record = newest(project), project.read(newest(project)), project.read("migrations/schema.json")
    project.replace(PRODUCT, "    colour: Mapped[str | None] = mapped_column(String(40))\n", "")
    error = project.fails(*AMEND)
    assert "there is nothing to be written" in error
    assert newest(project) == file
    assert project.read(file) == text
    assert project.read("migrations/schema.json") == record
    assert not list(project.path.rglob("*.old"))
    state = json.loads(project.ok("database_status", "--format=json"))
    assert state["pending"] == 0


def test_a_failure_leaves_all_as_it_was_and_applied(shop_started: MiniProject) -> None:
    project = shop_started
    text = project.read(newest(project))
    project.replace(PRODUCT, "String(100)", "String(")
    assert project.doit(*AMEND).code != 0
    assert project.read(newest(project)) == text
    project.replace(PRODUCT, "String(", "String(100)")
    assert json.loads(project.ok("database_status", "--format=json"))["pending"] == 0
    project.write("migrations/script.py.mako", "${nothing_of_that_name}")
    add_column(project, "size")
    assert project.doit(*AMEND).code != 0
    assert project.read(newest(project)) == text
    assert len(project.versions()) == 2
    assert json.loads(project.ok("database_status", "--format=json"))["pending"] == 0


def test_a_table_that_the_migration_drops_is_dropped_again(shop_started: MiniProject) -> None:
    project = shop_started
    project.set_up()
    commit(project)
    (project.path / "src/entity/review.py").unlink()
    project.set_up("-m", "no reviews")
    add_column(project, "size")
    out = project.ok(*AMEND)
    assert "drop table review" in out
    assert "add column product.size" in out


def test_a_pending_migration_is_written_anew_with_another_message(shop_started: MiniProject) -> None:
    project = shop_started
    project.ok("database_downgrade")
    add_column(project, "size")
    out = project.ok(*AMEND, "-m", "add colour and size")
    assert "add column product.size" in out
    assert any(name.endswith("_add_colour_and_size.py") for name in project.versions())
    assert len(project.versions()) == 2
    project.ok("database_upgrade")


def test_one_that_was_edited_asks(shop_started: MiniProject) -> None:
    project = shop_started
    project.replace(newest(project), "def upgrade", "# by hand\ndef upgrade")
    text = project.read(newest(project))
    add_column(project, "size")
    error = project.fails(*AMEND)
    assert "was edited by hand, and that would be lost." in error
    assert "doit database_create_migration --amend --yes" in error
    assert "Cancelled" in project.on_terminal(*AMEND, answer="n\n").out
    assert project.read(newest(project)) == text
    project.write("config/orm.yaml", f"{project.read('config/orm.yaml')}backup: true\n")
    assert "Copying shop.db to backups/shop-" in project.ok(*AMEND, "--yes")
    assert "by hand" not in project.read(newest(project))
    assert len(list((project.path / "backups").iterdir())) == 1


def test_without_git_or_the_cache_it_asks(shop: MiniProject) -> None:
    shop.set_up()
    add_column(shop, "size")
    error = shop.fails(*AMEND)
    assert "There is no git repository to say whether others have it." in error
    assert "edited" not in error
    (shop.path / ".framefox_tasks").rename(shop.path / "elsewhere")
    assert "Nothing says whether" in shop.fails(*AMEND)
    shutil.rmtree(shop.path / ".framefox_tasks")
    (shop.path / "elsewhere").rename(shop.path / ".framefox_tasks")
    out = shop.ok(*AMEND, "--yes")
    assert "add table product" in out
    shop.ok("database_upgrade")


def test_one_that_a_remote_has_is_refused(shop_started: MiniProject) -> None:
    project = shop_started
    commit(project)
    git(project, "init", "-q", "--bare", str(project.path.parent / "origin.git"))
    git(project, "remote", "add", "origin", str(project.path.parent / "origin.git"))
    git(project, "push", "-q", "origin", "HEAD:main")
    text = project.read(newest(project))
    add_column(project, "size")
    assert "a remote has it, so others may have applied it." in project.fails(*AMEND, "--yes")
    assert project.read(newest(project)) == text
    project.ok("database_create_migration", "-m", "add size")
    add_column(project, "weight")
    project.ok("database_upgrade")
    assert "add column product.weight" in project.ok(*AMEND)


def test_a_merge_one_that_others_follow_and_pending_ones_are_refused(shop: MiniProject) -> None:
    git(shop, "init", "-q")
    assert "no migration to be written anew" in shop.fails(*AMEND)
    shop.migration("aaa", None)
    shop.migration("bbb", "aaa")
    shop.migration("ccc", "aaa")
    assert "several heads" in shop.fails(*AMEND)
    assert "bbb, ccc follows it" in shop.fails(*AMEND, "--head=aaa")
    assert "are not applied" in shop.fails(*AMEND, "--head=bbb")
    shop.ok("database_create_migration", "--merge", "database_upgrade")
    assert "it joins bbb, ccc" in shop.fails(*AMEND, "--yes")
    assert "cannot be used together" in shop.fails(*AMEND, "--empty")


def test_a_branch_keeps_its_place_and_label(shop: MiniProject) -> None:
    git(shop, "init", "-q")
    shop.write("config/orm.yaml", 'heads: all\ndatabase:\n  url: "sqlite:///shop.db"\n')
    shop.migration("aaa", None)
    shop.migration("bbb", "aaa")
    shop.ok("database_upgrade")
    shop.ok("database_create_migration", "--head=aaa", "--splice", "--branch-label=stock", "database_upgrade")
    add_column(shop, "size")
    shop.ok(*AMEND, "--head=stock@head")
    text = shop.read(f"migrations/versions/{shop.versions()[0]}")
    assert "down_revision: str | Sequence[str] | None = 'aaa'" in text or "down_revision = 'aaa'" in text
    assert "'stock'" in text
    assert "agree" in shop.ok("database_upgrade", "database_create_migration", "--check")
