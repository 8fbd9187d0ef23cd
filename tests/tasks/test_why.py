"""Why a task will run: in `doit info`, and in database_status."""

from __future__ import annotations

import json

import pytest
from support.databases import Database, drop_database
from support.projects import MiniProject

CREATE = "op.create_table({0!r}, sa.Column('id', sa.Integer, primary_key=True))"
PRODUCT = "src/entity/product.py"


@pytest.fixture
def upgraded(project: MiniProject) -> MiniProject:
    """A project whose database is at its head, aaa, on each dialect in turn."""
    project.migration("aaa", None, upgrade=CREATE.format("aaa"))
    project.ok("database_upgrade")
    return project


def info(project: MiniProject, task: str = "database_upgrade") -> str:
    """What doit says of a task that will run."""
    result = project.doit("info", task)
    assert result.code == 1, result.all
    assert "status     : run" in result.out
    return result.out


def test_info_says_that_an_upgraded_database_is_up_to_date(upgraded: MiniProject) -> None:
    out = upgraded.ok("info", "database_upgrade")
    assert "status     : up-to-date" in out
    assert " - migrations/versions/aaa_by_hand.py\n" in out
    assert " - migrations/env.py\n" in out


def test_info_names_the_revision_file_that_is_new(upgraded: MiniProject) -> None:
    upgraded.migration("bbb", "aaa", upgrade=CREATE.format("bbb"))
    out = info(upgraded)
    assert "The following file dependencies were added:\n    - migrations/versions/bbb_by_hand.py" in out
    assert "removed" not in out
    upgraded.ok("database_upgrade")
    (upgraded.path / "migrations/versions/bbb_by_hand.py").unlink()
    assert "dependencies were removed:\n    - migrations/versions/bbb_by_hand.py" in info(upgraded)


def test_info_says_where_the_database_stands(upgraded: MiniProject, database: Database) -> None:
    database.execute("DELETE FROM alembic_version")
    assert "is at no revision; the last run found the head aaa" in info(upgraded)
    if database.path:
        database.path.unlink()
    else:
        drop_database(database.dialect, database.name)
    assert f"{database.name}" in info(upgraded)
    assert "does not exist" in info(upgraded)
    assert "does not exist" in info(upgraded, "database_create")


def test_info_says_that_it_is_another_database(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.ok("database_upgrade")
    shop.env["DATABASE_URL"] = "sqlite:///other.db"
    assert "other.db is another database than that of the last run" in info(shop)


def test_info_shows_no_password(shop: MiniProject) -> None:
    shop.migration("aaa", None)
    shop.env["DATABASE_URL"] = "postgresql://me:s3cret-word@127.0.0.1:1/shop"
    for task in ("database_upgrade", "database_create", "database_create_migration"):
        assert "s3cret-word" not in shop.doit("info", task).all


def test_info_of_what_is_built(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", 'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: markdown\n')
    shop.ok("database_create_migration", "database_diagram")
    shop.replace(PRODUCT, "String(100)", "String(120)")
    assert f"file dependencies have changed:\n    - {PRODUCT}" in info(shop, "database_metadata")
    shop.ok("database_metadata")
    assert "the schema of the entities changed" in info(shop, "database_create_migration")
    (shop.path / "docs/database/schema.dictionary.md").unlink()
    assert "docs/database/schema.dictionary.md is missing" in info(shop, "database_diagram:schema")


def tasks(project: MiniProject) -> dict[str, tuple[bool | None, str]]:
    """What the status says of each task: whether it is up to date, and why."""
    found = json.loads(project.ok("database_status", "--format=json"))["tasks"]
    return {item["task"]: (item["up_to_date"], item["reason"]) for item in found}


def test_the_status_says_what_would_run_and_why(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", 'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: markdown\n')
    first = {
        "database_metadata": (False, "it has not run here yet"),
        "database_create_migration": (None, "database_metadata runs first"),
        "database_upgrade": (False, "it has not run here yet"),
    }
    assert tasks(shop) == first
    shop.ok("database_create_migration", "database_diagram")
    revision = shop.versions()[0]
    assert tasks(shop) == {
        "database_metadata": (True, "the entities have not changed"),
        "database_create_migration": (
            True,
            f"migrations/versions/{revision} has the changes; apply it with: doit database_upgrade",
        ),
        "database_upgrade": (False, "it has not run here yet"),
        "database_diagram:schema": (True, "the schema has not changed"),
    }
    shop.ok("database_upgrade")
    shop.replace(PRODUCT, "String(100)", "String(120)")
    found = tasks(shop)
    assert found["database_metadata"] == (False, f"{PRODUCT} changed")
    assert found["database_create_migration"] == (None, "database_metadata runs first")
    assert found["database_diagram:schema"] == (None, "database_metadata runs first")
    assert found["database_upgrade"][0] is True


def test_the_status_changes_nothing_of_what_would_run(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "database_upgrade")
    shop.replace(PRODUCT, "String(100)", "String(120)")
    before = tasks(shop)
    assert tasks(shop) == before
    assert "Next run" in shop.ok("database_status", "database_metadata")
    assert tasks(shop)["database_metadata"][0] is True
    assert tasks(shop)["database_create_migration"] == (False, "the schema of the entities changed")


def test_the_status_fits_80_columns_with_its_reasons(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "-m", "a message that makes a long name of the file of this migration")
    out = shop.ok("database_status")
    assert max(map(len, out.splitlines())) <= 80
    assert "up to date" in out


def test_a_server_that_does_not_answer_is_asked_once(shop: MiniProject) -> None:
    shop.env["DATABASE_URL"] = "postgresql://me@127.0.0.1:1/shop"
    assert tasks(shop) == {}
    assert "Next run" not in shop.ok("database_status")


def test_the_status_works_in_a_process_of_its_own(shop: MiniProject) -> None:
    assert "The database does not exist." in shop.ok("-n", "2", "database_status")


def test_a_task_that_failed_is_not_one_that_has_never_run(shop: MiniProject) -> None:
    shop.ok("database_create_migration", "database_upgrade")
    shop.migration("broken", None, upgrade="raise RuntimeError('no')")
    shop.fails("database_upgrade", "--revision=heads")
    assert tasks(shop)["database_upgrade"] == (False, "its last run failed")
    (shop.path / "migrations/versions/broken_by_hand.py").unlink()
    shop.ok("database_upgrade")
    assert tasks(shop)["database_upgrade"][0] is True
    shop.replace(PRODUCT, "String(100)", "String(none)")
    shop.fails("database_metadata")
    assert tasks(shop)["database_metadata"] == (False, "its last run failed")
    shop.replace(PRODUCT, "String(none)", "String(100)")
    shop.ok("database_metadata")
    assert tasks(shop)["database_metadata"][0] is True


def test_the_cache_may_be_cleared_between_the_tasks_that_use_it(shop: MiniProject) -> None:
    shop.write("config/orm.yaml", 'database:\n  url: "sqlite:///shop.db"\ndiagram:\n  formats: markdown\n')
    out = shop.ok("database_metadata", "database_clear_metadata", "database_diagram")
    assert "2 tables drawn:" in out
    assert (shop.path / ".framefox_tasks/metadata.json").exists()
    assert "-- database_diagram:schema" in shop.ok("database_metadata", "database_diagram")
