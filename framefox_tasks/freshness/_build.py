"""Build tasks: what they make is compared with what it was made from."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from framefox_tasks.cache import MARK, RECORD, SNAPSHOT, asked, digest, read_sources
from framefox_tasks.dialects import dialect_of
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.freshness._state import migration_files
from framefox_tasks.model import Project
from framefox_tasks.settings import configured

_ID = re.compile(r"""^(revision|down_revision)\b[^=\n]*=\s*(.*)$""", re.MULTILINE)


def sources_unchanged(task: Any, values: dict[str, Any]) -> tuple[bool, str]:  # noqa: ARG001 - what Check calls
    """Up to date when the files that the last import read are the same, and no other has come to the entities.

    They become the task's file_dep, so that doit compares their content; after a run, those that it read do.
    """

    def note_files() -> dict[str, Any]:
        found = read_sources()
        task.file_dep = set(found.files) if found else set()
        return {}

    task.value_savers.append(note_files)
    known = read_sources()
    try:
        project = configured().target.project
    except FramefoxTasksError:
        return False, ""  # the task runs into it
    if known is None or not Path(SNAPSHOT).is_file():
        return False, ""
    if known.asked != asked(project):
        return False, "the settings that say where the entities are changed"
    if known.snapshot != digest(Path(SNAPSHOT).read_text(encoding="utf-8")):
        return False, f"{SNAPSHOT} was changed"
    current = known.current()
    task.file_dep = set(current)
    for files, what in ((task.file_dep - set(known.files), "is new"), (set(known.files) - task.file_dep, "is gone")):
        if files:
            return False, _listed(sorted(files), what)
    return True, "the entities have not changed"


def _listed(files: list[str], what: str) -> str:
    more = f", and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0]} {what}{more}"


def artefact(path: str, source: str) -> list[Any]:
    """What is kept of a file that a task wrote from another.

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
            return False, "the schema changed"
    return True, "the schema has not changed"


def migration_written(task: Any, values: dict[str, Any]) -> tuple[bool, str]:
    """Up to date when the schema of the entities is the one that the newest migration was generated from.

    That schema is in the migrations folder, and the migration holds its digest: so it is known in a fresh clone and on
    another branch as well, and a migration that was deleted is missed.
    """
    options = task.options or {}
    if options.get("empty") or options.get("check") or options.get("merge"):
        return False, ""
    try:
        target = configured().target
        project = target.project
        schema = Path(SNAPSHOT).read_text(encoding="utf-8")
        record = project.migrations_folder / RECORD
        if not record.is_file() or record.read_text(encoding="utf-8") != schema:
            return False, "the schema of the entities changed" if record.is_file() else ""
        files = migration_files(project)
        path = _marked(files, digest(schema))
        if path is None:
            known = values.get("agreed") == agreed(project, schema)
            return known, "the entities and the migrations agree" if known else "no migration is for this schema"
        revision = _ids(path)[0]
        applied = revision in _ancestors(files, dialect_of(target).revision(target))
    except FramefoxTasksError as exc:
        return False, exc.message.partition("\n")[0]
    except (OSError, ValueError):
        return False, ""
    if applied:
        return True, f"no changes since {revision}"
    return True, f"{path} has the changes; apply it with: doit database_upgrade"


def agreed(project: Project, schema: str) -> str:
    """What stands for: this schema and these migrations were compared, and nothing was to be done."""
    return digest("\n".join([digest(schema), *migration_files(project)]))


def _marked(files: list[str], mark: str) -> str | None:
    """The file that was generated from the schema with a digest; the newest, where names begin with the time."""
    text = f"{MARK}{mark}"
    return next((path for path in reversed(files) if text in Path(path).read_text(encoding="utf-8")), None)


def _ids(path: str) -> tuple[str, list[str]]:
    """The revision of a file and those it follows, read as text: importing a thousand of them takes seconds."""
    found = dict(_ID.findall(Path(path).read_text(encoding="utf-8")))
    revision = re.findall(r"""["']([^"']+)["']""", found.get("revision", ""))
    return (revision or [""])[0], re.findall(r"""["']([^"']+)["']""", found.get("down_revision", ""))


def _ancestors(files: list[str], current: tuple[str, ...]) -> set[str]:
    """The revisions that a database at `current` holds."""
    history = dict(map(_ids, files))
    waiting, found = list(current), set[str]()
    while waiting:
        revision = waiting.pop()
        if revision not in found:
            found.add(revision)
            waiting += history.get(revision, [])
    return found
