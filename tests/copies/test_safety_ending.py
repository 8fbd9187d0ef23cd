"""A copy ends, whatever the servers do: no thread waits for ever, and it is told why."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.copying import made, open_source as postgresql_source, target_of
from support.databases import Database, MakeDatabase, connect_server
from support.projects import MiniProject
from support.proxying import Fate, address_of, proxied, reached
from support.waiting import is_running, wait_until

from framefox_tasks.copies import copy
from framefox_tasks.databases.mysql.session import session as mysql_session
from framefox_tasks.databases.postgresql.session import session as postgresql_session
from framefox_tasks.errors import ConnectionLostError
from framefox_tasks.model import CopyOptions
from framefox_tasks.results import CopyProgress

SERVERS = ("postgresql", "mysql")
COPY = """
import sys
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.copies import copy
try:
    copy(Target(sys.argv[1]), Target(sys.argv[2]), options=CopyOptions(overwrite=True, jobs=2))
except KeyboardInterrupt:
    sys.exit("interrupted")
"""


def filled(database: Database, rows: int = 1000) -> Database:
    numbers = {
        "postgresql": f"generate_series(1, {rows}) s (i)",
        "mysql": f"(SELECT seq AS i FROM seq_1_to_{rows}) s",
    }[database.dialect]
    return made(
        database,
        "CREATE TABLE good (id int PRIMARY KEY)",
        f"INSERT INTO good SELECT i FROM {numbers}",
        "CREATE TABLE bad (id int PRIMARY KEY, t varchar(20))",
        f"INSERT INTO bad SELECT i, 'text' FROM {numbers}",
    )


@pytest.fixture(params=SERVERS)
def target(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    return made(make_database(request.param, "copy"), "CREATE TABLE old (id int)")


def loads(sent: bytes) -> bool:
    return re.search(rb"(?:COPY|LOAD DATA) .*(?:good|bad)", sent) is not None


def test_an_interrupt_ends_a_copy_whose_server_has_fallen_silent(target: Database, make_database: MakeDatabase) -> None:
    source = filled(make_database(target.dialect))
    silent: list[bytes] = []

    def fate(sent: bytes) -> Fate:
        if loads(sent):
            silent.append(sent)
            return "freeze"
        return "pass"

    with proxied(address_of(target.dialect), fate) as port:
        command = [sys.executable, "-c", COPY, source.url, reached(target, port).url]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 20
            while len(silent) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            try:
                _, err = process.communicate(timeout=20)
            finally:
                process.kill()
    assert (process.returncode, err) == (1, "interrupted\n")
    assert (target.tables(), target.beside()) == ({"old"}, set())


def test_an_error_ends_the_threads_that_wait_for_a_server_that_has_fallen_silent(
    target: Database, make_database: MakeDatabase
) -> None:
    source = filled(make_database(target.dialect))
    held: list[bytes] = []

    def fate(sent: bytes) -> Fate:
        if loads(sent):
            held.append(sent)
            return "freeze" if len(held) == 1 else "lose"
        return "pass"

    started = time.monotonic()
    with (
        proxied(address_of(target.dialect), fate) as port,
        pytest.raises(ConnectionLostError, match="The connection to the target"),
    ):
        copy(target_of(source), reached(target, port), options=CopyOptions(overwrite=True, jobs=2))
    assert time.monotonic() - started < 15
    assert (target.tables(), target.beside()) == ({"old"}, set())


@pytest.mark.server
def test_the_end_of_what_holds_the_snapshot_is_noticed(make_database: MakeDatabase) -> None:
    source, target = filled(make_database("postgresql"), 100_000), make_database("postgresql", "copy")

    killed: list[bool] = []

    def end(_: CopyProgress) -> None:
        if killed:
            return
        with closing(connect_server("postgresql")) as server:
            ours = "pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
            query = f"SELECT pg_terminate_backend(pid) FROM {ours} ORDER BY backend_start LIMIT 1"
            killed.extend(ended for (ended,) in server.execute(query, (source.name,)))

    with pytest.raises(ConnectionLostError, match="The connection to the source"):
        copy(target_of(source), target_of(target), options=CopyOptions(jobs=1), on_progress=end)
    assert not target.exists()


@pytest.mark.server
def test_a_snapshot_that_has_gone_is_told_as_a_connection_that_has_ended(make_database: MakeDatabase) -> None:
    source = target_of(filled(make_database("postgresql")))
    with postgresql_source(source) as opened:
        with closing(connect_server("postgresql")) as server:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (source.name,))
        with pytest.raises(ConnectionLostError, match="The connection to the source"), opened.reader():
            pass


def test_an_interrupt_of_a_comparison_of_files_leaves_no_traceback(shop: MiniProject, tmp_path: Path) -> None:
    with closing(sqlite3.connect(shop.path / "shop.db")) as connection:
        connection.execute("CREATE TABLE wide (id INTEGER PRIMARY KEY, t TEXT)")
    # What compares the files is another Python, here one that does not end before the interrupt.
    slow, begun = tmp_path / "python/slow", tmp_path / "begun"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho $$ > {begun}\nexec sleep 60\n")
    slow.chmod(0o755)
    (slow.parent / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(slow)!r}\n")
    environment = {**os.environ, "PYTHONPATH": str(slow.parent)}
    command = [sys.executable, "-m", "doit", "database_copy", "--to=sqlite:///copy.db", "--verify"]
    with subprocess.Popen(command, cwd=shop.path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: begun.exists() and begun.read_text().endswith("\n"))
        time.sleep(0.2)  # until it is waited for: its start is over when the parent reads that
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "copy.db is as it was" in err
    assert "Traceback" not in err
    assert not (shop.path / "copy.db").exists()
    wait_until(lambda: not is_running(int(begun.read_text())))


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_connection_on_which_nothing_is_said_is_kept_alive(make_database: MakeDatabase, dialect: str) -> None:
    target = target_of(made(make_database(dialect)))
    if dialect == "mysql":
        with mysql_session(target, None, "target") as opened:
            assert alive(opened.connection._sock)
    else:
        with (
            postgresql_session(target, "target") as connection,
            socket.socket(fileno=socket.dup(connection.pgconn.socket)) as ours,
        ):
            assert alive(ours)


def alive(connection: socket.socket) -> bool:
    if connection.family == socket.AF_UNIX:
        return True
    on = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    return bool(on) and connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
