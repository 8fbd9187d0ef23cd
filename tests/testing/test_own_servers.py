"""The servers that a run of the tests starts: for all of its processes one, which ends with the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.databases import DEFAULT_SERVERS, server_url
from support.projects import ROOT
from support.servers import begin_run
from support.waiting import wait_until

RUN = """
import os, sys, time
from support import servers
from support.databases import connect_server, server_url
lock = servers.begin_run()
folder = os.environ[servers.FOLDER]
if servers.own_server(sys.argv[1]) is None:
    sys.exit(77)
for _ in range(2):
    cursor = connect_server(sys.argv[1]).cursor()
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)
print(folder, flush=True)
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DEFAULT_SERVERS)
def test_a_server_ends_with_the_run_even_if_that_is_killed(dialect: str) -> None:
    given = {name for name, _ in DEFAULT_SERVERS.values()} | {"FRAMEFOX_TASKS_TESTS"}
    env = {name: value for name, value in os.environ.items() if name not in given} | {"PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-c", RUN, dialect]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        told = run.stdout.readline().strip()
        if not told:
            assert run.wait() == 77
            pytest.skip(f"the programs of a {dialect} server are not installed")
        folder = Path(told)
        processes = subprocess.run(["pgrep", "-f", f"{folder}/"], capture_output=True, text=True).stdout.split()
        assert len(processes) >= 2  # the server, and the process that waits beside it
        run.send_signal(signal.SIGKILL)
    wait_until(lambda: not folder.exists())
    wait_until(lambda: not [each for each in processes if Path("/proc", each, "exe").exists()])


def test_a_server_that_is_given_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for dialect, (variable, _) in DEFAULT_SERVERS.items():
        monkeypatch.setenv(variable, f"{dialect}://other")
        assert server_url(dialect) == f"{dialect}://other"


def test_a_process_of_a_run_begins_no_other() -> None:
    assert begin_run() is None
