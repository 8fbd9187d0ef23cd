"""Filling tables of the target itself, in one transaction, and the foreign keys that hold there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from framefox_tasks.databases.postgresql.columns import qualified
from framefox_tasks.databases.postgresql.load import PostgreSQLLoader
from framefox_tasks.databases.rows import Name, Side
from framefox_tasks.model import Target

HELD_KEYS = """
SELECT conname, conrelid::regclass::text, confrelid::regclass::text,
    ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a USING (attnum) WHERE a.attrelid = conrelid ORDER BY u.place),
    ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a USING (attnum) WHERE a.attrelid = confrelid ORDER BY u.place)
FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND convalidated
    AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[])) ORDER BY 2, 1
"""
"""Those of some tables and to them, but for what is NOT VALID."""


class RowsLoader(PostgreSQLLoader):
    """A loader whose work is one transaction, which it does not end."""

    def __init__(self, connection: Any, target: Target) -> None:
        super().__init__(connection, target)
        self.cleared: set[str] = set()
        self.loaded: set[str] = set()
        self._undoes = False

    def take_as_is(self) -> None:
        """Whatever a database of this kind holds is taken."""

    def undo_failures(self) -> None:
        """Let each load be a part of the transaction that can be undone alone."""
        self._undoes = True

    def clear(self, table: Name) -> None:
        """Delete all rows of a table, and remember which."""
        self.cleared.add(qualified(table))
        super().clear(table)

    def _load(self, table: Side, blocks: Iterable[bytes], form: str) -> int:
        self.loaded.add(qualified(table.name))
        return super()._load(table, blocks, form)

    def _emptied(self, table: Name) -> bool:  # noqa: ARG002 - nothing is new here
        return False

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._undone() if self._undoes else nullcontext():
            yield

    @contextmanager
    def _undone(self) -> Iterator[None]:
        with self.connection.transaction():
            yield
