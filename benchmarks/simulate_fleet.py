"""Simulate the upgrade of a large fleet, with the times that benchmarks/fleet.py has measured.

    python benchmarks/simulate_fleet.py --databases 100000 --servers 50 --workers 200 --failing 0.001

A worker takes the next target whose server has room, as fleet_upgrade does; what it takes varies by half. Without
--seconds it is what the slowest kind of target takes by the figures in benchmarks/README.md. Nothing is connected to.
The same arguments give the same answer.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import argparse
import heapq
import random
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).with_name("README.md")
_JOBS = 2
_CONNECTIONS = 3  # of a target: that of its lock, that of its migration, and one to ask
_ROW = re.compile(r"^\| ([\d,]+) (?:SQLite|PostgreSQL|MariaDB) \w+ \| ([\d.]+) s \|", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """What a simulated run has come to.

    Attributes:
        seconds: By the clock.
        done: Targets that were upgraded.
        failed: Those that failed.
        left: Those that were not begun.
        most: The most targets of one server that were under way at a time.
        busy: The share of the time that workers had something to do.
    """

    seconds: float
    done: int
    failed: int
    left: int
    most: int
    busy: float


def simulate(options: argparse.Namespace, *, per_server: int, stop_after: int) -> Ran:
    """Run once."""
    chance = random.Random(18)  # noqa: S311 - no secret
    waiting = [deque[int]() for _ in range(options.servers)]
    for database in range(options.databases):
        waiting[database % options.servers].append(database)
    open_at = [0] * options.servers
    most = done = failed = 0
    now = worked = 0.0
    running: list[tuple[float, int, int]] = []
    idle, turn = options.workers, 0
    while True:
        stopped = bool(stop_after) and failed >= stop_after
        tried = 0
        while idle and not stopped and tried < options.servers:
            server = turn % options.servers
            turn, tried = turn + 1, tried + 1
            if waiting[server] and (not per_server or open_at[server] < per_server):
                takes = options.seconds * chance.uniform(0.5, 1.5)
                heapq.heappush(running, (now + takes, waiting[server].popleft(), server))
                open_at[server] += 1
                most, worked, idle, tried = max(most, open_at[server]), worked + takes, idle - 1, 0
        if not running:
            break
        now, _, server = heapq.heappop(running)
        open_at[server] -= 1
        idle += 1
        fails = chance.random() < options.failing
        failed, done = failed + fails, done + (not fails)
    left = sum(map(len, waiting))
    return Ran(now, done, failed, left, most, worked / (now * options.workers))


def measured() -> float:
    """What a target takes one of two workers, of the kind that takes longest, by the figures of benchmarks/fleet.py."""
    text = README.read_text("utf-8").partition("<!-- figures of fleet -->")[2].partition("<!-- /figures")[0]
    rows = [(float(count.replace(",", "")), float(seconds)) for count, seconds in _ROW.findall(text)]
    return round(max(_JOBS * seconds / count for count, seconds in rows), 3)


def main() -> int:
    """Print a table of what the settings come to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--databases", type=int, default=100_000)
    parser.add_argument("--servers", type=int, default=50)
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=measured(), help="what a worker needs for one, as measured")
    parser.add_argument("--failing", type=float, default=0.001, help="the share of targets that fail")
    options = parser.parse_args()
    print(f"A target takes a worker {options.seconds:.2f} s, and {options.failing:.1%} of them fail.\n")
    print("| per_server | stop_after | minutes | upgraded | failed | not begun | connections of a server | busy |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for per_server, stop_after in ((0, 0), (4, 0), (2, 0), (4, 3), (4, 50)):
        ran = simulate(options, per_server=per_server, stop_after=stop_after)
        counts = " | ".join(f"{count:,}" for count in (ran.done, ran.failed, ran.left, _CONNECTIONS * ran.most))
        limit, stop = per_server or "none", stop_after or "go on"
        print(f"| {limit} | {stop} | {ran.seconds / 60:.2f} | {counts} | {ran.busy:.0%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
