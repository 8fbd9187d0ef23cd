"""Whether a copy holds the pages of its source, byte by byte: then it holds every value.

A process of its own reads the two files: one that closes a file loses all locks that it has on it, and those of its
connections are among them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_COMPARE = """
import sys
one, other = (open(path, "rb", buffering=0) for path in sys.argv[1:])
first = True
while True:
    ours, theirs = one.read(1 << 20), other.read(1 << 20)
    if first:  # counters of changes, of the schema too, and the version of the library that wrote last
        ours, theirs = (part[:24] + part[28:40] + part[44:92] + part[100:] for part in (ours, theirs))
        first = False
    if ours != theirs:
        sys.exit(1)
    if not ours:
        sys.exit(0)
"""


def are_same(source: Path, copy: Path) -> bool:
    """Whether two files have the same pages; False also where that cannot be told by the files alone.

    Args:
        source: A file that a transaction reads, so that nobody changes its pages.
        copy: A file that nobody else has.
    """
    log = source.with_name(f"{source.name}-wal")
    if log.exists() and log.stat().st_size:
        return False  # some of its pages are there
    if not sys.executable or getattr(sys, "frozen", False):
        return False
    command = [sys.executable, "-I", "-S", "-c", _COMPARE, str(source), str(copy)]
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
