"""Miniature projects in a temporary folder, driven by `doit` in a process of its own."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from framefox_tasks import create, load_settings, upgrade
from support.commands import RunningModule, run_module

ROOT = Path(__file__).parent.parent.parent
PROJECTS = ROOT / "tests/projects"


@dataclass(frozen=True)
class Run:
    """What a finished command said."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


_WRITES = count(1)


@dataclass
class MiniProject:
    """A project in a temporary folder."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)
    fresh: bool = field(default=False, kw_only=True)
    """Whether each command gets a new interpreter, for tests of what it imports and of how it was started."""
    packages: Path | None = field(default=None, kw_only=True)
    """A folder that commands import from as well, as if it were the environment's."""

    def doit(self, *arguments: str, cwd: str = ".", stdin: str | None = None) -> Run:
        """Run doit, and give its exit code and output whatever they are."""
        if self.fresh or any(name.startswith(("PYTHON", "LC_", "LD_")) for name in self.env):
            return self.run(sys.executable, "-m", "doit", *arguments, cwd=cwd, stdin=stdin)
        return Run(*run_module("doit", arguments, folder=self.path / cwd, env=self._environment(), stdin=stdin or ""))

    def framefox_tasks(self, *arguments: str, cwd: str = ".") -> Run:
        """Run the script framefox-tasks as a module, and give its exit code and output whatever they are."""
        return self.module("framefox_tasks", *arguments, cwd=cwd)

    def module(self, name: str, *arguments: str, cwd: str = ".") -> Run:
        """Run `python -m name`, and give its exit code and output whatever they are."""
        return Run(*run_module(name, arguments, folder=self.path / cwd, env=self._environment()))

    def ok(self, *arguments: str) -> str:
        """Run doit, which must succeed without a word on stderr; give its stdout."""
        result = self.doit(*arguments)
        assert result.code == 0, result.all
        assert not result.err, result.err
        return result.out

    def set_up(self, *arguments: str) -> str:
        """Write a migration of what has changed, unproven, and apply it: for tests of what comes after that."""
        return self.ok("database_create_migration", "--no-proof", *arguments, "database_upgrade")

    def upgrade(self, revision: str = "head") -> None:
        """Make its database, and bring it to a revision, without a command: for tests of what comes after that."""
        target = load_settings(self.path, self._environment()).target
        create(target, exist_ok=True)
        upgrade(target, revision=revision)

    def fails(self, *arguments: str, code: int = 1) -> str:
        """Run doit, which must fail without a traceback; give its stderr."""
        result = self.doit(*arguments)
        assert result.code == code, result.all
        assert "Traceback" not in result.all, result.all
        return result.err

    def on_terminal(self, *arguments: str, answer: str) -> Run:
        """Run doit on a terminal of its own, and type the answer when it asks; everything shown is in `out`."""
        return self.module_on_terminal("doit", *arguments, answer=answer)

    def module_on_terminal(self, name: str, *arguments: str, answer: str) -> Run:
        """Run `python -m name` on a terminal of its own, as on_terminal() runs doit."""
        leader, follower = pty.openpty()
        running = RunningModule(name, arguments, folder=self.path, env=self._environment(), terminal=follower)
        os.close(follower)
        shown, asked = "", False
        while not shown.endswith(_CLOSED):
            if select.select([leader], [], [], 2)[0]:
                shown += _read(leader)
                if asked or "[y/N] " not in shown:
                    continue
            asked = "[y/N] " in shown
            if asked:  # again after two seconds: an interrupt that comes before the read is lost
                os.write(leader, answer.encode())
        os.close(leader)
        return Run(running.finish()[0], shown.removesuffix(_CLOSED), "")

    def run(self, *command: str, cwd: str = ".", stdin: str | None = None) -> Run:
        result = subprocess.run(
            command,
            cwd=self.path / cwd,
            env=self._environment(),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Run(result.returncode, result.stdout, result.stderr)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR") if name in os.environ
        }
        # The commands of the environment that the tests run in, whether or not it is activated.
        kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        also = {"PYTHONPATH": str(self.packages)} if self.packages else {}
        return {**kept, "COLUMNS": "80", **also, **self.env}

    def write(self, path: str, text: str) -> Path:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        # Python takes a module of the same size and second for unchanged; tests are faster than people.
        later = file.stat().st_mtime + next(_WRITES)
        os.utime(file, (later, later))
        return file

    def read(self, path: str) -> str:
        return (self.path / path).read_text(encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new))

    def versions(self) -> list[str]:
        """The names of the revision files, sorted."""
        return sorted(path.name for path in (self.path / "migrations/versions").glob("*.py"))

    def migration(self, revision: str, down: str | None, *, upgrade: str = "pass", downgrade: str = "pass") -> None:
        """Write a revision file by hand."""
        self.write(
            f"migrations/versions/{revision}_by_hand.py",
            f'"""migration {revision}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
            f"revision = {revision!r}\ndown_revision = {down!r}\nbranch_labels = None\ndepends_on = None\n\n\n"
            f"def upgrade() -> None:\n    {upgrade}\n\n\ndef downgrade() -> None:\n    {downgrade}\n",
        )


_CLOSED = "\0"


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode(errors="replace") or _CLOSED
    except OSError:  # how Linux tells that the other end is closed
        return _CLOSED


def copy_project(name: str, tmp_path: Path) -> MiniProject:
    """A miniature project of tests/projects, copied to a temporary folder."""
    path = tmp_path / "project"
    shutil.copytree(PROJECTS / name, path, dirs_exist_ok=True)
    return MiniProject(path)
