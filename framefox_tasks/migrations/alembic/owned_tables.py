"""Which tables of a live database are the project's, for what shows them: the same rule as a migration follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, Table as SQLTable, inspect
from sqlalchemy.exc import OperationalError

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import sqlalchemy_engine
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.made import kept_made, made_by
from framefox_tasks.migrations.alembic.ownership import Known, Name, Ownership, listed
from framefox_tasks.schema.snapshot import Table


@dataclass(frozen=True)
class OwnedTables:
    """The tables of a database.

    Attributes:
        ours: Those of the project.
        left_alone: Those of others, without what belongs to a parent table or an extension, or is ignored.
        certain: Whether those are known to be others': the history was replayed, or there are none.
    """

    ours: frozenset[Name]
    left_alone: tuple[Name, ...]
    certain: bool = True

    @property
    def listed(self) -> tuple[str, ...]:
        """Those of others as a user would write them."""
        return tuple(map(listed, self.left_alone))


def owned_tables(history: History, declared: Iterable[Table], *, replay: bool) -> OwnedTables:
    """The tables of the default schema and of those that the project has tables in.

    Args:
        history: The migrations, and the database.
        declared: The tables that the entities declare.
        replay: Whether to run the history on a scratch database where that is needed to tell, and was not done before.

    Raises:
        ConnectionFailedError: The database cannot be reached.
    """
    target, metadata = history.target, MetaData()
    for table in declared:
        SQLTable(table.name, metadata, schema=table.schema)
    engine = sqlalchemy_engine(target, database_of(target))
    try:
        with engine.connect() as connection:
            kept = kept_made(history)
            found = _judged(history, connection, metadata, Known(kept.facts if kept else None))
            if not found.left_alone or kept:
                return found
            if not replay:
                return OwnedTables(found.ours, found.left_alone, certain=not history.revisions)
            return _judged(history, connection, metadata, Known(made_by(history)))
    except OperationalError as exc:
        raise database_of(target).translate(exc.orig or exc, target) from exc


def _judged(history: History, connection: Connection, metadata: MetaData, known: Known) -> OwnedTables:
    options = {"connection": connection, "target_metadata": metadata}
    ownership = Ownership(history.target.project, options, known)
    inspector = inspect(connection)
    schemas = ownership.schemas if database_of(history.target).has_schemas else {None}
    there = schemas & {None, *inspector.get_schema_names()}
    names = [(schema, name) for schema in there for name in inspector.get_table_names(schema)]
    ours = frozenset(name for name in names if ownership.includes(*name))
    return OwnedTables(ours, ownership.left_alone)
