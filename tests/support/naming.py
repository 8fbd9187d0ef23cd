"""A project whose dodo.py has a DOIT_CONFIG of its own, and tasks that need one of ours in every way."""

from __future__ import annotations

import pytest

from support.databases import Database, MakeDatabase
from support.projects import MiniProject

DODO = """
from doit import create_after
from framefox_tasks.tasks import *

DOIT_CONFIG = {{"verbosity": 2{config}}}


def task_group():
    return {{"actions": None, "task_dep": ["database_downgrade"]}}


def task_parts():
    yield {{"name": "one", "actions": ["true"], "task_dep": ["group"]}}


def task_needs():
    return {{"actions": ["true"], "setup": ["database_downgrade"]}}


def task_finds():
    return {{"actions": ["true"], "calc_dep": ["found"]}}


def task_found():
    return {{"actions": [lambda: {{"task_dep": ["database_downgrade"]}}]}}


def task_file():
    return {{"actions": ["touch report.txt"], "targets": ["report.txt"], "task_dep": ["database_downgrade"]}}


def task_file_of_file():
    return {{"actions": ["true"], "file_dep": ["report.txt"]}}


def task_pattern():
    return {{"actions": ["true"], "task_dep": ["database_down*"]}}


def task_pattern_and_name():
    return {{"actions": ["true"], "task_dep": ["database_down*", "database_downgrade"]}}


def task_renamed():
    return task_database_downgrade()


@create_after(executed="database_create")
def task_late():
    return {{"actions": ["true"], "task_dep": ["database_downgrade"]}}
"""
SKIPPED = "Skipped: it would revert migrations. To run it, name it: doit database_downgrade\n"
LOSING = ("database_downgrade", "database_drop", "database_clear_migration")


def upgraded(project: MiniProject, config: str = f', "default_tasks": {list(LOSING)}') -> MiniProject:
    """The project with its own DOIT_CONFIG, and a database at its only revision."""
    project.migration(
        "aaa", None, upgrade="op.create_table('noted', sa.Column('id', sa.Integer))", downgrade="op.drop_table('noted')"
    )
    project.upgrade()
    project.write("dodo.py", DODO.format(config=config))
    return project


@pytest.fixture
def file(make_database: MakeDatabase, shop: MiniProject) -> Database:
    """The database of the shop."""
    database = make_database("sqlite")
    shop.env["DATABASE_URL"] = database.url
    return database


def is_whole(project: MiniProject, database: Database) -> bool:
    kept = "aaa_by_hand.py" in project.versions()
    return kept and database.revision() == ["aaa"] and "noted" in database.tables()
