"""Comparisons of a table in the database with the one that is declared, after Alembic's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table

from framefox_tasks.migrations.alembic.database_types import compares_last
from framefox_tasks.migrations.alembic.ownership import OWNERSHIP, Ownership, ownership_of


@dataclass(frozen=True)
class TableComparison:
    """A table that is in the database and among the entities.

    Attributes:
        context: Alembic's context of the comparison.
        modify: The operations that have been found so far; a comparison adds its own to them.
        schema: The schema of the table; None for the default one.
        name: The name of the table.
        found: The table in the database.
        declared: The table of the entities.
    """

    context: AutogenContext
    modify: ops.ModifyTableOps
    schema: str | None
    name: str
    found: Table
    declared: Table

    @property
    def migration(self) -> MigrationContext:
        """Alembic's context of the connection."""
        return self.context.migration_context

    @property
    def ownership(self) -> Ownership:
        """What in the database is the project's own."""
        return ownership_of(self.migration)


def compares_tables(compare: Callable[[TableComparison], None]) -> Callable[[TableComparison], None]:
    """Register a comparison of tables that are on both sides, run with our options and after Alembic's own."""

    @compares_last("table")
    def _compare(  # with Alembic's signature
        context: AutogenContext,
        modify: ops.ModifyTableOps,
        schema: str | None,
        name: str,
        found: Table | None,
        declared: Table | None,
    ) -> None:
        if found is not None and declared is not None and OWNERSHIP in context.migration_context.opts:
            compare(TableComparison(context, modify, schema, name, found, declared))

    return compare
