"""Everything that knows MySQL and MariaDB."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.mysql.certificates import one_ssl_context
from framefox_tasks.databases.mysql.verbs import MySQLVerbs
from framefox_tasks.databases.verbs import Database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from framefox_tasks.databases.columns import ColumnComparison
    from framefox_tasks.databases.contract import Place, Source
    from framefox_tasks.databases.dialect import Dialect
    from framefox_tasks.databases.facts import Fact, FactDifference, SchemaPair
    from framefox_tasks.databases.journal import Journal
    from framefox_tasks.databases.lock import MigrationLock, Patience
    from framefox_tasks.databases.ranges import LockedSource, RangeLoader, RangeReader
    from framefox_tasks.databases.scratch import DriverWatch
    from framefox_tasks.databases.table_locks import TableLocks
    from framefox_tasks.databases.verbs import Reset
    from framefox_tasks.model import Target


class MySQL(MySQLVerbs, Database):
    """MySQL and MariaDB, with what reads and writes rows imported when it is used."""

    @cached_property
    def dialect(self) -> Dialect:
        """The SQL of MySQL."""
        from framefox_tasks.databases.mysql.dialect import MySQLDialect

        return MySQLDialect(self)

    def dialect_of(self, target: Target) -> Dialect:
        """With a type for a UUID where the server has one: MariaDB, and not MySQL."""
        from framefox_tasks.databases.mysql.dialect import MySQLDialect, has_uuid

        return MySQLDialect(self, has_uuid=has_uuid(target, self))

    @property
    def journal(self) -> Journal:
        """Of migrations that commit in between."""
        from framefox_tasks.databases.mysql.journal import MySQLJournal

        return MySQLJournal(self)

    def migration_lock(self, target: Target, patience: Patience) -> AbstractContextManager[MigrationLock]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.databases.mysql.lock import locked

        return locked(self, target, patience)

    @cached_property
    def table_locks(self) -> TableLocks:
        """What a statement waits for."""
        from framefox_tasks.databases.mysql.table_locks import MySQLTableLocks

        return MySQLTableLocks()

    def replacement_lock(self, target: Target, patience: Patience) -> AbstractContextManager[None]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.databases.mysql.lock import replacing

        return replacing(self, target, patience)

    def compare_columns(self, connection: Any) -> ColumnComparison:
        """The server writes many types and defaults in other words than they were given in."""
        from framefox_tasks.databases.mysql.columns import MySQLColumns

        return MySQLColumns(connection)

    def scratch(self, target: Target, *, state: str = "") -> AbstractContextManager[Target]:
        """A database on the same server."""
        from framefox_tasks.databases.mysql.scratch import scratch

        return scratch(self, target, state)

    def keep_state(self, target: Target, scratch: Target, state: str) -> None:
        """In the cache folder."""
        from framefox_tasks.databases.mysql.scratch import keep_state

        keep_state(self, target, scratch, state)

    def connecting(self) -> AbstractContextManager[None]:
        """Let connections share what is loaded for them."""
        return one_ssl_context()

    def resetting(self, target: Target) -> AbstractContextManager[Reset]:
        """Row by row, and only what has changed."""
        from framefox_tasks.databases.mysql.reset import resetting

        return resetting(self, target)

    def watched(self, watch: DriverWatch) -> AbstractContextManager[None]:
        """Let the drivers ask first."""
        from framefox_tasks.databases.mysql.scratch import watched

        return watched(watch)

    def beyond(self, statement: str, scratch: Target, live: Target) -> str | None:
        """What a statement reaches beyond the scratch database."""
        from framefox_tasks.databases.mysql.scratch import beyond

        return beyond(statement, scratch, live)

    def copy_schema(self, source: Target, scratch: Target) -> None:
        """Without rows."""
        from framefox_tasks.databases.mysql.scratch import copy_schema

        copy_schema(self, source, scratch)

    def schema_statements(self, target: Target) -> list[str] | None:
        """As its catalogue has them."""
        from framefox_tasks.databases.mysql.scratch import schema_statements

        return schema_statements(self, target)

    def facts(self, target: Target) -> list[Fact]:
        """What its catalogue tells."""
        from framefox_tasks.databases.mysql.facts import facts

        return facts(self, target)

    def undo(self, sides: SchemaPair, found: Sequence[FactDifference]) -> list[str | None]:
        """The statements."""
        from framefox_tasks.databases.mysql.undo import undo

        return undo(self, sides, found)

    def open_source(self, target: Target, readers: int = 1) -> AbstractContextManager[Source]:
        """Connections that see the database at one point of time."""
        from framefox_tasks.databases.mysql.snapshot import open_source

        return open_source(target, readers)

    def open_locked_source(self, target: Target, readers: int = 1) -> AbstractContextManager[LockedSource]:
        """See LocksWrites."""
        from framefox_tasks.databases.mysql.write_lock import open_locked_source

        return open_locked_source(target, readers)

    def joined_reader(self, target: Target, snapshot: str) -> AbstractContextManager[RangeReader]:  # noqa: ARG002 - none is told
        """See JoinsSource: one that nobody may write to."""
        from framefox_tasks.databases.mysql.write_lock import joined_reader

        return joined_reader(target)

    marks_options = " ENGINE = InnoDB"

    def joined_loader(self, target: Target, staging: str) -> AbstractContextManager[RangeLoader]:
        """See JoinsPlace."""
        from framefox_tasks.databases.mysql.place import joined_loader

        return joined_loader(target, staging)

    def open_place(self, target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
        """A database beside the target, or for rows alone the target's own tables."""
        from framefox_tasks.databases.mysql.place import MySQLPlace
        from framefox_tasks.databases.mysql.place_own import MySQLOwnPlace, is_needed
        from framefox_tasks.databases.mysql.place_rows import MySQLRowsPlace

        if data_only:
            return MySQLRowsPlace(target)
        if is_needed(target):
            return MySQLOwnPlace(target)
        return MySQLPlace(target, overwrite=overwrite, force_disconnect=force_disconnect)
