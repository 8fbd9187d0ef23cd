"""An upgrade that has nothing to do, answered without doit, which takes most of the time of such a run.

What doit would do is known only of a dodo.py that has our tasks and nothing else, and of a state that it has written
itself. In doubt, nothing is answered here.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from framefox_tasks.cli import kept_answer
from framefox_tasks.databases import database_of
from framefox_tasks.migrations.up_to_date import UP_TO_DATE, at_head_text, exists_text, migration_files
from framefox_tasks.model import Project, Target
from framefox_tasks.settings import CONFIG_FILE, Settings, configured

_PLAIN = re.compile(
    rb'(?:"""[^"\\\\]*"""\s+)?(?:#.*\n|\s)*from framefox_tasks\.tasks import \*(?:#.*\n?|\s)*'
).fullmatch
_ROWS = "SELECT task_id, task_data FROM doit WHERE task_id IN ('database_create', 'database_upgrade')"


def answered() -> bool:
    """Whether the upgrade that was asked for has nothing to do; then it has been said, as doit would."""
    if not _is_plain(Path("dodo.py")) or not _is_configured_by_us():
        return False
    try:
        text = _told(_state())
    except Exception:  # noqa: BLE001 - doit runs into it, and tells it
        return False
    return kept_answer.say(text)


def _is_plain(dodo: Path) -> bool:
    """Whether a dodo.py does nothing but import our tasks."""
    try:
        return _PLAIN(dodo.read_bytes()) is not None
    except OSError:
        return False


def _is_configured_by_us() -> bool:
    """Whether doit has no settings but ours, and can write its state."""
    pyproject = Path("pyproject.toml")
    if Path("doit.cfg").exists() or (pyproject.exists() and b"doit" in pyproject.read_bytes()):
        return False
    return kept_answer.state_is_writable()


def _state() -> dict[str, Any]:
    """What doit has kept of the two tasks."""
    with closing(sqlite3.connect(kept_answer.STATE, timeout=0)) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return {}
        return {name: json.loads(data) for name, data in connection.execute(_ROWS)}


def _told(state: dict[str, Any]) -> str:
    """What doit would say; nothing where it would run a task, or that is not known."""
    upgraded, values = state["database_upgrade"], state["database_upgrade"]["_values_:"]
    if any("ignore:" in task for task in state.values()) or upgraded["checker:"] != "MD5Checker":
        return ""
    seen = kept_answer.listed((), (), recursive=False)
    settings = configured()
    target = settings.target
    files, inputs = migration_files(target.project), _Inputs(target.project)
    standing = inputs.listed()
    if set(upgraded["deps:"]) != set(files) or not all(upgraded[file][0] == os.stat(file).st_mtime for file in files):  # noqa: PTH116 - as doit, and faster
        return ""
    current, journaled = database_of(target).standing(target)
    if journaled or values["database"] != target.identity or sorted(current) != sorted(values["heads"]):
        return ""
    lines = (f"-- database_create  {exists_text(target)}", f"-- database_upgrade  {at_head_text(current)}", UP_TO_DATE)
    text = "\n".join((*lines, ""))
    if standing.startswith(f"{seen}\n") and _are_plain(settings):
        inputs.keep(text, standing, target, current)
    return text


def _are_plain(settings: Settings) -> bool:
    """Whether the settings depend on nothing but their files and DATABASE_URL, and the database is a file."""
    if not settings.target.address.is_file or settings.source not in ("DATABASE_URL", f"database.url in {CONFIG_FILE}"):
        return False
    return not any(path.exists() and b"$" in path.read_bytes() for path in (CONFIG_FILE, Path(".env")))


class _Inputs:
    """What an answer depends on."""

    def __init__(self, project: Project) -> None:
        self._folders = [project.shown(folder) for folder in project.versions]
        self._files = [project.shown(project.migrations_folder / name) for name in ("env.py", "alembic.ini")]
        self._recursive = project.recursive_versions

    def listed(self) -> str:
        return kept_answer.listed(self._folders, self._files, recursive=self._recursive)

    def keep(self, text: str, standing: str, target: Target, revisions: Sequence[str]) -> None:
        queries, project = database_of(target).standing_queries(target), target.project
        paths = [target.address.database, *map(str, (project.migrations, *project.version_locations))]
        if queries is not None and not kept_answer.is_linked(*paths):
            database = kept_answer.AskedDatabase(str(target.file), target.file.as_uri(), queries, revisions)
            kept_answer.keep(
                text, self._folders, self._files, recursive=self._recursive, standing=standing, database=database
            )
