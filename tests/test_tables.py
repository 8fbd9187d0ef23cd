"""The tables of the documentation and of the benchmarks."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest
from support.projects import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks/README.md", *sorted(ROOT.glob("docs/*.md"))]


def tables(page: Path) -> list[list[str]]:
    lines = page.read_text(encoding="utf-8").splitlines()
    return [list(rows) for table, rows in groupby(lines, lambda line: line.startswith("| ")) if table]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_has_as_many_cells_as_its_head(page: Path) -> None:
    for table in tables(page):
        cells = {row: len(re.findall(r"(?<!\\)\|", row)) for row in table}
        assert {row: count for row, count in cells.items() if count != cells[table[0]]} == {}


def test_the_benchmarks_have_tables() -> None:
    assert len(tables(ROOT / "benchmarks/README.md")) > 5
