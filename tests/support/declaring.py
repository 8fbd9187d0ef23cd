"""A project whose entities are declared anew in this process, each time as a module of another name."""

from __future__ import annotations

import shutil
import textwrap
from itertools import count
from pathlib import Path
from typing import Any

import framefox_tasks
from framefox_tasks import MigrationCreated, Project, Target
from support.databases import Database
from support.projects import ROOT

_NUMBERS = count(1)
IMPORTS = """
import datetime
import decimal
import enum
from sqlalchemy import *
from sqlalchemy import types
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


"""


class Declared:
    """A project in a folder, and its database.

    Attributes:
        target: The database, with the entities that were declared last.
        written: What the last create_migration gave.
    """

    written: MigrationCreated

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self.database = database
        path.mkdir(exist_ok=True)
        shutil.copytree(ROOT / "migrations", path / "migrations", ignore=lambda *_: ["versions", "schema.json"])
        (path / "migrations/versions").mkdir()
        self.target = Target(database.url, Project(root=path))
        database.create()

    def declare(self, entities: str) -> None:
        """Replace the entities."""
        name = f"entities{next(_NUMBERS)}"
        (self.path / name).mkdir()
        text = IMPORTS + textwrap.dedent(entities)
        (self.path / name / f"{name}_models.py").write_text(text, encoding="utf-8")
        self.target = Target(self.target.url, Project(root=self.path, entities=(Path(name),)))

    def use(self, database: Database) -> None:
        """Go on with another database, which is created."""
        self.database = database
        self.target = Target(database.url, self.target.project)
        database.create()

    def create(self, entities: str | None = None, **options: Any) -> str:
        """Write the migration to these entities; give its text, or nothing where there is none to write."""
        if entities is not None:
            self.declare(entities)
        self.written = framefox_tasks.create_migration(self.target, message=f"m{next(_NUMBERS)}", **options)
        return self.written.path.read_text(encoding="utf-8") if self.written.path else ""

    def migrate(self, entities: str, **options: Any) -> str:
        """Write the migration, apply it, and see that nothing differs; give its text."""
        text = self.create(entities, **options)
        self.upgrade()
        self.agrees()
        return text

    def set_up(self, entities: str) -> None:
        """Write the migration to these entities, unproven, and apply it: for tests of what comes after that."""
        self.create(entities, proof=False)
        self.upgrade()

    def agrees(self) -> None:
        """See that the entities and the database agree: then create_migration writes nothing, see test_check.py."""
        framefox_tasks.check_migration(self.target)

    def upgrade(self) -> None:
        framefox_tasks.upgrade(self.target)

    def downgrade(self, steps: int = 1) -> None:
        framefox_tasks.downgrade(self.target, steps=steps)
