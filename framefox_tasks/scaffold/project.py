"""What a project needs to begin with: what is there is found, and what is missing is written."""

from __future__ import annotations

from pathlib import Path

from framefox_tasks import files
from framefox_tasks.results import Initialized
from framefox_tasks.scaffold.additions import additions
from framefox_tasks.scaffold.content import missing_files
from framefox_tasks.scaffold.found import look_around


def init(root: Path | str = ".", *, dry_run: bool = False) -> Initialized:
    """Write what a project lacks for the tasks, and leave every file that is there as it is.

    In a folder without Python code that is an example of an entity too, with the migration that makes its table. The
    database is not connected to, and entities are not imported; a Flask application is, where only it names the
    database.

    Args:
        root: The project's folder.
        dry_run: Only tell what would be written.

    Raises:
        ConfigError: config/orm.yaml, .env, alembic.ini or pyproject.toml cannot be read.
        PermissionDeniedError: A file cannot be written; those before it were.
    """
    found = look_around(Path(root).absolute())
    new = missing_files(found)
    facts, to_add, next_command = found.facts(), additions(found), found.next_command()
    if not dry_run:
        for path, text in new.items():
            files.write(found.project, found.project.path(path), text)
    return Initialized(found.project, facts, tuple(new), to_add, next_command, dry_run=dry_run)
