"""What the workers of a fleet are sent, how many work at a time, and what becomes of what is left or lost."""

from __future__ import annotations

import os
import pickle
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from support.commands import RunningModule
from support.fleets import Fleet, most_at_once

from framefox_tasks import FleetOutcome, MigrationError, upgrade_all
from framefox_tasks.fleet.cluster import _cluster
from framefox_tasks.fleet.executors import OnExecutor
from framefox_tasks.fleet.groups import grouped
from framefox_tasks.fleet.outline import outline_of
from framefox_tasks.fleet.upgrade import FleetRun, settled_by
from framefox_tasks.fleet.worker import dask_setup, versions


def ended(outcomes: Sequence[FleetOutcome]) -> dict[str, str]:
    return {one.name: one.ended for one in outcomes}


class Sending(ThreadPoolExecutor):
    """Keeps what it is given, as it would be sent."""

    def __init__(self) -> None:
        super().__init__(1)
        self.sent: list[bytes] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.sent.append(pickle.dumps((fn, args, kwargs)))
        return super().submit(fn, *args, **kwargs)


def test_a_run_by_names_sends_neither_a_url_nor_where_a_server_is(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.tenants(["acme", "bolt"], at="bbbb")
    (fleet.path / ".env").write_text("WHERE=tenants\n")
    monkeypatch.chdir(fleet.path)
    fleet.configure("targets: [acme, bolt]", 'url: "sqlite:///${WHERE}/{name}.db"')
    settings = fleet.settings
    assert settings.fleet
    targets, outline = fleet.targets, outline_of(settings.target)
    with Sending() as executor:
        run = FleetRun(
            grouped(targets, settings.fleet.options.groups),
            outline,
            lambda: OnExecutor(executor, 1, settle=settled_by(targets, outline)),
            by_name=True,
        )
        done = run.upgrade(on_begin=lambda _: None, on_outcome=lambda _: None, ask=lambda _: True)
    assert ended(done.outcomes) == {"acme": "done", "bolt": "done"}
    assert [one.label for one in done.outcomes] == ["tenants/acme.db", "tenants/bolt.db"]
    assert len(executor.sent) == 2
    for sent in executor.sent:
        assert b"sqlite" not in sent
        assert b"tenants" not in sent
        assert outline.digest.encode() in sent
    # What is sent without names holds them, or the test would see nothing.
    fleet.tenants(["cell"], at="bbbb")
    fleet.configure("targets: tenants/*.db")
    with Sending() as executor:
        assert ended(list(upgrade_all(fleet.targets, executor=executor)))["cell"] == "done"
    assert b"sqlite:////" in executor.sent[0]


class Scheduler:
    """What a client of Dask says of a cluster with one worker of the same versions."""

    status = "running"

    def __init__(self, times: int | Exception) -> None:
        self.times = times
        self.executor: dict[str, Any] = {}

    def nthreads(self) -> dict[str, int]:
        return {"tls://10.0.0.7:4711": 3}

    def run(self, _: Any) -> dict[str, dict[str, str]]:
        return {"tls://10.0.0.7:4711": versions()}

    def run_on_scheduler(self, _: Any) -> int:
        if isinstance(self.times, Exception):
            raise self.times
        return self.times

    def get_executor(self, **options: Any) -> object:
        self.executor = options
        return object()


@pytest.mark.parametrize(
    ("times", "note"),
    [
        (0, ""),
        (3, "The scheduler begins the target of a lost worker up to 3 times again by itself; "),
        (ImportError("no framefox_tasks there"), "How often the scheduler begins the target of a lost worker again "),
    ],
)
def test_dask_is_to_begin_nothing_again_and_what_it_does_in_spite_is_told(times: int | Exception, note: str) -> None:
    scheduler = Scheduler(times)
    found = _cluster(scheduler, "tls://scheduler:8786")
    assert scheduler.executor == {"retries": 0, "pure": False}
    assert found.jobs == 3
    assert found.note.startswith(note)
    assert bool(found.note) == bool(note)


def test_a_worker_outside_of_a_project_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/orm.yaml").write_text('database: {url: "sqlite:///main.db"}\n')
    monkeypatch.chdir(tmp_path)
    from framefox_tasks import ConfigError

    with pytest.raises(ConfigError, match="describes no fleet"):
        dask_setup(object())


@pytest.mark.slow
def test_a_pool_that_a_lost_worker_breaks_is_told_for_all_that_were_out(fleet: Fleet) -> None:
    kill = (
        "import os\n    if op.get_bind().engine.url.database.endswith('b.db'):\n        os.kill(os.getpid(), 9)\n"
        "    op.create_table('dddd', sa.Column('id', sa.Integer))"
    )
    fleet.tenants(list("abcd"), at="cccc")
    fleet.history.add("dddd", "cccc", upgrade=kill)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        outcomes = list(upgrade_all(fleet.targets, executor=executor, jobs=1))
    assert ended(outcomes) == {"a": "done", "b": "failed", "c": "failed", "d": "failed"}
    for one in outcomes[1:]:
        assert one.message.startswith("The worker was lost: BrokenProcessPool: ")
        assert one.message.endswith(" It is at cccc.")
        assert one.current == ("cccc",)
    assert [fleet.at(name) for name in "abcd"] == [["dddd"], ["cccc"], ["cccc"], ["cccc"]]
    # The next run touches the rest.
    kept = kill.replace("endswith('b.db')", "endswith('nobody.db')")
    fleet.history.add("dddd", "cccc", upgrade=kept)
    assert Counter(ended(list(upgrade_all(fleet.targets, jobs=1))).values()) == {"nothing": 1, "done": 3}


@pytest.mark.slow
def test_so_many_are_under_way_as_jobs_says(fleet: Fleet) -> None:
    fleet.tenants(list("abcdef"), at="cccc")
    file = fleet.noted(0.6)
    assert set(ended(list(upgrade_all(fleet.targets, jobs=2))).values()) == {"done"}
    assert most_at_once(file) == 2
    assert file.read_text().count("(") == 6


@pytest.mark.slow
def test_who_leaves_the_loop_has_no_more_begun(fleet: Fleet) -> None:
    fleet.tenants(list("abcdef"), at="cccc")
    file = fleet.noted(0.3)
    for outcome in upgrade_all(fleet.targets, jobs=1):
        assert outcome.ended == "done"
        break
    begun = file.read_text().count("(")
    assert begun <= 2  # the first, and the one that its worker had taken by then
    assert file.read_text().count(")") == begun  # which was waited for
    assert sum(fleet.at(name) == ["dddd"] for name in "abcdef") == begun


@pytest.mark.slow
def test_two_runs_at_once_apply_each_migration_once(fleet: Fleet) -> None:
    names = [f"t{number}" for number in range(6)]
    fleet.tenants(names, at="cccc")
    file = fleet.noted(0.2)
    script = (
        "from framefox_tasks import *\n"
        "for one in upgrade_all(list_targets(load_settings('.')), jobs=1, lock_wait=60):\n"
        "    print(one.name, one.ended, one.message)"
    )
    runs = [RunningModule("-c", (script,), folder=fleet.path, env=os.environ) for _ in range(2)]
    done = [run.finish() for run in runs]
    assert [code for code, _, _ in done] == [0, 0]
    said = [out.splitlines() for _, out, _ in done]
    assert [len(lines) for lines in said] == [6, 6]
    assert not [line for lines in said for line in lines if line.split()[1] not in ("done", "nothing")]
    assert file.read_text().count("(") == len(names)
    assert all(fleet.at(name) == ["dddd"] for name in names)


def test_a_target_that_others_hold_fails_when_it_was_waited_for(fleet: Fleet) -> None:
    fleet.tenants(["acme", "held"], at="bbbb")
    holder = sqlite3.connect(fleet.path / "tenants/held.db", isolation_level=None)
    with closing(holder):
        holder.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        outcomes = {one.name: one for one in upgrade_all(fleet.targets, jobs=1, lock_wait=0.5)}
        waited = time.monotonic() - start
    assert ended(list(outcomes.values())) == {"acme": "done", "held": "failed"}
    assert "held.db" in outcomes["held"].message
    assert outcomes["held"].hint
    assert waited < 30  # and not for the minute of the settings
    assert fleet.at("held") == ["bbbb"]


def test_a_revision_that_is_none_begins_nothing(fleet: Fleet) -> None:
    fleet.tenants(["acme", "bolt"], at="aaaa")
    with pytest.raises(MigrationError, match="There is no single migration 'zzzz'"):
        list(upgrade_all(fleet.targets, revision="zzzz"))
    # Of a part of one is known where to go: what is there already reaches no worker.
    with Sending() as executor:
        assert set(ended(list(upgrade_all(fleet.targets, executor=executor, revision="aa"))).values()) == {"nothing"}
        assert not executor.sent
        assert set(ended(list(upgrade_all(fleet.targets, executor=executor, revision="bb"))).values()) == {"done"}
    assert fleet.at("acme") == ["bbbb"]


def planned(fleet: Fleet, revision: str) -> dict[str, tuple[int | None, str]]:
    groups = grouped(fleet.targets, ())
    run = FleetRun(
        groups, outline_of(fleet.settings.target), lambda: pytest.fail("nothing is begun"), revision=revision
    )
    return {one.standing.name: (one.standing.pending, one.standing.message) for one in run.plan()}


def test_the_plan_counts_what_a_revision_would_run(fleet: Fleet) -> None:
    fleet.tenants(["new"])
    fleet.tenants(["old"], at="aaaa")
    fleet.tenants(["top"], at="cccc")
    assert planned(fleet, "bbbb") == {"new": (2, ""), "old": (1, ""), "top": (0, "")}
    assert planned(fleet, "head-1") == {"new": (2, ""), "old": (1, ""), "top": (0, "")}
    relative = planned(fleet, "+1")
    assert (relative["new"], relative["old"]) == ((1, ""), (1, ""))
    assert relative["top"][0] == 0
    assert "no single way from cccc" in relative["top"][1]
