"""Scratch databases of SQLite: files in temporary folders, each with a lock that ends with its process."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from framefox_tasks.databases.scratch import CACHE, PREFIX, DriverWatch, starting, statement_text, unavailable
from framefox_tasks.databases.sqlite.facts import known_tables, learn_tables
from framefox_tasks.databases.sqlite.lock import FileLock
from framefox_tasks.databases.sqlite.objects import Object, Objects
from framefox_tasks.databases.sqlite.verbs import VERBS
from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Target

_LOCK = "in-use"
_BEYOND = starting(r"ATTACH\b|VACUUM\b[^;]*\bINTO\b|SELECT\s+(?:load_extension|writefile|readfile)\b")
_watches: list[DriverWatch] = []
_hooked: list[bool] = []


@contextmanager
def scratch(target: Target, state: str) -> Iterator[Target]:
    """A file in the temporary folder of the system: empty, or with a state that is kept.

    Raises:
        ScratchError: It cannot be made.
    """
    with unavailable(target):
        remove_leftovers()
        folder, lock = _folder()
    try:
        file = folder / "scratch.db"
        scheme = target.address.backend + (f"+{target.address.driver}" if target.address.driver else "")
        query = target.url.partition("?")[2]
        url = f"{scheme}:///{quote(str(file), safe='/:')}" + (f"?{query}" if query else "")
        made = replace(target, url=url, scratch_url=None)
        with unavailable(target):
            kept = _state(target, state)
            if state and kept.is_file():
                shutil.copyfile(kept, file)
                _learn_facts(kept)
            else:
                VERBS.create(made)
        yield made
    finally:
        # The lock goes last, so that no other run removes the folder at the same time.
        for path in folder.iterdir():
            if not path.name.startswith(_LOCK):
                path.unlink(missing_ok=True)
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> tuple[Path, FileLock]:
    """A new folder whose lock this process has. Another run may take one that is not locked yet for a leftover."""
    while True:
        try:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        except OSError as exc:
            raise PermissionDeniedError(f"there is no temporary folder to write to: {exc.strerror}") from exc
        lock = FileLock(folder / _LOCK)
        with suppress(PermissionDeniedError):  # the folder has gone
            if lock.take():
                if folder.is_dir():
                    return folder, lock
                lock.release()


def _state(target: Target, state: str) -> Path:
    return target.project.path(f"{CACHE}/state-{state[:32]}.db")


def keep_state(target: Target, made: Target, state: str) -> None:
    """Keep a scratch database as a file of the cache, with its facts, in the place of the one before."""
    path = _state(target, state)
    beside = path.with_name(f".{path.name}.{made.file.parent.name}")
    with suppress(OSError):
        try:
            shutil.copyfile(made.file, beside)
            for other in (*path.parent.glob("state-*.db"), *path.parent.glob("facts-*.json")):
                other.unlink(missing_ok=True)
            beside.replace(path)
            _facts_of(path).write_text(known_tables(), encoding="utf-8")
        finally:
            beside.unlink(missing_ok=True)


def _facts_of(state: Path) -> Path:
    return state.with_name(f"facts{state.stem.removeprefix('state')}.json")


def _learn_facts(state: Path) -> None:
    with suppress(OSError, ValueError):
        learn_tables(_facts_of(state).read_text(encoding="utf-8"))


def remove_leftovers() -> None:
    """Remove the folders whose maker is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, PermissionDeniedError):
            lock = FileLock(folder / _LOCK)
            if folder.is_dir() and lock.take():
                try:
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    lock.release()


def beyond(statement: str, scratch: Target, live: Target) -> str | None:  # noqa: ARG001 - a file is named by its path
    """What a statement reaches beyond the scratch database."""
    found = _BEYOND(statement_text(statement))
    if found:
        return f"runs {' '.join(found[1].split())[:60]}, which is not of one database alone"
    if _path(live.project.root.absolute(), live).search(statement):
        return f"names the database {live.name}"
    return None


@lru_cache(maxsize=4)
def _path(_: Path, live: Target) -> re.Pattern[str]:
    """What finds the path of a file, which takes longer to resolve than to look for: each statement is looked at."""
    return re.compile(rf"(?<![\w./]){re.escape(str(live.file))}(?!\w)")


@contextmanager
def watched(watch: DriverWatch) -> Iterator[None]:
    """Let the sqlite3 module ask before it opens a file, and write without waiting."""
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    if not _hooked:  # an audit hook cannot be removed again
        sys.addaudithook(_audit)
        _hooked.append(True)
    _watches.append(watch)
    event.listen(Pool, "connect", _hasten)
    try:
        yield
    finally:
        event.remove(Pool, "connect", _hasten)
        _watches.remove(watch)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "sqlite3.connect" and _watches:
        name = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
        if name not in ("", ":memory:"):
            for watch in list(_watches):
                watch.connects(name)


def _hasten(connection: Any, _: Any) -> None:
    """Let what does not outlive its process not wait for the disk: on a busy one that is most of a proof."""
    cursor = connection.cursor()
    for setting in ("synchronous = OFF", "journal_mode = MEMORY"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def copy_schema(source: Target, made: Target) -> None:
    """Make the schema of a file once more in an empty one."""
    with closing(_connected(source)) as connection:
        kept = _objects(connection)
    with closing(_connected(made)) as connection:
        for one in kept:
            connection.execute(one.sql)
        connection.commit()


def schema_statements(target: Target) -> list[str]:
    """What makes the schema of a file once more, but for the version table."""
    with closing(_connected(target)) as connection:
        return [one.sql for one in _objects(connection) if one.table != target.project.version_table]


def _objects(connection: sqlite3.Connection) -> list[Object]:
    objects = Objects(connection)
    return [*objects.tables, *objects.virtual, *objects.of("index"), *objects.of("view"), *objects.of("trigger")]


def _connected(target: Target) -> sqlite3.Connection:
    return sqlite3.connect(f"{target.file.as_uri()}?mode=rw", uri=True)
