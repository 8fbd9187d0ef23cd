"""How a copy looks: its plan, its result, and how far it is, on a terminal and elsewhere."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from support.projects import MiniProject

from framefox_tasks import report
from framefox_tasks.model import Project, Target
from framefox_tasks.report._copies import Progress, ProgressBars
from framefox_tasks.results import Copied, CopiedTable, CopyPlan, CopyProgress, PlannedTable

SHOW = '''

def task_show():
    """Show a copy that is under way"""
    def show():
        import time
        from framefox_tasks import CopyPlan, CopyProgress, PlannedTable, Target, report
        source, target = Target("sqlite:///a.db"), Target("sqlite:///b.db")
        names = [f"a_table_with_a_name_that_is_longer_than_its_place_{number}" for number in range(40)]
        plan = CopyPlan(source, target, tuple(PlannedTable(name, 1_000_000) for name in names))
        with report.copying() as display:
            display.begin(plan)
            for name in names[:3]:
                for rows in range(0, 1_000_001, 250_000):
                    time.sleep(SECONDS)
                    display.note(CopyProgress(name, rows, 1_000_000, rows == 1_000_000))
            display.note(CopyProgress("another[/b]", 250_000, None))
            time.sleep(0.3)
            display.note(CopyProgress("", 0, None, step="comparing values"))
            time.sleep(0.3)
    return {"actions": [show], "verbosity": 2, "io": {"capture": False}}
'''


@pytest.fixture
def plan(tmp_path: Path) -> CopyPlan:
    source, target = (Target(f"sqlite:///{name}.db", Project(tmp_path)) for name in ("app", "copy"))
    tables = (PlannedTable("customer", 3), PlannedTable("order", 1_200_000, ("price: money becomes numeric(19,2)",)))
    return CopyPlan(source, target, (*tables, PlannedTable("log", None)), ("view sales",), 2, "loaded beside it")


def test_a_plan(plan: CopyPlan, capsys: pytest.CaptureFixture[str]) -> None:
    report.show(plan)
    assert capsys.readouterr().out.splitlines() == [
        "3 tables of app.db would be copied to copy.db:",
        "  table         about",
        "  customer          3",
        "  order     1,200,000",
        "      price: money becomes numeric(19,2)",
        "  log               ?",
        "The copy will not have, of app.db:",
        "  view sales",
        "How: 2 tables at a time, loaded beside it.",
    ]


def test_a_result(plan: CopyPlan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = (CopiedTable("customer", 3, 0.002, "rows"), CopiedTable("order", 1_200_000, 12.3456, "values"))
    notes, removed = ("index i of log was refused",), (tmp_path / "backups/1.db",)
    report.show(Copied(plan.source, plan.target, tables, 13.5, notes, plan.not_carried, removed))
    assert capsys.readouterr().out.splitlines() == [
        "  table          rows  seconds  verified",
        "  customer          3     0.00      rows",
        "  order     1,200,000    12.35    values",
        "1,200,003 rows of 2 tables copied to copy.db in 13.50 s.",
        "Note: index i of log was refused",
        "Removed, since newer ones are kept: backups/1.db",
    ]


def so_far(progress: Progress) -> tuple[int, int | None]:
    return progress.all_rows, progress.total


def test_what_is_expected_of_all_tables_follows_what_is_found(plan: CopyPlan) -> None:
    progress = Progress(plan)
    assert so_far(progress) == (0, None)  # nobody knows how long the log is
    progress.note(CopyProgress("log", 10, None))
    assert so_far(progress) == (10, None)
    progress.note(CopyProgress("log", 12, 12, done=True))
    assert so_far(progress) == (12, 1_200_015)
    progress.note(CopyProgress("customer", 5, 3))  # more than was estimated
    assert so_far(progress) == (17, 1_200_017)
    progress.note(CopyProgress("order", 800_000, 800_000, done=True))
    progress.note(CopyProgress("customer", 5, 5, done=True))
    assert so_far(progress) == (800_017, 800_017)
    assert (progress.done, progress.unit) == (3, "row")


def test_the_pages_of_a_file_are_counted_by_themselves(plan: CopyPlan) -> None:
    progress = Progress(plan)
    progress.note(CopyProgress("", 8192, 33_000))
    assert (*so_far(progress), progress.unit) == (8192, 33_000, "page")
    assert progress.speed(8192, 2.0) == "4,096 pages/s"


def test_a_line_for_a_table_that_took_long(shop: MiniProject) -> None:
    shop.write("dodo.py", shop.read("dodo.py") + SHOW.replace("SECONDS", "0.3"))
    out = shop.ok("show")
    lines = [line for line in out.splitlines() if line.startswith("  ")]
    assert lines.pop() == "  comparing values..."
    assert len(lines) == 3
    assert all(re.fullmatch(r"  a_table_\w+: 1,000,000 rows in \d\.\d s", line) for line in lines)


def test_bars_of_the_tables_under_way_and_of_all(shop: MiniProject) -> None:
    shop.write("dodo.py", shop.read("dodo.py") + SHOW.replace("SECONDS", "0.2"))
    result = shop.on_terminal("show", answer="")
    assert result.code == 0, result.out
    frames = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.out)
    lines = [line for line in re.split(r"[\r\n]+", frames) if line.strip()]
    assert max(map(len, lines)) <= 80
    one = [line for line in lines if line.startswith("a_table_with_a_name")]
    assert any(re.search(r"… .*50%.*rows/s", line) for line in one)
    assert any(re.search(r"^40 tables .*5%.*rows/s \d\d:\d\d", line) for line in lines)
    assert any(line.startswith("another[/b]") for line in lines)
    assert any(re.fullmatch(r"comparing values +━+ *", line) for line in lines)
    assert "a_table" not in lines[-1]


def test_a_bar_tells_the_time_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = (Target(f"sqlite:///{name}.db", Project(tmp_path)) for name in ("app", "copy"))
    bars = ProgressBars()
    monkeypatch.setattr(bars._bars, "get_time", float)
    bars.begin(CopyPlan(source, target, (PlannedTable("order", 1000),), (), 1, "loaded beside it"))
    for at, rows in ((1.0, 100), (2.0, 200), (3.0, 300)):
        monkeypatch.setattr(bars._bars, "get_time", partial(float, at))
        bars.note(CopyProgress("order", rows, 1000))
    left = [task.time_remaining for task in bars._bars.tasks]
    bars.end()
    assert left == [7, 7]
