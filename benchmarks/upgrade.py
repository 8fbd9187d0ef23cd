"""How long `doit database_upgrade` takes, beside a bare doit task and Alembic's own command.

Run it as `python benchmarks/upgrade.py`. It installs a wheel, makes projects in a temporary folder, and counts what
whole processes take of the processor, in turn: a busy machine changes that least. The exit code is 1 if a ratio is over
its budget.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from measuring import Command, Peer, Row, Seconds, check_nothing_to_do, compare, install_wheel, main, make_bare, run

REVISION = '''"""{doc}

Revision ID: {revision}
Revises: {down}
Create Date: 2026-01-05 09:00:00+00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = {revision!r}
down_revision: str | Sequence[str] | None = {down!r}
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    {upgrade}


def downgrade() -> None:
    """Downgrade schema."""
    {downgrade}
'''
CREATE_TABLE = """op.create_table(
        "item_{table}",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_{table}")),
    )"""
CHANGES = (
    ("create item_{table}", CREATE_TABLE, 'op.drop_table("item_{table}")'),
    (
        "add item_{table}.note",
        'op.add_column("item_{table}", sa.Column("note", sa.Text(), nullable=True))',
        'op.drop_column("item_{table}", "note")',
    ),
    (
        "index item_{table}.name",
        'op.create_index(op.f("ix_item_{table}_name"), "item_{table}", ["name"])',
        'op.drop_index(op.f("ix_item_{table}_name"), table_name="item_{table}")',
    ),
    (
        "fill item_{table}",
        "op.execute(\"INSERT INTO item_{table} (name, price) VALUES ('first', 1.5)\")",
        'op.execute("DELETE FROM item_{table}")',
    ),
)
ENV_PY = "from framefox_tasks.env import run_migrations\n\nrun_migrations()\n"
DODO = "from framefox_tasks.tasks import *\n"
FOREIGN = """

def task_own():
    for number in range(50):
        yield {"basename": f"own_{number}", "actions": ["true"]}
"""


PLAIN = CHANGES[:-1]
"""Those that change nothing but the schema."""

ALONE = """
import sys
import time
import framefox_tasks
from framefox_tasks.migrations.alembic import end_state

target = framefox_tasks.load_settings(".").target
framefox_tasks.create(target)
wall, cpu = time.perf_counter(), time.process_time()
done = framefox_tasks.upgrade(target, fast="--fast" in sys.argv)
assert bool(done.at_once) == ("--fast" in sys.argv), done.notes
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


class WithoutStart(Command):
    """A command that prints what its work took, without the start of Python and the imports."""

    def seconds(self) -> Seconds:
        """Run it once; what it printed."""
        if self.prepare:
            self.prepare(self.folder)
        return Seconds(*map(float, self.run().split()))


def write_revisions(folder: Path, count: int, changes: Sequence[tuple[str, str, str]] = CHANGES) -> list[str]:
    """Write a straight history of small migrations; the files' paths below the project."""
    versions = folder / "migrations" / "versions"
    down = None
    for number in range(count):
        doc, upgrade, downgrade = (text.format(table=number // len(changes)) for text in changes[number % len(changes)])
        revision = f"{number:012x}"
        text = REVISION.format(doc=doc, revision=revision, down=down, upgrade=upgrade, downgrade=downgrade)
        name = f"{20260105_000000 + number}_{re.sub(r'[^a-z0-9]+', '_', doc)}.py"
        (versions / name).write_text(text, encoding="utf-8")
        down = revision
    return [path.relative_to(folder).as_posix() for path in sorted(versions.iterdir())]


def make_ours(folder: Path, count: int, changes: Sequence[tuple[str, str, str]] = CHANGES) -> list[str]:
    """A project with the tasks; the files that its upgrade depends on."""
    (folder / "config").mkdir(parents=True)
    (folder / "config/orm.yaml").write_text('database:\n  url: "sqlite:///shop.db"\n', encoding="utf-8")
    (folder / "migrations/versions").mkdir(parents=True)
    (folder / "migrations/env.py").write_text(ENV_PY, encoding="utf-8")
    (folder / "dodo.py").write_text(DODO, encoding="utf-8")
    return ["migrations/env.py", *write_revisions(folder, count, changes)]


def make_alembic(folder: Path, count: int, scripts: Path | None = None) -> None:
    """A project as `alembic init` makes it."""
    folder.mkdir()
    run("alembic", "init", "migrations", folder=folder, scripts=scripts)
    ini = folder / "alembic.ini"
    text, found = re.subn(r"(?m)^sqlalchemy\.url = .*$", "sqlalchemy.url = sqlite:///shop.db", ini.read_text("utf-8"))
    assert found == 1, "alembic.ini has another form than expected"
    ini.write_text(text, encoding="utf-8")
    write_revisions(folder, count)


def forget(folder: Path) -> None:
    """Back to a project whose database does not exist, and whose tasks never ran."""
    for name in ("shop.db", ".doit.sqlite3"):
        (folder / name).unlink(missing_ok=True)


def check_same_schema(*folders: Path) -> None:
    """Check that the upgrades made the same database, but for the log that stands in our version table."""
    schemas = []
    for folder in folders:
        connection = sqlite3.connect(folder / "shop.db")
        schemas.append(
            sorted(connection.execute("SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"))
        )
        connection.close()
    assert all(schema == schemas[0] for schema in schemas), "the upgrades differ"


def measure(folder: Path, count: int, runs: int, scripts: Path) -> Iterator[Row]:
    """Every comparison on projects with a number of revisions."""

    def command(title: str, place: Path) -> Command:
        return Command(title, tuple(title.split()), place, scripts=scripts)

    ours_folder, alembic_folder = folder / f"ours_{count}", folder / f"alembic_{count}"
    file_dep = make_ours(ours_folder, count)
    make_alembic(alembic_folder, count, scripts)
    bare = make_bare(ours_folder, "sqlite3", file_dep, scripts)
    ours, alembic = command("doit database_upgrade", ours_folder), command("alembic upgrade head", alembic_folder)
    revisions = f"{count:,} revision{'s' if count > 1 else ''}"
    for each in (ours, alembic, bare):
        each.seconds()
    check_nothing_to_do(ours, [bare])
    check_same_schema(ours_folder, alembic_folder)
    peers = [Peer(bare, 1.15 if count == 1 else 1.1), Peer(alembic, 0.25)]
    yield from compare(f"nothing to do, {revisions}", ours, peers, runs, by="cpu", tell=True)
    script = command("framefox-tasks database:upgrade", ours_folder)
    yield from compare(
        f"nothing to do, by the script, {revisions}", script, [Peer(bare, 0.3)], runs, by="cpu", tell=True
    )
    if count == 1:
        listed = [Peer(replace(bare, title="bare doit list", arguments=(*bare.arguments, "list")), 1.15)]
        yield from compare("`doit list`", command("doit list", ours_folder), listed, runs, by="cpu", tell=True)
        for name in ("dodo.py", "bare_sqlite3.py"):
            with (ours_folder / name).open("a", encoding="utf-8") as dodo:
                dodo.write(FOREIGN)
        case = "`doit list` with 50 tasks of the project's own"
        yield from compare(case, command("doit list", ours_folder), listed, runs, by="cpu", tell=True)
    else:
        first, peer = replace(ours, prepare=forget), Peer(replace(alembic, prepare=forget), 0.5)
        yield from compare(f"fresh upgrade, {revisions}", first, [peer], runs, by="cpu", tell=True)
        check_same_schema(ours_folder, alembic_folder)
        yield from measure_fast(folder, count, runs, scripts)


def measure_fast(folder: Path, count: int, runs: int, scripts: Path) -> Iterator[Row]:
    """The schema at once, beside the same migrations one by one: as whole processes, and without their start."""
    place, replayed = folder / f"plain_{count}", folder / f"replayed_{count}"
    for one in (place, replayed):
        make_ours(one, count, PLAIN)
    arguments = ("doit", "database_upgrade")
    fast = Command("doit database_upgrade --fast", (*arguments, "--fast"), place, forget, scripts)
    replay = Command("the same one by one", arguments, replayed, forget, scripts)
    for each in (fast, fast, replay):  # the first keeps the schema
        each.seconds()
    check_same_schema(place, replayed)
    case = f"--fast, empty database, {count:,} revisions"
    yield from compare(case, fast, [Peer(replay)], runs, by="cpu", tell=True)
    inner, peer = (
        WithoutStart(one.title, ("python", "-c", ALONE, *one.arguments[2:]), one.folder, forget, scripts)
        for one in (fast, replay)
    )
    yield from compare(f"{case}, without the start", inner, [Peer(peer, 0.1)], runs, by="cpu", tell=True)


def measure_all(folder: Path, runs: int) -> Iterator[Row]:
    """Every comparison."""
    scripts = install_wheel(folder)
    for count in (1, 1000):
        yield from measure(folder, count, runs, scripts)


if __name__ == "__main__":
    sys.exit(main("upgrade", "`doit database_upgrade`", ("doit", "SQLAlchemy", "alembic"), measure_all, ["by wall"]))
