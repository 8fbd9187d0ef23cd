"""The file in which doit keeps what it knows of past runs: a cache, without which every task still does its work."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

STATE_FILE = ".doit.sqlite3"
_MEMORY = ":memory:"
_HEADER = b"SQLite format 3\0"
_GOOD, _BROKEN, _LOCKED = "good", "broken", "locked"
_LEAST = 64 * 1024  # bytes that an empty one and its journal take, and more
_SECONDS = 10.0  # to wait for another doit that writes to it


def state_file() -> str:
    """The file; one in memory where it cannot be written, which is said. One that is broken is made anew."""
    path = Path(STATE_FILE)
    if not is_writable(path):
        _note(f"{path} cannot be written here: what this run finds out is forgotten. Another place: --db-file=FILE")
        return _MEMORY
    if not (path.exists() and path.stat().st_size) and shutil.disk_usage(path.parent).free < _LEAST:
        _note(f"{path} cannot be made, since the disk is full: what this run finds out is forgotten.")
        return _MEMORY
    standing = _standing(path) if path.exists() else _GOOD
    if standing == _BROKEN:
        _note(f"{path}, where doit keeps its state, was broken: it is made anew, and tasks may run once more.")
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    elif standing == _LOCKED:
        _note(f"{path} is locked by another doit: what this run finds out is forgotten.")
        return _MEMORY
    return STATE_FILE


def guard(manager: Any) -> None:
    """Have doit end well where its state cannot be written: while it forgets a task that failed, and after the work."""
    backend = manager.backend
    dump, remove = backend.dump, backend.remove

    def guarded() -> None:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                dump()
            except sqlite3.OperationalError as exc:
                if "locked" in str(exc) and time.monotonic() < deadline:
                    continue  # SQLite itself has waited for five seconds
                with suppress(sqlite3.Error):
                    backend._conn.close()
                _note(f"doit's state cannot be written ({exc}): what this run has found out is forgotten.")
            return

    def forget(task_id: str) -> None:
        with suppress(sqlite3.OperationalError):  # what the failure leaves is written at the end, or that tells
            remove(task_id)

    if isinstance(getattr(backend, "_conn", None), sqlite3.Connection):
        backend.dump = guarded
        manager.remove = forget


def is_writable(path: Path) -> bool:
    """Whether the file can be written, or made."""
    # SQLite writes a journal beside the file.
    return os.access(path.parent, os.W_OK | os.X_OK) and (not path.exists() or os.access(path, os.W_OK))


def _standing(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(len(_HEADER))
    if start not in (b"", _HEADER):
        return _BROKEN
    try:
        with closing(sqlite3.connect(path, timeout=_SECONDS)) as connection:
            return _GOOD if connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok" else _BROKEN
    except sqlite3.OperationalError:
        return _LOCKED if _is_locked(path) else _GOOD
    except sqlite3.DatabaseError:
        return _BROKEN


def _is_locked(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=_SECONDS, isolation_level=None)) as connection:
            connection.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.OperationalError:
        return True
    return False


def _note(text: str) -> None:
    if any(argument.startswith("--db-file") for argument in sys.argv):
        return
    sys.stderr.write(f"Note: {text}\n")
