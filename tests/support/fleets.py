"""Fleets of small SQLite databases with one history, for tests."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from framefox_tasks import FleetTarget, Settings, list_targets, load_settings
from support.histories import Written

REVISIONS = ("aaaa", "bbbb", "cccc")


@dataclass
class Fleet:
    """A project with a history of three migrations, and the databases of its fleet in the folder tenants/."""

    path: Path
    history: Written = field(init=False)

    def __post_init__(self) -> None:
        self.history = Written(self.path)
        for before, revision in zip((None, *REVISIONS), REVISIONS, strict=False):
            self.history.add(revision, *([before] if before else []))
        (self.path / "tenants").mkdir()
        self.configure('targets: "tenants/*.db"')

    def configure(self, *lines: str, more: str = "") -> Settings:
        """Write config/orm.yaml with these lines in the section `fleet`; gives the settings."""
        (self.path / "config").mkdir(exist_ok=True)
        section = "".join(f"  {line}\n" for line in lines)
        text = f'database:\n  url: "sqlite:///main.db"\n{more}fleet:\n{section}'
        (self.path / "config/orm.yaml").write_text(text, encoding="utf-8")
        return self.settings

    @property
    def settings(self) -> Settings:
        return load_settings(self.path, {})

    @property
    def targets(self) -> list[FleetTarget]:
        return list_targets(self.settings)

    def tenant(self, name: str, at: str | None = None) -> Path:
        """Make a database that is at a revision, as its migrations would."""
        path = self.path / f"tenants/{name}.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            applied = REVISIONS[: REVISIONS.index(at) + 1] if at else ()
            for revision in applied:
                connection.execute(f"CREATE TABLE {revision} (id INTEGER NOT NULL PRIMARY KEY)")
            connection.executemany("INSERT INTO alembic_version VALUES (?)", [(at,)] if at else [])
            connection.commit()
        return path

    def tenants(self, names: Sequence[str], at: str | None = None) -> None:
        first = self.tenant(names[0], at)
        for name in names[1:]:
            shutil.copy(first, self.path / f"tenants/{name}.db")

    def at(self, name: str) -> list[str]:
        return self.history.at(f"tenants/{name}.db")

    def tables(self, name: str) -> set[str]:
        return self.history.tables(f"tenants/{name}.db")

    def poison(self, revision: str = "dddd", after: str = "cccc", *, only: str = "bad") -> None:
        """Add a migration that fails on the databases that have a table of a name."""
        check = (
            f"if op.get_bind().exec_driver_sql(\"SELECT 1 FROM sqlite_master WHERE name = '{only}'\").first():\n"
            "        raise ValueError('poisoned')\n    op.execute('CREATE TABLE " + revision + " (id INTEGER)')"
        )
        self.history.add(revision, after, upgrade=check)

    def mark(self, name: str, table: str = "bad") -> None:
        with closing(sqlite3.connect(self.path / f"tenants/{name}.db")) as connection:
            connection.execute(f"CREATE TABLE {table} (id INTEGER)")
            connection.commit()

    def noted(self, seconds: float) -> Path:
        """Add a migration that takes so long, and notes in a file when it begins and when it ends."""
        file = self.path / "noted"
        note = f"with open({str(file)!r}, 'a') as file:\n        file.write('{{}}')"
        self.history.add(
            "dddd",
            "cccc",
            upgrade=f"import time\n    {note.format('(')}\n    time.sleep({seconds})\n    {note.format(')')}\n"
            "    op.execute('CREATE TABLE dddd (id INTEGER)')",
        )
        return file


def most_at_once(file: Path) -> int:
    """Of what `noted` has noted: how many were under way at a time."""
    found = depth = 0
    for mark in file.read_text():
        depth += 1 if mark == "(" else -1
        found = max(found, depth)
    return found
