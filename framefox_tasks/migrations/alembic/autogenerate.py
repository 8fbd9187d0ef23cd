"""The comparison of the entities with the database, and the migration file that is generated from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

from framefox_tasks.errors import EntityError, MigrationError, PermissionDeniedError
from framefox_tasks.migrations.alembic.caught_warnings import caught_warnings
from framefox_tasks.migrations.alembic.config import history_errors
from framefox_tasks.migrations.alembic.describe import Difference, difference_of, operations_of
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.ownership import Name, declared_metadata, ownership_of, shown
from framefox_tasks.migrations.alembic.placement import check_new_names
from framefox_tasks.migrations.alembic.readable import check_readable, removed_if_unreadable
from framefox_tasks.migrations.alembic.renames import Rename, Renames, candidates
from framefox_tasks.migrations.alembic.risks import risks_of
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.schema.entities import Entities, has_entities, import_provided, load_entities
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
        risks: What of it can fail, or lose values, where tables have rows.
        renames: What looks like a rename, and is a drop and an add here.
        warnings: Those of Python.
        path: The migration file that was written; None where none was needed or asked for.
    """

    context: RevisionContext
    difference: Difference
    schema: Schema | None = None
    left_alone: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    renames: tuple[Rename, ...] = ()
    warnings: tuple[str, ...] = ()
    path: Path | None = None


def compare(history: History) -> Comparison:
    """What a migration would do, writing nothing to the database or the disk."""
    # Where it would go in the history does not matter to what it would do.
    context = _context(history, None, {"head": "heads", "version_path": None, "rev_id": None}, autogenerate=True)
    return _autogenerate(history, context, dont_mutate=True)


def write_migration(
    history: History,
    message: str | None,
    place: dict[str, Any],
    *,
    empty: bool = False,
    renames: Sequence[str] = (),
    ask: Callable[[str], bool] | None = None,
) -> Comparison:
    """Write a migration file; none where the entities and the database agree, unless an empty one is wanted.

    Args:
        history: The migrations.
        message: What it does.
        place: Where it goes in the history.
        empty: Compare nothing.
        renames: OLD:NEW for a table, TABLE.OLD:NEW for a column.
        ask: Gets a question for each further one that looks like a rename.

    Raises:
        ConfigError: A rename names nothing that is there.
        EntityError: The entities cannot be imported; nothing is written.
        MigrationError: The file could not be read back; it is removed.
        PermissionDeniedError: The folder cannot be written to.
    """
    context = _context(history, message, place, autogenerate=not empty)
    compared = Comparison(context, difference_of(context, history.target)) if empty else None
    if compared is None:
        compared = _autogenerate(history, context, renames=renames)
        confirmed = [str(item) for item in compared.renames if ask is not None and ask(_question(item))]
        if confirmed:
            context = _context(history, message, place, autogenerate=True)
            compared = _autogenerate(history, context, renames=[*renames, *confirmed])
    if not empty and not compared.difference.operations:
        return compared
    folder = Path(place["version_path"])
    _avoid_collision(context.script_directory, folder, message)
    with _writing(history.target), removed_if_unreadable(folder, history.target.project):
        written = [script for script in context.generate_scripts() if script is not None]
    path = Path(written[-1].path)
    check_readable(path, history.target.project)
    return replace(compared, path=path)


def _question(rename: Rename) -> str:
    of = "" if rename.column is None else f"{rename.table}."
    return f"Is {of}{rename.new} the former {of}{rename.column or rename.table}?"


def write_merge(history: History, message: str, options: RevisionOptions) -> Path:
    """Write a migration that joins all heads.

    Raises:
        MigrationError: There is only one head.
    """
    heads = list(history.heads)
    check_new_names(history, options)
    if len(heads) < 2:
        raise MigrationError(f"There is nothing to merge: the head is {', '.join(heads) or 'not there yet'}.")
    with _writing(history.target), history_errors(history.target.project):
        script = command.merge(
            history.config,
            heads,
            message=_quotable(message),
            branch_label=options.branch_label,
            rev_id=options.rev_id,
        )
    assert isinstance(script, Script)  # noqa: S101 - merge writes one file
    return Path(script.path)


def _context(history: History, message: str | None, place: dict[str, Any], *, autogenerate: bool) -> RevisionContext:
    arguments = {
        "message": _quotable(message or "migration"),
        "autogenerate": autogenerate,
        "sql": False,
        "splice": False,
        "branch_label": None,
        "depends_on": None,
        **place,
    }
    return RevisionContext(history.config, history.scripts, arguments)


def _quotable(message: str) -> str:
    """The message as it can stand in the docstring of the file."""
    return message.replace("\\", "\\\\").replace('"', '\\"')


def _autogenerate(
    history: History, context: RevisionContext, *, renames: Sequence[str] = (), **options: Any
) -> Comparison:
    target = history.target
    # Before env.py: an env.py that swallows import errors must find every entity imported.
    told: list[str] = []
    with caught_warnings(target.project, told):
        entities = load_entities(target.project) if has_entities(target.project) else Entities()
        if not entities.metadata:
            import_provided(target.project)
    metadata = entities.metadata
    compared: list[MetaData] = []
    others: list[Name] = []
    noted: dict[str, Any] = {}

    def work(current: Any, migration_context: Any) -> list[Any]:
        asked = Renames(migration_context, renames)
        with asked.applied():
            context.run_autogenerate(current, migration_context)
            noted["renames"] = tuple(candidates(migration_context, context.generated_revisions))
        noted["risks"] = risks_of(operations_of(context), migration_context.dialect)
        asked.write(context.generated_revisions)
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
        told=told,
        **options,
    )
    if not metadata or not target.project.entities:
        declared = {table.name for item in compared for table in item.tables.values()}
        _check_seen(target, context, {table for _, table in others} - declared)
    schema = schema_of(metadata or compared)
    ours = Schema(tuple(table for table in schema.tables if not ignored(target.project, table.name)))
    return Comparison(
        context, difference_of(context, target), ours, tuple(map(shown, others)), warnings=tuple(told), **noted
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
