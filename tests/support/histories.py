"""Histories of migrations with branches, labels, merges and dependencies, written as files into a project."""

from __future__ import annotations

import random
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from framefox_tasks import Project, Target

ENV_PY = """
from alembic import context
from sqlalchemy import create_engine, pool

url = context.config.get_main_option("sqlalchemy.url")
if context.is_offline_mode():
    context.configure(url=url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
FILE = '''"""migration {revision}

Create Date: 2026-01-12 10:15:00+00:00
"""
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = {labels!r}
depends_on = {depends_on!r}


def upgrade():
    {upgrade}


def downgrade():
    {downgrade}
'''
CREATE = "op.create_table({0!r}, sa.Column('id', sa.Integer, primary_key=True))"
DROP = "op.drop_table({0!r})"


@dataclass
class Written:
    """A project whose migrations each make the table of their revision."""

    path: Path
    revisions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.path / "migrations/versions").mkdir(parents=True, exist_ok=True)
        (self.path / "migrations/env.py").write_text(ENV_PY, encoding="utf-8")

    def add(
        self,
        revision: str,
        *down: str,
        labels: str | None = None,
        depends_on: str | None = None,
        upgrade: str | None = None,
        downgrade: str | None = None,
    ) -> Path:
        file = self.path / f"migrations/versions/{revision}_by_hand.py"
        text = FILE.format(
            revision=revision,
            down=None if not down else down[0] if len(down) == 1 else down,
            labels=labels,
            depends_on=depends_on,
            upgrade=upgrade or CREATE.format(revision),
            downgrade=downgrade or DROP.format(revision),
        )
        file.write_text(text, encoding="utf-8")
        self.revisions.append(revision)
        return file

    def target(self, name: str = "shop.db", *, all_heads: bool = False) -> Target:
        return Target(f"sqlite:///{name}", Project(root=self.path, all_heads=all_heads))

    def rows(self, query: str, name: str = "shop.db") -> list[str]:
        with closing(sqlite3.connect(self.path / name)) as connection:
            try:
                return [row[0] for row in connection.execute(query)]
            except sqlite3.OperationalError:
                return []

    def at(self, name: str = "shop.db") -> list[str]:
        return self.rows("SELECT version_num FROM alembic_version ORDER BY 1", name)

    def tables(self, name: str = "shop.db") -> set[str]:
        found = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'", name)
        return {table for table in found if table != "alembic_version" and not table.startswith("sqlite_")}

    def git(self, *arguments: str) -> str:
        names = ("-c", "user.name=Ada", "-c", "user.email=ada@shop.test", "-c", "init.defaultBranch=main")
        done = subprocess.run(["git", *names, *arguments], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout

    def commit(self, message: str = "Work") -> None:
        if not (self.path / ".gitignore").exists():
            (self.path / ".gitignore").write_text("*.db*\n__pycache__/\n", encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-qm", message)


def forked(path: Path) -> Written:
    """A first migration and two labelled branches after it, of two migrations each."""
    history = Written(path)
    history.add("aaaa")
    history.add("acc1", "aaaa", labels="accounts")
    history.add("acc2", "acc1")
    history.add("bil1", "aaaa", labels="billing")
    history.add("bil2", "bil1")
    return history


def random_history(path: Path, choose: random.Random) -> Written:
    """A history of up to ten migrations, whose upgrade and downgrade note themselves in a table."""
    history = Written(path)
    heads: list[str] = []
    labels = iter(("red", "green", "blue"))
    for number in range(choose.randint(2, 10)):
        revision = f"{choose.choice('abcdef')}{number:03x}{choose.randint(0, 15):x}"
        down: tuple[str, ...] = ()
        depends_on = None
        if history.revisions and choose.random() > 0.1:
            down = (choose.choice(heads if choose.random() < 0.6 else history.revisions),)
        if len(heads) > 1 and choose.random() < 0.2:
            down = tuple(choose.sample(heads, 2))
        elif history.revisions and choose.random() < 0.15:
            depends_on = choose.choice(history.revisions)
        history.add(
            revision,
            *down,
            labels=next(labels, None) if choose.random() < 0.3 and len(down) < 2 else None,
            depends_on=depends_on if depends_on not in down else None,
            upgrade=f"op.execute(\"INSERT INTO log VALUES ('+{revision}')\")",
            downgrade=f"op.execute(\"INSERT INTO log VALUES ('-{revision}')\")",
        )
        heads = [head for head in heads if head not in down] + [revision]
    return history
