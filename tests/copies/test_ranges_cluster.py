"""A copy on a cluster of Dask over TLS: a worker that is killed in mid-range costs its range another try, no more."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.clusters import make_certificate, running_cluster
from support.databases import Database, MakeDatabase, on_server
from support.projects import MiniProject
from support.ranges import filled, read
from support.waiting import wait_until

pytestmark = [pytest.mark.server, pytest.mark.slow]

SLOWLY = "where: {big: 'pg_sleep(0.012) IS NOT NULL'}"
LOADING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}_copying' AND query LIKE 'COPY%' AND state = 'active'"
)
SECONDS = 60


def environment(shop: MiniProject) -> dict[str, str]:
    return {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **shop.env}


@contextmanager
def copying(shop: MiniProject, target: Database, *options: str, at: int = 2) -> Iterator[subprocess.Popen[str]]:
    """A copy that is at so many ranges."""
    process = subprocess.Popen(
        [sys.executable, "-m", "doit", "database_copy:big", *options],
        cwd=shop.path,
        env=environment(shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(lambda: loading(target) >= at or process.poll() is not None)
        if process.poll() is not None:
            pytest.fail(process.communicate()[0])
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def loading(target: Database) -> int:
    return int(on_server("postgresql", LOADING.format(target.name))[0][0])  # by a connection that stays open


def test_a_copy_on_a_cluster(shop: MiniProject, make_database: MakeDatabase) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    locked = make_database("mysql")
    held, theirs = (filled(one, "numbers", random.Random(1)) for one in (source, locked))  # noqa: S311 - the same each time
    shop.env |= {"DATABASE_URL": source.url, "STAGING": target.url, **make_certificate(shop.path)}
    shop.env["DATABASE_COPY_SALT"] = "tr0ub4dor"
    options = 'to: "${STAGING}", range_rows: 100, overwrite: true'
    masked = f"masked: {{{options}, verify: true, mask: {{big.note: hash}}}}"
    mysql = f"locked: {{from: {locked.url}, {options}, lock_writes: true}}"
    shop.write("config/orm.yaml", f"copies:\n  big: {{{options}, {SLOWLY}}}\n  {masked}\n  {mysql}\n")
    with running_cluster(shop.path, environment(shop)) as cluster:
        option = f"--cluster={cluster.address}"
        # A source of MySQL while nobody may write to it.
        assert f"ranges on {cluster.address}\n" in shop.ok("database_copy:locked", option)
        assert read(target) == theirs

        # Workers mask by the secret of their own settings, and --verify finds the values that it makes here.
        for more in ((), ("--dry-run",)):
            assert f"ranges on {cluster.address}\n" in shop.ok("database_copy:masked", option, *more)
        assert Counter(row[::2] for row in read(target).elements()) == Counter(row[::2] for row in held.elements())
        assert not {note for _, note, _ in read(target)} & {note for _, note, _ in held if note}
        assert "tr0ub4dor" not in cluster.log()

        # A worker is killed in mid-range.
        with copying(shop, target, option) as process:
            cluster.workers[0].kill()
            said = process.communicate(timeout=SECONDS)[0]
        assert process.returncode == 0, said + cluster.log()
        assert f"On {cluster.address}: 2 ranges at a time." in said
        assert f"ranges on {cluster.address}\n" in said
        assert read(target) == held
        assert not target.beside()
        assert "Traceback" not in said

        # The copy itself is killed: no worker goes on for more than its range, and the next copy finds its way.
        cluster.add_worker()
        source.execute("INSERT INTO big VALUES (-999, 'new', 1)")
        with copying(shop, target, option) as process:
            process.send_signal(signal.SIGKILL)
        wait_until(lambda: loading(target) == 0)
        assert read(target) == held
        said = shop.ok("database_copy:big", option)
        assert f"ranges on {cluster.address}\n" in said
        assert read(target).total() == held.total() + 1
        assert not target.beside()

        # The scheduler is killed.
        with copying(shop, target, option) as process:
            assert cluster.scheduler
            cluster.scheduler.kill()
            said = process.communicate(timeout=SECONDS)[0]
        assert process.returncode == 1, said
        assert f"The connection to {cluster.address} ended" in said
        assert "Traceback" not in said
        assert not target.beside()
        assert read(target).total() == held.total() + 1
        assert not cluster.raised(), cluster.log()


def test_a_copy_that_is_killed_at_its_ranges(shop: MiniProject, make_database: MakeDatabase) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    held = filled(source, "numbers", random.Random(2))  # noqa: S311 - the same in each run
    shop.env |= {"DATABASE_URL": source.url, "STAGING": target.url}
    shop.write(
        "config/orm.yaml", f'copies:\n  big: {{to: "${{STAGING}}", range_rows: 100, overwrite: true, {SLOWLY}}}\n'
    )
    with copying(shop, target, at=3) as process:
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: loading(target) == 0)
    assert not target.exists()
    shop.ok("database_copy:big")
    assert read(target) == held
    assert not target.beside()


def test_a_copy_that_is_interrupted_at_its_ranges_leaves_nothing(
    shop: MiniProject, make_database: MakeDatabase
) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    filled(source, "numbers", random.Random(3))  # noqa: S311 - the same in each run
    shop.env |= {"DATABASE_URL": source.url, "STAGING": target.url}
    shop.write(
        "config/orm.yaml", f'copies:\n  big: {{to: "${{STAGING}}", range_rows: 100, overwrite: true, {SLOWLY}}}\n'
    )
    with copying(shop, target, at=3) as process:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=SECONDS)[0]
    assert "The copy was interrupted" in said
    assert not target.exists()
    assert not target.beside()


def test_what_cannot_be_copied_on_a_cluster_is_refused(shop: MiniProject, make_database: MakeDatabase) -> None:
    source, target = make_database("postgresql"), make_database("postgresql", "copy")
    filled(source, "numbers", random.Random(1))  # noqa: S311
    shop.env["DATABASE_URL"] = source.url
    address = "--cluster=tcp://127.0.0.1:1"
    assert "are not told what stands behind --to" in shop.fails("database_copy", f"--to={target.url}", address)
    shop.env["DATABASE_COPY_URL"] = target.url
    assert "neither encrypted nor authenticated" in shop.fails("database_copy", "--cluster=tcp://10.0.0.1:1")
    assert "is no address of a scheduler" in shop.fails("database_copy", "--cluster=")
    shop.env["DATABASE_COPY_URL"] = "sqlite:///copy.db"
    for more in ((), ("--dry-run",)):
        assert "is a file of this machine" in shop.fails("database_copy", address, *more)
    assert not target.exists()
