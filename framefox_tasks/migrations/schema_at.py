"""The schema at another time: as a commit has it, or as a file does."""

from __future__ import annotations

from framefox_tasks.errors import ConfigError
from framefox_tasks.migrations import git
from framefox_tasks.model import Project
from framefox_tasks.schema.cache import CACHE, RECORD, SNAPSHOT
from framefox_tasks.schema.snapshot import Schema

_WRITTEN = f"{CACHE}/{SNAPSHOT}"


def schema_at(project: Project, at: str) -> Schema:
    """The schema of a file of database_metadata's form, or the one that is recorded beside the migrations in a commit.

    Args:
        project: Whose root the file is relative to, and whose repository has the commit.
        at: A file, else a commit by any name that git knows: main, HEAD~3, v1.2.

    Raises:
        ConfigError: There is no such file or commit, or it holds no schema.
    """
    path = project.path(at)
    if path.is_file():
        return _schema(path.read_bytes().decode(errors="replace"), project.shown(path))
    record = project.shown(project.migrations_folder / RECORD)
    text = git.text_at(project, at, project.migrations_folder / RECORD)
    if text is not None:
        return _schema(text, f"{record} of {at}")
    if git.is_commit(project, at):
        raise ConfigError(
            f"There is no {record} in {at}: what the schema was then is not recorded.",
            hint=f"Check it out elsewhere, run `doit database_metadata` there, and give the {_WRITTEN} that it writes.",
        )
    if not git.is_repository(project):
        raise ConfigError(
            f"There is no file {at}, and no repository of git that could know a commit of this name.",
            hint=f"Give a schema in a file, such as {_WRITTEN} of another checkout.",
        )
    raise ConfigError(f"There is no file {at}, and git knows no commit of this name.", hint=_remedy(at))


def _remedy(at: str) -> str:
    remote, _, branch = at.partition("/")
    if at.endswith(".json"):
        return f"A schema in a file is what `doit database_metadata` writes to {_WRITTEN}."
    return f"A shallow clone may lack it: git fetch {remote} {branch}" if branch else "git branch --all lists branches."


def _schema(text: str, where: str) -> Schema:
    try:
        return Schema.from_json(text)
    except ConfigError as exc:
        raise ConfigError(f"{where}: {exc.message}", hint="Give a file that database_metadata has written.") from exc
