"""Provoke the faults of tests/faults/ as often as is promised, and write the table of docs/reliability.md.

    python benchmarks/faults.py [a part of a test's name, or an expression as of pytest's -k]

Needs the servers of the tests, and takes an hour or so. With a part of a name, or `killed and mysql`, only those tests
run, and what the page says of the others stays.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # behind the standard library, which has a copy.py as well

import argparse
import os
import re
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/reliability.md"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB"}
_TABLE = re.compile(r"^\| promised .*?\n(?!\|)", re.DOTALL | re.MULTILINE)

Rows = dict[str, dict[str, str]]
"""A promise -> `test` and the databases -> what is in these columns."""


def run(part: str) -> Path:
    """Run the tests; gives pytest's report."""
    report = Path(tempfile.mkdtemp()) / "report.xml"
    command = [sys.executable, "-m", "pytest", "tests/faults", "-n", "1", "-o", "timeout=7200", f"--junitxml={report}"]
    environment = {**os.environ, "FRAMEFOX_TASKS_FAULTS": "full", "FRAMEFOX_TASKS_REQUIRE_SERVERS": "1"}
    subprocess.run([*command, *(["-k", part] if part else [])], cwd=ROOT, env=environment, check=False)
    return report


def rows_of(report: Path) -> Rows:
    """What the tests of a report prove; `FAILS` where one has failed."""
    rows: Rows = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        properties = {item.get("name"): item.get("value") or "" for item in case.iter("property")}
        if "promise" not in properties:
            continue
        name, _, parameters = (case.get("name") or "").partition("[")
        row = rows.setdefault(properties["promise"], {"test": f"{_module(case)}::{name}"})
        failed = case.find("failure") is not None or case.find("error") is not None
        cell = "FAILS" if failed else properties.get("measured", "holds")
        for database in [key for key in DATABASES if key in re.split(r"[-\]]", parameters)] or [_only(properties)]:
            row[database] = cell
    return rows


def _module(case: ET.Element) -> str:
    return (case.get("classname") or "").rpartition(".")[2] + ".py"


def _only(properties: dict[str | None, str]) -> str:
    """The database of a test that has one alone."""
    return "postgresql" if "PgBouncer" in properties["promise"] else "sqlite"


def table(rows: Rows) -> str:
    """The rows in Markdown."""
    lines = [f"| promised | {' | '.join(DATABASES.values())} | proven by |", "| --- | --- | --- | --- | --- |"]
    for promise, row in sorted(rows.items()):
        cells = " | ".join(row.get(key, "") for key in DATABASES)
        lines.append(f"| {promise} | {cells} | `{row['test']}` |")
    return "\n".join(lines) + "\n"


def rows_in(page: str) -> Rows:
    """The rows that the page has."""
    found = _TABLE.search(page)
    rows: Rows = {}
    for line in found[0].splitlines()[2:] if found else []:
        promise, *cells, test = [cell.strip() for cell in line.strip().strip("|").split("|")]
        rows[promise] = {"test": test.strip("`"), **dict(zip(DATABASES, cells, strict=True))}
    return rows


def main() -> None:
    """Run, and write the table."""
    parser = argparse.ArgumentParser(description="Provoke faults as often as is promised.")
    parser.add_argument("part", nargs="*", help="of a test's name, or an expression as of pytest's -k")
    part = " ".join(parser.parse_args().part)
    page = PAGE.read_text(encoding="utf-8")
    rows = rows_in(page) if part else {}
    for promise, row in rows_of(run(part)).items():
        rows[promise] = {**rows.get(promise, {}), **row}
    PAGE.write_text(_TABLE.sub(lambda _: table(rows), page), encoding="utf-8")
    print(table(rows))
    if any("FAILS" in row.values() for row in rows.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
