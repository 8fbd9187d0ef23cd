"""The options of Alembic's context.configure(): what a project's env.py passes, completed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import MetaData

from framefox_tasks.databases import database_of
from framefox_tasks.errors import ConfigError
from framefox_tasks.migrations.alembic import (  # noqa: F401 - they register comparisons
    checks as _checks,
    collations as _collations,
    enums,
    primary_keys as _keys,
    table_comments as _comments,
)
from framefox_tasks.migrations.alembic.column_attributes import complete_columns
from framefox_tasks.migrations.alembic.column_changes import complete_changes
from framefox_tasks.migrations.alembic.compare import compare_type
from framefox_tasks.migrations.alembic.dropped_columns import keep_what_columns_had
from framefox_tasks.migrations.alembic.key_indexes import free_foreign_keys
from framefox_tasks.migrations.alembic.keys_and_indexes import restore_definitions
from framefox_tasks.migrations.alembic.naming import name_constraints
from framefox_tasks.migrations.alembic.native_types import complete_native_types
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP, PARTS, Known, Ownership, declared_metadata
from framefox_tasks.migrations.alembic.portable import adapt, render_item
from framefox_tasks.migrations.alembic.rebuilt_tables import add_naming_conventions
from framefox_tasks.model import Project, Target
from framefox_tasks.schema.entities import resolve
from framefox_tasks.schema.generated import end_expressions
from framefox_tasks.schema.sources import ignored

Hook = Callable[..., Any]


def complete_options(
    target: Target, theirs: dict[str, Any], *, metadata: Sequence[MetaData] = (), known: Known | None = None
) -> dict[str, Any]:
    """The keyword arguments for context.configure(): those that an env.py gave, plus ours where it gave none.

    Hooks are combined: an object is included if every include_object says so, our rendering comes after theirs.
    Last of all, what is neither declared nor recorded nor made by the history is left out: it is not the project's to
    drop.

    Raises:
        ConfigError: The env.py uses another version table than the settings say.
    """
    enums.replace_library()
    options = dict(theirs)
    if options.get("compare_type", True) is True:
        options["compare_type"] = compare_type
    options.setdefault("compare_server_default", True)
    database = database_of(target)
    options.setdefault("render_as_batch", database.rebuilds_tables)
    if database.transactional_ddl:
        # Of SQLite Alembic believes otherwise; the migration guard has switched its driver's own transactions off.
        options.setdefault("transactional_ddl", True)
    given = metadata_in(options.get("target_metadata"))
    end_expressions(given)
    # Of one alone Alembic takes the naming convention too.
    options["target_metadata"] = (given[0] if len(given) == 1 else given) or list(metadata) or None
    _version_table(target.project, options)
    _schemas(options)
    _owned(target.project, options, known)
    options["render_item"] = partial(_render_item, options.get("render_item"))
    options["process_revision_directives"] = partial(process_revision, options.get("process_revision_directives"))
    return options


def metadata_in(found: Any) -> list[MetaData]:
    """The metadata of what an env.py hands over: these, what holds one, such as a declarative base, or several."""
    if isinstance(found, MetaData):
        return [found]
    metadata = getattr(found, "metadata", None)
    if isinstance(metadata, MetaData):
        return [metadata]
    if isinstance(found, Mapping):
        found = found.values()
    several = found if isinstance(found, Iterable) and not isinstance(found, (str, type)) else ()
    return list({id(item): item for part in several for item in metadata_in(part)}.values())


def _render_item(theirs: Hook | None, type_: str, item: Any, context: Any) -> Any:
    text = theirs(type_, item, context) if theirs else False
    return render_item(type_, item, context) if text is False else text


def process_revision(theirs: Hook | None, context: Any, revision: Any, directives: Any) -> None:
    """Rewrite the operations that Alembic has found, after the hook of an env.py."""
    if theirs:
        theirs(context, revision, directives)
    enums.add_enum_types(context, directives)
    complete_changes(context, directives)
    restore_definitions(context, directives)
    keep_what_columns_had(context, directives)
    for script in directives:
        add_naming_conventions([*script.upgrade_ops_list, *script.downgrade_ops_list])
    adapt(context, directives)
    complete_columns(context, directives)
    name_constraints(context, directives)
    complete_native_types(context, directives)
    free_foreign_keys(context, directives)


def _version_table(project: Project, options: dict[str, Any]) -> None:
    schema, _, table = project.version_table.rpartition(".")
    options.setdefault("version_table", table)
    if schema:
        options.setdefault("version_table_schema", schema)
    used = ".".join(filter(None, (options.get("version_table_schema"), options["version_table"])))
    if used != project.version_table:
        raise ConfigError(
            f"env.py keeps the revision in the table {used!r}, the settings say {project.version_table!r}.",
            hint=f"Write `version_table: {used}` into config/orm.yaml.",
        )


def _schemas(options: dict[str, Any]) -> None:
    declared = {table.schema for item in declared_metadata(options) for table in item.tables.values()}
    if "include_schemas" in options or not declared - {None}:
        return
    theirs = options.get("include_name")

    def include_name(name: str | None, type_: str, parents: Any) -> bool:
        # Only the schemas that the entities declare: the tables of any other are not ours to drop.
        if type_ == "schema" and name is not None and name not in declared:
            return False
        return theirs is None or bool(theirs(name, type_, parents))

    options["include_schemas"] = True
    options["include_name"] = include_name


def _owned(project: Project, options: dict[str, Any], known: Known | None) -> None:
    ownership = options[OWNERSHIP] = Ownership(project, options, known)
    named = options.get("include_name")
    hooks = [hook for hook in (options.get("include_object"), _hook(project)) if hook is not None]

    def include_name(name: str | None, type_: str, parents: Any) -> bool:
        if type_ == "table" and name is not None and ownership.is_settled(parents.get("schema_name"), name):
            return False
        if named is not None and not named(name, type_, parents):
            return False
        # A table of others need not even be read, unless a hook wants to see it.
        return bool(hooks) or type_ != "table" or name is None or ownership.includes(parents.get("schema_name"), name)

    def include_object(item: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
        is_table = type_ == "table" and name is not None
        if is_table and (ignored(project, str(name)) or ownership.is_settled(item.schema, str(name))):
            return False
        if not all(hook(item, name, type_, reflected, compare_to) for hook in hooks):
            return False
        if compare_to is not None:
            return True
        if not reflected:
            return not is_table or not ownership.is_view(item.schema, str(name))
        if type_ in PARTS:
            return ownership.includes_part(item, name, type_)
        return not is_table or ownership.includes(item.schema, str(name))

    options["include_name"] = include_name
    options["include_object"] = include_object


def _hook(project: Project) -> Hook | None:
    hook = resolve(project, project.include_object, "include_object") if project.include_object else None
    if hook is not None and not callable(hook):
        raise ConfigError(f"include_object: {project.include_object} is not a function.")
    return hook
