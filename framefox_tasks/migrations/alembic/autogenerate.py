"""The comparison of the entities with the database, and the migration file that is generated from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import RevisionContext
from alembic.operations import ops
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError, rev_id
from sqlalchemy import MetaData

from framefox_tasks.errors import EntityError, FramefoxTasksError, MigrationError, PermissionDeniedError
from framefox_tasks.migrations.alembic.config import history_errors
from framefox_tasks.migrations.alembic.describe import Difference, difference_of, operations_of
from framefox_tasks.migrations.alembic.enums import load_enum_types
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.failures import describe
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.ownership import Name, declared_metadata, ownership_of, shown
from framefox_tasks.model import Target
from framefox_tasks.schema.entities import Entities, has_entities, load_entities
from framefox_tasks.schema.from_metadata import schema_of
from framefox_tasks.schema.snapshot import Schema
from framefox_tasks.schema.sources import declaring, ignored


@dataclass(frozen=True)
class Comparison:
    """The comparison of the entities with the database.

    Attributes:
        context: Alembic's, which holds what a migration would do.
        difference: The same, described.
        schema: What the entities declare; None where they were not looked at.
        left_alone: The tables that are not of the project.
        metadata: Where the entities are declared.
        files: The migration files that were written, the newest last; none where none was needed or asked for.
    """

    context: RevisionContext
    difference: Difference
    schema: Schema | None = None
    left_alone: tuple[str, ...] = ()
    metadata: tuple[MetaData, ...] = ()
    files: tuple[Path, ...] = ()


def compare(history: History) -> Comparison:
    """What a migration would do, writing nothing to the database or the disk."""
    return _autogenerate(history, _context(history, None, folder_of(history), autogenerate=True), dont_mutate=True)


def generate(history: History, message: str | None, aside: Path, *, empty: bool = False) -> Comparison:
    """Write a migration file aside; none where the entities and the database agree, unless an empty one is wanted.

    Args:
        history: The migrations that it follows; they know it afterwards.
        message: Its description.
        aside: The folder that it is written to.
        empty: Compare nothing.

    Raises:
        EntityError: The entities cannot be imported; nothing is written.
        MigrationError: The file cannot be read back.
    """
    context = _context(history, message, aside, autogenerate=not empty)
    compared = Comparison(context, difference_of(context, history.target)) if empty else _autogenerate(history, context)
    if not empty and not compared.difference.operations:
        return compared
    _avoid_collision(context.script_directory, folder_of(history), message)
    with _writing(history.target), _also_in(history.scripts, aside), _read_back(history.target):
        written = [script for script in context.generate_scripts() if script is not None]
    return replace(compared, files=tuple(Path(script.path) for script in written))


@contextmanager
def _also_in(scripts: ScriptDirectory, aside: Path) -> Iterator[None]:
    """Let Alembic write to another folder than those of its history."""
    folders = scripts._version_locations
    vars(scripts)["_version_locations"] = [*folders, aside]  # which Alembic computes once
    try:
        yield
    finally:
        vars(scripts)["_version_locations"] = folders


@contextmanager
def _read_back(target: Target) -> Iterator[None]:
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


def write_merge(history: History, message: str) -> Path:
    """Write a migration that joins all heads.

    Raises:
        MigrationError: There is only one head.
    """
    heads = list(history.heads)
    if len(heads) < 2:
        raise MigrationError(f"There is nothing to merge: the head is {', '.join(heads) or 'not there yet'}.")
    with _writing(history.target), history_errors(history.target.project):
        script = command.merge(history.config, heads, message=_quotable(message))
    assert isinstance(script, Script)  # noqa: S101 - merge writes one file
    return Path(script.path)


def _context(history: History, message: str | None, folder: Path, *, autogenerate: bool) -> RevisionContext:
    arguments = {
        "message": _quotable(message or "migration"),
        "autogenerate": autogenerate,
        "sql": False,
        "head": "head",
        "splice": False,
        "branch_label": None,
        "version_path": str(folder),
        "rev_id": None,
        "depends_on": None,
    }
    return RevisionContext(history.config, history.scripts, arguments)


def _quotable(message: str) -> str:
    """The message as it can stand in the docstring of the file."""
    return message.replace("\\", "\\\\").replace('"', '\\"')


def _autogenerate(history: History, context: RevisionContext, **options: Any) -> Comparison:
    target = history.target
    # Before env.py: an env.py that swallows import errors must find every entity imported.
    entities = load_entities(target.project) if has_entities(target.project) else Entities()
    metadata = entities.metadata
    compared: list[MetaData] = []
    others: list[Name] = []
    load_enum_types(target)

    def work(current: Any, migration_context: Any) -> list[Any]:
        context.run_autogenerate(current, migration_context)
        compared.extend(item for item in declared_metadata(migration_context.opts) if item.tables)
        others.extend(ownership_of(migration_context).left_alone)
        return []

    run_environment(
        target,
        history.config,
        history.scripts,
        work,
        metadata=metadata,
        template_args=context.template_args,
        **options,
    )
    if not metadata or not target.project.entities:
        declared = {table.name for item in compared for table in item.tables.values()}
        _check_seen(target, context, {table for _, table in others} - declared)
    schema = schema_of(metadata or compared)
    ours = Schema(tuple(table for table in schema.tables if not ignored(target.project, table.name)))
    return Comparison(
        context, difference_of(context, target), ours, tuple(map(shown, others)), tuple(metadata or compared)
    )


def _check_seen(target: Target, context: RevisionContext, left_alone: set[str]) -> None:
    """Only env.py knows the entities, and it may have swallowed an import error: a table in the sources stays.

    Raises:
        EntityError: A table would be dropped, or be taken for one of others, that a class in the project declares.
    """
    dropped = {operation.table_name for operation in operations_of(context) if isinstance(operation, ops.DropTableOp)}
    for source, declared in declaring(target.project, dropped | left_alone):
        meaning = "drop that table" if declared.table in dropped else "leave that table alone as one of others"
        raise EntityError(
            f"{target.project.shown(source)}, line {declared.line}: {declared.name} declares the table "
            f"{declared.table!r}, but it is not in the metadata that Alembic gets. Going on would {meaning}.",
            hint="See whether its module can be imported, and have it imported, "
            "or list the table under `ignore_tables:` in config/orm.yaml.",
        )


def folder_of(history: History, written: Sequence[Path] = ()) -> Path:
    """Where a new migration goes: into the version folder that holds the head below it, else into the first one."""
    folders = [folder.absolute() for folder in history.scripts._version_locations]
    scripts = history.scripts.walk_revisions() if written else history.scripts.get_revisions("heads")
    paths = (Path(script.path).absolute() for script in scripts if script)
    known = (path for path in paths if path not in written)
    return next((folder for path in known for folder in folders if path.is_relative_to(folder)), folders[0])


def _avoid_collision(scripts: ScriptDirectory, folder: Path, message: str | None) -> None:
    """A second migration with the same message in the same second gets its revision into the file name."""
    path = scripts._rev_path(folder, rev_id(), message or "migration", scripts._generate_create_date())
    if path.exists() and "%(rev)s" not in scripts.file_template:
        scripts.file_template += "_%(rev)s"


@contextmanager
def _writing(target: Target) -> Iterator[None]:
    folder = target.project.shown(target.project.versions[0])
    try:
        yield
    except OSError as exc:
        raise PermissionDeniedError(
            f"The migration cannot be written to {folder}: {exc.strerror}",
            hint="Check the folder's permissions.",
        ) from exc
    except CommandError as exc:
        raise MigrationError(str(exc)) from exc
