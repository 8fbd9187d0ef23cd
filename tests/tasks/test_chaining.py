"""The tasks among those of a project: imported one by one, as what others need, beside a DOIT_CONFIG of its own."""

from __future__ import annotations

from pathlib import Path

from support.projects import MiniProject, copy_project

SINGLE = """
from framefox_tasks.tasks import task_database_create, task_database_upgrade


def task_load():
    return {"actions": ["echo loaded"], "task_dep": ["database_upgrade"], "verbosity": 2}
"""
CHAINED = """
from framefox_tasks.tasks import *

DOIT_CONFIG = {**DOIT_CONFIG, "default_tasks": ["deploy"]}


def task_page():
    \"\"\"What is made of a target of ours\"\"\"
    return {
        "actions": ["cp docs/database/schema.mmd page.txt"],
        "file_dep": ["docs/database/schema.mmd"],
        "targets": ["page.txt"],
    }


def task_load():
    for name in ("first", "second"):
        yield {"name": name, "actions": [f"echo {name} >> loaded.txt"], "task_dep": ["database_upgrade"]}


def task_deploy():
    return {"actions": None, "task_dep": ["database_upgrade", "load", "page"]}
"""
FOREIGN = """

def task_many():
    for number in range(50):
        yield {"basename": f"own_{number}", "actions": ["true"], "doc": f"One of the project's, {number}"}
"""


def shop(tmp_path: Path, dodo: str) -> MiniProject:
    project = copy_project("shop", tmp_path)
    project.env["DATABASE_URL"] = "sqlite:///app.db"
    project.write("config/orm.yaml", "diagram: {formats: [mermaid]}\n")
    project.ok("database_create_migration", "-m", "shop")
    project.write("dodo.py", dodo)
    return project


def test_single_tasks_are_imported_and_needed_by_others(tmp_path: Path) -> None:
    project = shop(tmp_path, SINGLE)
    out = project.ok("load")
    assert out.index("Migrations applied successfully.") < out.index("loaded")
    assert "-- database_upgrade\n" in project.ok("load")  # by the reporter of doit
    assert {line.split()[0] for line in project.ok("list").splitlines()} == {
        "database_create",
        "database_upgrade",
        "load",
    }


def test_targets_groups_and_generators_chain_beside_a_config_of_its_own(tmp_path: Path) -> None:
    project = shop(tmp_path, CHAINED)
    out = project.ok()  # what the project's own DOIT_CONFIG says, and not the status
    assert "Migrations applied successfully." in out
    assert ".  database_diagram:schema" in out
    assert "product" in project.read("page.txt")
    assert sorted(project.read("loaded.txt").split()) == ["first", "second"]  # doit promises no order of the two
    again = project.ok("page")
    assert "-- page" in again
    project.replace("src/entity/product.py", "price:", "weight: Mapped[int]\n    price:")
    changed = project.ok("page")
    assert ".  page" in changed
    assert "weight" in project.read("page.txt")


def test_fifty_tasks_of_the_project_are_listed_with_ours(tmp_path: Path) -> None:
    project = shop(tmp_path, CHAINED + FOREIGN)
    listed = project.ok("list").splitlines()
    assert len([line for line in listed if line.startswith("own_")]) == 50
    assert any(line.startswith("database_upgrade ") for line in listed)
