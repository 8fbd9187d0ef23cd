"""How long `doit database_upgrade` takes, beside a bare doit task and Alembic's own command.

Run it as `python benchmarks/upgrade.py`. It makes projects in a temporary folder and times whole processes, in turn, so
that a busy machine slows all of them alike. The exit code is 1 if a ratio is over its budget.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median

README = Path(__file__).with_name("README.md")
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- /figures -->)", re.DOTALL)
PACKAGES = ("doit", "SQLAlchemy", "alembic")

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
BARE = """DOIT_CONFIG = {{"backend": {backend!r}, "dep_file": {dep_file!r}}}


def task_bare():
    return {{"actions": ["true"], "file_dep": {file_dep!r}}}
"""


@dataclass(frozen=True)
class Command:
    """A command to be timed, in the folder that it runs in."""

    title: str
    arguments: tuple[str, ...]
    folder: Path
    prepare: Callable[[Path], None] | None = None

    def seconds(self) -> float:
        """Run it once; the wall time of the whole process."""
        if self.prepare:
            self.prepare(self.folder)
        start = time.perf_counter()
        run(*self.arguments, folder=self.folder)
        return time.perf_counter() - start


@dataclass(frozen=True)
class Peer:
    """A command to compare with, and the largest ratio of our time to its time; None where it is only told."""

    command: Command
    budget: float | None = None


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    case: str
    ours: float
    peer: str
    theirs: float
    budget: float | None

    @property
    def ratio(self) -> float:
        """Our median time, divided by the peer's."""
        return self.ours / self.theirs

    @property
    def over(self) -> bool:
        """Whether the ratio is more than the budget allows."""
        return self.budget is not None and self.ratio > self.budget

    def __str__(self) -> str:
        budget, verdict = ("", "") if self.budget is None else (f"{self.budget:.2f}", "within budget")
        cells = (
            self.case,
            f"{self.ours * 1000:.0f} ms",
            self.peer,
            f"{self.theirs * 1000:.0f} ms",
            f"{self.ratio:.2f}",
            budget,
            "OVER" if self.over else verdict,
        )
        return f"| {' | '.join(cells)} |"


def run(*arguments: str, folder: Path) -> str:
    """Run a command of this Python's environment, which must succeed; what it printed."""
    name, *rest = arguments
    executable = shutil.which(name, path=sysconfig.get_path("scripts")) or name
    # None of Python's own variables: one of them keeps it from storing the bytecode, which slows down every start.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "PYTHON"))}
    done = subprocess.run([executable, *rest], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def write_revisions(folder: Path, count: int) -> list[str]:
    """Write a straight history of small migrations; the files' paths below the project."""
    versions = folder / "migrations" / "versions"
    down = None
    for number in range(count):
        doc, upgrade, downgrade = (text.format(table=number // len(CHANGES)) for text in CHANGES[number % len(CHANGES)])
        revision = f"{number:012x}"
        text = REVISION.format(doc=doc, revision=revision, down=down, upgrade=upgrade, downgrade=downgrade)
        name = f"{20260105_000000 + number}_{re.sub(r'[^a-z0-9]+', '_', doc)}.py"
        (versions / name).write_text(text, encoding="utf-8")
        down = revision
    return [path.relative_to(folder).as_posix() for path in sorted(versions.iterdir())]


def make_ours(folder: Path, count: int) -> list[str]:
    """A project with the tasks; the files that its upgrade depends on."""
    (folder / "config").mkdir(parents=True)
    (folder / "config/orm.yaml").write_text('database:\n  url: "sqlite:///shop.db"\n', encoding="utf-8")
    (folder / "migrations/versions").mkdir(parents=True)
    (folder / "migrations/env.py").write_text(ENV_PY, encoding="utf-8")
    (folder / "dodo.py").write_text(DODO, encoding="utf-8")
    return ["migrations/env.py", *write_revisions(folder, count)]


def make_alembic(folder: Path, count: int) -> None:
    """A project as `alembic init` makes it."""
    folder.mkdir()
    run("alembic", "init", "migrations", folder=folder)
    ini = folder / "alembic.ini"
    text, found = re.subn(r"(?m)^sqlalchemy\.url = .*$", "sqlalchemy.url = sqlite:///shop.db", ini.read_text("utf-8"))
    assert found == 1, "alembic.ini has another form than expected"
    ini.write_text(text, encoding="utf-8")
    write_revisions(folder, count)


def make_bare(folder: Path, backend: str, file_dep: Sequence[str]) -> Command:
    """A dodo file with nothing but one task of the same file_dep, and the command that runs it."""
    name = f"bare_{backend}.py"
    text = BARE.format(backend=backend, dep_file=f".{backend}.db", file_dep=list(file_dep))
    (folder / name).write_text(text, encoding="utf-8")
    return Command(f"bare doit task, {backend}", ("doit", "-f", name), folder)


def forget(folder: Path) -> None:
    """Back to a project whose database does not exist, and whose tasks never ran."""
    for name in ("shop.db", ".doit.sqlite3"):
        (folder / name).unlink(missing_ok=True)


def medians(commands: Sequence[Command], runs: int) -> list[float]:
    """The median time of each command, after one run to warm up, the commands taking turns."""
    for command in commands:
        command.seconds()
    rounds = [[command.seconds() for command in commands] for _ in range(runs)]
    return [median(times) for times in zip(*rounds, strict=True)]


def compare(case: str, ours: Command, peers: Sequence[Peer], runs: int) -> Iterator[Row]:
    """Our command beside each of its peers."""
    own, *others = medians([ours, *(peer.command for peer in peers)], runs)
    for peer, seconds in zip(peers, others, strict=True):
        yield Row(case, own, peer.command.title, seconds, peer.budget)


def check_nothing_to_do(ours: Command, bare: Sequence[Command]) -> None:
    """Check that the commands to be timed find their task up to date."""
    for command in (ours, *bare):
        last = run(*command.arguments, folder=command.folder).splitlines()[-1]
        assert last.startswith("-- "), f"{command.title} is not up to date: {last}"


def check_same_schema(*folders: Path) -> None:
    """Check that the upgrades made the same database."""
    schemas = []
    for folder in folders:
        connection = sqlite3.connect(folder / "shop.db")
        schemas.append(sorted(connection.execute("SELECT type, name, sql FROM sqlite_master")))
        connection.close()
    assert all(schema == schemas[0] for schema in schemas), "the upgrades differ"


def measure(folder: Path, count: int, runs: int) -> Iterator[Row]:
    """Every comparison on projects with a number of revisions."""
    ours_folder, alembic_folder = folder / f"ours_{count}", folder / f"alembic_{count}"
    file_dep = make_ours(ours_folder, count)
    make_alembic(alembic_folder, count)
    bare = [make_bare(ours_folder, backend, file_dep) for backend in ("sqlite3", "dbm")]
    ours = Command("doit database_upgrade", ("doit", "database_upgrade"), ours_folder)
    alembic = Command("alembic upgrade head", ("alembic", "upgrade", "head"), alembic_folder)
    revisions = f"{count:,} revision{'s' if count > 1 else ''}"
    for command in (ours, alembic, *bare):
        command.seconds()
    check_nothing_to_do(ours, bare)
    check_same_schema(ours_folder, alembic_folder)
    peers = [Peer(bare[0], 1.6), Peer(bare[1]), Peer(alembic, 1 / 3)]
    yield from compare(f"nothing to do, {revisions}", ours, peers, runs)
    if count > 1:
        first, peer = replace(ours, prepare=forget), Peer(replace(alembic, prepare=forget), 1.1)
        yield from compare(f"fresh upgrade, {revisions}", first, [peer], runs)
        check_same_schema(ours_folder, alembic_folder)


def heading(runs: int) -> list[str]:
    """What was measured on, and the head of the table."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {packages}; medians of {runs} runs.",
        "",
        "| case | `doit database_upgrade` | beside | takes | ratio | at most | |",
        "| --- | ---: | --- | ---: | ---: | ---: | --- |",
    ]


def main() -> int:
    """Measure and print; 1 if something is over its budget."""
    parser = argparse.ArgumentParser(description="Time doit database_upgrade beside a bare doit task and Alembic.")
    parser.add_argument("--runs", type=int, default=15, help="how many times each command is run [default: 15]")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {README.name} as well")
    options = parser.parse_args()
    lines, rows = heading(options.runs), []
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 1000):
            for row in measure(Path(folder), count, options.runs):
                rows.append(row)
                print(row, flush=True)
    if options.write:
        figures = "\n".join([*lines, *map(str, rows), "", ""])
        README.write_text(FIGURES.sub(lambda _: figures, README.read_text("utf-8")), encoding="utf-8")
    return int(any(row.over for row in rows))


if __name__ == "__main__":
    sys.exit(main())
