"""The entities that Framefox brings: its table `task` is one of a project that uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database, MakeDatabase
from support.foreign import framefox
from support.projects import MiniProject

from framefox_tasks import Project
from framefox_tasks.schema import sources
from framefox_tasks.schema.framework import entity_modules

pytestmark = pytest.mark.slow

TASK = """
import enum
from datetime import datetime

from sqlmodel import Field

from framefox.core.orm.abstract_entity import AbstractEntity


class TaskStatus(str, enum.Enum):
    PENDING = "pending"
    FAILED = "failed"


class Task(AbstractEntity, table=True):
    id: str | None = Field(default=None, primary_key=True)
    name: str
    status: TaskStatus = TaskStatus.PENDING
    created_at: datetime = Field(default_factory=datetime.now)
"""
ABSTRACT = "from sqlmodel import SQLModel\n\n\nclass AbstractEntity(SQLModel):\n    __abstract__ = True\n"


def with_tasks(project: MiniProject) -> MiniProject:
    """The project's stand-in of the framework, with the entities that the framework has."""
    for folder in ("core/orm", "core/task/entity", "tests/entity"):
        (project.path / "framefox" / folder).mkdir(parents=True, exist_ok=True)
    project.write("framefox/core/orm/abstract_entity.py", ABSTRACT)
    project.write("framefox/core/task/entity/task.py", TASK)
    project.write("framefox/core/task/entity/plain.py", "raise RuntimeError('it declares no table')\n")
    project.write("framefox/tests/entity/test_task.py", TASK.replace("Task(", "Test("))
    return project


def made_by_the_framework(project: MiniProject, database: Database) -> None:
    """Make the database as `framefox database create-migration` and `upgrade` do: with its own entities imported."""
    project.ok("database_create")
    result = project.module(
        "-c",
        "import os\nimport sqlalchemy as sa\nfrom sqlmodel import SQLModel\n"
        "import framefox.core.task.entity.task, src.entity.product, src.entity.review\n"
        "SQLModel.metadata.create_all(sa.create_engine(os.environ['DATABASE_URL']))\n",
    )
    assert result.code == 0, result.all
    assert {"task", "product", "review"} <= database.tables()


def test_a_database_that_the_framework_made_has_no_difference(database: Database, tmp_path: Path) -> None:
    project = with_tasks(framefox(database, tmp_path))
    made_by_the_framework(project, database)
    project.migration("made", None)
    project.ok("database_stamp", "--revision=made", "--yes")
    out = project.ok("database_create_migration", "--check")
    assert "The entities and the database agree." in out
    assert "left alone" not in out


def test_its_table_is_made_and_stays(make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database("sqlite")
    project = with_tasks(framefox(database, tmp_path))
    out = project.ok("database_create_migration", "--message=first")
    assert "task" in out
    project.ok("database_upgrade")
    assert "task" in database.tables()
    assert "agree" in project.ok("database_create_migration", "--check")
    # A newer version of the framework changes its entity.
    project.replace(
        "framefox/core/task/entity/task.py", "    name: str\n", "    name: str\n    queue: str = 'default'\n"
    )
    assert "task.queue" in project.fails("database_create_migration", "--check")


def test_a_project_without_entities_of_its_own_has_the_frameworks(make_database: MakeDatabase, tmp_path: Path) -> None:
    project = with_tasks(framefox(make_database("sqlite"), tmp_path))
    for path in (project.path / "src/entity").glob("*.py"):
        path.unlink()
    (project.path / "src/entity").rmdir()
    assert "Schema of 1 table" in project.ok("database_metadata")


@pytest.fixture
def stand_in(make_database: MakeDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MiniProject:
    project = with_tasks(framefox(make_database("sqlite"), tmp_path))
    monkeypatch.syspath_prepend(project.path)
    return project


def modules(project: MiniProject) -> list[str]:
    settings = Project(root=project.path)
    return list(entity_modules(settings, sources.read(settings, Path("src/entity"))))


def test_they_are_those_that_declare_tables(stand_in: MiniProject) -> None:
    assert modules(stand_in) == ["framefox.core.task.entity.task"]


@pytest.mark.parametrize("user", ["migrations/env.py", "main.py", "src/entity/product.py"])
def test_a_project_uses_the_framework_where_it_imports_it(user: str, stand_in: MiniProject) -> None:
    stand_in.write("migrations/env.py", "from framefox_tasks.env import run_migrations\n\nrun_migrations()\n")
    assert modules(stand_in) == []
    text = stand_in.read(user) if (stand_in.path / user).exists() else ""
    stand_in.write(user, f"from framefox.core.orm.abstract_entity import AbstractEntity\n{text}")
    assert modules(stand_in) == ["framefox.core.task.entity.task"]


def test_a_table_of_that_name_may_be_the_projects_own(stand_in: MiniProject) -> None:
    stand_in.write(
        "src/entity/task.py",
        "from sqlmodel import Field, SQLModel\n\n\nclass Task(SQLModel, table=True):\n"
        "    id: int | None = Field(default=None, primary_key=True)\n",
    )
    assert modules(stand_in) == []


def test_a_version_of_the_framework_without_entities(stand_in: MiniProject) -> None:
    (stand_in.path / "framefox/core/task/entity/task.py").unlink()
    assert modules(stand_in) == []
