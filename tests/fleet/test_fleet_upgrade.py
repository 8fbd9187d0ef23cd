"""Upgrades of a whole fleet: by processes of its own and by executors, with groups, failures, and what is resumed."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing

import pytest
from support.commands import RunningModule, run_module
from support.fleets import REVISIONS, Fleet
from support.waiting import is_running, wait_until

from framefox_tasks import FleetOutcome, FleetReport, MigrationError, fleet_status, upgrade_all
from framefox_tasks.fleet.executors import OnExecutor
from framefox_tasks.fleet.groups import grouped
from framefox_tasks.fleet.outline import outline_of
from framefox_tasks.fleet.upgrade import FleetRun, settled_by


def ended(outcomes: list[FleetOutcome]) -> dict[str, str]:
    return {one.name: one.ended for one in outcomes}


@pytest.fixture
def threads() -> Iterator[Executor]:
    """An executor that costs nothing to start."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.mark.slow
def test_two_hundred_targets_and_only_those_that_need_it_reach_a_worker(fleet: Fleet) -> None:
    fleet.tenants([f"old{number}" for number in range(20)], at="bbbb")
    fleet.tenants([f"new{number}" for number in range(180)], at="cccc")
    targets = fleet.targets
    outcomes = list(upgrade_all(targets, jobs=2))
    assert len(outcomes) == 200
    assert Counter(one.ended for one in outcomes) == {"done": 20, "nothing": 180}
    assert {(one.steps, one.current) for one in outcomes if one.ended == "done"} == {(1, ("cccc",))}
    assert all(fleet.at(one.name) == ["cccc"] and fleet.tables(one.name) == set(REVISIONS) for one in targets)
    # Nothing is left to do, and nothing heavy is imported to find that out.
    script = (
        "import sys\nfrom framefox_tasks import list_targets, load_settings, upgrade_all\n"
        "print({one.ended for one in upgrade_all(list_targets(load_settings('.')))})\n"
        "print(sorted({'sqlalchemy', 'alembic', 'rich'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=fleet.path, capture_output=True, text=True, check=True)
    assert run.stdout == "{'nothing'}\n[]\n"


def test_what_cannot_be_upgraded_is_told_for_its_target(fleet: Fleet, threads: Executor) -> None:
    fleet.tenants(["fine", "ahead", "half", "locked"], at="aaaa")
    fleet.history.rows("UPDATE alembic_version SET version_num = 'zzzz'", "tenants/ahead.db")
    for name, statement in (
        ("ahead", "UPDATE alembic_version SET version_num = 'zzzz'"),
        ("half", "CREATE TABLE alembic_version_journal (number INTEGER, kind TEXT, text TEXT)"),
    ):
        with closing(sqlite3.connect(fleet.path / f"tenants/{name}.db")) as connection:
            connection.execute(statement)
            connection.commit()
    (fleet.path / "tenants/junk.db").write_text("no database, but a file that is long enough for its header")
    fleet.configure(
        "targets: [fine, ahead, half, junk, gone, {name: down, url: 'postgresql://app:s3cret@127.0.0.1:1/x'}]",
        'url: "sqlite:///tenants/{name}.db"',
    )
    status = fleet_status(fleet.targets, fleet.settings.target)
    states = {one.name: one.state for one in status.standings}
    assert states == {
        "fine": "behind",
        "ahead": "other history",
        "half": "half-done",
        "junk": "unusable",
        "gone": "missing",
        "down": "unreachable",
    }
    assert all(one.hint for one in status.standings if one.message)
    outcomes = list(upgrade_all(fleet.targets, executor=threads))
    assert ended(outcomes) == {**dict.fromkeys(states, "failed"), "fine": "done"}
    told = {one.name: one.message for one in outcomes}
    assert told["gone"] == "The database tenants/gone.db does not exist."
    assert "zzzz, which has no file here" in told["ahead"]
    assert "s3cret" not in f"{outcomes}{status}"


def test_a_half_done_target_is_told_with_its_migration(fleet: Fleet) -> None:
    fleet.tenants(["acme", "bolt"], at="cccc")
    fleet.history.add(
        "dddd",
        "cccc",
        upgrade="import os\n    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE TABLE half (id INTEGER)')\n"
        "    if op.get_bind().engine.url.database.endswith('bolt.db'):\n        os._exit(1)",
    )
    script = "from framefox_tasks import Target, upgrade\nupgrade(Target('sqlite:///tenants/bolt.db'))"
    assert run_module("-c", (script,), folder=fleet.path, env=os.environ)[0] == 1
    outcomes = {one.name: one for one in upgrade_all(fleet.targets, jobs=1)}
    assert (outcomes["acme"].ended, outcomes["bolt"].ended) == ("done", "failed")
    assert "The migration dddd (migration dddd) was interrupted" in outcomes["bolt"].message
    # The ways on are of this target: as they stand they would be of the default database.
    commands = re.findall(r"(?<=: ).*doit database_.*", outcomes["bolt"].hint)
    here = f"DATABASE_URL=sqlite:///{fleet.path}/tenants/bolt.db doit database_"
    assert commands[0] == f"{here}upgrade --resume"
    assert all(one.startswith(here) for one in commands)
    standing = next(one for one in fleet_status(fleet.targets, fleet.settings.target).standings if one.name == "bolt")
    assert standing.state == "half-done"
    assert "The migration dddd (migration dddd) was interrupted in tenants/bolt.db: it began at " in standing.message
    assert "1 statement of it is done, the last one: " in standing.message
    assert standing.hint == f"See the ways on from there: DATABASE_URL=sqlite:///{fleet.path}/tenants/bolt.db " + (
        "doit database_status"
    )


def test_a_full_disk_on_one_target_does_not_stop_the_others(fleet: Fleet) -> None:
    fleet.tenants(["acme", "bolt", "cell"], at="cccc")
    fleet.history.add(
        "dddd",
        "cccc",
        upgrade="if op.get_bind().engine.url.database.endswith('bolt.db'):\n"
        "        op.execute('PRAGMA max_page_count = 20')  # as a disk that has no more\n"
        "    op.execute('CREATE TABLE dddd AS SELECT zeroblob(400000) AS text')",
    )
    outcomes = {one.name: one for one in upgrade_all(fleet.targets, jobs=1)}
    assert ended(list(outcomes.values())) == {"acme": "done", "bolt": "failed", "cell": "done"}
    bolt = outcomes["bolt"]
    assert (bolt.current, fleet.at("bolt")) == (("cccc",), ["cccc"])
    assert "The migration dddd (migration dddd) failed.\n" in bolt.message
    assert "database or disk is full" in bolt.message
    assert "as it was before, at cccc" in bolt.message
    assert "Make room on that disk" in bolt.hint
    assert "dddd" not in fleet.tables("bolt")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on the size of a file")
def test_nor_does_a_file_that_may_not_grow(fleet: Fleet) -> None:
    fleet.tenants(["acme", "bolt", "cell"], at="cccc")
    fleet.history.add("dddd", "cccc", upgrade="op.execute('CREATE TABLE dddd AS SELECT zeroblob(200000) AS text')")
    with closing(sqlite3.connect(fleet.path / "tenants/bolt.db")) as connection:
        connection.execute("CREATE TABLE rows AS SELECT zeroblob(400000) AS text")
        connection.commit()
    script = (
        "import resource, signal\nfrom framefox_tasks import Target, upgrade_all\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
        "targets = [Target(f'sqlite:///tenants/{name}.db') for name in ('acme', 'bolt', 'cell')]\n"
        "for one in upgrade_all(targets, jobs=1):\n"
        "    print(one.name, one.ended, one.current, ' '.join(one.message.split()), one.hint)"
    )
    _, out, _ = run_module("-c", (script,), folder=fleet.path, env=os.environ)
    told = dict(line.split(" ", 1) for line in out.splitlines())
    assert told["tenants/acme.db"].startswith("done ('dddd',)"), out
    assert told["tenants/cell.db"].startswith("done ('dddd',)"), out
    assert told["tenants/bolt.db"].startswith("failed ('cccc',)"), out
    assert "disk I/O error" in told["tenants/bolt.db"]
    assert "check its disk" in told["tenants/bolt.db"]
    assert (fleet.at("bolt"), "dddd" in fleet.tables("bolt")) == (["cccc"], False)


def test_a_poisoned_migration_fails_its_target_alone(fleet: Fleet, threads: Executor) -> None:
    fleet.tenants(["acme", "bolt", "cell"], at="cccc")
    fleet.mark("bolt")
    fleet.poison()
    outcomes = list(upgrade_all(fleet.targets, executor=threads))
    assert ended(outcomes) == {"acme": "done", "bolt": "failed", "cell": "done"}
    (failed,) = [one for one in outcomes if one.ended == "failed"]
    assert "The migration dddd (migration dddd) failed." in failed.message
    assert "poisoned" in failed.message
    assert failed.current == ("cccc",)
    assert fleet.at("bolt") == ["cccc"]


def test_after_enough_failures_no_more_are_begun(fleet: Fleet, threads: Executor) -> None:
    names = [f"t{number}" for number in range(9)]
    fleet.tenants(names, at="cccc")
    for name in names:
        fleet.mark(name)
    fleet.poison()
    outcomes = list(upgrade_all(fleet.targets, executor=threads, jobs=1, stop_after=2))
    assert Counter(one.ended for one in outcomes) == {"failed": 2, "left": 7}
    assert {one.message for one in outcomes if one.ended == "left"} == {"It was not begun."}


def test_a_history_with_two_heads_is_an_error_at_once(fleet: Fleet) -> None:
    fleet.tenants(["acme"], at="cccc")
    fleet.history.add("fork", "bbbb")
    with pytest.raises(MigrationError, match="head"):
        list(upgrade_all(fleet.targets))


def run_of(fleet: Fleet, executor: Executor, **options: object) -> FleetRun:
    settings, targets = fleet.settings, fleet.targets
    assert settings.fleet
    given = settings.fleet.options
    outline = outline_of(settings.target)
    return FleetRun(
        grouped(targets, given.groups),
        outline,
        lambda: OnExecutor(executor, 1, settle=settled_by(targets, outline)),
        stop_after=given.stop_after,
        **options,  # type: ignore[arg-type]
    )


def upgraded(run: FleetRun, ask: Callable[[str], bool] = lambda _: True) -> FleetReport:
    return run.upgrade(on_begin=lambda _: None, on_outcome=lambda _: None, ask=ask)


GROUPS = "groups: [{name: canary, take: 2, then: ask}, {name: rest}]"


def test_groups_follow_each_other_and_the_next_run_resumes(fleet: Fleet, threads: Executor) -> None:
    fleet.tenants(list("abcdef"), at="bbbb")
    fleet.configure("targets: tenants/*.db", GROUPS)
    plan = run_of(fleet, threads).plan()
    assert [(one.group, one.standing.name, one.standing.pending) for one in plan] == [
        *(("canary", name, 1) for name in "ab"),
        *(("rest", name, 1) for name in "cdef"),
    ]
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    report = upgraded(run_of(fleet, threads), refuse)
    assert asked == ["The group canary has ended: 2 targets, 0 failed. 4 more to upgrade."]
    assert report.stopped == "after the group canary, as its `then: ask` says"
    assert [(one.name, one.ended) for one in report.outcomes] == [
        *((name, "done") for name in "ab"),
        *((name, "left") for name in "cdef"),
    ]
    assert [report.count("left", group) for group in report.groups] == [0, 4]
    again = upgraded(run_of(fleet, threads))
    assert ended(list(again.outcomes)) == {**dict.fromkeys("ab", "nothing"), **dict.fromkeys("cdef", "done")}
    assert not again.stopped
    # Nobody is asked where nothing is left behind the group.
    assert not upgraded(run_of(fleet, threads), refuse).stopped
    assert len(asked) == 1


def test_failures_of_a_group_keep_the_next_from_being_begun(fleet: Fleet, threads: Executor) -> None:
    fleet.tenants(list("abcd"), at="cccc")
    fleet.mark("a")
    fleet.mark("b")
    fleet.poison()
    fleet.configure("targets: tenants/*.db", GROUPS, "stop_after: 2")
    report = upgraded(run_of(fleet, threads))
    assert ended(list(report.outcomes)) == {"a": "failed", "b": "failed", "c": "left", "d": "left"}
    assert report.stopped == "after 2 failures, as stop_after says"
    fleet.configure("targets: tenants/*.db", GROUPS, "stop_after: 0")
    report = upgraded(run_of(fleet, threads, first=["b"]))
    assert [one.name for one in report.outcomes] == ["b", "a", "c", "d"]
    assert ended(list(report.outcomes)) == {"a": "failed", "b": "failed", "c": "done", "d": "done"}


def test_targets_that_cannot_be_begun_do_not_keep_the_others_from_it(fleet: Fleet, threads: Executor) -> None:
    """stop_after is for migrations that fail: half of the targets may be out of reach."""
    fleet.tenants(list("abcd"), at="cccc")
    fleet.mark("c")
    fleet.mark("d")
    fleet.poison()
    listed = ", ".join([*(f"gone{number}" for number in range(4)), *"abcd"])
    fleet.configure(f"targets: [{listed}]", 'url: "sqlite:///tenants/{name}.db"', "stop_after: 2")
    report = upgraded(run_of(fleet, threads))
    gone = {f"gone{number}": "failed" for number in range(4)}
    assert ended(list(report.outcomes)) == {**gone, "a": "done", "b": "done", "c": "failed", "d": "failed"}
    assert not report.stopped
    assert [fleet.at(name) for name in "abcd"] == [["dddd"], ["dddd"], ["cccc"], ["cccc"]]


def test_a_revision_before_the_head(fleet: Fleet, threads: Executor) -> None:
    fleet.tenants(["a", "b"])
    fleet.tenants(["c"], at="bbbb")
    assert ended(list(upgrade_all(fleet.targets, executor=threads, revision="bbbb"))) == {
        "a": "done",
        "b": "done",
        "c": "nothing",
    }
    # A relative one depends on where each stands: only a worker can tell.
    assert ended(list(upgrade_all(fleet.targets[:1], executor=threads, revision="+1"))) == {"a": "done"}
    assert [fleet.at(name) for name in "abc"] == [["cccc"], ["bbbb"], ["bbbb"]]


def test_names_are_looked_up_where_the_work_runs(
    fleet: Fleet, threads: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.tenants(["acme"], at="bbbb")
    monkeypatch.chdir(fleet.path)
    outcomes = list(upgrade_all(["acme", "nobody"], executor=threads))
    assert ended(outcomes) == {"acme": "done", "nobody": "failed"}
    assert [one.message for one in outcomes if one.ended == "failed"] == ["The settings of the worker list no nobody."]


class Dying:
    """An executor whose worker is lost in mid-work: it does the work of some, and says so of none."""

    @staticmethod
    def make(does: int) -> Executor:
        class Lost(ThreadPoolExecutor):
            def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
                nonlocal does
                does -= 1

                def lose() -> None:
                    if does >= 0:
                        fn(*args, **kwargs)
                    raise ConnectionResetError("postgresql://app:s3cret@db/x went away")

                return super().submit(lose)

        return Lost(1)


def test_the_databases_say_what_a_lost_worker_of_an_executor_has_done(fleet: Fleet) -> None:
    fleet.tenants(["a", "b"], at="bbbb")
    with Dying.make(1) as executor:
        outcomes = list(upgrade_all(fleet.targets, executor=executor, jobs=1))
    assert ended(outcomes) == {"a": "done", "b": "failed"}
    assert [one.message for one in outcomes] == [
        "The worker was lost: ConnectionResetError: postgresql://app:***@db/x went away. It had done its work.",
        "The worker was lost: ConnectionResetError: postgresql://app:***@db/x went away. It is at bbbb.",
    ]


@pytest.mark.slow
def test_a_killed_worker_is_told_and_its_target_is_begun_again(fleet: Fleet) -> None:
    noted = fleet.path / "pids"
    kill = (
        "import os, pathlib\n"
        f"    noted = pathlib.Path({str(noted)!r})\n"
        "    first = not noted.exists()\n"
        "    name = op.get_bind().engine.url.database\n"
        "    if 'always' in name or (first and 'once' in name):\n"
        "        noted.touch()\n"
        "        os.kill(os.getpid(), 9)\n"
        "    op.create_table('dddd', sa.Column('id', sa.Integer))"
    )
    fleet.tenants(["a_once", "b", "c_always", "d"], at="cccc")
    fleet.history.add("dddd", "cccc", upgrade=kill)
    outcomes = {one.name: one for one in upgrade_all(fleet.targets, jobs=1)}
    assert {name: (one.ended, one.attempts) for name, one in outcomes.items()} == {
        "a_once": ("done", 2),
        "b": ("done", 1),
        "c_always": ("failed", 2),
        "d": ("done", 1),
    }
    assert outcomes["a_once"].message == "The worker was lost by signal 9. It was begun again."
    assert outcomes["c_always"].message == "The worker was lost by signal 9. So did the one before it."
    assert fleet.at("c_always") == ["cccc"]  # nothing of it is half-done


@pytest.mark.slow
def test_no_worker_goes_on_after_its_parent_was_killed(fleet: Fleet) -> None:
    noted = fleet.path / "pids"
    slow = (
        f"import os, time\n    open({str(noted)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        "    time.sleep(1)\n    op.create_table('dddd', sa.Column('id', sa.Integer))"
    )
    fleet.tenants(list("abcdefgh"), at="cccc")
    fleet.history.add("dddd", "cccc", upgrade=slow)
    script = "from framefox_tasks import *; list(upgrade_all(list_targets(load_settings('.')), jobs=2))"
    parent = RunningModule("-c", (script,), folder=fleet.path, env=os.environ)
    wait_until(lambda: noted.exists() and len(noted.read_text().split()) >= 2)
    parent.process.kill()
    parent.finish()
    workers = {int(pid) for pid in noted.read_text().split()}
    wait_until(lambda: not any(is_running(pid) for pid in workers))
    begun = len(noted.read_text().split())
    assert begun <= 4  # what they were at when it happened, and perhaps the next that they had already
    done = [name for name in "abcdefgh" if fleet.at(name) == ["dddd"]]
    assert len(done) == begun
    with ThreadPoolExecutor(1) as executor:
        again = ended(list(upgrade_all(fleet.targets, executor=executor)))
    assert again == {name: "nothing" if name in done else "done" for name in "abcdefgh"}
