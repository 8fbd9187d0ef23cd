"""The lock behind PgBouncer in transaction mode, where no session is one's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

import pytest
from support import crowds
from support.databases import Database, MakeDatabase, connect_server, missing, server_url
from support.projects import MiniProject

import framefox_tasks
from framefox_tasks import DatabaseInUseError, Project, Target
from framefox_tasks.url import parse_url

pytestmark = [pytest.mark.server, pytest.mark.slow]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def pooled(database: Database, size: int, folder: Path, mode: str = "transaction") -> Iterator[str]:
    """The URL of a database behind PgBouncer, with so many connections to the server."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        missing("no pgbouncer here (apt-get install pgbouncer)")
    server, port = parse_url(server_url("postgresql")), free_port()
    password = f"password={server.password}" if server.password else ""
    folder = folder / f"pool{size}"
    folder.mkdir()
    config = folder / "pgbouncer.ini"
    place = f"host={server.host} port={server.port or 5432} user={server.username} {password}"
    config.write_text(
        f"[databases]\n* = {place}\npostgres = {place} pool_size=5\n"  # where scratch databases are made
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\nunix_socket_dir =\n"
        f"pool_mode = {mode}\ndefault_pool_size = {size}\nignore_startup_parameters = extra_float_digits\n"
    )
    user = []
    if os.geteuid() == 0:  # which it refuses to run as
        user = ["-u", "nobody"]
        for path in (*folder.parents, folder):
            if path.stat().st_uid == 0 and path.is_relative_to(gettempdir()) and path != Path(gettempdir()):
                path.chmod(path.stat().st_mode | 0o011)
        folder.chmod(0o755)
        config.chmod(0o644)
    process = subprocess.Popen([program, *user, str(config)], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"postgresql://{server.username}@127.0.0.1:{port}/{database.name}"
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def behind(shop: MiniProject, make_database: MakeDatabase) -> tuple[MiniProject, Database]:
    """A project with an empty database, and a migration that commits in between."""
    database = make_database("postgresql")
    connect_server("postgresql").cursor().execute(f'CREATE DATABASE "{database.name}"')
    crowds.write_migrations(shop)
    text = shop.read("migrations/versions/m05_by_hand.py")
    shop.write("migrations/versions/m05_by_hand.py", text.replace("; op", "; op.get_bind().commit(); op", 1))
    return shop, database


@pytest.mark.promise("PgBouncer in transaction mode: the lock holds, also when a migration commits by itself")
def test_runs_at_once_behind_a_pool(
    behind: tuple[MiniProject, Database],
    tmp_path: Path,
    often: Callable[[int, int], int],
    measured: Callable[[str], None],
) -> None:
    project, database = behind
    runs = often(4, 16)
    with pooled(database, 3, tmp_path) as url:
        project.env["DATABASE_URL"] = url
        done = crowds.crowd(project, runs=[[str(project.path), ["database_upgrade"]]] * runs)
        crowds.assert_applied_once(done, database)
    measured(f"{runs} processes")


def test_a_pool_of_one_connection_is_told(behind: tuple[MiniProject, Database], tmp_path: Path) -> None:
    project, database = behind
    with pooled(database, 1, tmp_path) as url:
        target = Target(url, Project(root=project.path))
        with pytest.raises(DatabaseInUseError, match="has given no second connection") as caught:
            framefox_tasks.upgrade(target)
        assert "lock: false" in str(caught.value.hint)
        assert database.revision() == []
        project.write("config/orm.yaml", "lock: false\n")
        project.env["DATABASE_URL"] = url
        run = project.doit("database_upgrade")
    assert run.code == 0, run.all
    assert run.err.count("The lock is off (`lock: false`)") == 1
    assert database.revision() == ["m12"]


def test_a_pool_of_two_sessions_is_enough(behind: tuple[MiniProject, Database], tmp_path: Path) -> None:
    """No connection is kept beside that of the lock and that of the migration: each takes a session of the pool."""
    project, database = behind
    with pooled(database, 2, tmp_path, "session") as url:
        framefox_tasks.upgrade(Target(url, Project(root=project.path)))
    assert database.revision() == ["m12"]


def test_a_migration_is_proven_behind_a_pool_of_one_session(
    behind: tuple[MiniProject, Database], tmp_path: Path
) -> None:
    """No connection is kept that would be the only one."""
    project, database = behind
    framefox_tasks.upgrade(Target(database.url, Project(root=project.path)))
    with pooled(database, 1, tmp_path, "session") as url:
        assert framefox_tasks.create_migration(Target(url, Project(root=project.path))).proven
