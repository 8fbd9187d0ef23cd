"""The portability of generated migrations: they run on every dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ARRAY, Enum, Identity, UniqueConstraint, inspect
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import TypeDecorator

from framefox_tasks.databases import database_named
from framefox_tasks.migrations.alembic.cycles import leave_to_alter, order_tables
from framefox_tasks.migrations.alembic.database_types import database_type, dialect_of_types, is_native, owner_of_types
from framefox_tasks.migrations.alembic.native_types import rendered_native
from framefox_tasks.migrations.alembic.rendering import is_variant, rendered_default, rendered_key, rendered_type
from framefox_tasks.migrations.alembic.schemas import schemas_used
from framefox_tasks.migrations.alembic.sequences import leave_numbers_to_sequences, rendered_domain


def adapt(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Correct the operations of generated migrations in place."""
    directives = list(directives)
    order_tables(context.opts, directives)
    for script in directives:
        for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            if not context.dialect.supports_identity_columns:
                _remove_identities(container)
            _reorder_drops(container)
            _join_partitions(container)
            leave_numbers_to_sequences(container)
        _order_foreign_keys(context, script)
        if database_named(context.dialect.name).has_schemas:
            for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
                _free_names(container)
            for container in script.upgrade_ops_list:
                _create_schemas(context, container)


def _join_partitions(container: ops.OpContainer) -> None:
    """Put the partitions of a table that was read behind their rule: SQLAlchemy reads more than it can write."""
    for op in (op for op in container.ops if isinstance(op, ops.CreateTableOp)):
        for key in [key for key in op.kw if key.endswith("_partition_definitions")]:
            prefix = key.removesuffix("partition_definitions")
            partitions = str(op.kw.pop(key))
            if partitions.count(")") > partitions.count("("):  # the end of the list is read with the last of them
                partitions = partitions.rstrip().removesuffix(")")
            parts = [op.kw.pop(f"{prefix}partition_by", "")]
            for name in ("subpartition_by", "subpartitions"):
                if value := op.kw.pop(f"{prefix}{name}", None):
                    parts.append(f"{name.upper().replace('_', ' ')} {value}")
            op.kw[f"{prefix}partition_by"] = " ".join([*parts, f"({partitions})"])


def _remove_identities(container: ops.OpContainer) -> None:
    """Where a database has no identity columns, one that is declared looks like a change on every run."""
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps):
            op.ops = [inner for inner in op.ops if not _only_identity(inner)]
    container.ops = [op for op in container.ops if not isinstance(op, ops.ModifyTableOps) or op.ops]


def _only_identity(op: ops.MigrateOperation) -> bool:
    if not isinstance(op, ops.AlterColumnOp):
        return False
    identity = isinstance(op.modify_server_default, Identity) or isinstance(op.existing_server_default, Identity)
    return identity and op.modify_nullable is None and op.modify_type is None and op.modify_comment is False


def _reorder_drops(container: ops.OpContainer) -> None:
    """Order the drops for MySQL, which refuses to drop an index that a foreign key needs (error 1553).

    Alembic drops the indexes of a table first. An index of a table that is dropped in the same migration goes with it;
    of a table that stays, the foreign key goes first.
    """
    dropped = {(op.schema, op.table_name) for op in container.ops if isinstance(op, ops.DropTableOp)}
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps):
            if (op.schema, op.table_name) in dropped:
                op.ops = [inner for inner in op.ops if not isinstance(inner, ops.DropIndexOp)]
            op.ops.sort(key=lambda inner: not drops_foreign_key(inner))
    container.ops = [op for op in container.ops if not isinstance(op, ops.ModifyTableOps) or op.ops]


def drops_foreign_key(op: ops.MigrateOperation) -> bool:
    """Whether it drops a foreign key."""
    return isinstance(op, ops.DropConstraintOp) and op.constraint_type == "foreignkey"


def _order_foreign_keys(context: MigrationContext, script: ops.MigrationScript) -> None:
    """Drop foreign keys before all else, and create them when all else is done.

    Not where a table is rebuilt: there the operations on one table are one.
    """
    if database_named(context.dialect.name).rebuilds_tables:
        return
    for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
        tables = [op for op in container.ops if isinstance(op, ops.ModifyTableOps)]
        first = [part for table in tables for part in _taken(table, drops_foreign_key)]
        last = [part for table in tables for part in _taken(table, _creates_foreign_key)]
        rest = [op for op in container.ops if not isinstance(op, ops.ModifyTableOps) or op.ops]
        container.ops = [*first, *rest, *last]


def _creates_foreign_key(op: ops.MigrateOperation) -> bool:
    return isinstance(op, ops.CreateForeignKeyOp)


def _taken(table: ops.ModifyTableOps, wanted: Callable[[ops.MigrateOperation], bool]) -> list[ops.ModifyTableOps]:
    """Take the wanted operations out of those on a table."""
    found = [op for op in table.ops if wanted(op)]
    table.ops = [op for op in table.ops if not wanted(op)]
    return [ops.ModifyTableOps(table.table_name, found, schema=table.schema)] if found else []


def _free_names(container: ops.OpContainer) -> None:
    """Drop a unique constraint of a table that goes later, where a new one has its name: a schema holds it once."""
    names = {name for op in container.ops if isinstance(op, ops.CreateTableOp) for name in _uniques(op)}
    container.ops[:0] = [
        _unique_drop(op, item)
        for op in container.ops
        if isinstance(op, ops.DropTableOp) and isinstance(op._reverse, ops.CreateTableOp)
        for name, item in sorted(_uniques(op._reverse).items())
        if name in names
    ]


def _uniques(op: ops.CreateTableOp) -> dict[str, UniqueConstraint]:
    return {str(item.name): item for item in op.columns if isinstance(item, UniqueConstraint) and item.name}


def _unique_drop(op: ops.DropTableOp, unique: UniqueConstraint) -> ops.DropConstraintOp:
    columns = [str(getattr(column, "name", column)) for column in unique.columns or unique._pending_colargs]
    made = ops.CreateUniqueConstraintOp(unique.name, op.table_name, columns, schema=op.schema)
    return ops.DropConstraintOp(str(unique.name), op.table_name, type_="unique", schema=op.schema, _reverse=made)


def _create_schemas(context: MigrationContext, container: ops.OpContainer) -> None:
    """Create the schemas of new tables. They stay after a downgrade: others may have put something into them.

    Also one that is there, if no migration has named it yet: in a new database it will not be.
    """
    tables = {op.schema for op in container.ops if isinstance(op, ops.CreateTableOp) and op.schema}
    wanted = tables - {context.dialect.default_schema_name}
    if not wanted or context.connection is None:
        return
    there = wanted & set(inspect(context.connection).get_schema_names())
    scripts = context.environment_context.script if context.environment_context else None
    paths = (Path(script.path) for script in scripts.walk_revisions()) if there and scripts else ()
    by_hand = there - schemas_used(paths, there) if scripts else ()
    quote = context.dialect.identifier_preparer.quote
    statements = [f"CREATE SCHEMA IF NOT EXISTS {quote(name)}" for name in sorted(wanted - there)]
    statements += filter(None, (database_named(context.dialect.name).schema_statement(quote(name)) for name in by_hand))
    container.ops[:0] = [ops.ExecuteSQLOp(statement) for statement in sorted(statements)]


def render_item(type_: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Alembic's render_item hook: the source text of a type or a default, or False for Alembic's own rendering."""
    if type_ == "foreign_key":
        leave_to_alter(item, context)
        return rendered_key(item, context)
    if type_ == "server_default":
        default = rendered_default(item, context)
        return False if default is None else default
    if type_ != "type":
        return False
    if isinstance(item, Enum) and is_native(item) and not item._variant_mapping and not is_variant(item, context):
        return _rendered_enum(item, context)
    if isinstance(item, DOMAIN):
        context.imports.add(f"from sqlalchemy.dialects import {owner_of_types()}")
        return rendered_domain(item, context)
    if isinstance(item, TypeDecorator) and (decorated := _decorated_enum(item)) is not None:
        return render._repr_type(decorated, context)
    if (native := rendered_native(item, context)) is not None:
        return native
    text = rendered_type(item, context)
    return False if text is None else text


def _decorated_enum(item: Any) -> Any:
    """What the database knows of a type that decorates an enum, or an array of one; None for any other.

    With the decorator in the file creating the table would create the type, adding a column would not.
    """
    found = database_type(item, dialect_of_types())
    below = database_type(found.item_type, dialect_of_types()) if isinstance(found, ARRAY) else found
    return found if is_native(below) else None


def _rendered_enum(item: Enum, context: AutogenContext) -> str:
    """A native enum; where types stand beside the tables, statements of their own create and drop it."""
    owner = owner_of_types()
    context.imports.add(f"from sqlalchemy.dialects import {owner}")
    prefix = context.opts.get("sqlalchemy_module_prefix") or "sa."
    name = f"name={item.name!r}"
    if item.schema:
        name += f", schema={item.schema!r}"
    values = "".join(f"{value!r}, " for value in item.enums)
    extra = f", length={item.length}" if item.length != max(map(len, item.enums), default=0) else ""
    if item.create_constraint:
        extra += ", create_constraint=True"
    variant = f"{owner}.ENUM({values}{name}, create_type=False)"
    return f"{prefix}Enum({values}{name}{extra}).with_variant({variant}, {owner!r})"
