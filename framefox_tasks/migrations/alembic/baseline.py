"""The first migration of a database that was made without any: what it is generated from, and its proof."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, Table as SQLTable, event, inspect
from sqlalchemy.exc import SAWarning

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_engine
from framefox_tasks.databases.facts import Fact, declarable, differences, is_of
from framefox_tasks.migrations.alembic.autogenerate import INSTEAD, Comparison, compare, generate
from framefox_tasks.migrations.alembic.compare import help_reflect
from framefox_tasks.migrations.alembic.config import make_config
from framefox_tasks.migrations.alembic.describe import operations_of
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.ownership import Known
from framefox_tasks.migrations.alembic.placement import placement
from framefox_tasks.migrations.alembic.replay import guarded, replay, revert
from framefox_tasks.migrations.alembic.sequences import sequences_in
from framefox_tasks.migrations.alembic.views import viewed, views_of, with_views
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.schema.reflect import reflected_schema
from framefox_tasks.schema.snapshot import Check, Schema, Table

Operation = TypeVar("Operation", bound=ops.MigrateOperation)


_PARTS = ("column", "index", "constraint")


@dataclass(frozen=True)
class Unversioned:
    """What a database without a revision has of the entities.

    Attributes:
        tables: Those of the entities that are there, as declared.
        live: The same, as read.
        comparison: The entities beside the database.
    """

    tables: tuple[Table, ...]
    live: Schema
    comparison: Comparison

    @property
    def declared(self) -> Schema:
        """All that the entities declare."""
        return self.comparison.schema or Schema(())

    @property
    def pending(self) -> tuple[str, ...]:
        """What the entities have and the database has not, or the other way round."""
        return self.comparison.difference.operations

    @property
    def left_alone(self) -> tuple[str, ...]:
        """The tables and sequences that are not of the entities."""
        return tuple(name for name in self.comparison.left_alone if name not in self.more)

    @property
    def more(self) -> tuple[str, ...]:
        """What the tables of the entities have beside what is declared, as `column product.size`."""
        return tuple(name for name in self.comparison.left_alone if name.partition(" ")[0] in _PARTS)

    @property
    def exact(self) -> bool:
        """Whether the database has all that the entities declare, and their tables have no more."""
        return not self.pending and not self.more

    def candidates(self, target: Target) -> Iterator[MetaData | None]:
        """What the migration may be generated from: None for the entities, then the tables and views as they are.

        A view can use what no entity declares: then the tables alone.
        """
        views = views_of(target, self.declared.tables)
        if self.exact and not views:
            yield None
        if views:
            yield with_views(tables_of_database(target, self.tables), views)
        yield tables_of_database(target, self.tables)


@dataclass(frozen=True)
class Made:
    """A migration that makes tables, and the schema after it."""

    comparison: Comparison
    schema: Schema


def unversioned(history: History) -> Unversioned:
    """The tables of the entities that a database has. Nothing is written.

    Raises:
        As for create_migration.
    """
    compared = compare(history, Known())
    live = reflected_schema(history.target)
    missing = {(op.schema, op.table_name) for op in _operations(compared, ops.CreateTableOp)}
    declared = compared.schema.tables if compared.schema else ()
    found = [table for table in declared if (table.schema, table.name) not in missing and counterpart(table, live)]
    there = Schema(tuple(filter(None, (counterpart(table, live) for table in found))))
    return Unversioned(tuple(found), there, compared)


def make_baseline(
    target: Target, found: Unversioned, message: str, folder: Path, tables: MetaData | None
) -> tuple[Made, list[str]]:
    """Write the migration that makes tables in an empty database, and run it there and back.

    Args:
        target: The live database.
        found: What it has.
        message: The description.
        folder: Where the file goes.
        tables: The tables; those of the entities if None.

    Returns:
        The migration, and in what its database differs from the live one.

    Raises:
        ReplayError: The migration cannot be run, or not be reverted.
        ScratchError: There can be no database to try it in.
    """
    database = database_of(target)
    history = History(target, make_config(target))
    with database.scratch(target) as scratch:
        with guarded(target, scratch):
            there = history.on(scratch)
            if tables is not None:
                there.config.attributes[INSTEAD] = tables
            written = generate(there, message, placement(history, RevisionOptions()), folder)
        empty = database.facts(scratch)
        replay(history, scratch)
        wrong = list(map(str, differences(*_comparable(target, found, database.facts(scratch)))))
        revert(history, scratch, written.context.generated_revisions[-1].rev_id or "heads")
        wrong += [f"after its downgrade: {item}" for item in differences(empty, declarable(database.facts(scratch)))]
    views = viewed(tables) if tables is not None else ()
    mapped = [
        table for table in found.declared.tables if table not in found.tables and {table.key, table.name} & {*views}
    ]
    schema = found.declared if tables is None else Schema((*_schemas_made(found), *mapped))
    return Made(written, schema), wrong


def _comparable(target: Target, found: Unversioned, made: list[Fact]) -> tuple[list[Fact], list[Fact]]:
    """The facts of the live database that are of the tables that were found, and those of a database of only these."""
    made = [fact for fact in declarable(made) if not is_of(fact, target.project.version_table)]
    names = {fact.table for fact in made} | {table.key for table in found.live.tables}
    live = [fact for fact in declarable(database_of(target).facts(target)) if fact.table in names]
    # A number from a sequence is one, whether or not the sequence belongs to the column.
    own = {(fact.table, fact.what) for fact in made if fact.attribute == "sequence"}
    numbered = {
        (fact.table, fact.what) for fact in live if fact.attribute == "default" and any(sequences_in(fact.value))
    } & own
    kept = [
        [
            fact
            for fact in facts
            if (fact.table, fact.what) not in numbered or fact.attribute not in ("default", "sequence")
        ]
        for facts in (live, made)
    ]
    return kept[0], kept[1]


def tables_of_database(target: Target, tables: Collection[Table]) -> MetaData:
    """Tables of a database as they are there, without what comes with something else.

    Args:
        target: The database.
        tables: Their names.
    """
    metadata = MetaData()
    engine = sqlalchemy_engine(target, database_of(target))
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # of what SQLAlchemy does not know, which the proof then misses
        context = MigrationContext.configure(connection)
        help_reflect(context)
        # As a comparison reads them: the default of a serial column is left out, for one.
        event.listen(metadata, "column_reflect", context.impl._compat_autogen_column_reflect(inspect(connection)))
        for schema in {table.schema for table in tables}:
            names = [table.name for table in tables if table.schema == schema]
            metadata.reflect(connection, schema=schema, only=names, resolve_fks=False)
    for table in metadata.tables.values():
        _remove_implied(table)
    return metadata


def _remove_implied(table: SQLTable) -> None:
    """Remove the indexes that a foreign key brings along where it needs one."""
    keys = {key.name for key in table.foreign_key_constraints}
    for index in [index for index in table.indexes if index.name in keys and not index.unique]:
        table.indexes.discard(index)


def counterpart(table: Table, live: Schema) -> Table | None:
    """A table as it was read: a schema that is the default one is written out in a declaration alone."""
    return live.by_key.get(table.key) or live.by_key.get(table.name)


def _operations(comparison: Comparison, kind: type[Operation]) -> Iterator[Operation]:
    yield from (operation for operation in operations_of(comparison.context) if isinstance(operation, kind))


def _schemas_made(found: Unversioned) -> Iterator[Table]:
    """The tables as they are, in the words of the entities where the two agree."""
    for table in found.tables:
        live = counterpart(table, found.live)
        assert live is not None  # noqa: S101 - it was found
        touched = [op for op in operations_of(found.comparison.context) if _is_of(op, table, live)]
        parts = [name for name in found.more if f" {table.key}." in name and not name.startswith("column ")]
        yield _table_made(table, live, touched, more=bool(parts))


def _is_of(operation: Any, table: Table, live: Table) -> bool:
    name = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
    return name == table.name and getattr(operation, "schema", None) in (table.schema, live.schema)


def _table_made(declared: Table, live: Table, touched: Sequence[ops.MigrateOperation], *, more: bool) -> Table:
    columns = [op for op in touched if isinstance(op, (ops.AddColumnOp, ops.AlterColumnOp, ops.DropColumnOp))]
    changed = {op.column.name if isinstance(op, ops.AddColumnOp) else op.column_name for op in columns}
    ours = {column.name: column for column in declared.columns}
    parts = live if more or len(columns) < len(touched) else declared
    keyed = declared if declared.primary_key.columns == live.primary_key.columns else live
    return replace(
        declared,
        columns=tuple(column if column.name in changed else ours.get(column.name, column) for column in live.columns),
        primary_key=keyed.primary_key,
        foreign_keys=parts.foreign_keys,
        uniques=parts.uniques,
        indexes=parts.indexes,
        checks=_checks_made(declared, live),
        comment=parts.comment,
    )


def _checks_made(declared: Table, live: Table) -> tuple[Check, ...]:
    """The checks by their names: Alembic compares none, and servers write their conditions otherwise."""
    if len(declared.checks) == len(live.checks):
        return declared.checks
    there, ours = ({check.name for check in table.checks} for table in (live, declared))
    kept = [check for check in declared.checks if check.name in there]
    return (*kept, *(check for check in live.checks if check.name not in ours))
