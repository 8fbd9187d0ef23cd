"""The comparison of the entities with the database, and the migration file that is generated from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from alembic.autogenerate import RevisionContext
from alembic.operations import ops
from sqlalchemy import MetaData

from framefox_tasks.errors import ConfigError, EntityError
from framefox_tasks.migrations.alembic.caught_warnings import caught_warnings
from framefox_tasks.migrations.alembic.describe import Difference, difference_of, operations_of
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.made import made_by
from framefox_tasks.migrations.alembic.ownership import (
    KNOWN,
    Known,
    Name,
    declared_metadata,
    listed,
    ownership_of,
    shown,
)
from framefox_tasks.migrations.alembic.readable import check_readable, removed_if_unreadable
from framefox_tasks.migrations.alembic.renames import Rename, Renames, candidates
from framefox_tasks.migrations.alembic.revision_file import (
    UNNAMED,
    also_in,
    avoid_collision,
    name_after_file,
    quotable,
    read_back,
    writing,
)
from framefox_tasks.migrations.alembic.risks import risks_of, view_risks
from framefox_tasks.migrations.alembic.views import write_views
from framefox_tasks.model import Target
from framefox_tasks.schema.entities import Entities, has_entities, import_provided, load_entities
from framefox_tasks.schema.from_metadata import schema_of
from framefox_tasks.schema.snapshot import Schema
from framefox_tasks.schema.sources import declaring, ignored

INSTEAD = "framefox_tasks.instead"
"""The attribute of Alembic's Config that holds the tables to compare with the database instead of the entities."""


@dataclass(frozen=True)
class Comparison:
    """The comparison of the entities with the database.

    Attributes:
        context: Alembic's, which holds what a migration would do.
        difference: The same, described.
        schema: What the entities declare; None where they were not looked at.
        left_alone: The tables that are not of the project; parts of its own that are not, as `column product.size`; and
            sequences, as `sequence numbers`.
        risks: What of it can fail, or lose values, where tables have rows.
        renames: What looks like a rename, and is a drop and an add here.
        warnings: Those of Python.
        metadata: Where the entities are declared.
        files: The migration files that were written, the newest last; none where none was needed or asked for.
        claimed: Whether it drops what the user has claimed for the project.
    """

    context: RevisionContext
    difference: Difference
    schema: Schema | None = None
    left_alone: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    renames: tuple[Rename, ...] = ()
    warnings: tuple[str, ...] = ()
    metadata: tuple[MetaData, ...] = ()
    files: tuple[Path, ...] = ()
    claimed: bool = False


def compare(
    history: History,
    known: Known | None = None,
    drop: tuple[str, ...] = (),
    *,
    imported: Sequence[MetaData] | None = None,
) -> Comparison:
    """What a migration would do, writing nothing to the database or the disk.

    Args:
        history: The migrations, and the database.
        known: What the history makes; None to find that out where it is needed.
        drop: What is claimed for the project.
        imported: The metadata of another comparison, for one that is to tell no more than the operations.
    """
    # Where it would go in the history does not matter to what it would do.
    place = {"head": "heads", "version_path": None, "rev_id": None}
    make = partial(_context, history, None, place, autogenerate=True)
    if known is not None:
        return _autogenerate(history, make(), known, imported=imported, dont_mutate=True)
    return _judged(history, make, drop, dont_mutate=True)


def _judged(history: History, make: Callable[[], RevisionContext], drop: tuple[str, ...], **options: Any) -> Comparison:
    """A comparison that drops what the history makes, which is replayed only where something is not known otherwise.

    Raises:
        ConfigError: Nothing has the name of what is to be dropped.
    """
    compared = _autogenerate(history, make(), Known(), **options)
    unknown = compared.left_alone
    if not unknown:
        return _with_claims(compared, unknown, drop)
    known = Known(made_by(history), drop)
    if known.replayed or drop:
        compared = _autogenerate(history, make(), known, **options)
    return _with_claims(compared, unknown, drop)


def _with_claims(compared: Comparison, unknown: tuple[str, ...], drop: tuple[str, ...]) -> Comparison:
    names = {part for name in unknown for part in (name.strip('"'), name.rpartition(" ")[2], name.rpartition(".")[2])}
    for name in drop:
        if name not in names:
            raise ConfigError(
                f"--drop={name}: nothing of that name is left alone as not of this project.",
                hint="See what is: doit database_create_migration --check --verbose",
            )
    return replace(compared, claimed=bool(drop))


def generate(
    history: History,
    message: str | None,
    place: dict[str, Any],
    aside: Path,
    *,
    empty: bool = False,
    drop: tuple[str, ...] = (),
    renames: Sequence[str] = (),
    ask: Callable[[str], bool] | None = None,
) -> Comparison:
    """Write a migration file aside; none where the entities and the database agree, unless an empty one is wanted.

    Args:
        history: The migrations.
        message: What it does.
        place: Where it goes in the history.
        aside: The folder that it is written to.
        empty: Compare nothing.
        drop: What is claimed for the project.
        renames: OLD:NEW for a table, TABLE.OLD:NEW for a column.
        ask: Gets a question for each further one that looks like a rename.

    Raises:
        ConfigError: A rename names nothing that is there.
        EntityError: The entities cannot be imported; nothing is written.
        MigrationError: The file cannot be read back.
        PermissionDeniedError: The folder cannot be written to.
    """
    make = partial(_context, history, message, {**place, "version_path": str(aside)}, autogenerate=not empty)
    if empty:
        context = make()
        compared = Comparison(context, difference_of(context, history.target))
    else:
        compared = _judged(history, make, drop, renames=renames)
        confirmed = [str(item) for item in compared.renames if ask is not None and ask(_question(item))]
        if confirmed:
            compared = _judged(history, make, drop, renames=[*renames, *confirmed])
        context = compared.context
    if not empty and not compared.difference.operations:
        return compared
    avoid_collision(context.script_directory, Path(place["version_path"]), message)
    with (
        writing(history.target),
        also_in(history.scripts, aside),
        read_back(history.target),
        removed_if_unreadable(aside, history.target.project),
    ):
        written = [Path(script.path) for script in context.generate_scripts() if script is not None]
    for path in written:
        if message is None:
            name_after_file(path)
        check_readable(path, history.target.project)
    return replace(compared, files=tuple(written))


def _question(rename: Rename) -> str:
    of = "" if rename.column is None else f"{rename.table}."
    return f"Is {of}{rename.new} the former {of}{rename.column or rename.table}?"


def _context(history: History, message: str | None, place: dict[str, Any], *, autogenerate: bool) -> RevisionContext:
    arguments = {
        "message": quotable(message or UNNAMED),
        "autogenerate": autogenerate,
        "sql": False,
        "splice": False,
        "branch_label": None,
        "depends_on": None,
        **place,
    }
    return RevisionContext(history.config, history.scripts, arguments)


def _autogenerate(
    history: History,
    context: RevisionContext,
    known: Known,
    *,
    renames: Sequence[str] = (),
    imported: Sequence[MetaData] | None = None,
    **options: Any,
) -> Comparison:
    target = history.target
    history.config.attributes[KNOWN] = known
    # Before env.py: an env.py that swallows import errors must find every entity imported.
    told: list[str] = []
    metadata = imported if imported is not None else _entities(target, told).metadata
    compared: list[MetaData] = []
    others: list[Name] = []
    noted: dict[str, Any] = {}
    parts: list[str] = []

    def work(current: Any, migration_context: Any) -> list[Any]:
        if INSTEAD in history.config.attributes:
            migration_context.opts["target_metadata"] = [history.config.attributes[INSTEAD]]
        asked = Renames(migration_context, renames)
        ownership = ownership_of(migration_context)
        ownership.renamed = {(item.schema, item.new): item.table for item in asked.tables}
        with asked.applied():
            context.run_autogenerate(current, migration_context)
            noted["renames"] = tuple(candidates(migration_context, context.generated_revisions))
        made = operations_of(context)
        noted["risks"] = (*risks_of(made, migration_context.dialect), *view_risks(migration_context, made))
        asked.write(context.generated_revisions)
        if INSTEAD in history.config.attributes:
            write_views(history.config.attributes[INSTEAD], context)
        compared.extend(item for item in declared_metadata(migration_context.opts) if item.tables)
        others.extend(ownership.left_alone)
        parts.extend(f"{kind} {table}.{name}" for kind, table, name in ownership.parts_left_alone)
        parts.extend(f"sequence {shown(name)}" for name in ownership.sequences_left_alone)
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
    if imported is not None:
        return Comparison(context, difference_of(context, target))
    if not metadata or not target.project.entities:
        declared = {table.name for item in compared for table in item.tables.values()}
        _check_seen(target, context, {table for _, table in others} - declared)
    schema = schema_of(metadata or compared)
    ours = Schema(tuple(table for table in schema.tables if not ignored(target.project, table.name)))
    return Comparison(
        context,
        difference_of(context, target),
        ours,
        (*map(listed, others), *parts),
        warnings=tuple(told),
        metadata=tuple(metadata or compared),
        **noted,
    )


def _entities(target: Target, told: list[str]) -> Entities:
    with caught_warnings(target.project, told):
        entities = load_entities(target.project) if has_entities(target.project) else Entities()
        if not entities.metadata:
            import_provided(target.project)
    return entities


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
