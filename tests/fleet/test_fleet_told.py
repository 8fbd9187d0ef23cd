"""What is told of a fleet beside its outcomes, and how many of one server are under way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.fleets import Fleet
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import FleetError, FleetOutcome
from framefox_tasks.fleet.cluster import _cluster
from framefox_tasks.fleet.waiting import Waiting
from framefox_tasks.fleet.work import Order
from framefox_tasks.fleet.worker import versions
from framefox_tasks.report import FleetProgress


@pytest.fixture
def typed(shop: MiniProject) -> tuple[Fleet, MiniProject]:
    shutil.rmtree(shop.path / "migrations")
    return Fleet(shop.path), shop


def test_a_target_that_appears_meanwhile_is_told(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(["acme"], at="cccc")
    make = "import shutil; shutil.copy('tenants/acme.db', 'tenants/young.db'); op.execute('CREATE TABLE dddd (id INT)')"
    fleet.history.add("dddd", "cccc", upgrade=make)
    said = project.ok("fleet_upgrade")
    assert "1 target appeared meanwhile (young): run the same again for these." in said
    assert (fleet.at("acme"), fleet.at("young")) == (["dddd"], ["cccc"])


def test_what_was_changed_by_hand_is_told_with_the_status(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(["acme", "bolt"], at="cccc")
    fleet.history.rows("ALTER TABLE aaaa ADD COLUMN extra INTEGER", "tenants/bolt.db")
    assert "All are up to date." in project.ok("fleet_status")
    said = project.ok("fleet_status", "--drift")
    assert "1 target not in order:" in said
    assert "  bolt: at head." in said
    assert said.count("changed by hand: ") == 1
    assert "acme" not in said
    found = json.loads(project.ok("fleet_status", "--drift", "--format=json"))
    drift = {one["name"]: one["drift"] for one in found["targets"]}
    assert not drift["acme"]
    assert "changed by hand: " in drift["bolt"][0]
    assert not found["up_to_date"]


def test_progress_is_a_line_now_and_then_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = FleetProgress(1000)
    for number in range(250):
        now[0] += 0.125
        bad = number == 120
        progress.tell(FleetOutcome(f"t{number}", "", "failed" if bad else "done", message="No.\nMore." if bad else ""))
    assert capsys.readouterr().out.splitlines() == [
        "  80 of 1,000, 8.0 a second, 1 min 55 s left",
        "  failed: t120: No.",
        "  160 of 1,000, 1 failed, 8.0 a second, 1 min 45 s left",
        "  240 of 1,000, 1 failed, 8.0 a second, 1 min 35 s left",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such terminal")
def test_progress_is_one_line_on_a_terminal(typed: tuple[Fleet, MiniProject]) -> None:
    from support.typing_in import shell

    fleet, project = typed
    fleet.tenants(["acme", "bolt"], at="bbbb")
    with shell(project) as terminal:
        said = terminal.type("doit fleet_upgrade")
    assert "\r\x1b[K1 of 2, " in said
    assert "\r\x1b[K2 of 2, " in said
    assert "2 targets: 2 done" in said


def test_so_many_of_one_server_are_under_way() -> None:
    """Those of others, and files, are taken before them."""
    servers = {"a1": "one:5432", "a2": "one:5432", "a3": "one:5432", "b1": "two:5432", "f1": "", "f2": ""}
    waiting = Waiting([Order("upgrade", name) for name in servers], 1, lambda order: servers[order.name])
    taken = [waiting.take(wait=False) for _ in range(4)]
    assert [order.name for order in taken if order] == ["a1", "b1", "f1", "f2"]
    assert waiting.take(wait=False) is None
    found: list[Order | None] = []
    thread = threading.Thread(target=lambda: found.append(waiting.take()))
    thread.start()
    time.sleep(0.1)
    assert not found
    assert taken[0]
    waiting.ended(taken[0])
    thread.join(10)
    assert [order.name for order in found if order] == ["a2"]
    waiting.close()
    assert waiting.take() is None


class Scheduler:
    """What a client of Dask says of a cluster with one worker, which has other versions."""

    def __init__(self, found: dict[str, str]) -> None:
        self.found = found

    def nthreads(self) -> dict[str, int]:
        return {"tls://10.0.0.7:4711": 1} if self.found else {}

    def run(self, _: Any) -> dict[str, dict[str, str]]:
        return {"tls://10.0.0.7:4711": self.found}


def test_the_code_of_a_checkout_has_a_digest(tmp_path: Path) -> None:
    """The same in another place, and another one where a line is."""
    package = Path(framefox_tasks.__file__).parent
    shutil.copytree(package, tmp_path / "framefox_tasks", ignore=shutil.ignore_patterns("__pycache__"))
    program = "from framefox_tasks.fleet.worker import code_digest; print(code_digest())"

    def digest() -> str:
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert digest() == versions()["code"]
    with (tmp_path / "framefox_tasks/copies/plan.py").open("a") as file:
        file.write("# more\n")
    assert digest() != versions()["code"]


def test_a_worker_with_another_version_is_refused() -> None:
    theirs = {**versions(), "alembic": "1.13.0"}
    with pytest.raises(FleetError) as caught:
        _cluster(Scheduler(theirs), "tls://scheduler:8786")
    ours = versions()["alembic"]
    assert caught.value.message == f"The worker tls://10.0.0.7:4711 has alembic 1.13.0, not {ours}."
    theirs = {**versions(), "code": "0123456789ab"}  # of another checkout of the same version
    with pytest.raises(FleetError) as caught:
        _cluster(Scheduler(theirs), "tls://scheduler:8786")
    ours = versions()["code"]
    assert caught.value.message == f"The worker tls://10.0.0.7:4711 has code 0123456789ab, not {ours}."
    with pytest.raises(FleetError, match="has no workers") as caught:
        _cluster(Scheduler({}), "tls://scheduler:8786")
    assert "dask worker tls://scheduler:8786" in (caught.value.hint or "")
