"""A fleet on a cluster of Dask: names alone are sent, over TLS; and what is lost is told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.clusters import make_certificate, running_cluster
from support.fleets import Fleet
from support.projects import ROOT, MiniProject

from framefox_tasks import ConfigError
from framefox_tasks.fleet.cluster import check_address
from framefox_tasks.fleet.executors import OnExecutor
from framefox_tasks.fleet.outline import outline_of
from framefox_tasks.fleet.upgrade import settled_by
from framefox_tasks.fleet.work import Order, Worker, carry_out


@pytest.mark.slow
def test_a_cluster_with_tls(shop: MiniProject) -> None:
    shutil.rmtree(shop.path / "migrations")
    fleet = Fleet(shop.path)
    fleet.tenants(behind := [f"t{number:02}" for number in range(12)], at="bbbb")
    fleet.tenants(others := [f"up{number:03}" for number in range(188)], at="cccc")
    # The workers resolve the URLs: a variable in them is set there alone.
    listed = (f"targets: [{', '.join([*behind, *others])}]", 'url: "sqlite:///tenants/{name}.db${MORE:-}"')
    fleet.configure(*listed)
    shop.env.update(make_certificate(shop.path))
    environment = {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **shop.env}
    environment["MORE"] = "?timeout=7"
    with running_cluster(shop.path, environment) as cluster:
        option = f"--cluster={cluster.address}"
        assert cluster.address.startswith("tls://127.0.0.1")
        said = shop.doit("fleet_upgrade", option)
        assert said.code == 0, said.all + cluster.log()
        assert f"On {cluster.address}: 2 targets at a time." in said.out
        assert "by itself" not in said.out  # the preload keeps the scheduler from beginning anything twice
        assert "200 targets: 12 done, 188 nothing to do" in said.out
        assert {one.name: fleet.at(one.name) for one in fleet.targets} == {one.name: ["cccc"] for one in fleet.targets}
        assert not cluster.raised(), cluster.log()

        # A worker is killed in mid-migration; then the scheduler is. Nothing is half-done, and the next run goes on.
        assert cluster.scheduler
        kill = (
            "import os, signal, time\n    name = op.get_bind().engine.url.database\n"
            "    with open('seen', 'a') as file:\n        file.write(f'{op.get_bind().engine.url}\\n')\n"
            "    if name.endswith('t03.db') and not os.path.exists('killed'):\n"
            "        open('killed', 'w').close()\n        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    if name.endswith('t05.db') and not os.path.exists('gone'):\n"
            f"        open('gone', 'w').close()\n        os.kill({cluster.scheduler.pid}, 9)\n"
            "        time.sleep(3)\n    op.create_table('dddd', sa.Column('id', sa.Integer))"
        )
        fleet.history.add("dddd", "cccc", upgrade=kill)
        fleet.configure(*listed, "stop_after: 0")
        said = shop.doit("fleet_upgrade", option, "--only=t00,t01,t02,t03,t04")
        assert said.code == 1, said.all + cluster.log()
        assert "Traceback" not in said.all
        assert "t03: The worker was lost: KilledWorker" in said.out
        assert fleet.at("t03") == ["cccc"]
        said = shop.doit("fleet_upgrade", option, "--only=t*")
        assert said.code == 2, said.all + cluster.log()
        assert "Traceback" not in said.all
        assert "since all workers are gone" in said.err
        assert all(url.endswith(".db?timeout=7") for url in (shop.path / "seen").read_text().splitlines())
        at = {one.name: fleet.at(one.name)[0] for one in fleet.targets if one.name.startswith("t")}
        assert set(at.values()) <= {"cccc", "dddd"}
    done = shop.ok("fleet_upgrade", "--only=t*")
    assert "failed" not in done
    assert {fleet.at(one.name)[0] for one in fleet.targets if one.name.startswith("t")} == {"dddd"}


def test_what_is_sent_holds_no_url(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    secret = "tr0ub4dor"  # noqa: S105 - of no database
    fleet.configure("targets: [acme]", 'url: "postgresql://app:${PASSWORD}@127.0.0.1:1/{name}"')
    monkeypatch.setenv("PASSWORD", secret)
    monkeypatch.chdir(fleet.path)
    order = Order("upgrade", "acme", "acme", run="1")
    outcome = carry_out(order, str(fleet.path))
    assert outcome.ended == "failed"
    assert "127.0.0.1:1" in outcome.message
    for sent in (order, outcome):
        assert secret.encode() not in pickle.dumps(sent)


def test_a_worker_with_another_checkout_refuses(fleet: Fleet) -> None:
    fleet.tenants(["acme"], at="bbbb")
    outcome = Worker(fleet.path).outcome(Order("upgrade", "acme", digest="f" * 32))
    assert outcome.ended == "failed"
    assert outcome.message.startswith("The worker has other migrations than are meant: ")
    assert fleet.at("acme") == ["bbbb"]


def test_a_worker_reads_its_list_anew_for_another_run(fleet: Fleet) -> None:
    fleet.tenants(["acme", "moved"], at="bbbb")
    fleet.configure("targets: [acme]", 'url: "sqlite:///tenants/{name}.db"')
    worker = Worker(fleet.path)
    assert worker.outcome(Order("upgrade", "acme", run="1", revision="bbbb")).ended == "nothing"
    fleet.configure("targets: [{name: acme, url: 'sqlite:///tenants/moved.db'}]")
    assert worker.outcome(Order("upgrade", "acme", run="2")).ended == "done"
    assert (fleet.at("acme"), fleet.at("moved")) == (["bbbb"], ["cccc"])


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://scheduler.example.org:8786", "neither encrypted nor authenticated"),
        ("tcp://10.0.0.7:8786", "neither encrypted nor authenticated"),
        ("scheduler:8786", "is no address of a scheduler"),
        ("http://scheduler:8786", "is no address of a scheduler"),
    ],
)
def test_an_address_that_is_refused(address: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check_address(address, insecure=False)
    assert caught.value.hint


def test_addresses_that_are_taken() -> None:
    for address in ("tls://scheduler:8786", "tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:8786"):
        check_address(address, insecure=False)
    check_address("tcp://10.0.0.7:8786", insecure=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not shutil.which("bash"), reason="the page shows commands of a shell")
def test_the_commands_of_the_page(shop: MiniProject) -> None:
    """Those that start a cluster, with the variables that the page exports for its certificates."""
    page = (ROOT / "docs/fleet.md").read_text(encoding="utf-8")
    exports = "\n".join(line for line in page.splitlines() if line.startswith("export DASK_"))
    scheduler, worker = (line for line in page.splitlines() if line.startswith("dask "))
    assert (exports.count("\n"), "--nworkers 4" in worker) == (4, True)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = str(server.getsockname()[1])
    shutil.rmtree(shop.path / "migrations")
    fleet = Fleet(shop.path)
    fleet.tenants(["acme", "bolt"], at="bbbb")
    make_certificate(shop.path)
    shutil.copy(shop.path / "cert.pem", shop.path / "ca.pem")
    more = 'dask() { command dask "$@" --no-dashboard; }'
    script = f"{exports}\n{more}\n{scheduler} &\n{worker.replace('--nworkers 4', '--nworkers 1')} &\nwait\n"
    folder = str(Path(sys.executable).parent)
    environment = {**os.environ, **shop.env, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    log = shop.path / "dask.log"
    with log.open("wb") as file:
        started = subprocess.Popen(
            ["bash", "-c", script.replace("8786", port)],
            cwd=shop.path,
            env=environment,
            stdout=file,
            stderr=file,
            process_group=0,
        )
    try:
        deadline = time.monotonic() + 200
        while "Fleet worker in" not in log.read_text(errors="replace"):
            assert started.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.2)
        for line in exports.splitlines():
            for part in line.split()[1:]:
                name, _, value = part.partition("=")
                shop.env[name] = value
        said = shop.doit("fleet_upgrade", f"--cluster=tls://127.0.0.1:{port}")
        assert said.code == 0, said.all + log.read_text(errors="replace")
        assert f"On tls://127.0.0.1:{port}: 1 target at a time." in said.out
        assert "2 targets: 2 done" in said.out
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    assert (fleet.at("acme"), fleet.at("bolt")) == (["cccc"], ["cccc"])


class Silent(Executor):
    """One that never gives an outcome."""

    def submit(self, *_: object, **__: object) -> Future[Any]:
        return Future()


@pytest.mark.slow
def test_a_scheduler_that_is_gone_without_a_word_is_waited_for_no_longer(fleet: Fleet) -> None:
    fleet.tenants(["acme", "beta", "coda"], at="bbbb")
    targets = fleet.targets
    settle = settled_by(targets, outline_of(fleet.settings.target))
    orders = [Order("upgrade", one.name, one.name) for one in targets]
    runner = OnExecutor(Silent(), 2, settle=settle, is_gone=lambda: True)
    told = {one.name: (one.ended, one.message) for one in runner.outcomes(orders)}
    assert told == dict.fromkeys(("acme", "beta"), ("failed", "The worker was lost: CancelledError. It is at bbbb."))
    assert fleet.at("acme") == ["bbbb"]
