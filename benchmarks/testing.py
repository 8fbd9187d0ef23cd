"""What a migrated database costs a test, by the pytest plugin, and a project of many tests beside an upgrade for each.

Run it as `python benchmarks/testing.py`. It makes a project of 40 tables and 60 migrations in a temporary folder, and
runs pytest in it, on SQLite and on the servers of TEST_POSTGRESQL_URL and TEST_MYSQL_URL, or the usual local ones. The
exit code is 1 if one is over its budget.
"""

from __future__ import annotations

import sys

sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measuring import publish, run

from framefox_tasks import Target
from framefox_tasks.databases import database_of
from framefox_tasks.settings import load_project

MIGRATIONS, TABLES, TESTS, CHANGING, UPGRADING = 60, 40, 600, 20, 10
ENV_PY = "from framefox_tasks.env import run_migrations\n\nrun_migrations()\n"
REVISION = '''"""number {number}"""
import sqlalchemy as sa
from alembic import op

revision = "r{number:03}"
down_revision = {down!r}
branch_labels = depends_on = None


def upgrade():
    {upgrade}


def downgrade():
    {downgrade}
'''
CONFTEST = """import json
import os
import pytest
from pathlib import Path

durations = {}


@pytest.fixture
def upgraded(tmp_path):
    from framefox_tasks import Project, Target, create, upgrade
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    target = Target(f"sqlite:///{tmp_path / 'shop.db'}", Project(root=Path.cwd()))
    create(target)
    upgrade(target)
    with Session(create_engine(target.url)) as session:
        yield session


def pytest_runtest_logreport(report):
    if report.when != "call":
        durations[report.nodeid] = durations.get(report.nodeid, 0) + report.duration


def pytest_sessionfinish():
    Path(os.environ["DURATIONS"]).write_text(json.dumps(list(durations.values())))
"""
ROWS = """import pytest
from sqlalchemy import text

INSERT = text("INSERT INTO item_3 (name, parent_id) VALUES ('new', NULL)")


def insert(session):
    for _ in range(3):
        session.execute(INSERT)
    session.commit()
    assert session.execute(text("SELECT count(*), max(id) FROM item_3")).one() == (3, 3)
"""
WRITES = f"""{ROWS}

@pytest.mark.parametrize("number", range({TESTS}))
def test_writes(number, migrated_session):
    insert(migrated_session)
"""
CHANGES = f"""{ROWS}

@pytest.mark.parametrize("number", range({CHANGING}))
def test_changes(number, migrated_session):
    insert(migrated_session)
    migrated_session.execute(text("CREATE TABLE extra (id INTEGER)"))
    migrated_session.commit()
"""
UPGRADES = f"""{ROWS}

@pytest.mark.parametrize("number", range({UPGRADING}))
def test_upgrades(number, upgraded):
    insert(upgraded)
"""


@dataclass(frozen=True)
class Kind:
    """A database, and at most how many milliseconds a test of it may pay, and one after a change of the schema."""

    title: str
    url: str
    row_budget: float
    change_budget: float | None


KINDS = (
    Kind("SQLite", "sqlite:///shop.db", 1, None),
    Kind("PostgreSQL", os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432"), 10, 150),
    Kind("MariaDB", os.environ.get("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306"), 20, 300),
)


def write_project(folder: Path) -> None:
    """The migrations, and the tests of each kind in a file."""
    versions = folder / "migrations/versions"
    versions.mkdir(parents=True)
    (folder / "migrations/env.py").write_text(ENV_PY, encoding="utf-8")
    for number in range(MIGRATIONS):
        down = f"r{number - 1:03}" if number else None
        (versions / f"r{number:03}.py").write_text(_revision(number, down), encoding="utf-8")
    for name, text in (("conftest", CONFTEST), ("writes", WRITES), ("changes", CHANGES), ("upgrades", UPGRADES)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def _revision(number: int, down: str | None) -> str:
    if number >= TABLES:
        upgrade = f"op.add_column('item_{number - TABLES}', sa.Column('note', sa.String(80)))"
        downgrade = f"op.drop_column('item_{number - TABLES}', 'note')"
    else:
        parent = f"sa.ForeignKey('item_{number - 1}.id')" if number else ""
        columns = "sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.String(80), index=True)"
        upgrade = f"op.create_table('item_{number}', {columns}, sa.Column('parent_id', sa.Integer, {parent}))"
        downgrade = f"op.drop_table('item_{number}')"
    return REVISION.format(number=number, down=down, upgrade=upgrade, downgrade=downgrade)


def tested(folder: Path, name: str, url: str) -> tuple[float, list[float]]:
    """Run a file of tests: how many seconds it took, and the seconds of each test before and after its own code."""
    os.environ["DURATIONS"] = str(folder / f"{name}.json")
    begun = time.perf_counter()
    run(
        "python",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--framefox-database-url={url}",
        f"{name}.py",
        folder=folder,
    )
    took = time.perf_counter() - begun
    return took, [float(one) for one in json.loads((folder / f"{name}.json").read_text("utf-8"))]


def measure(folder: Path, runs: int) -> Iterator[tuple[str, bool]]:
    """A line for each kind of test."""
    write_project(folder)
    for kind in KINDS:
        url = kind.url if "///" in kind.url else f"{kind.url.rstrip('/')}/framefox_tasks_benchmark"
        try:
            tested(folder, "writes", url)  # to warm up: the migrations run
            times = [tested(folder, "writes", url) for _ in range(runs)]
            each = median(median(durations[1:]) for _, durations in times) * 1000
            yield _line(f"{kind.title}, each test after the first", each, kind.row_budget)
            if kind.change_budget:
                changed = [median(tested(folder, "changes", url)[1][1:]) for _ in range(runs)]
                yield _line(f"{kind.title}, after a change of the schema", median(changed) * 1000, kind.change_budget)
            else:
                whole = median(took for took, _ in times)
                yield from _beside(folder, url, whole, runs)
        finally:
            target = Target(url, load_project(folder))
            database_of(target).forget_state(target)


def _beside(folder: Path, url: str, whole: float, runs: int) -> Iterator[tuple[str, bool]]:
    upgrading = median(median(tested(folder, "upgrades", url)[1]) for _ in range(runs)) * TESTS
    case = f"{TESTS} tests on SQLite, beside an upgrade for each: {upgrading:.0f} s"
    yield (
        f"| {case} | {whole:.1f} s | {upgrading / 5:.1f} s | {_verdict(whole * 5 <= upgrading)} |",
        whole * 5 <= upgrading,
    )


def _line(case: str, milliseconds: float, budget: float) -> tuple[str, bool]:
    good = milliseconds <= budget
    return f"| {case} | {milliseconds:.2f} ms | {budget:.0f} ms | {_verdict(good)} |", good


def _verdict(good: bool) -> str:
    return "within budget" if good else "OVER"


if __name__ == "__main__":
    head = ("| case | takes | at most | |", "| --- | ---: | ---: | --- |")
    packages = ("sqlalchemy", "alembic", "pytest", "psycopg", "pymysql")
    sys.exit(publish("testing", packages, head, measure, runs=3))
