"""Servers of a run's own, with their files in memory: they end with the run, so nothing need wait for a disk.

The first test that needs one starts it, for all processes of the run. It ends, and its files go, when the run ends in
whatever way: a process beside it waits for the lock that the run holds.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

FOLDER = "FRAMEFOX_TASKS_TESTS"
"""The variable by which the processes of a run know its folder."""
_LOCK = "run"
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is made with mkdtemp()
_ENOUGH = 2 * 1024**3  # bytes: a run has about half a gigabyte there at a time
_ELSEWHERE = (
    "/usr/sbin",
    "/usr/local/sbin",
    *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
)
_READY = re.compile("ready (to accept|for) connections")
_ENDED = "The server has ended.\n"
_LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"


def begin_run() -> int | None:
    """Make the folder of a run, and take its lock, which ends with this process; None where another has begun it."""
    if FOLDER in os.environ:
        return None
    in_memory = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH
    folder = Path(tempfile.mkdtemp(prefix="framefox-", dir=_MEMORY if in_memory else None))
    folder.chmod(0o755)  # the servers' users go through it
    os.environ[FOLDER] = str(folder)
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def end_run(lock: int) -> None:
    """Let the servers of a run end; its folder goes with them."""
    folder = Path(os.environ.pop(FOLDER))
    if not list(folder.glob("*.log")):
        shutil.rmtree(folder)
    os.close(lock)


@cache
def own_server(dialect: str) -> str | None:
    """The URL of this run's server, which is started if it is not there; None where its programs are not installed."""
    folder = Path(os.environ[FOLDER])
    told = folder / f"{dialect}.json"
    with FileLock(folder / f"{dialect}.lock"):
        if not told.exists():
            told.write_text(json.dumps(_STARTS[dialect](folder)), encoding="utf-8")
    url: str | None = json.loads(told.read_text(encoding="utf-8"))
    return url


def _postgresql(folder: Path) -> str | None:
    program = _program("initdb")
    if program is None:
        return None
    data, user, port = _data(folder / "pg", "postgres")
    _run([program, "-D", str(data), "-U", "postgres", "-A", "trust", f"--locale={_LOCALE}", "-E", "UTF8", "-N"], user)
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(data),
        "fsync": "off",
        "full_page_writes": "off",
        "max_wal_size": "256MB",
        "shared_buffers": "16MB",  # which each DROP DATABASE searches
        "autovacuum": "off",  # no table lives for a minute
    }
    command = [str(Path(program).with_name("postgres")), "-D", str(data), "-p", str(port)]
    _start(folder, "pg", [*command, *(f"--{name}={value}" for name, value in settings.items())], user)
    return f"postgresql://postgres@127.0.0.1:{port}"


def _mysql(folder: Path) -> str | None:
    install, program = _program("mariadb-install-db"), _program("mariadbd")
    if install is None or program is None:
        return None
    data, user, port = _data(folder / "my", "mysql")
    temporary, _, _ = _data(folder / "my-tmp", "mysql")  # a server removes what another one has in a folder of both
    options = [
        f"--datadir={data}",
        f"--tmpdir={temporary}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    ]
    _run([install, "--no-defaults", *options], user)
    settings = {
        "datadir": data,
        "tmpdir": temporary,
        "bind-address": "127.0.0.1",
        "port": port,
        "socket": data / "socket",
        "pid-file": data / "pid",
        "character-set-server": "utf8mb4",
        "collation-server": "utf8mb4_general_ci",
        "innodb-flush-method": "nosync",
        "innodb-flush-log-at-trx-commit": 0,
        "innodb-doublewrite": 0,
        "innodb-buffer-pool-dump-at-shutdown": 0,  # it would be written into a folder that goes
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    _start(folder, "my", [program, "--no-defaults", "--skip-name-resolve", *options], user)
    return f"mysql://root@127.0.0.1:{port}"


_STARTS: dict[str, Callable[[Path], str | None]] = {"postgresql": _postgresql, "mysql": _mysql}


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(_ELSEWHERE))


def _data(folder: Path, user: str) -> tuple[Path, str | None, int]:
    """An empty folder for a server's files, its user where it may not be root, and a free port."""
    folder.mkdir(mode=0o700)
    owner = None
    if os.getuid() == 0:
        owner = user if user in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
        shutil.chown(folder, owner)
    with socket.create_server(("127.0.0.1", 0)) as free:
        return folder, owner, free.getsockname()[1]


def _as(user: str | None) -> dict[str, Any]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, **_as(user))
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


def _start(folder: Path, name: str, command: list[str], user: str | None) -> None:
    """Start a server with a process beside it, and wait until it says that it is ready: it listens before that."""
    log = folder / f"{name}.log"
    with log.open("w", encoding="utf-8") as output:
        subprocess.run(
            [sys.executable, __file__, str(folder), user or "", *command],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # an interrupt is for the run, whose tests still need it
        )
    deadline = time.monotonic() + 60
    while not _READY.search(said := log.read_text(encoding="utf-8")):
        assert not said.endswith(_ENDED), f"{' '.join(command)}:\n{said}"
        assert time.monotonic() < deadline, f"{' '.join(command)}:\n{said}"
        time.sleep(0.05)


def _serve(folder: Path, user: str, command: list[str]) -> None:
    """Run a server until the run ends, and then remove its files; no child of a test, which may count those."""
    if os.fork():
        return
    server = subprocess.Popen(command, **_as(user or None))
    with (folder / _LOCK).open() as lock:
        threading.Thread(target=_stop_after_run, args=(server, lock), daemon=True).start()
        server.wait()
    print(_ENDED, end="", flush=True)
    with (folder / _LOCK).open() as lock, suppress(BlockingIOError):  # the run goes on, and is told what it said
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)  # the other server still ends, and then removes the rest


def _stop_after_run(server: subprocess.Popen[bytes], lock: IO[str]) -> None:
    fcntl.flock(lock, fcntl.LOCK_SH)
    server.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate shutdown


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
