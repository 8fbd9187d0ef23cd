"""Names beyond ASCII in a locale that knows none, such as LC_ALL=C with PYTHONUTF8=0."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path

_PROGRAMS = {"doit", "doit.exe", "framefox-tasks"}


def use_utf8() -> None:
    """Start doit anew in Python's UTF-8 mode, where names of files are ASCII otherwise: these cannot be switched later.

    Only where this process is doit, and nothing has run yet.
    """
    if sys.getfilesystemencoding().lower() in ("utf-8", "utf8") or not _is_doit():
        return
    environment = {**os.environ, "PYTHONUTF8": "1"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - as it was started


def _is_doit() -> bool:
    program = Path(sys.argv[0])
    return program.name in _PROGRAMS or (
        program.name == "__main__.py" and program.parent.name in ("doit", "framefox_tasks")
    )


def usable_streams() -> None:
    """Have what the locale cannot show written with escapes, instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="backslashreplace")
