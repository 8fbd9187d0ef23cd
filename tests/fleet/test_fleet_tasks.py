"""The tasks of a fleet as they are typed, with what they print, their exit codes and their reports."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.fleets import REVISIONS, Fleet
from support.projects import MiniProject


@pytest.fixture
def typed(shop: MiniProject) -> tuple[Fleet, MiniProject]:
    """A fleet in a project that doit is run in."""
    shutil.rmtree(shop.path / "migrations")
    return Fleet(shop.path), shop


def test_from_status_to_upgrade_and_back(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(["acme", "bolt"], at="aaaa")
    fleet.tenants(["cell"], at="cccc")
    said = project.ok("fleet_status")
    assert said.splitlines()[1:] == [
        "3 targets, head cccc:",
        "  at head  1",
        "  behind   2",
        "Targets at other revisions:",
        "  aaaa  2",
        "Bring them to the newest migration with: doit fleet_upgrade",
    ]
    assert "Not all targets of the fleet are up to date" in project.fails("fleet_status", "--exit-code")
    assert project.ok("fleet_upgrade", "--plan", "--only=a*").splitlines()[1:] == [
        "all: 1 of 1 target would be upgraded",
        "  acme: 2 migrations, from aaaa",
    ]
    reports = ("--report=out/fleet.json", "--report=out/fleet.xml")
    assert "3 targets: 2 done, 1 nothing to do, in " in project.ok("fleet_upgrade", *reports)
    data = json.loads(project.read("out/fleet.json"))
    assert data["counts"] == {"done": 2, "nothing": 1, "failed": 0, "left": 0}
    assert {one["name"]: one["steps"] for one in data["targets"]} == {"acme": 2, "bolt": 2, "cell": 0}
    suite = ET.parse(project.path / "out/fleet.xml").find("testsuite")  # noqa: S314 - ours
    assert suite is not None
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("all", "3", "0")
    found = json.loads(project.ok("fleet_status", "--format=json"))
    assert (found["up_to_date"], found["states"]["at head"], found["heads"]) == (True, 3, ["cccc"])
    # A downgrade is guarded as a drop is.
    assert "there is no terminal to ask on" in project.fails("fleet_downgrade", "--revision=bbbb")
    assert "Where to go back to is not said" in project.fails("fleet_downgrade", "--yes")
    assert "Skipped: it would revert migrations" in project.ok("run", "fleet_down*")
    project.env["APP_ENV"] = "prod"
    refused = project.doit("fleet_downgrade", "--revision=bbbb", "--yes", "--only=acme,bolt", "--force=acme")
    assert refused.code == 1
    assert "bolt: tenants/bolt.db is protected by the settings" in refused.out
    assert [fleet.at(name) for name in ("acme", "bolt", "cell")] == [["bbbb"], ["cccc"], ["cccc"]]


def test_groups_failures_and_exit_codes(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(list("abcd"), at="cccc")
    fleet.mark("c")
    fleet.poison()
    fleet.configure("targets: tenants/*.db", "groups: [{name: canary, take: 1, then: ask}, {name: rest}]", "jobs: 1")
    stopped = project.doit("fleet_upgrade")
    assert stopped.code == 2
    assert "Traceback" not in stopped.all
    assert "Stopped after the group canary, as its `then: ask` says: 3 of 4 targets were not begun." in stopped.err
    assert "Go on with: doit fleet_upgrade --yes" in stopped.err
    assert [fleet.at(name) for name in "abcd"] == [["dddd"], ["cccc"], ["cccc"], ["cccc"]]
    failed = project.doit("fleet_upgrade", "--yes")
    assert failed.code == 1
    assert "1 of 4 targets failed." in failed.err
    lines = failed.out.splitlines()
    assert [line.split()[:5] for line in lines if line.startswith(("  canary", "  rest"))] == [
        ["canary", "0", "1", "0", "0"],
        ["rest", "2", "0", "1", "0"],
    ]
    assert any(line.startswith("  c (tenants/c.db): The migration dddd (migration dddd) failed.") for line in lines)
    assert [fleet.at(name) for name in "abcd"] == [["dddd"], ["dddd"], ["cccc"], ["dddd"]]
    (fleet.path / "tenants/c.db").unlink()
    fleet.tenants(["c"], at="cccc")
    assert "1 done" in project.ok("fleet_upgrade", "--group=rest", "--failed-first")
    assert "Did you mean canary?" in project.fails("fleet_upgrade", "--group=canari")
    assert "neither .json nor .xml" in project.fails("fleet_upgrade", "--report=fleet.txt")


def test_what_has_failed_is_begun_first_and_reported(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(list("abcd"), at="cccc")
    fleet.mark("c")
    fleet.poison()
    fleet.configure("targets: tenants/*.db", "jobs: 1", "stop_after: 1")
    stopped = project.doit("fleet_upgrade", "--report=fleet.xml", "--report=fleet.json", "--revision=dddd")
    assert stopped.code == 2
    assert "Stopped after 1 failure, as stop_after says: 1 of 4 targets were not begun." in stopped.err
    assert "`stop_after: 0` of the fleet goes on whatever fails" in stopped.err
    suite = ET.parse(project.path / "fleet.xml").find("testsuite")  # noqa: S314 - ours
    assert suite is not None
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["4", "1", "1"]
    failure = suite.find("testcase[@name='c']/failure")
    assert failure is not None
    assert failure.get("message") == "The migration dddd (migration dddd) failed."
    assert "poisoned" in (failure.text or "")
    assert suite.find("testcase[@name='d']/skipped") is not None
    data = json.loads(project.read("fleet.json"))
    assert (data["verb"], data["stopped"]) == ("upgrade", "after 1 failure, as stop_after says")
    assert {one["name"]: one["ended"] for one in data["targets"]} == {
        "a": "done",
        "b": "done",
        "c": "failed",
        "d": "left",
    }
    # A report that cannot be written is told, and what has failed is known all the same.
    fleet.mark("d")
    (fleet.path / "dir.json").mkdir()
    assert "The report dir.json cannot be written" in project.fails("fleet_upgrade", "--only=d", "--report=dir.json")
    fleet.tenants(list("AB"), at="cccc")
    project.fails("fleet_upgrade", "--failed-first", code=2)
    assert [fleet.at(name) for name in "AB"] == [["cccc"], ["cccc"]]  # c or d was begun before them
    for name in "cd":
        fleet.history.rows("DROP TABLE bad", f"tenants/{name}.db")
    assert "4 done" in project.ok("fleet_upgrade", "--failed-first")


def test_a_revision_is_gone_to(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(["acme", "bolt"], at="aaaa")
    assert "There is no single migration 'zzzz'" in project.fails("fleet_upgrade", "--revision=zzzz")
    assert "all: 2 of 2 targets would be upgraded\n  acme: 1 migration, from aaaa" in project.ok(
        "fleet_upgrade", "--plan", "--revision=bb"
    )
    project.ok("fleet_upgrade", "--revision=bbbb", "--only=acme")
    assert (fleet.at("acme"), fleet.at("bolt")) == (["bbbb"], ["aaaa"])


@pytest.mark.parametrize(("answer", "last"), [("y\n", ["cccc"]), ("n\n", ["bbbb"])])
def test_a_question_stands_between_groups(typed: tuple[Fleet, MiniProject], answer: str, last: list[str]) -> None:
    fleet, project = typed
    fleet.tenants(["acme", "bolt"], at="bbbb")
    fleet.configure("targets: tenants/*.db", "groups: [{name: canary, take: 1, then: ask}, {name: rest}]", "jobs: 1")
    said = project.on_terminal("fleet_upgrade", answer=answer)
    assert "The group canary has ended: 1 target, 0 failed. 1 more to upgrade." in said.out
    assert said.code == (0 if answer == "y\n" else 2)
    assert (fleet.at("acme"), fleet.at("bolt")) == (["cccc"], last)


def test_the_cluster_of_the_settings_is_taken(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(["acme"], at="bbbb")
    fleet.configure("targets: tenants/*.db", "cluster: tcp://10.0.0.7:8786")
    assert "neither encrypted nor authenticated" in project.fails("fleet_upgrade")
    assert fleet.at("acme") == ["bbbb"]
    # Who would run what, and that there is nothing to do, needs no cluster.
    assert "acme: 1 migration" in project.ok("fleet_upgrade", "--plan")
    assert "1 done" in project.ok("fleet_upgrade", "--cluster=")
    assert "1 nothing to do" in project.ok("fleet_upgrade")


def test_edited_migrations_and_interrupted_ones_are_checked(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.tenants(["acme", "half"], at="bbbb")
    project.ok("fleet_upgrade")  # which notes the checksum of what it applies
    fleet.history.add(
        "dddd",
        "cccc",
        upgrade="import os\n    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE TABLE half (id INTEGER)')\n    os._exit(1)",
    )
    script = "from framefox_tasks import Target, upgrade\nupgrade(Target('sqlite:///tenants/half.db'))"
    assert project.module("-c", script).code == 1
    (file,) = (project.path / "migrations/versions").glob("*cccc*")
    file.write_text(file.read_text() + "\n\nEDITED = True\n")
    checked = project.doit("fleet_check", "--no-drift")
    assert checked.code == 1
    assert "cccc was edited after it had been applied" in checked.out
    assert "doit database_resolve --accept-edit" in checked.out
    assert "  half: The migration dddd (migration dddd) was interrupted in tenants/half.db" in checked.out
    assert "2 targets: 2 wrong" in checked.out


def test_a_target_that_cannot_be_made_leaves_nothing(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.configure("targets: tenants/*.db", 'url: "sqlite:///tenants/{name}.db"')
    fleet.history.add("dddd", "cccc", upgrade="raise ValueError('poisoned')")
    assert "poisoned" in project.fails("fleet_create", "--name=acme")
    assert not list((project.path / "tenants").iterdir())
    assert "would lead out of its place" in project.fails("fleet_create", "--name=../acme")
    assert "Which one is to be made is not said" in project.fails("fleet_create")


def test_a_new_target_is_a_copy_of_an_empty_one_at_head(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    fleet.configure("targets: tenants/*.db", 'url: "sqlite:///tenants/{name}.db"')
    said = project.ok("fleet_create", "--name=acme", "--name=bolt").splitlines()
    assert said[1].startswith("tenants/acme.db is made, at cccc (from .framefox_tasks/fleet/")
    assert said[2].startswith("tenants/bolt.db is made, at cccc (from .framefox_tasks/fleet/")
    assert fleet.at("bolt") == ["cccc"]
    assert fleet.tables("bolt") == set(REVISIONS)
    assert "tenants/acme.db exists already" in project.fails("fleet_create", "--name=acme")
    assert "names no database" not in project.framefox_tasks("fleet:status").all
    # What was changed by hand is found.
    fleet.mark("bolt", "by_hand")
    fleet.history.rows("ALTER TABLE aaaa ADD COLUMN extra INTEGER", "tenants/bolt.db")
    wrong = project.doit("fleet_check")
    assert wrong.code == 1
    assert "bolt (tenants/bolt.db): changed by hand:" in wrong.out
    assert "1 of 2 targets are not as they should be." in wrong.err
    assert "2 targets: 2 in order" in project.ok("fleet_check", "--no-drift")


def test_a_project_without_a_fleet(shop: MiniProject) -> None:
    assert "config/orm.yaml describes no fleet." in shop.fails("fleet_upgrade")
    assert shop.ok("run", "fleet_*").count("Skipped: it would ") == 5


def test_no_secret_of_a_target_is_shown(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    secret = "tr0ub4dor"  # noqa: S105 - of no database
    fleet.tenants(["acme"], at="bbbb")
    Path(fleet.path / ".env").write_text(f"PASSWORD={secret}\n")
    fleet.configure(
        'targets: [acme, {name: down, url: "postgresql://app:${PASSWORD}@127.0.0.1:1/x"}]',
        'url: "sqlite:///tenants/{name}.db"',
    )
    runs = [project.doit(*arguments) for arguments in (("fleet_status",), ("fleet_upgrade", "--report=fleet.json"))]
    assert [run.code for run in runs] == [0, 1]
    assert "down" in runs[1].out
    assert secret not in "".join(run.all for run in runs) + project.read("fleet.json")


def test_an_interrupt_lets_the_target_that_runs_end(typed: tuple[Fleet, MiniProject]) -> None:
    fleet, project = typed
    interrupt = (
        "import os, signal, time\n    os.kill(os.getppid(), signal.SIGINT)\n    time.sleep(1)\n"
        "    op.create_table('dddd', sa.Column('id', sa.Integer))"
    )
    fleet.tenants(list("abc"), at="cccc")
    fleet.history.add("dddd", "cccc", upgrade=interrupt)
    fleet.configure("targets: tenants/*.db", "jobs: 1")
    run = project.run(sys.executable, "-m", "doit", "fleet_upgrade")
    assert run.code == 130, run.all
    assert "No more are begun. Those that run are waited for" in run.out
    assert "No more targets were begun. Where each stands: doit fleet_status" in run.out
    assert run.err.endswith("Interrupted.\n")  # and nothing of the default database, which is no target
    assert [fleet.at(name) for name in "abc"] == [["dddd"], ["cccc"], ["cccc"]]
