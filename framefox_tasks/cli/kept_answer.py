"""The answer of an upgrade that had nothing to do, kept in the cache with all that it depends on.

To find it takes half of the time of such a run, and to see that nothing has changed hardly any. It is kept of settings
in plain files and of a database in a file, whose revision is asked for each time. In doubt there is no answer. Of the
standard library this imports what a start of Python does anyway, and sqlite3.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Sequence

from framefox_tasks.schema.python_files import python_files

FILE = ".framefox_tasks/up-to-date"
STATE = ".doit.sqlite3"
SETTINGS = ("dodo.py", "doit.cfg", "pyproject.toml", "config/orm.yaml", ".env", "alembic.ini")
_PARTS = 13
_NEW = 2.0  # seconds: a file that was written just now could be written again without another time
_ROWS = "SELECT task_id, task_data FROM doit WHERE task_id IN ('database_create', 'database_upgrade') ORDER BY task_id"


def answered_as_before() -> bool:
    """Whether nothing has changed since the answer was kept; then it has been given."""
    try:
        text = _kept()
    except Exception:  # noqa: BLE001 - it is found out anew, and what is wrong is told then
        return False
    return text is not None and say(text)


def say(text: str) -> bool:
    """Print an answer, if it can be printed."""
    if not text or not text.isascii() or sys.stdout is None:
        return False
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as exc:
        from framefox_tasks.report import unwritable

        unwritable(sys.stdout, exc)
    return True


def state_is_writable() -> bool:
    """Whether doit can write its state."""
    return os.access(".", os.W_OK | os.X_OK) and os.access(STATE, os.R_OK | os.W_OK)


def is_linked(*paths: str) -> bool:
    """Whether a path leads over a link, which may lead elsewhere next time."""
    return any(os.path.realpath(path) != os.path.abspath(path) for path in paths)  # noqa: PTH100


def listed(folders: Sequence[str], files: Iterable[str], *, recursive: bool) -> str:
    """How the settings, further files and the Python files in folders stand: a line each."""
    everything = (*SETTINGS, *files, *(file for folder in folders for file in _sorted(folder, recursive=recursive)))
    return "\n".join(f"{file} {_standing(file)}" for file in everything)


def keep(
    text: str, folders: Sequence[str], files: Sequence[str], *, recursive: bool, standing: str, database: AskedDatabase
) -> None:
    """Keep an answer; not where that cannot be written.

    Args:
        text: The answer.
        folders: Those of the revision files.
        files: Further files that it depends on.
        recursive: Whether the subfolders count.
        standing: What listed() told before the answer was found.
        database: The database that was asked.
    """
    if _is_new(standing) or standing != listed(folders, files, recursive=recursive):
        return
    lists = ("\n".join(one) for one in (folders, files, database.revisions))
    parts = (*_key(), str(int(recursive)), *lists, standing, *database.asked, _state(), text)
    from pathlib import Path

    from framefox_tasks.files import replace

    try:
        content = "\0".join(parts).encode()
        if content.count(b"\0") == _PARTS - 1:
            replace(Path(FILE), content, at_most=0o600)
    except (OSError, ValueError):
        return  # the next run finds it out again


class AskedDatabase:
    """A SQLite database, and what it said.

    Args:
        path: Its path.
        uri: That as a URI.
        queries: What gives its revisions, and what fails where it has no journal.
        revisions: Those that it is at.
    """

    def __init__(self, path: str, uri: str, queries: tuple[str, str], revisions: Sequence[str]) -> None:
        self.asked = path, uri, *queries
        self.revisions = revisions


def _kept() -> str | None:
    """The answer that was kept; None where something has changed."""
    with open(FILE, encoding="utf-8", newline="") as file:  # noqa: PTH123 - pathlib is what it spares
        program, url, recursive, folders, files, revisions, standing, *asked, state, text = file.read().split("\0")
    if (program, url) != _key() or not state_is_writable():
        return None
    if is_linked(asked[0], *_lines(folders)) or standing != listed(
        _lines(folders), _lines(files), recursive=recursive == "1"
    ):
        return None
    if sorted(_lines(revisions)) != _revisions(*asked[1:]) or not state or state != _state():
        return None
    return text


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _key() -> tuple[str, str]:
    """What must be as it was: this package, Python, and the folder; and the variable that names a database."""
    program = f"{os.stat(__file__).st_mtime_ns} {sys.hexversion} {__file__} {os.getcwd()}"  # noqa: PTH109, PTH116
    return program, os.environ.get("DATABASE_URL", "")


def _sorted(folder: str, *, recursive: bool) -> list[str]:
    return sorted(python_files(folder, recursive=recursive))


def _standing(file: str) -> str:
    try:
        found = os.stat(file)  # noqa: PTH116 - as above
    except FileNotFoundError:
        return "-"
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _is_new(standing: str) -> bool:
    latest = (time.time() - _NEW) * 1e9
    return any(int(line.rsplit(" ", 3)[1]) > latest for line in standing.split("\n") if not line.endswith(" -"))


def _revisions(uri: str, revisions: str, journal: str) -> list[str] | None:
    """The revisions of the database; None where it has a journal."""
    connection = sqlite3.connect(f"{uri}?mode=rw", uri=True, isolation_level=None)
    try:
        found = sorted(row[0] for row in connection.execute(revisions))
        connection.execute(journal)
    except sqlite3.OperationalError as exc:
        return found if "no such table" in str(exc) and "journal" in str(exc) else None
    finally:
        connection.close()
    return None


def _state() -> str:
    """What doit has kept of the two tasks, as it stands there; empty where it is broken."""
    connection = sqlite3.connect(STATE, timeout=0)
    try:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return ""
        return "\n".join(f"{name} {data}" for name, data in connection.execute(_ROWS))
    finally:
        connection.close()
