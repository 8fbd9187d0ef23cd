"""Options behind a pattern of tasks are given to each that it means; it names none, and must mean one."""

from __future__ import annotations

import pytest
from support.projects import MiniProject

pytestmark = pytest.mark.slow

MORE = """
database:
  url: sqlite:///app.db
databases:
  more:
    url: sqlite:///more.db
    metadata: src.entity.base:Base
"""
OWN = """

def task_greet():
    for name in ("one", "two"):
        yield {"name": name, "actions": ["echo %(word)s"], "params": [{"name": "word", "long": "word", "default": ""}]}
"""


@pytest.fixture
def two(shop: MiniProject) -> MiniProject:
    shop.write("config/orm.yaml", MORE)
    shop.framefox_tasks("init")
    return shop


def test_each_task_gets_the_options(two: MiniProject) -> None:
    two.ok("database_create:*")
    planned = two.ok("database_upgrade:*", "--plan", "database_create:*")
    assert "The database app.db is up to date" in planned
    assert "The database more.db is up to date" in planned
    assert planned.count("exists") == 2
    spelled = two.framefox_tasks("database:upgrade:*", "--plan")
    assert spelled.out == two.ok("database_upgrade:*", "--plan")


def test_a_pattern_with_options_names_no_task(two: MiniProject) -> None:
    two.ok("database_create:*")
    said = two.ok("database_drop:*", "--yes")
    assert "To run it, name it: doit database_drop\n" in said
    assert "To run it, name it: doit database_drop:more\n" in said
    assert (two.path / "app.db").exists()
    assert (two.path / "more.db").exists()


def test_options_of_a_group_are_taken_by_its_parts(two: MiniProject) -> None:
    drawn = two.ok("database_diagram:*", "--format=mermaid")
    assert drawn.count("schema.mmd") == 2
    assert "schema.html" not in drawn


def test_the_value_of_an_option_is_no_pattern(two: MiniProject) -> None:
    two.ok("database_create")
    refused = two.fails("database_copy", "--to", "sqlite:///copy.db", "--tables", "database_up*", "--dry-run")
    assert "--tables=database_up* matches no table." in refused


def test_a_pattern_of_a_projects_own_tasks(two: MiniProject) -> None:
    two.write("dodo.py", two.read("dodo.py") + OWN)
    assert two.ok("greet:*", "--word=hello").count("hello\n") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["databse_upgrade:*"], '"databse_upgrade:*" means no task. Did you mean database_upgrade:*?'),
        (["databse_upgrade:*", "--plan"], '"databse_upgrade:*" means no task. Did you mean database_upgrade:*?'),
        (["nothing*"], '"nothing*" means no task.\nSee the tasks with: doit list --all'),
        (["database_upgrade:*", "--paln"], "option --paln not recognized. Did you mean --plan?"),
    ],
)
def test_mistypes(two: MiniProject, words: list[str], said: str) -> None:
    assert said in two.fails(*words, code=3)
