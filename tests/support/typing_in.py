"""Commands typed into a shell on a terminal of its own, as a user types them."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.projects import MiniProject

_PROMPT = "typed-here> "
_SECONDS = 60


class Shell:
    """A shell on a terminal.

    Attributes:
        typed: The lines that were typed.
    """

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self.typed: list[str] = []
        self._shown()

    def type(self, line: str) -> str:
        """Type a line; give what is shown until the prompt comes back. The command must succeed."""
        self.typed.append(line)
        os.write(self._terminal, f"{line}\n".encode())
        shown = self._shown()
        os.write(self._terminal, b"echo code=$?\n")
        code = re.search(r"^code=(\d+)", self._shown(), re.MULTILINE)
        assert code, shown
        assert code[1] == "0", shown
        return shown

    def _shown(self) -> str:
        shown = ""
        while not shown.endswith(_PROMPT):
            assert select.select([self._terminal], [], [], _SECONDS)[0], f"no prompt: {shown}"
            shown += os.read(self._terminal, 4096).decode(errors="replace").replace("\r\n", "\n")
        return shown.removesuffix(_PROMPT)


@contextmanager
def shell(project: MiniProject) -> Iterator[Shell]:
    """A shell in a project's folder."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        ["sh", "-i"],
        cwd=project.path,
        env={**project._environment(), "PS1": _PROMPT, "ENV": ""},
        preexec_fn=lambda: os.login_tty(follower),
    )
    os.close(follower)
    try:
        yield Shell(leader)
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def contents(project: MiniProject) -> dict[Path, bytes]:
    files = (path for path in project.path.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path: path.read_bytes() for path in files if path.suffix not in (".db", ".db-lock")}


def two_steps(project: MiniProject) -> str:
    """Run init on a terminal, and what it says to type next: nothing of theirs may change. Gives what was shown."""
    before = contents(project)
    first = project.module_on_terminal("framefox_tasks", "init", answer="")
    assert first.code == 0, first.out
    program, *arguments = shlex.split(first.out.rstrip().splitlines()[-1].removeprefix("Next: "))
    assert program == "doit"
    assert arguments[0].startswith("database_")
    second = project.on_terminal(*arguments, answer="")
    assert second.code == 0, second.out
    said = (first.out + second.out).replace("\r\n", "\n")
    assert "Traceback" not in said
    assert {path: text for path, text in contents(project).items() if path in before} == before
    return said
