"""Which tables of a database are the project's own; all others a migration leaves alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect

from framefox_tasks.databases import database_named
from framefox_tasks.databases.drivers import journal_name
from framefox_tasks.databases.facts import Fact
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Project
from framefox_tasks.schema import record as _record
from framefox_tasks.schema.snapshot import Schema, Table
from framefox_tasks.schema.sources import ignored

Name = tuple[str | None, str]
"""A schema, None for the connection's default one, and what is in it."""
_NEXT = re.compile(r"nextval\('([^']+)'")
PARTS = frozenset({"column", "index", "unique_constraint", "foreign_key_constraint"})
"""What of a table can be another's, as Alembic calls it."""
KNOWN = "framefox_tasks.known"
"""The attribute of Alembic's Config that holds what is known of the history."""
OWNERSHIP = "framefox_tasks_ownership"
"""The option of context.configure() that holds the Ownership."""


class Ownership:
    """What of a database is the project's, and what is others'.

    What the entities declare, the recorded schema holds or the history makes is the project's. Nothing is read before a
    comparison.

    Args:
        project: Its recorded schema counts, as it is at the first comparison.
        options: The arguments of context.configure(), which need not be complete yet.
        known: What the history makes, and what the user wants to be dropped.
    """

    def __init__(self, project: Project, options: Mapping[str, Any], known: Known | None = None) -> None:
        self._project = project
        self._options = options
        self._known = known or Known()
        self._others: set[Name] = set()
        self._parts: set[tuple[str, str, str]] = set()
        self._other_sequences: set[Name] = set()
        self._views: dict[str | None, frozenset[str]] = {}
        self.renamed: dict[Name, str] = {}  # the former names of tables that the migration renames

    @property
    def left_alone(self) -> tuple[Name, ...]:
        """The tables of others that were compared, without those that belong to a parent table or to an extension."""
        return tuple(sorted(self._others, key=shown))

    @property
    def parts_left_alone(self) -> tuple[tuple[str, str, str], ...]:
        """The kind, the table and the name of what others have added to tables of the project."""
        return tuple(sorted(self._parts))

    @property
    def sequences_left_alone(self) -> tuple[Name, ...]:
        """The sequences of others that were compared, without those that belong to a column."""
        return tuple(sorted(self._other_sequences, key=shown))

    def includes(self, schema: str | None, table: str) -> bool:
        """Whether a table of the database is to be compared. One that is not is noted, unless it is ignored."""
        name = self._plain(schema, table)
        if name in self._tables:
            return True
        if name in self._own_tables:
            return False
        if self._known.has_table(shown(name)):
            return True
        if not (ignored(self._project, table) or name in self._dependent):
            self._others.add(name)
        return False

    def is_view(self, schema: str | None, table: str) -> bool:
        """Whether a declared table is a view of the database, as where a tool has made the entities from it."""
        if self._connection is None:
            return False
        if schema not in self._views:
            inspector = inspect(self._connection)
            names = inspector.get_view_names(schema)
            if hasattr(self._connection.dialect, "get_materialized_view_names"):
                with suppress(NotImplementedError):
                    names += inspector.get_materialized_view_names(schema)
            self._views[schema] = frozenset(names)
        return table in self._views[schema]

    def is_settled(self, schema: str | None, table: str) -> bool:
        """Whether a table need not be compared."""
        return bool(self._known.settled) and shown(self._plain(schema, table)) in self._known.settled

    def includes_part(self, item: Any, name: str | None, kind: str) -> bool:
        """Whether a column, an index or a constraint that no entity declares may be dropped from its table."""
        table = item.table
        owner = self._plain(table.schema, table.name)
        owner = (owner[0], self.renamed.get(owner, owner[1]))
        columns = () if kind == "column" else tuple(column.name for column in item.columns)
        recorded = self._recorded_parts.get(owner)
        if recorded is not None and recorded.has(kind, name, columns):
            return True
        if self._known.has_part(shown(owner), kind, name, columns):
            return True
        if not ignored(self._project, table.name):
            word = "constraint" if kind.endswith("_constraint") else kind
            self._parts.add((word, shown(owner), str(name or ", ".join(columns))))
        return False

    def has_left_alone(self, kind: str, schema: str | None, table: str, name: str) -> bool:
        """Whether a part of a table is not the project's to drop."""
        return (kind, shown(self._plain(schema, table)), name) in self._parts

    def take(self, kind: str, schema: str | None, table: str, name: str) -> None:
        """Take a part for one that the entities declare."""
        self._parts.discard((kind, shown(self._plain(schema, table)), name))

    @cached_property
    def _recorded_parts(self) -> dict[Name, _RecordedParts]:
        return {self._plain(table.schema, table.name): _RecordedParts(table) for table in self._recorded}

    def includes_type(self, schema: str | None, name: str) -> bool:
        """Whether an enum type of the database is the project's."""
        return self._plain(schema, name) in self._types or self._known.has_type(shown(self._plain(schema, name)))

    def includes_sequence(self, schema: str | None, name: str, *, of_column: bool = False) -> bool:
        """Whether a sequence is the project's: a column took its values from it, or the history makes it.

        Args:
            schema: Its schema.
            name: Its name.
            of_column: It belongs to a column, or numbers one, and is another's where that is.
        """
        plain = self._plain(schema, name)
        if shown(plain) in self._sequences or name in self._sequences:
            return True
        if ignored(self._project, name):
            return False
        if self._known.has_sequence(shown(plain)):
            return True
        if not of_column:
            self._other_sequences.add(plain)
        return False

    @cached_property
    def _sequences(self) -> frozenset[str]:
        columns = [column for table in self._recorded for column in table.columns]
        called = [match[1].replace('"', "") for column in columns for match in _NEXT.finditer(column.default or "")]
        return frozenset([*called, *(column.options["sequence"] for column in columns if "sequence" in column.options)])

    def recorded_table(self, schema: str | None, table: str) -> Table | None:
        """A table as the newest migration left it; None where it is not recorded."""
        if not self._known.by_record:
            return None
        return self._recorded_by_name.get(self._plain(schema, table))

    @cached_property
    def _recorded_by_name(self) -> dict[Name, Table]:
        return {self._plain(table.schema, table.name): table for table in reversed(self._recorded)}

    def made_index(self, table: str, name: str) -> bool:
        """Whether the recorded schema has an index of a table in the default schema."""
        tables = [one for one in self._recorded if self._plain(one.schema, one.name) == (None, table)]
        return any(index.name == name for one in tables for index in one.indexes)

    @property
    def schemas(self) -> set[str | None]:
        """The default schema, and those that the project has declared or recorded tables in."""
        return {None, *(schema for schema, _ in self._tables)}

    @cached_property
    def _tables(self) -> frozenset[Name]:
        tables = [table for item in declared_metadata(self._options) for table in item.tables.values()]
        declared = [self._plain(table.schema, table.name) for table in tables]
        recorded = [self._plain(table.schema, table.name) for table in self._recorded]
        return frozenset([*declared, *recorded])

    @property
    def _own_tables(self) -> tuple[Name, Name]:
        # Alembic knows it for its own only where its schema is written as in the catalogue.
        schema, _, table = self._project.version_table.rpartition(".")
        return self._plain(schema, table), self._plain(schema, journal_name(table))

    @cached_property
    def _types(self) -> frozenset[Name]:
        # A type without a schema may have been made in that of its table: that depends on SQLAlchemy's version.
        return frozenset(
            self._plain(schema, column.enum.name)
            for table in self._recorded
            for column in table.columns
            if column.enum and column.enum.name
            for schema in (column.enum.options.get("schema"), table.schema)
        )

    @cached_property
    def _recorded(self) -> tuple[Table, ...]:
        record = _record.recorded(self._project)
        try:
            return Schema.from_json(record).tables if record else ()
        except ConfigError:
            return ()  # of another version, or edited: nothing is known of the history

    @cached_property
    def _dependent(self) -> frozenset[Name]:
        connection = self._connection
        query = database_named(connection.dialect.name).dependent_tables if connection is not None else None
        if connection is None or query is None:
            return frozenset()
        return frozenset(self._plain(*row) for row in connection.exec_driver_sql(query))

    @property
    def _connection(self) -> Connection | None:
        found = self._options.get("connection")
        return found if isinstance(found, Connection) else None

    def _plain(self, schema: str | None, name: str) -> Name:
        default = self._connection.dialect.default_schema_name if self._connection is not None else None
        return schema if schema and schema != default else None, str(name)


class _RecordedParts:
    """The columns, indexes and constraints of a recorded table."""

    def __init__(self, table: Table) -> None:
        self._columns = {column.name for column in table.columns}
        parts: list[Any] = [*table.indexes, *table.uniques, *table.foreign_keys]
        self._names = {part.name for part in parts if part.name}
        # The server has named those without a name.
        self._unnamed = {tuple(part.columns) for part in parts if not part.name}

    def has(self, kind: str, name: str | None, columns: tuple[str, ...]) -> bool:
        if kind == "column":
            return name in self._columns
        return name in self._names or columns in self._unnamed


class Known:
    """What a replay of the history makes, and what the user has said to be the project's.

    Args:
        facts: Those of the replay; None where there was none.
        claimed: Names of tables, or of their parts as `table.name`, that are to be dropped.
        by_record: Whether the database is as recorded; not one that is behind a new migration.
        settled: The tables that need not be compared, since they were in the same state.
    """

    def __init__(
        self,
        facts: Iterable[Fact] | None = None,
        claimed: Iterable[str] = (),
        *,
        by_record: bool = True,
        settled: Iterable[str] = (),
    ) -> None:
        self.replayed = facts is not None
        self.settled = frozenset(settled)
        self.by_record = by_record
        self.claimed = frozenset(claimed)
        self._facts: dict[str, list[Fact]] = {}
        for fact in facts or ():
            self._facts.setdefault(fact.table, []).append(fact)

    def has_table(self, name: str) -> bool:
        """Whether the history makes a table, or it is claimed."""
        return name in self.claimed or any(fact.what == "table" for fact in self._facts.get(name, ()))

    def has_type(self, name: str) -> bool:
        """Whether the history makes an enum type, or it is claimed."""
        return name in self.claimed or any(fact.what == "type" for fact in self._facts.get(name, ()))

    def has_sequence(self, name: str) -> bool:
        """Whether the history makes a sequence, or it is claimed."""
        return name in self.claimed or any(fact.what == "sequence" for fact in self._facts.get(name, ()))

    def has_part(self, table: str, kind: str, name: str | None, columns: tuple[str, ...]) -> bool:
        """Whether the history makes a column, an index or a constraint, or it is claimed."""
        if {str(name), f"{table}.{name}", table} & self.claimed:
            return True
        facts = self._facts.get(table, ())
        if kind == "column":
            return any(fact.what == f"column {name}" for fact in facts)
        parts = [fact for fact in facts if fact.what in ("index", "constraint")]
        unnamed = (fact.value for fact in parts if fact.name is None)
        return any(fact.name == name for fact in parts if name) or any(
            all(column in value for column in columns) for value in unnamed
        )


def declared_metadata(options: Mapping[str, Any]) -> list[MetaData]:
    """The target metadata among the arguments of context.configure(), of which there may be one, several or none."""
    found = options.get("target_metadata")
    return [item for item in (found if isinstance(found, (list, tuple)) else [found]) if item is not None]


def ownership_of(context: MigrationContext) -> Ownership:
    """The ownership of a context that was configured with complete_options()."""
    found = context.opts[OWNERSHIP]
    assert isinstance(found, Ownership)  # noqa: S101 - complete_options() has set it
    return found


def listed(name: Name) -> str:
    """The name of a table in a list that has parts of tables as well, such as `sequence numbers`."""
    text = shown(name)
    return f'"{text}"' if " " in text else text


def shown(name: Name) -> str:
    """The name as a user would write it."""
    return ".".join(filter(None, name))
