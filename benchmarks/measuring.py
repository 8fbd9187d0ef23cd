"""What the benchmarks share: whole processes, timed in turn, and a table of what they took."""

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
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
README = Path(__file__).with_name("README.md")
BARE = """DOIT_CONFIG = {{"backend": {backend!r}, "dep_file": {dep_file!r}}}


def task_bare():
    return {{"actions": ["true"], "file_dep": {file_dep!r}}}
"""


class Seconds(NamedTuple):
    """What a process took: by the clock, and of the processor, for itself and for the system."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Command:
    """A command to be timed, in the folder that it runs in; of this Python's environment unless another's is given."""

    title: str
    arguments: tuple[str, ...]
    folder: Path
    prepare: Callable[[Path], None] | None = None
    scripts: Path | None = None

    def seconds(self) -> Seconds:
        """Run it once; what the whole process took."""
        if self.prepare:
            self.prepare(self.folder)
        start, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
        self.run()
        wall, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
        return Seconds(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def run(self) -> str:
        """Run it once; what it printed."""
        return run(*self.arguments, folder=self.folder, scripts=self.scripts)


@dataclass(frozen=True)
class Peer:
    """A command to compare with, and the largest ratio of our time to its time; None where it is only told."""

    command: Command
    budget: float | None = None


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        by: Which of the seconds count, wall or cpu.
        tell: Whether the ratio of the wall times is told as well.
    """

    case: str
    ours: Seconds
    peer: str
    theirs: Seconds
    budget: float | None
    by: str = "wall"
    tell: bool = False

    @property
    def ratio(self) -> float:
        """Our median time, divided by the peer's."""
        return float(getattr(self.ours, self.by) / getattr(self.theirs, self.by))

    @property
    def over(self) -> bool:
        """Whether the ratio is more than the budget allows."""
        return self.budget is not None and self.ratio > self.budget

    def __str__(self) -> str:
        budget, verdict = ("", "") if self.budget is None else (f"{self.budget:.2f}", "within budget")
        cells = (
            self.case,
            f"{getattr(self.ours, self.by) * 1000:.0f} ms",
            self.peer,
            f"{getattr(self.theirs, self.by) * 1000:.0f} ms",
            f"{self.ratio:.2f}",
            budget,
            "OVER" if self.over else verdict,
            *([f"{self.ours.wall / self.theirs.wall:.2f}"] if self.tell else []),
        )
        return f"| {' | '.join(cells)} |"


def run(*arguments: str, folder: Path, scripts: Path | None = None) -> str:
    """Run a command of this Python's environment, or of that with these scripts; it must succeed. What it printed."""
    name, *rest = arguments
    executable = shutil.which(name, path=str(scripts or sysconfig.get_path("scripts"))) or name
    # None of Python's own variables: one of them keeps it from storing the bytecode, which slows down every start.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "PYTHON"))}
    done = subprocess.run([executable, *rest], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def install_wheel(folder: Path) -> Path:
    """An environment with a wheel of this package, as users install it; the folder of its scripts.

    An editable install, and what else is in the environment of developers, slows down every start of Python.
    """
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT), folder=ROOT
    )
    run(sys.executable, "-m", "venv", str(folder / "installed"), folder=ROOT)
    scripts = folder / "installed" / ("Scripts" if os.name == "nt" else "bin")
    (wheel,) = folder.glob("framefox_tasks-*.whl")
    run("python", "-m", "pip", "install", "--quiet", str(wheel), folder=ROOT, scripts=scripts)
    return scripts


def make_bare(folder: Path, backend: str, file_dep: Sequence[str], scripts: Path | None = None) -> Command:
    """A dodo file with nothing but one task of the same file_dep, and the command that runs it."""
    name = f"bare_{backend}.py"
    text = BARE.format(backend=backend, dep_file=f".{backend}.db", file_dep=list(file_dep))
    (folder / name).write_text(text, encoding="utf-8")
    return Command(f"bare doit task, {backend}", ("doit", "-f", name), folder, scripts=scripts)


def medians(commands: Sequence[Command], runs: int) -> list[Seconds]:
    """The median times of each command, after one run to warm up, the commands taking turns."""
    for command in commands:
        command.seconds()
    rounds = [[command.seconds() for command in commands] for _ in range(runs)]
    return [Seconds(*map(median, zip(*times, strict=True))) for times in zip(*rounds, strict=True)]


def compare(
    case: str, ours: Command, peers: Sequence[Peer], runs: int, *, by: str = "wall", tell: bool = False
) -> Iterator[Row]:
    """Our command beside each of its peers; see Row."""
    own, *others = medians([ours, *(peer.command for peer in peers)], runs)
    for peer, seconds in zip(peers, others, strict=True):
        yield Row(case, own, peer.command.title, seconds, peer.budget, by, tell)


def check_nothing_to_do(ours: Command, bare: Sequence[Command]) -> None:
    """Check that the commands to be timed find their task up to date."""
    for command in (ours, *bare):
        last = command.run().splitlines()[-1]
        assert last.startswith("-- "), f"{command.title} is not up to date: {last}"


def machine(packages: Sequence[str], runs: int) -> str:
    """What was measured on."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {versions}; medians of {runs} runs."
    )


def main(
    name: str,
    title: str,
    packages: Sequence[str],
    measure: Callable[[Path, int], Iterator[Row]],
    told: Sequence[str] = (),
) -> int:
    """Measure and print; 1 if something is over its budget.

    Args:
        name: Of the benchmark: its figures stand below a mark of that name in README.md.
        title: Of our command, for the head of the table.
        packages: Whose versions matter.
        measure: Gets a folder to work in and how many times each command is to run.
        told: The heads of what rows tell beside that.
    """
    head = (
        f"| case | {title} | beside | takes | ratio | at most | |{''.join(f' {one} |' for one in told)}",
        f"| --- | ---: | --- | ---: | ---: | ---: | --- |{' ---: |' * len(told)}",
    )
    return publish(
        name, packages, head, lambda folder, runs: ((str(row), not row.over) for row in measure(folder, runs))
    )


def publish(
    name: str,
    packages: Sequence[str],
    head: Sequence[str],
    measure: Callable[..., Iterator[tuple[str, bool]]],
    runs: int = 15,
    choice: str = "",
) -> int:
    """Measure and print the lines of a table as they come; 1 if one is not as it has to be.

    Args:
        name: Of the benchmark: its figures stand below a mark of that name in README.md.
        packages: Whose versions matter.
        head: The first lines of the table.
        measure: Gets a folder to work in and how many times each command is to run; gives lines, and if all is well.
        runs: How many times, where nobody says.
        choice: What a word of the title of each line tells, where some lines can be chosen: measure then gets `only`.
    """
    parser = argparse.ArgumentParser(description=f"Time database_{name} beside its peers.")
    parser.add_argument("--runs", type=int, default=runs, help=f"how many times each command is run [default: {runs}]")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {README.name} as well")
    if choice:
        parser.add_argument("--only", action="append", default=[], help=f"{choice} to measure, and no others")
    options = parser.parse_args()
    chosen = {"only": options.only} if choice else {}
    if options.write and any(chosen.values()):
        parser.error("The figures of some lines alone cannot stand in the place of all of them.")
    lines, good = [machine(packages, options.runs), "", *head], True
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line, well in measure(Path(folder), options.runs, **chosen):
            cells = line.replace("\\|", "").count("|")
            assert cells == head[0].count("|"), f"a row of another length than its head: {line}"
            lines.append(line)
            good = good and well
            print(line, flush=True)
    if options.write:
        figures = "\n".join([*lines, "", ""])
        marks = re.compile(rf"(?<=<!-- figures of {name} -->\n).*(?=<!-- /figures of {name} -->)", re.DOTALL)
        text, found = marks.subn(lambda _: figures, README.read_text("utf-8"))
        assert found == 1, f"{README.name} has no place for the figures of {name}"
        README.write_text(text, encoding="utf-8")
    return int(not good)
