"""The writing of revision files by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError, rev_id

from framefox_tasks.errors import FramefoxTasksError, MigrationError, PermissionDeniedError
from framefox_tasks.migrations.alembic.config import history_errors
from framefox_tasks.migrations.alembic.failures import describe
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.placement import check_new_names
from framefox_tasks.model import RevisionOptions, Target

UNNAMED = "migration"
"""What a migration without a description is called in the name of its file."""


def write_merge(history: History, message: str, options: RevisionOptions) -> Path:
    """Write a migration that joins all heads.

    Raises:
        MigrationError: There is only one head.
    """
    heads = list(history.heads)
    check_new_names(history, options)
    if len(heads) < 2:
        raise MigrationError(f"There is nothing to merge: the head is {', '.join(heads) or 'not there yet'}.")
    with writing(history.target), history_errors(history.target.project):
        script = command.merge(
            history.config,
            heads,
            message=quotable(message),
            branch_label=options.branch_label,
            rev_id=options.rev_id,
        )
    assert isinstance(script, Script)  # noqa: S101 - merge writes one file
    return Path(script.path)


def quotable(message: str) -> str:
    """The message as it can stand in the docstring of the file."""
    return message.replace("\\", "\\\\").replace('"', '\\"')


def name_after_file(path: Path) -> None:
    """Let a migration without a description bear the name of its file: not all of them the same one."""
    text = path.read_text(encoding="utf-8")
    start = f'"""{UNNAMED}\n'
    if text.startswith(start):
        path.write_text(text.replace(start, f'"""{path.stem}\n', 1), encoding="utf-8")


def description_of(script: Script) -> str | None:
    """The description that was given to a migration; None where it bears the name of its file."""
    found = script.doc.partition("\n")[0].strip()
    return None if found in (UNNAMED, Path(script.path).stem) else found


def avoid_collision(scripts: ScriptDirectory, folder: Path, message: str | None) -> None:
    """A second migration with the same message in the same second gets its revision into the file name."""
    path = scripts._rev_path(folder, rev_id(), message or UNNAMED, scripts._generate_create_date())
    if path.exists() and "%(rev)s" not in scripts.file_template:
        scripts.file_template += "_%(rev)s"


@contextmanager
def writing(target: Target) -> Iterator[None]:
    """The errors of writing to the version folder, told."""
    folder = target.project.shown(target.project.versions[0])
    try:
        yield
    except FileNotFoundError as exc:
        missing = target.project.shown(str(exc.filename))
        raise MigrationError(
            f"The migration cannot be written, since {missing} is missing.",
            hint="Get it from version control, or from where Alembic puts it: alembic init in another folder.",
        ) from exc
    except OSError as exc:
        raise PermissionDeniedError(
            f"The migration cannot be written to {folder}: {exc.strerror}",
            hint="Check the folder's permissions.",
        ) from exc
    except CommandError as exc:
        raise MigrationError(str(exc)) from exc


@contextmanager
def also_in(scripts: ScriptDirectory, aside: Path) -> Iterator[None]:
    """Let Alembic write to another folder than those of its history."""
    folders = scripts._version_locations
    vars(scripts)["_version_locations"] = [*folders, aside]  # which Alembic computes once
    try:
        yield
    finally:
        vars(scripts)["_version_locations"] = folders


@contextmanager
def read_back(target: Target) -> Iterator[None]:
    """The error of a file that Alembic has written and cannot import, told."""
    try:
        yield
    except (CommandError, OSError, FramefoxTasksError):
        raise
    except Exception as exc:
        raise MigrationError(
            f"The generated migration cannot be read back: {describe(exc)}. No file was kept.",
            hint=f"See whether the template {target.project.shown(target.project.migrations_folder)}/script.py.mako "
            "imports what the types of the entities need.",
        ) from exc
