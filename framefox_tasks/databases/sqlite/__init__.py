"""Everything that knows SQLite."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.sqlite.verbs import SQLiteVerbs
from framefox_tasks.databases.verbs import Database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

    from framefox_tasks.databases.contract import Place, Source, WholeCopy
    from framefox_tasks.databases.dialect import Dialect
    from framefox_tasks.databases.facts import Fact, FactDifference, SchemaPair
    from framefox_tasks.databases.journal import Journal
    from framefox_tasks.databases.lock import MigrationLock, Patience
    from framefox_tasks.databases.rebuild import TableRebuild
    from framefox_tasks.databases.scratch import DriverWatch
    from framefox_tasks.databases.verbs import Adopt, Reset
    from framefox_tasks.model import Target


class SQLite(SQLiteVerbs, Database):
    """SQLite, with what reads and writes rows imported when it is used."""

    @cached_property
    def dialect(self) -> Dialect:
        """The SQL of SQLite."""
        from framefox_tasks.databases.sqlite.dialect import SQLiteDialect

        return SQLiteDialect(self)

    @property
    def journal(self) -> Journal:
        """Of migrations that commit in between."""
        from framefox_tasks.databases.sqlite.journal import SQLiteJournal

        return SQLiteJournal(self)

    def migration_lock(self, target: Target, patience: Patience) -> AbstractContextManager[MigrationLock]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.databases.sqlite.lock import locked

        return locked(target, patience)

    def replacement_lock(self, target: Target, patience: Patience) -> AbstractContextManager[None]:
        """Wait for other runs, and keep them waiting."""
        from framefox_tasks.databases.sqlite.lock import replacing

        return replacing(target, patience)

    def migration_guard(self, target: Target, patience: Patience) -> AbstractContextManager[Adopt]:
        """Run migrations in a real transaction that loses nothing."""
        from framefox_tasks.databases.sqlite.transaction import guarded

        return guarded(target, patience)

    def scratch(self, target: Target, *, state: str = "") -> AbstractContextManager[Target]:
        """A file in the temporary folder."""
        from framefox_tasks.databases.sqlite.scratch import scratch

        return scratch(target, state)

    def keep_state(self, target: Target, scratch: Target, state: str) -> None:
        """In the cache folder."""
        from framefox_tasks.databases.sqlite.scratch import keep_state

        keep_state(target, scratch, state)

    def resetting(self, target: Target) -> AbstractContextManager[Reset]:
        """Row by row, and only what has changed."""
        from framefox_tasks.databases.sqlite.reset import resetting

        return resetting(target)

    def hasten(self, connection: Any) -> None:
        """What does not outlive its process is not synchronised."""
        connection.execute("PRAGMA synchronous = OFF")

    def as_new(self, connection: Any) -> bool:
        """A new one would read the whole schema."""
        from framefox_tasks.databases.sqlite.reset import as_new

        return as_new(connection)

    def begin_at_once(self, connection: Connection) -> None:
        """The driver would wait for the first statement that writes."""
        from sqlalchemy import event

        driver: Any = connection.connection.driver_connection
        driver.isolation_level = None
        event.listen(connection, "begin", lambda begun: begun.exec_driver_sql("BEGIN"))

    def watched(self, watch: DriverWatch) -> AbstractContextManager[None]:
        """Let the drivers ask first."""
        from framefox_tasks.databases.sqlite.scratch import watched

        return watched(watch)

    def beyond(self, statement: str, scratch: Target, live: Target) -> str | None:
        """What a statement reaches beyond the scratch database."""
        from framefox_tasks.databases.sqlite.scratch import beyond

        return beyond(statement, scratch, live)

    def copy_schema(self, source: Target, scratch: Target) -> None:
        """Without rows."""
        from framefox_tasks.databases.sqlite.scratch import copy_schema

        copy_schema(source, scratch)

    def schema_statements(self, target: Target) -> list[str] | None:
        """As its catalogue has them."""
        from framefox_tasks.databases.sqlite.scratch import schema_statements

        return schema_statements(target)

    def facts(self, target: Target) -> list[Fact]:
        """What its catalogue tells."""
        from framefox_tasks.databases.sqlite.facts import facts

        return facts(target)

    def undo(self, sides: SchemaPair, found: Sequence[FactDifference]) -> list[str | None]:
        """The statements."""
        from framefox_tasks.databases.sqlite.undo import undo

        return undo(sides, found)

    def rebuild(self, connection: Connection, table: str) -> TableRebuild | None:
        """Rebuild a table from the text that made it; None where it is not there by that name, but will be renamed."""
        from framefox_tasks.databases.sqlite.rebuild import SQLiteRebuild, is_there

        return SQLiteRebuild(connection, table) if is_there(connection, table) else None

    def complete_reflection(self, connection: Connection) -> None:
        """With what stands behind MATCH in a foreign key."""
        from framefox_tasks.databases.sqlite.match_clauses import read_match_clauses

        read_match_clauses(connection)

    def match_clauses(self, connection: Connection, table: str) -> Mapping[tuple[str, ...], str]:
        """From the text of the table."""
        from framefox_tasks.databases.sqlite.match_clauses import match_clauses

        return match_clauses(connection, table)

    def generated(self, connection: Connection, table: str) -> Mapping[str, str]:
        """From the text of the table: SQLAlchemy takes all up to the last parenthesis in its line for one."""
        from framefox_tasks.databases.sqlite.create_table import CreateTable

        query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        sql = connection.exec_driver_sql(query, (table,)).scalar()
        return CreateTable(str(sql)).generated() if sql else {}

    def collations(self, connection: Connection, schema: str | None, table: str) -> Mapping[str, str]:
        """From the text of the table."""
        from framefox_tasks.databases.sqlite.create_table import CreateTable

        query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        sql = connection.exec_driver_sql(query, (table,)).scalar() if schema is None else None
        return CreateTable(str(sql)).collation_of() if sql else {}

    def told_by_text(self, connection: Connection) -> set[str]:
        """By the look of the statements in its catalogue."""
        from framefox_tasks.databases.sqlite.objects import told_by_text

        return told_by_text(connection)

    def open_source(self, target: Target, readers: int = 1) -> AbstractContextManager[Source]:  # noqa: ARG002 - one is enough
        """Read a database at one point of time."""
        from framefox_tasks.databases.sqlite.read import open_source

        return open_source(target)

    def open_place(self, target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
        """A file beside the target, or for rows alone the target itself."""
        from framefox_tasks.databases.sqlite.place import open_place

        return open_place(target, overwrite=overwrite, data_only=data_only, force_disconnect=force_disconnect)

    def open_whole(self, source: Target, target: Target) -> AbstractContextManager[WholeCopy]:
        """Page by page into a file beside the target."""
        from framefox_tasks.databases.sqlite.whole import whole_copy

        return whole_copy(source, target)
