"""What makes create and upgrade run again, and what does not. The database itself is asked."""

from __future__ import annotations

import os
import shutil

import pytest
from support.databases import Database, MakeDatabase, drop_database
from support.projects import MiniProject

CREATE = "op.create_table({0!r}, sa.Column('id', sa.Integer, primary_key=True))"
DROP = "op.drop_table({0!r})"
UP_TO_DATE = "-- database_upgrade  at head "


@pytest.fixture
def upgraded(project: MiniProject) -> MiniProject:
    """A project whose database is at its head, bbb."""
    project.migration("aaa", None, upgrade=CREATE.format("aaa"), downgrade=DROP.format("aaa"))
    project.migration("bbb", "aaa", upgrade=CREATE.format("bbb"), downgrade=DROP.format("bbb"))
    project.ok("database_upgrade")
    assert f"{UP_TO_DATE}bbb\n" in project.ok("database_upgrade")
    return project


def test_a_database_dropped_behind_its_back_is_made_again(upgraded: MiniProject, database: Database) -> None:
    if database.path:
        database.path.unlink()
    else:
        drop_database(database.dialect, database.name)
    out = upgraded.ok("database_upgrade")
    assert "Database created successfully" in out
    assert database.revision() == ["bbb"]


def test_a_restored_older_database_is_upgraded(upgraded: MiniProject, database: Database) -> None:
    database.execute("DROP TABLE bbb")
    database.execute("UPDATE alembic_version SET version_num = 'aaa'")
    assert "bbb  migration bbb" in upgraded.ok("database_upgrade")
    assert "bbb" in database.tables()


def test_another_database_is_another_database(
    upgraded: MiniProject, database: Database, make_database: MakeDatabase
) -> None:
    other = make_database(database.dialect)
    upgraded.env["DATABASE_URL"] = other.url
    assert "Applying migrations..." in upgraded.ok("database_upgrade")
    assert other.revision() == ["bbb"]
    upgraded.env["DATABASE_URL"] = database.url
    assert "already up to date" in upgraded.ok("database_upgrade")
    assert UP_TO_DATE in upgraded.ok("database_upgrade")


def test_a_new_revision_file_is_applied(upgraded: MiniProject, database: Database) -> None:
    upgraded.migration("ccc", "bbb", upgrade=CREATE.format("ccc"))
    assert "ccc  migration ccc" in upgraded.ok("database_upgrade")
    assert UP_TO_DATE in upgraded.ok("database_upgrade")
    assert database.revision() == ["ccc"]


def test_an_edited_revision_file_is_noticed(upgraded: MiniProject) -> None:
    upgraded.replace("migrations/versions/bbb_by_hand.py", "migration bbb", "another text")
    assert "already up to date" in upgraded.ok("database_upgrade")
    assert UP_TO_DATE in upgraded.ok("database_upgrade")


def test_a_deleted_revision_file_is_noticed(upgraded: MiniProject) -> None:
    (upgraded.path / "migrations/versions/bbb_by_hand.py").unlink()
    assert "bbb, which has no file" in upgraded.fails("database_upgrade")
    assert "bbb, which has no file" in upgraded.fails("database_upgrade")


def test_a_touched_revision_file_changes_nothing(upgraded: MiniProject) -> None:
    os.utime(upgraded.path / "migrations/versions/bbb_by_hand.py", (1, 1))
    assert UP_TO_DATE in upgraded.ok("database_upgrade")


def test_options_run_although_the_database_is_up_to_date(upgraded: MiniProject, database: Database) -> None:
    assert "CREATE TABLE aaa" in upgraded.ok("database_upgrade", "--sql")
    assert "no migrations to apply" in upgraded.ok("database_upgrade", "--plan")
    assert UP_TO_DATE in upgraded.ok("database_upgrade")
    upgraded.ok("database_downgrade")
    assert "Applying migrations..." in upgraded.ok("database_upgrade", "--revision", "bbb")
    assert database.revision() == ["bbb"]


def test_a_plan_is_no_upgrade(upgraded: MiniProject, database: Database) -> None:
    upgraded.migration("ccc", "bbb", upgrade=CREATE.format("ccc"))
    upgraded.ok("database_upgrade", "--plan")
    assert database.revision() == ["bbb"]
    upgraded.ok("database_upgrade")
    assert database.revision() == ["ccc"]


def test_tasks_of_one_run_see_each_others_files(project: MiniProject, database: Database) -> None:
    project.ok("database_create_migration", "-m", "one", "database_upgrade")
    out = project.ok(
        "database_drop", "--yes", "database_clear_migration", "--yes", "database_create_migration", "database_upgrade"
    )
    assert "Migrations applied successfully." in out
    assert "product" in database.tables()
    project.replace("src/entity/product.py", "String(100)", "String(120)")
    out = project.ok("database_create_migration", "-m", "two", "database_upgrade")
    assert "two" in out.partition("Applying migrations...")[2]


def test_a_copied_project_does_not_believe_the_memory_it_came_with(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade=CREATE.format("aaa"))
    shop.ok("database_upgrade")
    copy = MiniProject(shop.path.parent / "copy")
    shutil.copytree(shop.path, copy.path, ignore=shutil.ignore_patterns("*.db"))
    assert "Migrations applied successfully." in copy.ok("database_upgrade")
    assert (copy.path / "shop.db").exists()


def test_doit_runs_from_a_sub_folder(shop: MiniProject) -> None:
    shop.migration("aaa", None, upgrade=CREATE.format("aaa"))
    assert shop.doit("-k", "database_upgrade", cwd="src/entity").code == 0
    assert (shop.path / "shop.db").exists()
    shop.env["DOIT_SEEK_FILE"] = "1"
    assert UP_TO_DATE in shop.doit("database_upgrade", cwd="src/entity").out


def test_a_changed_include_object_hook_is_asked_again(shop: MiniProject) -> None:
    hook = "def include(item, name, type_, reflected, compare_to):\n    return {}\n"
    shop.write("hooks.py", hook.format("name != 'review'"))
    shop.write("config/orm.yaml", f"{shop.read('config/orm.yaml')}include_object: hooks:include\n")
    shop.ok("database_create_migration", "database_upgrade")
    assert "no changes since" in shop.ok("database_create_migration")
    shop.write("hooks.py", hook.format("True"))
    out = shop.ok("database_create_migration")
    assert "hooks.py" in out  # the snapshot is made again, though it is the same
    assert "the include_object hook changed" in out
    assert "add table review" in out


def test_a_changed_hook_of_env_py_is_asked_again(shop: MiniProject) -> None:
    env = (
        "from alembic import context\n\n\n"
        "def include(item, name, type_, reflected, compare_to):\n    return {}\n\n\n"
        "context.configure(connection=context.config.attributes['connection'], include_object=include)\n"
        "with context.begin_transaction():\n    context.run_migrations()\n"
    )
    shop.write("migrations/env.py", env.format("name != 'review'"))
    assert "review" not in shop.ok("database_create_migration", "database_upgrade")
    assert "no changes since" in shop.ok("database_create_migration")
    shop.write("migrations/env.py", env.format("True"))
    assert "add table review" in shop.ok("database_create_migration")


def test_an_upgrade_without_any_migration_says_how_to_write_one(shop: MiniProject) -> None:
    told = shop.ok("database_upgrade")
    assert told.endswith(
        "The database is already up to date, no migrations to apply.\n"
        "There are no migrations yet. Write one with: doit database_create_migration\n"
    )
    shop.ok("database_create_migration", "database_upgrade")
    assert "There are no migrations yet" not in shop.ok("database_upgrade", "--revision=head")
