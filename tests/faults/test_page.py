"""The page on reliability has what is promised, with the test that proves it."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from support.projects import ROOT

FAULTS = runpy.run_path(str(ROOT / "benchmarks/faults.py"))


def promised() -> Iterator[tuple[str, str]]:
    """Each promise of these tests, and the test that has it."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for decorator in getattr(node, "decorator_list", ()):
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.promise":
                    yield ast.literal_eval(decorator.args[0]), f"{path.name}::{getattr(node, 'name', '')}"


def test_every_promise_is_in_the_table_with_its_test() -> None:
    rows = FAULTS["rows_in"]((ROOT / "docs/reliability.md").read_text(encoding="utf-8"))
    assert {promise: row["test"] for promise, row in rows.items()} == dict(promised())
    for row in rows.values():
        assert any(row[key] for key in FAULTS["DATABASES"])
        assert "FAILS" not in row.values()


def test_the_table_is_read_as_it_is_written() -> None:
    rows = {"a": {"test": "t.py::test_a", "sqlite": "3 x", "postgresql": "", "mysql": "holds"}}
    assert FAULTS["rows_in"](f"# Page\n\n{FAULTS['table'](rows)}\n## More\n") == rows


def test_the_benchmark_that_writes_the_page_runs_from_its_folder() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/faults.py"), "--help"], capture_output=True, text=True, check=False
    )
    assert "part" in done.stdout, done.stderr
