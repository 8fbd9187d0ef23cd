"""A project whose entities change from one migration to the next, driven in this process."""

from __future__ import annotations

import importlib
import sys
import uuid
from dataclasses import dataclass, field
from typing import Any

import framefox_tasks
from framefox_tasks import Project, Target
from support.databases import Database
from support.projects import MiniProject

HEAD = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


metadata = Base.metadata
"""


@dataclass
class Evolution:
    """A project without entities, its database, and what to do with both.

    Attributes:
        project: Its files.
        database: Made when it is first used.
        modules: The entities of each version, in modules of their own.
    """

    project: MiniProject
    database: Database
    modules: list[str] = field(default_factory=list)

    def target(self) -> Target:
        metadata = f"{self.modules[-1]}:metadata" if self.modules else None
        return Target(self.database.url, Project(root=self.project.path, metadata=metadata, entities=()))

    def declare(self, body: str) -> None:
        """Replace the entities: tables of SQLAlchemy, on `metadata`."""
        name = f"entities_{uuid.uuid4().hex[:10]}"
        self.project.write(f"{name}.py", HEAD + body)
        if str(self.project.path) not in sys.path:
            sys.path.insert(0, str(self.project.path))
        importlib.invalidate_caches()
        self.modules.append(name)

    def migrate(self, body: str, message: str = "next") -> Any:
        """Change the entities, and write and apply the migration."""
        self.declare(body)
        self.database.create(exist_ok=True)
        written = framefox_tasks.create_migration(self.target(), message=message)
        if written.path:
            framefox_tasks.upgrade(self.target())
        return written

    def set_up(self, body: str) -> None:
        """Change the entities, and write and apply the migration, unproven: for tests of what comes after that."""
        self.declare(body)
        self.database.create(exist_ok=True)
        framefox_tasks.create_migration(self.target(), message="next", proof=False)
        framefox_tasks.upgrade(self.target())

    def check(self) -> None:
        framefox_tasks.check_migration(self.target())

    def downgrade(self) -> None:
        framefox_tasks.downgrade(self.target())

    def upgrade(self) -> None:
        framefox_tasks.upgrade(self.target())

    def newest(self) -> str:
        """The text of the newest migration."""
        folder = self.project.path / "migrations/versions"
        return max(folder.glob("*.py"), key=lambda path: path.stat().st_mtime_ns).read_text(encoding="utf-8")

    def by_hand(self, upgrade: str, downgrade: str = "pass", down: str | None = None, revision: str = "m1") -> None:
        """Write a migration, and apply it."""
        self.project.migration(revision, down, upgrade=upgrade, downgrade=downgrade)
        self.database.create(exist_ok=True)
        framefox_tasks.upgrade(self.target())

    def sql(self, name: str) -> str:
        """The statement that made something."""
        rows = self.database.execute(f"SELECT sql FROM sqlite_master WHERE name = '{name}'")
        return str(rows[0][0]) if rows else ""
