"""`framefox-tasks watch`: a saved entity redraws the diagram, and the served page reloads itself."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from support.commands import run_module
from support.projects import MiniProject, copy_project

from framefox_tasks import FramefoxTasksError
from framefox_tasks.cli.serve import serving


@pytest.fixture
def shop(tmp_path: Path) -> MiniProject:
    project = copy_project("shop", tmp_path)
    project.env["DATABASE_URL"] = "sqlite:///app.db"
    return project


class Watching:
    """A running watch, and the lines that it has printed."""

    def __init__(self, project: MiniProject, *arguments: str) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-u", "-m", "framefox_tasks", "watch", *arguments],
            cwd=project.path,
            env=project._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines += [] if self.process.stdout.closed else ()
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def until(self, pattern: str, times: int = 1) -> str:
        """The line that matches for the so-manyth time."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            found = [line for line in self.lines if re.search(pattern, line)]
            if len(found) >= times:
                return found[times - 1]
            time.sleep(0.05)
        raise AssertionError("\n".join(self.lines))


@contextmanager
def watching(project: MiniProject, *arguments: str) -> Iterator[Watching]:
    watch = Watching(project, *arguments)
    try:
        yield watch
    finally:
        watch.process.send_signal(signal.SIGINT)
        assert watch.process.wait(timeout=60) == 0


def get(url: str) -> str:
    with urlopen(url) as answer:  # noqa: S310 - of this machine
        return str(answer.read().decode())


def test_a_saved_entity_redraws_the_diagram_and_the_page_reloads(shop: MiniProject) -> None:
    with watching(shop, "database_diagram", "--format=html", "--serve", "--port=0") as watch:
        url = watch.until("The diagrams are shown on").rpartition(" ")[2]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/schema\.html", url)
        watch.until("Waiting for files to be saved")
        drawn = shop.read("docs/database/schema.html")
        page, changed = get(url), get(url.replace("schema.html", "changed"))
        assert "location.reload()" in page
        assert "location.reload()" not in drawn
        assert "Content-Security-Policy" not in page
        shop.replace("src/entity/product.py", "price:", "watched: Mapped[int]\n    price:")
        watch.until(r"src/entity/product\.py was saved")
        watch.until("drawn", times=2)
        assert "watched" in shop.read("docs/database/schema.html")
        assert "watched" in get(url)
        assert get(url.replace("schema.html", "changed")) != changed


def test_only_this_machine_and_only_the_folder_are_served(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/schema.html").write_text("<body></body>")
    (tmp_path / "secret.txt").write_text("s3cr3t")
    with serving(tmp_path / "docs", 0) as url:
        host = url.split("/")[2]

        def status(path: str, **headers: Any) -> int:
            connection = HTTPConnection(host)
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status

        assert status("/schema.html") == 200
        assert status("/../secret.txt") == 404
        assert status("/schema.html", Host="evil.example") == 403
        with pytest.raises(FramefoxTasksError, match="cannot be used"), serving(tmp_path, int(host.partition(":")[2])):
            pass


def test_what_watch_needs_is_told(shop: MiniProject) -> None:
    assert "name a task, as in: framefox-tasks watch database_diagram" in shop.framefox_tasks("watch").err
    assert "--port goes with --serve" in shop.framefox_tasks("watch", "database_diagram", "--port=1").err
    shop.write("watchfiles.py", "raise ImportError\n")
    code, _, error = run_module(
        "framefox_tasks", ("watch", "database_diagram"), folder=shop.path, env=shop._environment(), stdin=""
    )
    assert code == 1
    assert error.strip().endswith('Install it: pip install "framefox-tasks[watch]"')


def test_a_task_that_is_none_is_not_waited_for(shop: MiniProject) -> None:
    result = shop.framefox_tasks("watch", "databse_diagram")
    assert result.code == 3
    assert "Did you mean database_diagram?" in result.err
    assert "Waiting" not in result.out
