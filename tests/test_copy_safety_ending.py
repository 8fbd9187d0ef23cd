"""A copy ends, whatever the servers do: no thread waits for ever, and it is told why."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from conftest import Database, MakeDatabase, connect_server, drop_database, server_databases
from copying import made, target_of
from proxying import Fate, address_of, proxied, reached

from framefox_tasks.errors import ConnectionLostError
from framefox_tasks.model import CopyOptions
from framefox_tasks.operations.copy import copy
from framefox_tasks.operations.copy._mysql._session import session as mysql_session
from framefox_tasks.operations.copy._postgresql._session import session as postgresql_session
from framefox_tasks.results import CopyProgress

SERVERS = ("postgresql", "mysql")
COPY = """
import sys
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.operations.copy import copy
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
def target(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Iterator[Database]:
    database = made(make_database(request.param, "copy"), "CREATE TABLE old (id int)")
    yield database
    for name in left(database):
        drop_database(request.param, name)


def left(target: Database) -> list[str]:
    return [name for name in server_databases(target.dialect) if name.startswith(f"{target.name}_")]


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
    assert (target.tables(), left(target)) == ({"old"}, [])


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
    assert (target.tables(), left(target)) == ({"old"}, [])


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
