"""PostgreSQL: the version table is in a schema that this run does not look in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.databases import MakeDatabase
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import MigrationError, Project, Target

DIALECT = "postgresql"
OTHER = "?options=-csearch_path%3Dother"


@pytest.fixture
def applied(shop: MiniProject, make_database: MakeDatabase) -> Target:
    """A database that is at aaa in the schema public, and has an empty schema beside it."""
    database = make_database(DIALECT)
    shop.migration("aaa", None, upgrade="op.create_table('a', sa.Column('id', sa.Integer))")
    target = Target(database.url, Project(root=shop.path))
    database.create()
    framefox_tasks.upgrade(target)
    database.execute("CREATE SCHEMA other")
    return target


def test_migrations_are_not_applied_a_second_time(applied: Target) -> None:
    elsewhere = replace(applied, url=f"{applied.url}{OTHER}")
    with pytest.raises(MigrationError) as caught:
        framefox_tasks.upgrade(elsewhere)
    assert "is at aaa by the table public.alembic_version" in caught.value.message
    assert "version_table: public.alembic_version" in str(caught.value.hint)
    for ask in (framefox_tasks.create_migration, framefox_tasks.check_migration):
        with pytest.raises(MigrationError, match=r"is at aaa by the table public\.alembic_version"):
            ask(elsewhere)
    assert framefox_tasks.upgrade(applied).steps == ()


def test_the_tasks_tell_it(applied: Target, shop: MiniProject) -> None:
    shop.env["DATABASE_URL"] = f"{applied.url}{OTHER}"
    told = shop.ok("database_status")
    assert "is at aaa by the table public.alembic_version" in told
    assert "pending. Apply with" not in told
    assert "is at aaa by the table public.alembic_version" in shop.fails("database_create_migration")
    assert len(shop.versions()) == 1
    shop.env["DATABASE_URL"] = applied.url
    assert "by the table" not in shop.ok("database_status")


def test_a_schema_that_is_named_gets_a_history_of_its_own(applied: Target) -> None:
    project = replace(applied.project, version_table="other.alembic_version")
    tenant = replace(applied, url=f"{applied.url}{OTHER}", project=project)
    assert len(framefox_tasks.upgrade(tenant).steps) == 1


def test_the_version_table_of_another_project_does_not_matter(applied: Target, shop: MiniProject) -> None:
    (shop.path / "migrations/versions" / shop.versions()[0]).unlink()
    shop.migration("bbb", None, upgrade="op.create_table('b', sa.Column('id', sa.Integer))")
    elsewhere = replace(applied, url=f"{applied.url}{OTHER}")
    assert len(framefox_tasks.upgrade(elsewhere).steps) == 1
