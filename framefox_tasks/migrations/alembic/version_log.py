"""The log of applied migrations, as Alembic's version table has it beside the revision."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from framefox_tasks.databases import database_of, reuse
from framefox_tasks.databases.journal import LOG
from framefox_tasks.migrations import applied_log
from framefox_tasks.migrations.alembic.failures import describe
from framefox_tasks.migrations.alembic.revision_loader import content_of
from framefox_tasks.migrations.applied_log import SEED, Prepared
from framefox_tasks.migrations.checksum_cache import ChecksumCache
from framefox_tasks.model import Target
from framefox_tasks.results import Revision
from framefox_tasks.schema.cache import digest


class _Text(UserDefinedType[str]):
    """A column that takes any text."""

    cache_ok = True

    def __init__(self, native: str) -> None:
        self.native = native

    def get_col_spec(self, **_: Any) -> str:
        """How the database calls it."""
        return self.native


class VersionLog:
    """The log of a run, written in the transaction that records the revision.

    Args:
        target: The database.
        prepared: What is known, and whether the version table has a column for it.

    Attributes:
        note: Why the version table cannot hold it; empty where it can.
        notes: Whether the version table can hold a short journal as well.
    """

    def __init__(self, target: Target, prepared: Prepared) -> None:
        self._target = target
        self._log, self._is_lacking, self.note, self.notes = prepared
        self._journal = database_of(target).journal
        self._is_written = True
        # A thread that works on many databases of a project computes each once.
        make = partial(ChecksumCache, target.project)
        self._checksums = reuse.kept(("checksums", target.project), make) if reuse.is_reusing() else make()

    @classmethod
    def of(cls, target: Target) -> VersionLog:
        """That of a database, whose version table gets a column for it; under the lock.

        Where DDL can be rolled back it gets the column with the revision, in one transaction.
        """
        return cls(target, applied_log.prepare(target, add=not database_of(target).transactional_ddl))

    def join(self, context: MigrationContext) -> None:
        """Let Alembic make the column with the version table, where it makes that."""
        if self._journal and LOG not in context._version.c:
            for name in self._journal.columns:
                context._version.append_column(Column(name, _Text(self._journal.row_type), nullable=True))

    def applied(self, step: Any) -> None:
        """Note that a migration was applied, or reverted; not that a database was marked as being at it."""
        if step.is_stamp:
            return
        for script in step.up_revisions:
            self._log.pop(script.revision, None)
            if step.is_upgrade and (known := applied_log.logged(*content_of(script), self._checksums)):
                self._log[script.revision] = known
        self._is_written = False

    def made(self, connection: Connection, revisions: Iterable[Revision], contents: Mapping[Path, bytes]) -> None:
        """Note and write that the schema of these migrations, whose files have these contents, was made at once."""
        for revision in revisions:
            content = contents[revision.path]
            if known := applied_log.logged(content, digest(content), self._checksums):
                self._log[revision.revision] = known
        self._write(connection)
        self._checksums.keep()

    def write(self, connection: Connection) -> None:
        """Write what was noted; once before a commit, as the text has all migrations that are applied."""
        if not self._is_written:
            self._is_written = True
            self._write(connection)
            self._checksums.keep()

    def stamped(self, connection: Connection, revisions: Container[str]) -> None:
        """Forget all but these revisions, which a database is said to hold now, and the seeds."""
        for revision in [known for known in self._log if known not in revisions and not known.startswith(SEED)]:
            del self._log[revision]
        if self._log:
            self._write(connection)

    def _write(self, connection: Connection) -> None:
        if self._is_lacking:
            self._is_lacking = False
            self._add(connection)
        if self._journal and not self.note:
            connection.exec_driver_sql(self._journal.log_statement(self._target, applied_log.written(self._log)))

    def _add(self, connection: Connection) -> None:
        """Add the column; where that is refused, nothing of the transaction is lost."""
        journal = self._journal
        assert journal is not None  # noqa: S101 - it has looked for the column
        raw = connection.connection.dbapi_connection
        is_alone = journal.autocommits(raw)
        try:
            with nullcontext() if is_alone or not journal.errors_abort else connection.begin_nested():
                connection.exec_driver_sql(journal.log_addition(self._target))
        except DBAPIError as exc:
            # A disk that is full may end the transaction as well.
            if exc.connection_invalidated or not (is_alone or getattr(raw, "in_transaction", True)):
                raise
            self.note = applied_log.refused(describe(exc))
