"""Everything that knows MySQL and MariaDB."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.mysql.verbs import MySQLVerbs
from framefox_tasks.databases.verbs import Database

if TYPE_CHECKING:
    from framefox_tasks.databases.columns import ColumnComparison
    from framefox_tasks.databases.contract import Place, Source
    from framefox_tasks.databases.dialect import Dialect
    from framefox_tasks.databases.lock import MigrationLock, Patience
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

    def migration_lock(self, target: Target, patience: Patience) -> AbstractContextManager[MigrationLock]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.databases.mysql.lock import locked

        return locked(self, target, patience)

    def compare_columns(self, connection: Any) -> ColumnComparison:
        """The server writes many types and defaults in other words than they were given in."""
        from framefox_tasks.databases.mysql.columns import MySQLColumns

        return MySQLColumns(connection)

    def open_source(self, target: Target, readers: int = 1) -> AbstractContextManager[Source]:
        """Connections that see the database at one point of time."""
        from framefox_tasks.databases.mysql.snapshot import open_source

        return open_source(target, readers)

    def open_place(self, target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
        """A database beside the target, or for rows alone the target's own tables."""
        from framefox_tasks.databases.mysql.place import MySQLPlace
        from framefox_tasks.databases.mysql.place_rows import MySQLRowsPlace

        if data_only:
            return MySQLRowsPlace(target)
        return MySQLPlace(target, overwrite=overwrite, force_disconnect=force_disconnect)
