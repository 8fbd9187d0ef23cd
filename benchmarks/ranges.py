"""What it costs to copy a large table in ranges: the clock, and the processor for the client and for both servers.

Run it as `python benchmarks/ranges.py [ROWS]`, on the machine of both servers, with a user who may read their processes
in /proc. The servers are those of TEST_POSTGRESQL_URL and TEST_MYSQL_URL, or the usual local ones. It makes 1,000,000
rows, copies them three times in one stream and in four ranges in turn, and tells the medians. On a machine of few
processors the clock gains nothing: look at what the busiest of the processes takes, which is what limits a larger one.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL, Engine

from framefox_tasks.url import parse_url

ROWS = 1_000_000
TIMES = 3
RANGES = 4
SERVERS = {
    "PostgreSQL": ("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432", "postgres"),
    "MariaDB": ("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306", ""),
}
PAIRS = [(source, target) for source in SERVERS for target in SERVERS]
TABLE = "CREATE TABLE big (id bigint PRIMARY KEY, name text, price numeric(12, 2), made {}, note text, flag {})"
FILLED = {
    "PostgreSQL": """INSERT INTO big SELECT n, 'name ' || n, n * 0.37, timestamp '2026-01-01' + n * interval '1 minute',
        md5(n::text) || repeat('x', (n % 60)::int), (n % 3)::smallint FROM generate_series(1, {}) n""",
    "MariaDB": """INSERT INTO big SELECT seq, concat('name ', seq), seq * 0.37, '2026-01-01' + interval seq minute,
        concat(md5(seq), repeat('x', seq % 60)), seq % 3 FROM seq_1_to_{}""",
}
SESSIONS = {
    "PostgreSQL": "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'bench_ranges%'",
    "MariaDB": "SELECT tid FROM information_schema.processlist WHERE db LIKE 'bench_ranges%'",
}
COPY = """import resource, sys, time
from framefox_tasks import CopyOptions, Target, copy

before = resource.getrusage(resource.RUSAGE_SELF)
done = copy(Target(sys.argv[1]), Target(sys.argv[2]), options=CopyOptions(overwrite=True, range_rows=int(sys.argv[3])))
after = resource.getrusage(resource.RUSAGE_SELF)
print(done.tables[0].seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""


class Took(NamedTuple):
    """Seconds of the rows by the clock, and of the processor; of the servers' sessions all, and the busiest of them."""

    wall: float
    client: float
    servers: float
    busiest: float


def server_url(kind: str, database: str) -> URL:
    """The URL of a database of a server; of the one that is always there if empty."""
    variable, default, maintenance = SERVERS[kind]
    address = parse_url(os.environ.get(variable, default))
    driver = "postgresql+psycopg" if kind == "PostgreSQL" else "mysql+pymysql"
    return make_url(
        URL.create(driver, address.username, address.password, address.host, address.port, database or maintenance)
    )


def engine(kind: str, database: str = "") -> Engine:
    """Connects to it, without a transaction."""
    return create_engine(server_url(kind, database), isolation_level="AUTOCOMMIT")


@contextmanager
def sampled(kinds: set[str]) -> Iterator[Callable[[], list[float]]]:
    """Looks again and again what the sessions of the benchmark have taken; gives a function that tells it."""
    taken: dict[int, float] = {}
    over = threading.Event()
    begun: dict[int, float] = {}

    def look() -> None:
        connections = [(engine(kind).connect(), SESSIONS[kind]) for kind in kinds]
        while not over.wait(0.02):
            for connection, query in connections:
                for (thread,) in connection.execute(text(query)):
                    seconds = processor(thread)
                    if seconds is not None:  # MariaDB takes a thread again, which has worked for others
                        taken[thread] = seconds - begun.setdefault(thread, seconds)
        for connection, _ in connections:
            connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: sorted(taken.values())
    finally:
        over.set()
        thread.join()


def processor(thread: int) -> float | None:
    """The seconds of a thread so far; None where it has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{thread}/task/{thread}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


def made(kind: str, rows: int) -> None:
    """Make the table."""
    with engine(kind).connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS bench_ranges"))
        connection.execute(text("CREATE DATABASE bench_ranges"))
    with engine(kind, "bench_ranges").connect() as connection:
        moment = "timestamp" if kind == "PostgreSQL" else "datetime"
        connection.execute(text(TABLE.format(moment, "smallint")))
        connection.execute(text(FILLED[kind].format(rows).replace(":", r"\:")))
        connection.execute(text("ANALYZE big" if kind == "PostgreSQL" else "ANALYZE TABLE big"))


def copied(source: str, target: str, range_rows: int) -> Took:
    """Copy it in a process of its own."""
    urls = [
        server_url(kind, name).render_as_string(hide_password=False)
        for kind, name in ((source, "bench_ranges"), (target, "bench_ranges_copy"))
    ]
    with sampled({source, target}) as sessions:
        run = subprocess.run(
            [sys.executable, "-c", COPY, *urls, str(range_rows)], capture_output=True, text=True, check=True
        )
        found = sessions()
    wall, client = map(float, run.stdout.split())
    return Took(wall, client, sum(found), found[-1] if found else 0.0)


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(f"| {rows:,} rows of 6 columns | | clock | client | both servers | busiest session |")
    print("| --- | --- | --- | --- | --- | --- |")
    for source, target in PAIRS:
        made(source, rows)
        ways = {"one stream": 0, f"{RANGES} ranges": rows // RANGES}
        found: dict[str, list[Took]] = {way: [] for way in ways}
        for _ in range(TIMES):
            for way, range_rows in ways.items():
                found[way].append(copied(source, target, range_rows))
        for way, times in found.items():
            told = " | ".join(f"{median(column):.2f} s" for column in zip(*times, strict=True))
            print(f"| {source} to {target} | {way} | {told} |", flush=True)
        for kind, names in ((source, ["bench_ranges"]), (target, ["bench_ranges_copy"])):
            with engine(kind).connect() as connection:
                for name in names:
                    connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))


if __name__ == "__main__":
    main()
