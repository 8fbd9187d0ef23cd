"""Time fleet_upgrade beside a shell loop over `alembic upgrade head`, and one process that loops over alembic.command.

    python benchmarks/fleet.py [--sqlite 1000] [--schemas 300] [--mariadb 100] [--status 10000] [--runs 3] [--dask]
        [--write]

A size of 0 leaves a case out. The shell loop is timed on --sample targets, and multiplied: each takes the same. Needs
the servers of the tests (TEST_POSTGRESQL_URL, TEST_MYSQL_URL) for their cases.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import Any

from measuring import README, install_wheel, machine, run

REVISIONS = ("r1", "r2", "r3", "r4")
FILE = '''"""Make {revision}."""
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before!r}
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "table_{revision}",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
    )


def downgrade():
    op.drop_table("table_{revision}")
'''
DODO = "from framefox_tasks.tasks import *\n"
OURS = "from framefox_tasks.env import run_migrations\n\nrun_migrations()\n"
# What `alembic init` writes, without its comments, and with the URL of the command line.
THEIRS = """from alembic import context
from sqlalchemy import create_engine, pool

url = context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option("sqlalchemy.url")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
LOOP = """import sys
from alembic import command
from alembic.config import Config

for url in open("urls.txt").read().split():
    config = Config()
    config.set_main_option("script_location", "migrations")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")
"""
MADE = (
    "CREATE TABLE {0}alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO {0}alembic_version VALUES ('r1')",
    "CREATE TABLE {0}table_r1 (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL)",
)
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL") or "postgresql://postgres@127.0.0.1:5432"
MYSQL = os.environ.get("TEST_MYSQL_URL") or "mysql://root@127.0.0.1:3306"
HUB = "framefox_tasks_benchmark"


def write_projects(folder: Path, fleet: str, url: str) -> tuple[Path, Path]:
    """A project of ours, and one of Alembic's, with the same four migrations."""
    ours, theirs = folder / "ours", folder / "theirs"
    for place, env in ((ours, OURS), (theirs, THEIRS)):
        versions = place / "migrations/versions"
        versions.mkdir(parents=True)
        (place / "migrations/env.py").write_text(env)
        (place / "migrations/script.py.mako").write_text("")
        for before, revision in zip((None, *REVISIONS), REVISIONS, strict=False):
            (versions / f"{revision}.py").write_text(FILE.format(revision=revision, before=before))
    (ours / "dodo.py").write_text(DODO)
    (ours / "config").mkdir()
    (ours / "config/orm.yaml").write_text(f'database:\n  url: "{url}"\nfleet:\n  jobs: 2\n  {fleet}\n')
    (theirs / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (theirs / "loop.py").write_text(LOOP)
    return ours, theirs


@dataclass
class Files:
    """SQLite files, three revisions behind."""

    title = "SQLite files"
    budget = 2.0

    folder: Path
    count: int

    def __post_init__(self) -> None:
        self.ours, self.theirs = write_projects(
            self.folder, f'targets: "{self.folder}/tenants/*.db"', "sqlite:///main.db"
        )

    @property
    def urls(self) -> list[str]:
        """The URL of each."""
        return [f"sqlite:///{self.folder}/tenants/t{number}.db" for number in range(self.count)]

    def reset(self, made: Sequence[str]) -> None:
        """Make them anew, with what these statements make."""
        self.end()
        tenants = self.folder / "tenants"
        tenants.mkdir()
        first = tenants / "t0.db"
        with closing(sqlite3.connect(first)) as connection:
            connection.execute("VACUUM")  # which makes a database of the empty file
            for statement in made:
                connection.execute(statement.format(""))
            connection.commit()
        for number in range(1, self.count):
            shutil.copy(first, tenants / f"t{number}.db")

    def end(self) -> None:
        """Remove them."""
        shutil.rmtree(self.folder / "tenants", ignore_errors=True)


@dataclass
class Schemas:
    """Schemas of one PostgreSQL database."""

    title = "PostgreSQL schemas"
    budget = 1.3

    folder: Path
    count: int

    def __post_init__(self) -> None:
        query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant%' ORDER BY 1"
        self.ours, self.theirs = write_projects(self.folder, f'schemas: "{query}"', f"{POSTGRESQL}/{HUB}")

    @property
    def urls(self) -> list[str]:
        """The URL of each."""
        base = f"{POSTGRESQL.replace('postgresql:', 'postgresql+psycopg:')}/{HUB}"
        return [f"{base}?options=-csearch_path%3Dtenant{number}" for number in range(self.count)]

    def _connect(self, database: str) -> Any:
        import psycopg

        return psycopg.connect(f"{POSTGRESQL}/{database}", autocommit=True)

    def reset(self, made: Sequence[str]) -> None:
        """Make them anew, in a new database, with what these statements make."""
        self.end()
        with self._connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {HUB}")
        with self._connect(HUB) as connection:
            for number in range(self.count):
                statements = "; ".join([f"CREATE SCHEMA tenant{number}", *made]).format(f"tenant{number}.")
                connection.execute(statements)

    def end(self) -> None:
        """Drop the database."""
        with self._connect("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {HUB} WITH (FORCE)")


@dataclass
class Databases:
    """Databases of a MariaDB or MySQL server."""

    title = "MariaDB databases"
    budget = 2.0

    folder: Path
    count: int

    def __post_init__(self) -> None:
        names = ", ".join(f"{HUB}_{number}" for number in range(self.count))
        fleet = f'targets: [{names}]\n  url: "{MYSQL}/{{name}}"'
        self.ours, self.theirs = write_projects(self.folder, fleet, f"{MYSQL}/{HUB}_0")

    @property
    def urls(self) -> list[str]:
        """The URL of each."""
        return [f"{MYSQL.replace('mysql:', 'mysql+pymysql:')}/{HUB}_{number}" for number in range(self.count)]

    def _execute(self, statements: Sequence[str]) -> None:
        import pymysql

        from framefox_tasks.url import parse_url

        address = parse_url(MYSQL)
        connection = pymysql.connect(
            host=address.host or "localhost",
            port=address.port or 3306,
            user=address.username,
            password=address.password or "",
            autocommit=True,
        )
        with closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def reset(self, made: Sequence[str]) -> None:
        """Make them anew, with what these statements make."""
        self.end()
        for number in range(self.count):
            name = f"{HUB}_{number}"
            self._execute([f"CREATE DATABASE {name}", *(statement.format(f"{name}.") for statement in made)])

    def end(self) -> None:
        """Drop them."""
        self._execute([f"DROP DATABASE IF EXISTS {HUB}_{number}" for number in range(self.count)])


Case = Files | Schemas | Databases


@dataclass
class Table:
    """The lines of the figures, and whether each is within its budget."""

    lines: list[str] = field(default_factory=list)
    good: bool = True

    def say(self, line: str = "") -> None:
        """A line."""
        self.lines.append(line)
        print(line, flush=True)

    def row(self, *cells: str, within: bool = True) -> None:
        """A row of a table."""
        self.good = self.good and within
        self.say(f"| {' | '.join(cells)} |")


def seconds(*arguments: str, folder: Path, scripts: Path | None = None) -> float:
    """What a command takes by the clock."""
    start = time.perf_counter()
    run(*arguments, folder=folder, scripts=scripts)
    return time.perf_counter() - start


def measure(case: Case, sample: int, runs: int, scripts: Path, table: Table) -> None:
    """Time the upgrade of a case, beside both loops: as Alembic has left it, and as our own first upgrade has."""
    sample = min(sample, case.count)
    case.reset(MADE)
    start = time.perf_counter()
    for url in case.urls[:sample]:
        run("alembic", "-x", f"url={url}", "upgrade", "head", folder=case.theirs, scripts=scripts)
    shell = (time.perf_counter() - start) / sample * case.count
    (case.theirs / "urls.txt").write_text("\n".join(case.urls))
    loops, nothing, first, later = [], [], [], []
    for _ in range(runs):
        case.reset(MADE)
        loops.append(seconds("python", "loop.py", folder=case.theirs, scripts=scripts))
        case.reset(MADE)
        first.append(seconds("doit", "fleet_upgrade", folder=case.ours, scripts=scripts))
        nothing.append(seconds("doit", "fleet_upgrade", folder=case.ours, scripts=scripts))
        case.reset(())
        run("doit", "fleet_upgrade", f"--revision={REVISIONS[0]}", folder=case.ours, scripts=scripts)
        later.append(seconds("doit", "fleet_upgrade", folder=case.ours, scripts=scripts))
    loop = median(loops)
    for title, taken in ((f"{case.count:,} {case.title}", first), ("that it has upgraded before", later)):
        ours = median(taken)
        within = shell / ours >= 8 and loop / ours >= case.budget
        table.row(
            title,
            f"{ours:.1f} s",
            f"{shell:.0f} s",
            f"{shell / ours:.1f}",
            "8",
            f"{loop:.1f} s",
            f"{loop / ours:.2f}",
            f"{case.budget}",
            f"{median(nothing):.2f} s",
            "within budget" if within else "OVER",
            within=within,
        )


def measure_status(folder: Path, count: int, scripts: Path, table: Table) -> None:
    """Time fleet_status of many files that are up to date."""
    case = Files(folder, count)
    case.reset(MADE)
    run("doit", "fleet_upgrade", "--only=t0", folder=case.ours, scripts=scripts)
    for number in range(1, count):
        shutil.copy(folder / "tenants/t0.db", folder / f"tenants/t{number}.db")
    taken = seconds("doit", "fleet_status", folder=case.ours, scripts=scripts)
    nothing = seconds("doit", "fleet_upgrade", folder=case.ours, scripts=scripts)
    limit, rest = 4.0 * count / 10_000 + 0.5, 1.3 * count / 1_000 + 0.5
    table.row(f"`fleet_status` of {count:,} files", f"{taken:.2f} s", f"{limit:.2f} s", within=taken <= limit)
    table.row("`fleet_upgrade` of them, nothing to do", f"{nothing:.2f} s", f"{rest:.2f} s", within=nothing <= rest)
    case.end()


def measure_dask(folder: Path, count: int, scripts: Path, table: Table) -> None:
    """Time the same on a cluster on loopback, of a scheduler and two workers."""
    case = Files(folder, count)
    case.reset(MADE)
    here = seconds("doit", "fleet_upgrade", folder=case.ours, scripts=scripts)
    case.reset(MADE)
    preload = ("--preload", "framefox_tasks.fleet.worker")
    dask = str(scripts / "dask")
    start = time.perf_counter()
    log = (folder / "dask.log").open("wb")
    quiet: dict[str, Any] = {"cwd": case.ours, "stdout": log, "stderr": log}
    processes = [subprocess.Popen([dask, "scheduler", "--host", "127.0.0.1", "--port", "18786", *preload], **quiet)]
    try:
        for _ in range(2):
            options = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
            processes.append(subprocess.Popen([dask, "worker", "tcp://127.0.0.1:18786", *options, *preload], **quiet))
        while (folder / "dask.log").read_text().count("Registered to") < 2:
            time.sleep(0.05)
        started = time.perf_counter() - start
        there = seconds("doit", "fleet_upgrade", "--cluster=tcp://127.0.0.1:18786", folder=case.ours, scripts=scripts)
    finally:
        for process in reversed(processes):  # a worker that has lost its scheduler first waits for it to come again
            process.terminate()
            process.wait()
        log.close()
    table.row(f"{count:,} files on Dask, 2 workers", f"{there:.1f} s", f"{here:.1f} s here; start {started:.1f} s")
    case.end()


def cases(folder: Path, options: argparse.Namespace) -> Iterator[Case]:
    """What is upgraded."""
    for kind, count in ((Files, options.sqlite), (Schemas, options.schemas), (Databases, options.mariadb)):
        if count:
            place = folder / kind.__name__
            place.mkdir()
            yield kind(place, count)


def measure_all(folder: Path, options: argparse.Namespace, table: Table) -> None:
    """Every comparison."""
    scripts = install_wheel(folder)
    if options.dask or options.schemas or options.mariadb:
        extras = ["psycopg[binary]", "pymysql", *(["distributed"] if options.dask else [])]
        run("python", "-m", "pip", "install", "--quiet", *extras, folder=folder, scripts=scripts)
    table.say(
        "| upgraded, 3 behind | two jobs | shell loop | times | at least | one loop | times | at least | again | |"
    )
    table.say("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for case in cases(folder, options):
        try:
            measure(case, options.sample, options.runs, scripts, table)
        finally:
            case.end()
    table.say()
    table.say("| asked | takes | at most |")
    table.say("| --- | ---: | ---: |")
    if options.status:
        (folder / "status").mkdir()
        measure_status(folder / "status", options.status, scripts, table)
    if options.dask:
        (folder / "dask").mkdir()
        measure_dask(folder / "dask", min(options.sqlite or 200, 200), scripts, table)
    table.say()
    table.say(f"The largest process took {getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB of memory.")


def main() -> int:
    """Measure and print; 1 if something is over its budget."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    for name, count in (("sqlite", 1000), ("schemas", 300), ("mariadb", 100), ("status", 10_000), ("sample", 10)):
        parser.add_argument(f"--{name}", type=int, default=count, help=f"[default: {count}]")
    parser.add_argument("--runs", type=int, default=3, help="of all but the shell loop [default: 3]")
    parser.add_argument("--dask", action="store_true", help="on a cluster on loopback as well")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {README.name} as well")
    options = parser.parse_args()
    table = Table()
    table.say(machine(("SQLAlchemy", "alembic"), options.runs))
    table.say()
    with tempfile.TemporaryDirectory() as folder:
        measure_all(Path(folder), options, table)
    if options.write:
        figures = "\n".join([*table.lines, "", ""])
        marks = re.compile(r"(?<=<!-- figures of fleet -->\n).*(?=<!-- /figures of fleet -->)", re.DOTALL)
        text, found = marks.subn(lambda _: figures, README.read_text("utf-8"))
        assert found == 1, f"{README.name} has no place for the figures of fleet"
        README.write_text(text, encoding="utf-8")
    return int(not table.good)


if __name__ == "__main__":
    sys.exit(main())
