"""An upgrade that has nothing to do, answered without doit, which takes most of the time of such a run.

What doit would do is known only of a dodo.py that has our tasks and nothing else, and of a state that it has written
itself. In doubt, nothing is answered here.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

_ASKED = (["database:upgrade"], ["database_upgrade"], ["database", "upgrade"])
_STATE = Path(".doit.sqlite3")
_PLAIN = re.compile(
    rb'(?:"""[^"\\\\]*"""\s+)?(?:#.*\n|\s)*from framefox_tasks\.tasks import \*(?:#.*\n?|\s)*'
).fullmatch
_ROWS = "SELECT task_id, task_data FROM doit WHERE task_id IN ('database_create', 'database_upgrade')"


def answered(arguments: Sequence[str]) -> bool:
    """Whether this is an upgrade that has nothing to do; then it has been said, as doit would."""
    if list(arguments) not in _ASKED or not _is_plain(Path("dodo.py")) or not _is_configured_by_us():
        return False
    try:
        lines = _told(_state())
        text = "\n".join((*lines, ""))
        if not lines or not text.isascii() or sys.stdout is None:
            return False
    except Exception:  # noqa: BLE001 - doit runs into it, and tells it
        return False
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as exc:
        from framefox_tasks.report import unwritable

        unwritable(sys.stdout, exc)
    return True


def _is_plain(dodo: Path) -> bool:
    """Whether a dodo.py does nothing but import our tasks."""
    try:
        return _PLAIN(dodo.read_bytes()) is not None
    except OSError:
        return False


def _is_configured_by_us() -> bool:
    """Whether doit has no settings but ours, and can write its state."""
    pyproject = Path("pyproject.toml")
    here = Path()
    if Path("doit.cfg").exists() or (pyproject.exists() and b"doit" in pyproject.read_bytes()):
        return False
    return os.access(here, os.W_OK | os.X_OK) and os.access(_STATE, os.R_OK | os.W_OK)


def _state() -> dict[str, Any]:
    """What doit has kept of the two tasks."""
    with closing(sqlite3.connect(_STATE, timeout=0)) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return {}
        return {name: json.loads(data) for name, data in connection.execute(_ROWS)}


def _told(state: dict[str, Any]) -> tuple[str, ...]:
    """What doit would say; nothing where it would run a task, or that is not known."""
    from framefox_tasks.databases import database_of
    from framefox_tasks.migrations.up_to_date import UP_TO_DATE, at_head_text, exists_text, migration_files
    from framefox_tasks.settings import configured

    upgraded, values = state["database_upgrade"], state["database_upgrade"]["_values_:"]
    if any("ignore:" in task for task in state.values()) or upgraded["checker:"] != "MD5Checker":
        return ()
    target = configured().target
    files = migration_files(target.project)
    if set(upgraded["deps:"]) != set(files) or not all(upgraded[file][0] == os.stat(file).st_mtime for file in files):  # noqa: PTH116 - as doit, and faster
        return ()
    current, journaled = database_of(target).standing(target)
    if journaled or values["database"] != target.identity or sorted(current) != sorted(values["heads"]):
        return ()
    return (
        f"-- database_create  {exists_text(target)}",
        f"-- database_upgrade  {at_head_text(current)}",
        UP_TO_DATE,
    )
