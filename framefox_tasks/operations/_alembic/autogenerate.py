"""Comparing the entities with the database, and writing the difference as a migration file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import RevisionContext
from alembic.operations import ops
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError, rev_id

from framefox_tasks.errors import EntityError, MigrationError, PermissionDeniedError
from framefox_tasks.model import Target
from framefox_tasks.operations._alembic.config import history_errors
from framefox_tasks.operations._alembic.enums import load_postgresql_support
from framefox_tasks.operations._alembic.environment import run_environment
from framefox_tasks.operations._alembic.history import History
from framefox_tasks.operations._sources import declaring
from framefox_tasks.operations.metadata import load_metadata

_DESTRUCTIVE = {"remove_table", "remove_column"}


@dataclass(frozen=True)
class Difference:
    """What a migration would do, and what of it loses data."""

    operations: tuple[str, ...]
    destructive: tuple[str, ...]
    unnamed: tuple[str, ...]


def compare(history: History) -> Difference:
    """What a migration would do, writing nothing to the database or the disk."""
    return _difference(_autogenerate(history, None, dont_mutate=True))


def write_migration(history: History, message: str | None, *, empty: bool = False) -> tuple[Path | None, Difference]:
    """Write a migration file; none where the entities and the database agree, unless an empty one is wanted.

    Raises:
        EntityError: The entities cannot be imported; nothing is written.
        PermissionDeniedError: The folder cannot be written to.
    """
    context = _context(history, message, autogenerate=False) if empty else _autogenerate(history, message)
    difference = _difference(context)
    if not empty and not difference.operations:
        return None, difference
    _avoid_collision(context.script_directory, _folder(history), message)
    with _writing(history.target):
        written = [script for script in context.generate_scripts() if script is not None]
    return Path(written[-1].path), difference


def write_merge(history: History, message: str) -> Path:
    """Write a migration that joins all heads.

    Raises:
        MigrationError: There is only one head.
    """
    heads = list(history.heads)
    if len(heads) < 2:
        raise MigrationError(f"There is nothing to merge: the head is {', '.join(heads) or 'not there yet'}.")
    with _writing(history.target), history_errors(history.target.project):
        script = command.merge(history.config, heads, message=message)
    assert isinstance(script, Script)  # noqa: S101 - merge writes one file
    return Path(script.path)


def _context(history: History, message: str | None, *, autogenerate: bool) -> RevisionContext:
    arguments = {
        "message": message or "migration",
        "autogenerate": autogenerate,
        "sql": False,
        "head": "head",
        "splice": False,
        "branch_label": None,
        "version_path": str(_folder(history)),
        "rev_id": None,
        "depends_on": None,
    }
    return RevisionContext(history.config, history.scripts, arguments)


def _autogenerate(history: History, message: str | None, **options: Any) -> RevisionContext:
    target = history.target
    # Before env.py: an env.py that swallows import errors must find every entity imported.
    metadata = load_metadata(target.project) if _has_entities(target) else ()
    context = _context(history, message, autogenerate=True)
    if target.address.dialect == "postgresql":
        load_postgresql_support()

    def work(current: Any, migration_context: Any) -> list[Any]:
        context.run_autogenerate(current, migration_context)
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
    if not metadata:
        _check_dropped(target, context)
    return context


def _check_dropped(target: Target, context: RevisionContext) -> None:
    """Only env.py knows the entities, and it may have swallowed an import error: a table in the sources stays.

    Raises:
        EntityError: A table would be dropped that a class in the project declares.
    """
    containers = [container for script in context.generated_revisions for container in script.upgrade_ops_list]
    operations = [operation for container in containers for operation in _flat(container.ops)]
    dropped = {operation.table_name for operation in operations if isinstance(operation, ops.DropTableOp)}
    for source, declared in declaring(target.project, dropped):
        raise EntityError(
            f"{target.project.shown(source)}, line {declared.line}: the class {declared.name} declares the table "
            f"{declared.table!r}, but env.py does not give it to Alembic. Going on would drop that table.",
            hint="See whether its module can be imported, and have env.py import it, "
            "or list the table under `ignore_tables:` in config/orm.yaml.",
        )


def _has_entities(target: Target) -> bool:
    """Whether the settings or the default folder tell where the entities are; else only env.py knows."""
    project = target.project
    configured = bool(project.metadata) or project.entities != type(project)().entities
    return configured or any(project.path(folder).exists() for folder in project.entities) or _is_ours(target)


def _is_ours(target: Target) -> bool:
    env_py = target.project.migrations_folder / "env.py"
    return env_py.is_file() and "framefox_tasks" in env_py.read_text(encoding="utf-8", errors="replace")


def _difference(context: RevisionContext) -> Difference:
    # A hook of the project's may have removed every script, to say that nothing changed.
    containers = [container for script in context.generated_revisions for container in script.upgrade_ops_list]
    operations = [operation for container in containers for operation in _flat(container.ops)]
    shown = [(_kind(op), _describe(op)) for op in operations]
    return Difference(
        tuple(text for _, text in shown),
        tuple(text for kind, text in shown if kind in _DESTRUCTIVE),
        tuple(name for op in operations for name in _unnamed(op)),
    )


def _flat(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    for operation in operations:
        if isinstance(operation, ops.OpContainer):
            yield from _flat(operation.ops)
        else:
            yield operation


def _kind(operation: ops.MigrateOperation) -> str:
    diff = operation.to_diff_tuple()
    first = diff[0] if isinstance(diff, tuple) else diff[0][0] if diff else "change"
    return str(first)


def _describe(operation: ops.MigrateOperation) -> str:
    """One operation in a few words, such as: add table product; drop column product.price."""
    table = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
    kind = _kind(operation).replace("remove_", "drop ").replace("_", " ")
    column = getattr(operation, "column_name", None) or getattr(getattr(operation, "column", None), "name", None)
    name = getattr(operation, "constraint_name", None) or getattr(operation, "index_name", None)
    enum = getattr(getattr(operation, "enum", None), "name", None) or getattr(operation, "name", None)
    if column:
        return f"{kind} {table}.{column}"
    if name:
        return f"{kind} {name} on {table}"
    return f"{kind} {table or enum or ''}".rstrip()


def _unnamed(operation: ops.MigrateOperation) -> Iterator[str]:
    """The foreign keys, unique and check constraints without a name: no later migration can drop them."""
    if isinstance(operation, ops.CreateTableOp):
        for constraint in operation.to_table().constraints:
            kind = type(constraint).__name__
            if constraint.name is None and kind != "PrimaryKeyConstraint":
                yield f"{kind} on {operation.table_name}"
    elif isinstance(operation, ops.AddConstraintOp) and getattr(operation, "constraint_name", "") is None:
        yield f"{type(operation).__name__.removesuffix('Op')} on {getattr(operation, 'table_name', '')}"


def _folder(history: History) -> Path:
    """Where a new migration goes: into the version folder that holds the head, else into the first one."""
    folders = [folder.absolute() for folder in history.scripts._version_locations]
    heads = [Path(script.path).absolute() for script in history.scripts.get_revisions("heads") if script]
    return next((folder for folder in folders for head in heads if head.is_relative_to(folder)), folders[0])


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
