"""A random schema becomes another by a generated migration, and comes back by its downgrade, on every database."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.databases import Database, MakeDatabase
from support.projects import ROOT
from support.random_schemas import Spec, changed, schemas, source_of

from framefox_tasks import check_migration, create, create_migration, downgrade, drop, upgrade
from framefox_tasks.errors import MigrationError
from framefox_tasks.model import Project, Target

pytestmark = pytest.mark.slow

EXAMPLES = {"sqlite": 20, "postgresql": 8, "mysql": 8}
_NUMBERS = itertools.count()


class RandomProject:
    """A project whose one module declares a random schema."""

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root
        self.url = f"sqlite:///{root}/random.db" if database.path else database.url
        (root / "migrations/versions").mkdir(parents=True)
        for name in ("env.py", "script.py.mako"):
            (root / "migrations" / name).write_text((ROOT / "migrations" / name).read_text())
        self.module = ""

    def declare(self, spec: Spec) -> Target:
        self.forget()
        (self.root / f"{self.module}.py").unlink(missing_ok=True)
        self.module = f"random_models_{next(_NUMBERS)}"
        (self.root / f"{self.module}.py").write_text(source_of(spec))
        return Target(self.url, Project(self.root, entities=(), metadata=f"{self.module}:metadata"))

    def forget(self) -> None:
        sys.modules.pop(self.module, None)
        if str(self.root) in sys.path:
            sys.path.remove(str(self.root))


def found(database: Database, root: Path) -> Counter[Any]:
    """What the database holds, in the words of its own catalogue; without the order of columns."""
    if database.dialect == "sqlite":
        return _sqlite(root / "random.db")
    return {"postgresql": _postgresql, "mysql": _mysql}[database.dialect](database)


def _sqlite(path: Path) -> Counter[Any]:
    import sqlite3

    facts: Counter[Any] = Counter()
    connection = sqlite3.connect(path)
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (table,) in connection.execute(names).fetchall():
        facts.update((table, row[1:]) for row in connection.execute(f"PRAGMA table_xinfo({table})"))
        facts.update((table, "fk", row[2:]) for row in connection.execute(f"PRAGMA foreign_key_list({table})"))
        for _, index, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})"):
            name = index if origin == "c" else ""
            parts = tuple(connection.execute(f"PRAGMA index_xinfo({index})"))
            shown = tuple(row[2:] for row in parts if row[5])
            facts[table, "index", name, unique, partial, shown] += 1
        (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", [table]).fetchone()
        facts[table, "checks", text.upper().count("CHECK")] += 1
    connection.close()
    return facts


def _postgresql(database: Database) -> Counter[Any]:
    return Counter(
        database.execute(
            "SELECT c.relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), "
            "col_description(c.oid, attnum) FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid LEFT JOIN "
            "pg_attrdef ON adrelid = c.oid AND adnum = attnum WHERE relnamespace = 'public'::regnamespace "
            "AND relkind = 'r' AND attnum > 0 AND NOT attisdropped"
        )
        + database.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
        )
        + database.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
        + database.execute("SELECT typname, enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = enumtypid")
    )


def _mysql(database: Database) -> Counter[Any]:
    facts: Counter[Any] = Counter()
    for table in database.tables():
        ((_, text),) = database.execute(f"SHOW CREATE TABLE `{table}`")
        facts.update((table, line.strip().rstrip(",")) for line in text.splitlines()[:-1])
    return facts


@pytest.mark.timeout(600)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
def test_a_generated_migration_leads_there_and_back(dialect: str, make_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_database(dialect)
    refused: list[str] = []
    seen: list[int] = []

    @settings(
        max_examples=EXAMPLES[dialect],
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.data())
    def leads_there_and_back(data: st.DataObject) -> None:
        before = data.draw(schemas())
        after = data.draw(changed(before))
        root = tmp_path / f"random{next(_NUMBERS)}"
        project = RandomProject(root, database)
        target = project.declare(before)
        create(target)
        try:
            create_migration(target, message="before")
            upgrade(target)
            check_migration(target)
            held = found(database, root)
            target = project.declare(after)
            try:
                created = create_migration(target, message="after")
            except MigrationError as exc:
                refused.append(exc.message)
                return
            seen.append(1)
            upgrade(target)
            check_migration(target)
            if created.path:
                downgrade(target)
            assert found(database, root) == held, created.path and created.path.read_text()
        finally:
            project.forget()
            drop(target, missing_ok=True, force_disconnect=True)

    leads_there_and_back()
    assert len(refused) <= len(seen) // 10, refused
