"""A project whose entities change, driven in this process: each state of the entities is a module of its own."""

from __future__ import annotations

import re
import shutil
import textwrap
from itertools import count
from pathlib import Path

import pytest

import framefox_tasks
from framefox_tasks import MigrationNeededError, Project, Target
from support.databases import Database
from support.projects import ROOT

_NUMBERS = count(1)
_IMPORTS = """
import datetime
import decimal
import enum
import uuid
from sqlalchemy import *
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass
"""


class Evolution:
    """A project in a folder, and its database.

    Attributes:
        target: The database, with the entities that were declared last.
        said: What the last create_migration gave.
    """

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
        name = f"declared{next(_NUMBERS)}"
        (self.path / name).mkdir()
        (self.path / name / f"{name}_models.py").write_text(_IMPORTS + textwrap.dedent(entities), encoding="utf-8")
        self.target = Target(self.database.url, Project(root=self.path, entities=(Path(name),)))

    def generate(self, entities: str | None = None) -> str:
        """Write the migration to these entities; give its text, or nothing where there is none to write."""
        if entities is not None:
            self.declare(entities)
        self.said = framefox_tasks.create_migration(self.target, message=f"change {next(_NUMBERS)}")
        return self.said.path.read_text(encoding="utf-8") if self.said.path else ""

    def migrate(self, entities: str) -> str:
        """Generate, upgrade, and see that nothing is left to do; give the migration's text."""
        text = self.generate(entities)
        framefox_tasks.upgrade(self.target)
        self.agrees()
        return text

    def set_up(self, entities: str) -> None:
        """Write the migration to these entities, unproven, and apply it: for tests of what comes after that."""
        self.declare(entities)
        framefox_tasks.create_migration(self.target, message=f"change {next(_NUMBERS)}", proof=False)
        framefox_tasks.upgrade(self.target)

    def downgrade(self) -> None:
        """Revert the last migration."""
        framefox_tasks.downgrade(self.target)

    def there_and_back(self, before: str, after: str) -> str:
        """From one state to another, back and there again: what is there is the same each time."""
        self.set_up(before)
        self.agrees()
        old = self.shown()
        text = self.migrate(after)
        new = self.shown()
        if not text:  # both are the same, and there is no migration to revert
            return text
        self.downgrade()
        assert self.shown() == old, text
        framefox_tasks.upgrade(self.target)
        assert self.shown() == new, text
        self.agrees()
        return text

    def agrees(self) -> None:
        """See that no difference is found."""
        try:
            framefox_tasks.check_migration(self.target)
        except MigrationNeededError as exc:
            pytest.fail(f"{exc}\n{self.shown()}")

    def shown(self) -> dict[str, list[str]]:
        """What the server says of each table of MySQL's: the lines of SHOW CREATE TABLE, the order of columns aside."""
        tables = sorted(self.database.tables() - {"alembic_version"})
        return {table: _lines(self.database.execute(f"SHOW CREATE TABLE `{table}`")[0][1]) for table in tables}


def _lines(sql: str) -> list[str]:
    lines = [line.strip().removesuffix(",") for line in sql.split("\n")]
    keys = set(re.findall(r"CONSTRAINT `(\w+)` FOREIGN KEY", sql))
    return sorted(line.split(" AUTO_INCREMENT=")[0] if line.startswith(")") else _unnamed(line, keys) for line in lines)


def _unnamed(line: str, keys: set[str]) -> str:
    """An index that the server has made for a foreign key, whose name is the server's affair."""
    index = re.fullmatch(r"KEY `(\w+)` (\(`(\w+)`.*)", line)
    return f"KEY {index[2]}" if index and index[1] in {*keys, index[3]} else line
