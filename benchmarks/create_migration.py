"""How long `doit database_create_migration` takes with its proof, beside Alembic's own `revision --autogenerate`.

Run it as `python benchmarks/create_migration.py`. It makes projects with a SQLite database in a temporary folder and
counts what whole processes take of the processor, in turn: a busy machine changes that least. The exit code is 1 if a
ratio is over its budget.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from measuring import Command, Peer, Row, compare, main, run
from upgrade import make_alembic, make_ours

MODELS = "from sqlalchemy import Column, Integer, MetaData, Numeric, String, Table, Text\n\nmetadata = MetaData()\n"
TABLE = """Table(
    "item_{table}",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False, index={index}),
    Column("price", Numeric(10, 2)),
    {note}
)
"""
NEW = 'Table("added", metadata, Column("id", Integer, primary_key=True))\n'
NOTE = 'Column("note", Text),'
CACHE = ".framefox_tasks"
RATIO, MORE = 1.5, 0.3  # of Alembic's time, or seconds more


def write_models(folder: Path, count: int) -> None:
    """The tables that a history of `count` revisions makes, and one more."""
    tables = []
    for table in range((count + 3) // 4):
        done = count - table * 4
        index = "True" if done >= 3 else "False"
        tables.append(TABLE.format(table=table, index=index, note=NOTE if done >= 2 else ""))
    (folder / "models.py").write_text(MODELS + "".join(tables) + NEW, encoding="utf-8")


def forget(folder: Path) -> None:
    """Back to the history as it was, without what is kept of it."""
    for path in (folder / "migrations/versions").glob("*change*.py"):
        path.unlink()
    for name in (".doit.sqlite3", "migrations/schema.json"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / CACHE, ignore_errors=True)


def restore(folder: Path) -> None:
    """Back to the history as it was, with what is kept of it."""
    forget(folder)
    shutil.copytree(folder / "kept", folder / CACHE)
    shutil.copy(folder / "kept.json", folder / "migrations/schema.json")


def keep(folder: Path) -> None:
    """Write and apply one migration as a user does, and keep what it leaves for the next."""
    forget(folder)
    run("doit", "database_create_migration", "-m", "first", "database_upgrade", folder=folder)
    shutil.copytree(folder / CACHE, folder / "kept")
    shutil.copy(folder / "migrations/schema.json", folder / "kept.json")
    models = folder / "models.py"
    models.write_text(models.read_text("utf-8") + NEW.replace("added", "added_too"), encoding="utf-8")


def measure(folder: Path, count: int, runs: int) -> Iterator[Row]:
    """Both on projects with a number of revisions: without the kept schema, and with it."""
    ours_folder, alembic_folder = folder / f"ours_{count}", folder / f"alembic_{count}"
    make_ours(ours_folder, count)
    make_alembic(alembic_folder, count)
    for project in (ours_folder, alembic_folder):
        write_models(project, count)
    shutil.copy(alembic_folder / "migrations/script.py.mako", ours_folder / "migrations")
    settings = ours_folder / "config/orm.yaml"
    settings.write_text(f"{settings.read_text('utf-8')}metadata: models:metadata\n", encoding="utf-8")
    env = alembic_folder / "migrations/env.py"
    text = env.read_text("utf-8").replace("target_metadata = None", "from models import metadata as target_metadata")
    env.write_text(text, encoding="utf-8")
    run("doit", "database_upgrade", folder=ours_folder)
    run("alembic", "upgrade", "head", folder=alembic_folder)
    task = ("doit", "database_create_migration", "-m", "change")
    ours = Command("doit database_create_migration", task, ours_folder, forget)
    command = ("alembic", "revision", "--autogenerate", "-m", "change")
    alembic = Peer(Command("alembic revision --autogenerate", command, alembic_folder, forget))
    revisions = f"{count:,} revision{'s' if count > 1 else ''}"
    yield from compare(f"the history is replayed, {revisions}", ours, [alembic], runs, by="cpu")
    keep(ours_folder)
    for row in compare(f"the schema is kept, {revisions}", replace(ours, prepare=restore), [alembic], runs, by="cpu"):
        yield replace(row, budget=max(RATIO, 1 + MORE / row.theirs.cpu))


def measure_all(folder: Path, runs: int) -> Iterator[Row]:
    """Every comparison."""
    for count in (1, 100, 1000):
        yield from measure(folder, count, runs)


if __name__ == "__main__":
    title = "`doit database_create_migration`"
    sys.exit(main("create_migration", title, ("doit", "SQLAlchemy", "alembic"), measure_all))
