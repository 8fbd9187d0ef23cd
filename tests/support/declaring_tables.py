"""A project whose env.py declares what a test says, migrated in this process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table

from framefox_tasks import check_migration, create_migration, downgrade, upgrade
from framefox_tasks.model import Project, Target
from support.databases import Database
from support.projects import ROOT

DECLARED: list[MetaData] = []
"""What the env.py below hands to Alembic."""

_OFFLINE = "literal_binds=True, dialect_opts={'paramstyle': 'named'}"


@dataclass
class Declaring:
    """A project in a temporary folder, on a database of its own."""

    path: Path
    database: Database
    target: Target = field(init=False)
    files: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        versions = self.path / "migrations/versions"
        versions.mkdir(parents=True)
        shutil.copy(ROOT / "migrations/script.py.mako", self.path / "migrations")
        (self.path / "migrations/env.py").write_text(
            "from alembic import context\nfrom support.declaring_tables import DECLARED\n\n"
            "if context.is_offline_mode():\n"
            f"    context.configure(url=context.config.get_main_option('sqlalchemy.url'), {_OFFLINE},\n"
            "                      target_metadata=DECLARED)\n"
            "    with context.begin_transaction():\n        context.run_migrations()\n"
            "else:\n    connection = context.config.attributes['connection']\n"
            "    context.configure(connection=connection, target_metadata=DECLARED)\n"
            "    with context.begin_transaction():\n        context.run_migrations()\n"
        )
        if self.database.path:
            self.database = replace(self.database, path=self.path / self.database.path.name)
        self.target = Target(self.database.url, Project(root=self.path))
        self.database.create()

    def write(self, *tables: Any, metadata: MetaData | None = None, proof: bool = True) -> str:
        """Declare tables, or a metadata that has them, write the migration, and give its text."""
        self.declare(*tables, metadata=metadata)
        made = create_migration(self.target, message=f"step {len(self.files)}", proof=proof)
        assert made.path is not None
        self.files.append(made.path)
        return made.path.read_text(encoding="utf-8")

    def declare(self, *tables: Any, metadata: MetaData | None = None) -> None:
        """Say what the entities are from now on. A column or a constraint belongs to a table `item` with a key."""
        found = MetaData() if metadata is None else metadata
        parts = [part for part in tables if not isinstance(part, Table)]
        if metadata is None and (parts or not tables):
            Table("item", found, Column("id", Integer, primary_key=True), *parts)
        DECLARED[:] = [found]

    def apply(self, *parts: Any, metadata: MetaData | None = None) -> str:
        """Write the migration and run it; then nothing may differ."""
        text = self.write(*parts, metadata=metadata)
        self.up()
        return text

    def set_up(self, *parts: Any, metadata: MetaData | None = None) -> None:
        """Write the migration, unproven, and run it: for tests of what comes after that."""
        self.write(*parts, metadata=metadata, proof=False)
        upgrade(self.target)

    def up(self) -> None:
        """Run what is pending; then nothing may differ."""
        upgrade(self.target)
        check_migration(self.target)

    def down(self) -> None:
        """Revert the newest migration."""
        downgrade(self.target)

    def round_trip(self, *parts: Any, metadata: MetaData | None = None) -> str:
        """Write a migration, run it up, down and up again: what was before is back after the way down."""
        before = described(self.database)
        text = self.apply(*parts, metadata=metadata)
        after = described(self.database)
        self.down()
        assert described(self.database) == before, text
        self.up()
        assert described(self.database) == after, text
        return text


_DESCRIPTION = """
SELECT 'column', attrelid::regclass::text || '.' || attname,
    format_type(atttypid, atttypmod) || ' ' || attnotnull::text || ' ' || attidentity::text || attgenerated::text || ' '
    || coalesce(pg_get_expr(adbin, adrelid), '')
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v') AND relnamespace IN {schemas}
UNION ALL SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace IN {schemas}
UNION ALL SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace IN {schemas} AND contype <> 'n'
UNION ALL SELECT 'enum', enumtypid::regtype::text, string_agg(enumlabel, ' | ' ORDER BY enumsortorder)
FROM pg_enum GROUP BY enumtypid
UNION ALL SELECT 'domain', t.oid::regtype::text, format_type(typbasetype, typtypmod) || coalesce(typdefault, '')
FROM pg_type t WHERE typtype = 'd' AND typnamespace IN {schemas}
UNION ALL SELECT 'sequence', seqrelid::regclass::text,
    concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
FROM pg_sequence
UNION ALL SELECT 'view', oid::regclass::text, pg_get_viewdef(oid)
FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace IN {schemas}
ORDER BY 1, 2, 3
""".replace(
    "{schemas}",
    "(SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')",
)


def described(database: Database) -> list[tuple[Any, ...]]:
    """The schema of a PostgreSQL database, as its catalogue has it."""
    return [row for row in database.execute(_DESCRIPTION) if "alembic_version" not in row[1]]
