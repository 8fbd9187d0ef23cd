"""Runs that begin at the same moment: a script, which imports all that they need and forks each of them.

    python -m support.crowd_script '{"runs": [["/checkout", ["database_upgrade"]], ...]}'
    python -m support.crowd_script '{"count": 8, "root": "/checkout", "url": "sqlite:///app.db"}'

It prints a JSON list: the exit code of each run with its output, or what each thread has made of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - for the runs
import doit.doit_cmd
import psycopg  # noqa: F401
import pymysql  # noqa: F401
import sqlalchemy.dialects.mysql
import sqlalchemy.dialects.postgresql  # noqa: F401

import framefox_tasks
from framefox_tasks.migrations.alembic import run  # noqa: F401


def _child(folder: str, arguments: list[str], output: Path, ready: int, go: int) -> None:
    os.chdir(folder)
    sys.argv = ["doit", *arguments]
    sys.path.insert(0, folder)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.write(ready, b".")
    os.read(go, 1)  # ends when the parent closes its end
    code = 9
    try:
        code = doit.doit_cmd.DoitMain().run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def processes(runs: list[tuple[str, list[str]]]) -> list[list[Any]]:
    """The exit code and the output of runs that begin at once."""
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        started: list[tuple[int, Path]] = []
        for number, (path, arguments) in enumerate(runs):
            output = Path(folder) / str(number)
            pid = os.fork()
            if not pid:
                os.close(go_write)
                _child(path, arguments, output, ready_write, go_read)
            started.append((pid, output))
        got = 0
        while got < len(runs):
            got += len(os.read(ready_read, len(runs)))
        os.close(go_write)
        return [[os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.read_text()] for pid, output in started]


def threads(count: int, root: str, url: str) -> list[list[Any]]:
    """What the threads of this process say that create and upgrade one database at once: 0, or 1 with the error."""
    target = framefox_tasks.Target(url, framefox_tasks.Project(root=Path(root)), lock_wait=600)
    done: list[list[Any]] = []
    barrier = threading.Barrier(count)

    def work() -> None:
        barrier.wait()
        try:
            framefox_tasks.create(target, exist_ok=True)
            result = framefox_tasks.upgrade(target)
        except BaseException as exc:  # noqa: BLE001 - it is told
            done.append([1, repr(exc)])
        else:
            done.append([0, "\n".join(f"  {step.revision.revision}  " for step in result.steps)])

    all_threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in all_threads:
        thread.start()
    deadline = time.monotonic() + 600
    for thread in all_threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return done


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    print(json.dumps(threads(**asked) if "count" in asked else processes(asked["runs"])))
