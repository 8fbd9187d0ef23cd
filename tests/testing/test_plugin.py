"""The pytest plugin as a project uses it."""

from __future__ import annotations

import ast
import re

import pytest
from support.projects import ROOT, MiniProject

TESTS = """
import os
import pytest
from sqlalchemy import create_engine, inspect, text
from framefox_tasks.testing import (
    test_entities_match, test_every_revision_reverts, test_single_head, test_upgrade_downgrade_upgrade,
)

INSERT = text("INSERT INTO product (name, price) VALUES ('pen', 1.5)")


@pytest.mark.parametrize("number", range(3))
def test_all_of_a_test_are_one(number, migrated_session, migrated_engine, migrated_database):
    migrated_session.execute(INSERT)
    migrated_session.commit()
    for engine in (migrated_engine, create_engine(migrated_database)):
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM product")).scalar_one() == 1


def test_others(empty_database, database_at, migrated_engine, shared_empty_database, shared_database_at):
    assert inspect(create_engine(empty_database)).get_table_names() == []
    assert inspect(create_engine(shared_empty_database)).get_table_names() == []
    for url_at in (database_at, shared_database_at):
        assert "product" in inspect(create_engine(url_at(os.environ["FIRST"]))).get_table_names()


def test_is_shared(shared_engine):
    with shared_engine.begin() as connection:
        connection.execute(INSERT)


def test_is_still_there(shared_database):
    with create_engine(shared_database).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM product")).scalar_one() == 1
"""


@pytest.fixture
def project(shop: MiniProject) -> MiniProject:
    shop.ok("database_create", "database_create_migration")
    shop.write("test_shop.py", TESTS)
    found = re.search(r"^Revision ID: (\w+)", shop.read(f"migrations/versions/{shop.versions()[0]}"), re.MULTILINE)
    assert found
    shop.env["FIRST"] = found[1]
    return shop


def told_by(project: MiniProject, *arguments: str) -> str:
    ran = project.module("pytest", "-q", "--tb=short", "-p", "no:cacheprovider", *arguments, "test_shop.py")
    assert ran.code in (0, 1), ran.all
    return ran.out


def test_a_project_uses_all_of_it(project: MiniProject) -> None:
    told = told_by(project)
    assert "10 passed" in told, told
    options = "--framefox-database-reset=savepoint", "--framefox-database-url=sqlite:///other.db"
    told = told_by(project, *options, "-k", "shared or others")
    assert "2 passed" in told, told
    assert not (project.path / "other.db").exists()


def test_the_ready_tests_tell_what_is_wrong(project: MiniProject) -> None:
    first, add = project.env["FIRST"], "op.add_column('product', sa.Column('extra', sa.Integer))"
    project.migration("bad1", first, upgrade=add)
    told = told_by(project, "-k", "reverts or match")
    assert "bad1 (migration bad1), after its downgrade: column product.extra should not be there" in told, told
    assert "the entities differ from what the migrations make:\n" in told
    assert "drop column product.extra" in told, told
    assert ".py:" not in told.replace("test_shop.py::", "")  # no traceback
    project.migration("bad2", first)
    assert "several heads" in told_by(project, "-k", "single_head")


def test_pytest_loads_nothing_for_a_project_that_does_not_use_it() -> None:
    tree = ast.parse((ROOT / "framefox_tasks/testing/__init__.py").read_text(encoding="utf-8"))
    modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert modules | names == {"__future__", "collections.abc", "contextlib", "typing", "pytest"}
