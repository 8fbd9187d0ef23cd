"""How fast a copy is, beside the backup API, pgloader, pg_dump and mariadb-dump, and how much memory it takes.

Run it as `python benchmarks/copy.py`; `--only="SQLite to"` measures some directions alone. It makes 1,000,000 rows in
SQLite, PostgreSQL and MariaDB, and times whole processes in turn, so that a busy machine slows all of them alike. The
servers are those of TEST_POSTGRESQL_URL and TEST_MYSQL_URL, or the usual local ones. The exit code is 1 if a copy is
slower than it may be, or takes over 250 MB.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from measuring import publish
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL

from framefox_tasks.url import parse_url

ROWS = 1_000_000
MEMORY = 250  # MB
VERIFY = 0.6
"""How much of the copy's own time comparing all values may take on top."""
TABLE = """CREATE TABLE item (
    id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER NOT NULL, status VARCHAR(10) NOT NULL,
    price NUMERIC(10, 2) NOT NULL, weight {double}, paid BOOLEAN NOT NULL, created {timestamp} NOT NULL,
    code VARCHAR(36) NOT NULL, note TEXT)"""
INDEX = "CREATE INDEX item_customer ON item (customer_id)"
OURS = """import sys, time
from framefox_tasks import CopyOptions, Target, copy

started = time.perf_counter()
copy(Target(sys.argv[1]), Target(sys.argv[2]), options=CopyOptions(overwrite=True, verify="verify" in sys.argv))
print(time.perf_counter() - started)
"""
BACKUP = """import sqlite3, sys, time

started = time.perf_counter()
with sqlite3.connect(sys.argv[1]) as source, sqlite3.connect(sys.argv[2]) as target:
    source.backup(target)
print(time.perf_counter() - started)
"""


@dataclass(frozen=True)
class Server:
    """A database server, by the URL of a database on it."""

    url: URL

    def named(self, name: str) -> str:
        """The URL of another database on it."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def execute(self, *statements: str) -> None:
        """Run statements outside of a transaction."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def drop(self, *names: str) -> None:
        """Drop databases, where they are there; what comes next does not wait for what was written to them."""
        settled = ["CHECKPOINT"] if "postgresql" in self.url.drivername else []
        self.execute(*(f"DROP DATABASE IF EXISTS {name}" for name in names), *settled)

    def renew(self, name: str) -> None:
        """An empty database."""
        self.drop(name)
        self.execute(f"CREATE DATABASE {name}")

    @property
    def options(self) -> list[str]:
        """What tells a command-line client of the server where it is."""
        pairs = {"-h": self.url.host, "-P" if "mysql" in self.url.drivername else "-p": self.url.port}
        user = "-u" if "mysql" in self.url.drivername else "-U"
        return [f"{key}{value}" for key, value in {**pairs, user: self.url.username}.items() if value]


@dataclass(frozen=True)
class Side:
    """A command, and what is done before it and not timed; `call` where it says itself how long its one call took."""

    title: str
    command: Sequence[str]
    prepare: Callable[[], object]
    call: bool = False

    def run(self) -> tuple[float, float]:
        """Seconds, and the most megabytes of memory that its process took."""
        self.prepare()
        os.sync()  # so that nobody waits for what the one before has written
        started = time.perf_counter()
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            said = process.stdout.read() if process.stdout else ""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise SystemExit(f"{self.title} failed:\n{said}")
        return float(said) if self.call else seconds, usage.ru_maxrss / 1024


@dataclass(frozen=True)
class Case:
    """Our copy, beside a peer's if there is one.

    Attributes:
        verified: Our copy that compares all values; what it takes longer is at most VERIFY of the copy's own time.
        least: How many times as fast ours has to be.
        missing: What of the peer is not installed.
    """

    title: str
    ours: Side
    verified: Side
    peer: Side | None = None
    least: float = 0
    missing: str | None = None

    def measured(self, runs: int) -> tuple[str, bool]:
        """A line of the table, and whether it is as it has to be."""
        peers = [self.peer] if self.peer and not self.missing else []
        rounds = [[side.run() for side in (self.ours, self.verified, *peers)] for _ in range(runs)]
        ours, verified, *others = (
            median(taken) for taken in zip(*([one[0] for one in each] for each in rounds), strict=True)
        )
        memory = max(max(each[0][1], each[1][1]) for each in rounds)
        share = verified / ours - 1
        good = memory <= MEMORY and share <= VERIFY and all(theirs / ours >= self.least for theirs in others)
        beside = [self.peer.title, f"{self.missing} is not installed", "", ""] if self.peer else [""] * 4
        if self.peer and others:
            beside[1:3] = f"{others[0]:.2f} s", f"{others[0] / ours:.2f}"
        if self.peer:
            beside[3] = f"{self.least:.1f}"
        compared = (f"{share:.2f}", f"{VERIFY:.1f}", f"{memory:.0f} MB")
        cells = (self.title, f"{ours:.2f} s", *beside, *compared)
        return f"| {' | '.join(cells)} | {'good' if good else 'MISSED'} |", good


def make(folder: Path, postgresql: Server, mysql: Server) -> None:
    """The same rows in the three databases."""
    chance = random.Random(7)  # noqa: S311 - the same rows in each run
    lines = folder / "item.tsv"
    with lines.open("w", encoding="utf-8") as file:
        for number in range(1, ROWS + 1):
            note = f"Nöte {number}: please ring twice, and leave it with the neighbour" if number % 3 else r"\N"
            file.write(
                f"{number}\t{chance.randrange(50_000)}\t{chance.choice(('new', 'paid', 'sent'))}\t"
                f"{chance.randrange(10**7) / 100:.2f}\t{chance.random()!r}\t{number % 2}\t"
                f"2026-{number % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:00\t"
                f"{chance.getrandbits(128):032x}\t{note}\n"
            )
    _fill_sqlite(folder / "bench.db", lines)
    postgresql.renew("bench_source")
    mysql.renew("bench_source")
    _fill_postgresql(postgresql.named("bench_source"), lines)
    _fill_mysql(mysql.named("bench_source"), lines)


def _fill_sqlite(path: Path, lines: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, lines.open(encoding="utf-8") as file:
        connection.execute(TABLE.format(double="FLOAT", timestamp="DATETIME"))
        rows = ([None if cell == r"\N" else cell for cell in line.rstrip("\n").split("\t")] for line in file)
        connection.executemany("INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute(INDEX)
        connection.commit()


def _fill_postgresql(url: str, lines: Path) -> None:
    with _connected(url) as connection, lines.open("rb") as file:
        cursor = connection.cursor()
        cursor.execute(TABLE.format(double="DOUBLE PRECISION", timestamp="TIMESTAMP"))
        with cursor.copy("COPY item FROM STDIN") as copy:
            while block := file.read(1 << 18):
                copy.write(block)
        cursor.execute(INDEX)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE item")


def _fill_mysql(url: str, lines: Path) -> None:
    with _connected(url) as connection:
        cursor = connection.cursor()
        cursor.execute(TABLE.format(double="DOUBLE", timestamp="DATETIME"))
        cursor.execute(f"LOAD DATA LOCAL INFILE '{lines}' INTO TABLE item CHARACTER SET utf8mb4")
        cursor.execute(INDEX)
        connection.commit()


def _connected(url: str) -> Any:
    arguments = {"local_infile": True} if "mysql" in url else {}
    return closing(create_engine(url, connect_args=arguments).raw_connection().driver_connection)


def cases(folder: Path, postgresql: Server, mysql: Server) -> Iterator[Case]:
    """Every comparison, and then the directions that have no peer."""
    script, backup = folder / "ours.py", folder / "backup.py"
    script.write_text(OURS, encoding="utf-8")
    backup.write_text(BACKUP, encoding="utf-8")
    ours, theirs = "bench_ours", "bench_theirs"
    file = f"sqlite:///{folder / 'bench.db'}"
    copy, source, target = folder / "ours.db", postgresql.named("bench_source"), postgresql.named(ours)

    def ours_from(source: str, target: str, prepare: Callable[[], object], *, call: bool = False) -> tuple[Side, Side]:
        command = (sys.executable, str(script), source, target)
        return Side("copy", command, prepare, call), Side("copy --verify", (*command, "verify"), prepare, call)

    def pgloader(source: str) -> Side:
        url = _plain(postgresql.named(theirs))
        return Side("pgloader", ("pgloader", source, url), lambda: postgresql.renew(theirs))

    yield Case(
        "SQLite to SQLite",
        *ours_from(file, f"sqlite:///{copy}", lambda: copy.unlink(missing_ok=True), call=True),
        Side(
            "the backup API",
            (sys.executable, str(backup), str(folder / "bench.db"), str(folder / "theirs.db")),
            lambda: (folder / "theirs.db").unlink(missing_ok=True),
            call=True,
        ),
        0.9,
    )
    yield Case(
        "SQLite to PostgreSQL",
        *ours_from(file, target, lambda: postgresql.drop(ours)),
        pgloader(f"sqlite://{folder / 'bench.db'}"),
        2,
        _absent("pgloader"),
    )
    create = ["createdb", *postgresql.options, theirs]
    piped = _piped(
        create, ["pg_dump", *postgresql.options, "bench_source"], ["psql", "-qX", *postgresql.options, theirs]
    )
    yield Case(
        "PostgreSQL to PostgreSQL",
        *ours_from(source, target, lambda: postgresql.drop(ours)),
        Side("pg_dump \\| psql", piped, lambda: postgresql.drop(theirs)),
        1,
        _absent("pg_dump", "psql", "createdb"),
    )
    create = ["mariadb-admin", *mysql.options, "create", theirs]
    piped = _piped(create, ["mariadb-dump", *mysql.options, "bench_source"], ["mariadb", *mysql.options, theirs])
    yield Case(
        "MariaDB to MariaDB",
        *ours_from(mysql.named("bench_source"), mysql.named(ours), lambda: mysql.drop(ours)),
        Side("mariadb-dump \\| mariadb", piped, lambda: mysql.drop(theirs)),
        1.2,
        _absent("mariadb-dump", "mariadb", "mariadb-admin"),
    )
    yield Case(
        "MariaDB to PostgreSQL",
        *ours_from(mysql.named("bench_source"), target, lambda: postgresql.drop(ours)),
        pgloader(_plain(mysql.named("bench_source"))),
        1,
        _absent("pgloader"),
    )
    for title, url in (("PostgreSQL", source), ("MariaDB", mysql.named("bench_source"))):
        sides = ours_from(url, f"sqlite:///{copy}", lambda: copy.unlink(missing_ok=True))
        yield Case(f"{title} to SQLite", *sides)
    for title, url in (("PostgreSQL", source), ("SQLite", file)):
        yield Case(f"{title} to MariaDB", *ours_from(url, mysql.named(ours), lambda: mysql.drop(ours)))


def _plain(url: str) -> str:
    parts = make_url(url)
    return parts.set(drivername=parts.get_backend_name().replace("mariadb", "mysql")).render_as_string(False)


def _piped(create: Sequence[str], *commands: Sequence[str]) -> tuple[str, ...]:
    """The target is made in the measured time, as our copy does it."""
    return ("sh", "-c", f"{' '.join(create)} && {' | '.join(' '.join(command) for command in commands)}")


def _absent(*names: str) -> str | None:
    return next((name for name in names if not shutil.which(name)), None)


def measure(folder: Path, runs: int, only: Sequence[str] = ()) -> Iterator[tuple[str, bool]]:
    """The lines of the table, and whether each is as it has to be.

    Args:
        folder: Where files are made.
        runs: How many times each command is run.
        only: What is in the titles of the comparisons to make; if it is empty, all that have a peer.
    """
    postgresql = _server("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432", "postgres", "psycopg")
    mysql = _server("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306", None, "pymysql")
    try:
        make(folder, postgresql, mysql)
        for case in cases(folder, postgresql, mysql):
            if any(word.lower() in case.title.lower() for word in only) or (case.peer and not only):
                yield case.measured(runs)
    finally:
        for server in (postgresql, mysql):
            server.drop("bench_source", "bench_ours", "bench_theirs")


def _server(variable: str, default: str, database: str | None, driver: str) -> Server:
    url = make_url(os.environ.get(variable) or default)
    return Server(url.set(drivername=f"{parse_url(str(url)).dialect}+{driver}", database=database))


if __name__ == "__main__":
    sys.exit(
        publish(
            "copy",
            ("SQLAlchemy", "psycopg", "pymysql"),
            (
                f"| {ROWS:,} rows of 9 columns | a copy | beside | takes | speed | at least "
                "| verify | at most | memory | |",
                "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
            ),
            measure,
            runs=5,
            choice="the directions whose title holds it, as 'MariaDB to',",
        )
    )
