"""Everything that knows PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.postgresql.verbs import PostgreSQLVerbs
from framefox_tasks.databases.verbs import Database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

    from framefox_tasks.databases.contract import Place, Source
    from framefox_tasks.databases.definitions import ServerDefinitions
    from framefox_tasks.databases.dialect import Dialect
    from framefox_tasks.databases.facts import Fact, FactDifference, SchemaPair
    from framefox_tasks.databases.journal import Journal
    from framefox_tasks.databases.lock import MigrationLock, Patience
    from framefox_tasks.databases.ranges import RangeLoader, RangeReader
    from framefox_tasks.databases.scratch import Aside, DriverWatch
    from framefox_tasks.databases.table_locks import TableLocks
    from framefox_tasks.databases.verbs import Reset
    from framefox_tasks.model import Target


class PostgreSQL(PostgreSQLVerbs, Database):
    """PostgreSQL, with what reads and writes rows imported when it is used."""

    @cached_property
    def dialect(self) -> Dialect:
        """The SQL of PostgreSQL."""
        from framefox_tasks.databases.postgresql.dialect import PostgreSQLDialect

        return PostgreSQLDialect(self)

    @property
    def journal(self) -> Journal:
        """Of migrations that commit in between."""
        from framefox_tasks.databases.postgresql.journal import PostgreSQLJournal

        return PostgreSQLJournal(self)

    def migration_lock(self, target: Target, patience: Patience) -> AbstractContextManager[MigrationLock]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.databases.postgresql.lock import locked

        return locked(self, target, patience)

    @cached_property
    def table_locks(self) -> TableLocks:
        """What a statement waits for."""
        from framefox_tasks.databases.postgresql.table_locks import PostgreSQLTableLocks

        return PostgreSQLTableLocks()

    def replacement_lock(self, target: Target, patience: Patience) -> AbstractContextManager[None]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.databases.postgresql.lock import replacing

        return replacing(self, target, patience)

    def set_enum_values(self, schema: str | None, name: str, values: Sequence[str]) -> str:
        """One statement that finds by itself what depends on the type."""
        from framefox_tasks.databases.postgresql.enum_values import set_enum_values_sql

        return set_enum_values_sql(".".join(map(self.dialect.quoted, filter(None, (schema, name)))), values)

    def number_on(self, table: str, column: str, quoted: str) -> str:
        """Of its sequence, which never goes back; nothing where it has none."""
        names = ", ".join("'{}'".format(part.replace("'", "''")) for part in (table, column))
        sequence = f"pg_get_serial_sequence({names})"
        return f"SELECT setval({sequence}, GREATEST((SELECT max({quoted}) FROM {table}), nextval({sequence})))"  # noqa: S608

    def collations(self, connection: Any, schema: str | None, table: str) -> Mapping[str, str]:
        """From pg_attribute."""
        from framefox_tasks.databases.postgresql.definitions import PostgreSQLDefinitions

        return PostgreSQLDefinitions(connection).collations((schema, table))

    def schema_statement(self, quoted: str) -> str:
        """Not CREATE SCHEMA IF NOT EXISTS, which is refused without the right to create one even if it is there."""
        name = "'{}'".format(quoted.replace("'", "''"))
        return f"DO $do$ BEGIN IF to_regnamespace({name}) IS NULL THEN CREATE SCHEMA {quoted}; END IF; END $do$"

    def definitions(self, connection: Any) -> ServerDefinitions:
        """What pg_get_expr, pg_get_indexdef and their like write."""
        from framefox_tasks.databases.postgresql.definitions import PostgreSQLDefinitions

        return PostgreSQLDefinitions(connection)

    def scratch(self, target: Target, *, state: str = "") -> AbstractContextManager[Target]:
        """A database on the same server."""
        from framefox_tasks.databases.postgresql.scratch import scratch

        return scratch(self, target, state)

    def keep_state(self, target: Target, scratch: Target, state: str) -> None:
        """As a template database."""
        from framefox_tasks.databases.postgresql.scratch import keep_state

        keep_state(self, target, scratch, state)

    def forget_state(self, target: Target) -> None:
        """Drop the template database."""
        from framefox_tasks.databases.postgresql.scratch import forget_state

        forget_state(self, target)

    def resetting(self, target: Target) -> AbstractContextManager[Reset]:
        """Row by row, and only what has changed."""
        from framefox_tasks.databases.postgresql.reset import resetting

        return resetting(self, target)

    def as_new(self, connection: Any) -> bool:
        """Whoever connects waits for a process of the server."""
        from framefox_tasks.databases.postgresql.reset import as_new

        return as_new(connection)

    def watched(self, watch: DriverWatch) -> AbstractContextManager[None]:
        """Let the drivers ask first."""
        from framefox_tasks.databases.postgresql.scratch import watched

        return watched(watch)

    def beyond(self, statement: str, scratch: Target, live: Target) -> str | None:
        """What a statement reaches beyond the scratch database."""
        from framefox_tasks.databases.postgresql.scratch import beyond

        return beyond(statement, scratch, live)

    def set_aside(self, connection: Connection) -> Aside | None:
        """By other names for its schemas."""
        from framefox_tasks.databases.postgresql.set_aside import set_aside

        return set_aside(connection)

    def equip(self, scratch: Target, like: Target) -> None:
        """With the same extensions."""
        from framefox_tasks.databases.postgresql.scratch import equip

        equip(self, scratch, like)

    def missing_extension(self, target: Target, error: str) -> str | None:
        """By the target's catalogue, or those that are known."""
        from framefox_tasks.databases.postgresql.extensions import missing_extension

        return missing_extension(self, target, error)

    def copy_schema(self, source: Target, scratch: Target) -> None:
        """Without rows."""
        from framefox_tasks.databases.postgresql.scratch import copy_schema

        copy_schema(self, source, scratch)

    def copy_to_schema(self, source: Target, target: Target) -> None:
        """By pg_dump, in one transaction."""
        from framefox_tasks.databases.postgresql.schema_copy import copy_to_schema

        copy_to_schema(self, source, target)

    def schema_statements(self, target: Target) -> list[str] | None:
        """As its catalogue has them."""
        from framefox_tasks.databases.postgresql.scratch import schema_statements

        return schema_statements(self, target)

    def facts(self, target: Target) -> list[Fact]:
        """What its catalogue tells."""
        from framefox_tasks.databases.postgresql.facts import facts

        return facts(self, target)

    def owners(self, target: Target) -> list[Fact]:
        """Who owns what."""
        from framefox_tasks.databases.postgresql.facts import owners

        return owners(self, target)

    def undo(self, sides: SchemaPair, found: Sequence[FactDifference]) -> list[str | None]:
        """The statements."""
        from framefox_tasks.databases.postgresql.undo import undo

        return undo(self, sides, found)

    def open_source(self, target: Target, readers: int = 1) -> AbstractContextManager[Source]:
        """A snapshot that any number of connections see."""
        from framefox_tasks.databases.postgresql.snapshot import open_source

        return open_source(target, readers)

    def joined_reader(self, target: Target, snapshot: str) -> AbstractContextManager[RangeReader]:
        """See JoinsSource."""
        from framefox_tasks.databases.postgresql.snapshot import joined_reader

        return joined_reader(target, snapshot)

    marks_options = ""

    def joined_loader(self, target: Target, staging: str) -> AbstractContextManager[RangeLoader]:
        """See JoinsPlace."""
        from framefox_tasks.databases.postgresql.place import joined_loader

        return joined_loader(target, staging)

    def open_place(self, target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
        """A database beside the target, or for rows alone the target's own tables."""
        from framefox_tasks.databases.postgresql.place import PostgreSQLPlace
        from framefox_tasks.databases.postgresql.place_own import PostgreSQLOwnPlace, is_needed
        from framefox_tasks.databases.postgresql.place_rows import PostgreSQLRowsPlace

        if data_only:
            return PostgreSQLRowsPlace(target)
        if is_needed(target):
            return PostgreSQLOwnPlace(target, overwrite=overwrite)
        return PostgreSQLPlace(target, overwrite=overwrite, force_disconnect=force_disconnect)
