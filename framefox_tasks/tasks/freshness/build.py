"""Build tasks: their targets are compared with their sources."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

from framefox_tasks.databases import database_of
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.migrations.up_to_date import migration_files
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.cache import RECORD, SNAPSHOT, digest, entity_settings, read_sources, recordable
from framefox_tasks.settings import configured
from framefox_tasks.tasks.freshness.history import RevisionFile, applied, newest_generated, read_history
from framefox_tasks.tasks.freshness.state import failure_text, listed

_HOOKS = (b"include_object", b"include_name")
"""Of Alembic, by which an env.py leaves out what is not to be compared."""


def sources_unchanged(task: Any, values: dict[str, Any]) -> tuple[bool, str]:  # noqa: ARG001 - as UptodateCheck calls it
    """Up to date when the files that the last import read are the same, and no other has come to the entities.

    They become the task's file_dep, so that doit compares their content; after a run, those that it read do.
    """
    project = Project()

    def note_files() -> dict[str, Any]:
        found = read_sources(project)
        task.file_dep = set(found.files) if found else set()
        return {}

    task.value_savers.append(note_files)
    try:
        target = configured().target
    except FramefoxTasksError:
        return False, ""  # the task runs into it
    project, snapshot = target.project, target.project.cached(SNAPSHOT)
    known = read_sources(project)
    if known is None or not snapshot.is_file():
        return False, ""
    if known.asked != entity_settings(target):
        return False, "the settings that say where the entities are changed"
    if known.snapshot != digest(snapshot.read_bytes()):
        return False, f"{project.shown(snapshot)} was changed"
    current = known.current()
    task.file_dep = set(current)
    for files, what in ((task.file_dep - set(known.files), "is new"), (set(known.files) - task.file_dep, "is gone")):
        if files:
            return False, listed(files, what)
    task.init_options()
    task.options["edited"] = not _is_asked_for()
    return True, "the entities have not changed"


def _is_asked_for() -> bool:
    """Whether doit was told to run all tasks, by `-a`. There is no public way to learn it: its runner asks for this."""
    frame: FrameType | None = sys._getframe()
    while frame:
        runner: Any = frame.f_locals.get("self")
        if hasattr(type(runner), "select_task"):
            return bool(runner.always_execute)
        frame = frame.f_back
    return False


def artefact(path: str, source: str) -> list[Any]:
    """The state of a file that a task wrote from another.

    Returns:
        Its size, its time in nanoseconds, the digest of its content, and that of the other's.
    """
    found = Path(path).stat()
    return [found.st_size, found.st_mtime_ns, _content(path), _content(source)]


def _content(path: str) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()


def artefacts_untouched(task: Any, values: dict[str, Any]) -> tuple[bool, str]:
    """Up to date when every target is as a run wrote it, from the file_dep as it is.

    What is known of files that are not targets of this run, but of one with other formats, is kept.
    """
    known = values.get("artefacts", {})
    task.value_savers.append(lambda: {"artefacts": {**known, **task.values.get("artefacts", {})}})
    (source,) = task.file_dep
    drawn_from = _content(source) if Path(source).is_file() else None
    for path in task.targets:
        if path in known and not Path(path).exists():
            return False, f"{path} is missing"
        if path not in known:
            return False, ""
        found = Path(path).stat()
        if [found.st_size, found.st_mtime_ns] != known[path][:2] and _content(path) != known[path][2]:
            return False, f"{path} was edited by hand"
        if known[path][3] != drawn_from:
            return False, "what it shows has changed"
    return True, "the schema has not changed"


def migration_written(task: Any, values: dict[str, Any]) -> tuple[bool, str]:
    """Up to date when the schema of the entities is the one that the newest migration was generated from.

    That schema is in the migrations folder, and the migration holds its digest: so it is known in a fresh clone and on
    another branch as well, and a migration that was deleted is missed.
    """
    options = task.options or {}
    if any(map(options.get, ("empty", "check", "merge", "amend", "rename", "drop"))):
        return False, ""
    try:
        target = configured().target
        project = target.project
        snapshot = project.cached(SNAPSHOT)
        if not snapshot.is_file():
            return False, ""
        schema = recordable(snapshot.read_bytes())
        record = project.migrations_folder / RECORD
        if not record.is_file() or record.read_bytes() != schema:
            return False, "the schema of the entities changed" if record.is_file() else ""
        if values.get("hook") != hook_state(project):
            return False, "the include_object hook changed"
        history = read_history(migration_files(project))
        if not history:
            return False, "there are no migrations yet"
        newest = newest_generated(history)
        matching = [file for file in newest if file.schema == digest(schema)]
        # Of branches that last, each was generated from the schema of its time; of others, all from the newest one.
        if not matching or (len(matching) < len(newest) and not project.all_heads):
            known = values.get("agreed") == agreed(target, schema)
            return known, "the entities and the migrations agree" if known else "no migration is for this schema"
        current = database_of(target).revision(target)
    except Exception as exc:  # noqa: BLE001 - the task runs into it
        return False, failure_text(exc)
    return True, _standing(history, matching[0], current)


def _standing(history: Mapping[str, RevisionFile], newest: RevisionFile, current: tuple[str, ...]) -> str:
    if newest.revision in applied(history, current):
        return f"no changes since {newest.revision}"
    if unknown := [revision for revision in current if revision not in history]:
        return f"{newest.path} has the changes; the database is at {', '.join(unknown)}, which has no file here"
    return f"{newest.path} has the changes; apply it with: doit database_upgrade"


def agreed(target: Target, schema: bytes) -> str:
    """A digest of the schema, the migrations and the database that a comparison found to agree."""
    contents = [Path(path).read_bytes() for path in migration_files(target.project)]
    return digest("\n".join([target.identity, *map(digest, [schema, *contents])]))


def hook_state(project: Project) -> str | None:
    """A digest of the include_object hook that a comparison asks, and of its module's file; None where there is none.

    What it leaves out is in the comparison alone, and not in the snapshot. The hook may be one of env.py as well.
    """
    env = project.migrations_folder / "env.py"
    text = env.read_bytes() if env.is_file() else b""
    own = [digest(text)] if any(name in text for name in _HOOKS) else []
    if not project.include_object:
        return own[0] if own else None
    module = project.include_object.partition(":")[0].replace(".", "/")
    folders = [project.path(folder) for folder in (*project.import_paths, Path(), Path("src"))]
    files = [folder / name for folder in folders for name in (f"{module}.py", f"{module}/__init__.py")]
    contents = [digest(file.read_bytes()) for file in files if file.is_file()]
    return digest("\n".join([project.include_object, *contents, *own]))
